"""What a platform in test mode may do besides: move its clock, pay as its buyer would, and as a
seller in debt.

A live key must never reach any of it.
"""

from datetime import datetime, timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import clock, kept, lookups
from api.fields import instant
from api.idempotency import idempotent
from api.refusals import refuses
from api.v1.answers import debts as debt_answers
from api.v1.answers import payments as payment_answers
from api.v1.answers import sandbox as answers
from api.v1.requests import sandbox as requests
from api.views import ApiView
from channels import contract, registry
from common.errors import DomainError
from common.ids import new_id
from merchants import clocks


class NotPlayable(DomainError):
    """This channel has real buyers; only the sandbox's can be played."""

    code = "channel_not_playable"


class NothingAsked(DomainError):
    """The seller was not asked to pay this debt, so there is no reference to pay it with."""

    code = "debt_not_asked_for"


class ClockView(ApiView):
    scope = "sandbox"
    answer = answers.ClockAnswer

    @refuses(clocks.require_test)
    def get(self, request: Request) -> Response:
        """Return what time it is on your platform's clock."""
        clocks.require_test(self.platform)
        moved = self.platform.clock_offset > timedelta(0)
        return Response(kept.write(answers.ClockAnswer, {"now": request.at, "moved": moved}))


class ClockAdvanceView(ApiView):
    scope = "sandbox"

    @extend_schema(request=requests.AdvanceRequest, responses=answers.AdvanceAnswer)
    @refuses(clocks.require_test, clock.advance)
    @idempotent
    def post(self, request: Request) -> Response:
        """Move your platform's clock ahead; everything that is due on the way happens, in order."""
        clocks.require_test(self.platform)
        seconds = self.read(requests.AdvanceRequest)["seconds"]
        return Response({"to": instant(request.at + timedelta(seconds=seconds))})

    def conclude(self, request: Request, answered: dict[str, Any]) -> dict[str, Any]:
        """Advance outside the transaction: each step commits by itself, and a retry goes no
        further than was asked."""
        to = datetime.fromisoformat(answered["to"])
        report = clock.advance_to(self.platform.id, to=to, now=request.now)
        return kept.write(answers.AdvanceAnswer, report)


class PayView(ApiView):
    scope = "sandbox"

    @extend_schema(responses=payment_answers.PaymentAnswer)
    @refuses(clocks.require_test, lookups.get_payment, registry.get_channel, NotPlayable)
    @idempotent
    def post(self, request: Request, payment_id: str) -> Response:
        """Pay as the buyer would at the sandbox's cashier."""
        clocks.require_test(self.platform)
        payment = lookups.get_payment(platform=self.platform, payment_id=payment_id)
        if not isinstance(registry.get_channel(payment.channel), contract.PlayedBuyer):
            raise NotPlayable(f"The channel {payment.channel} cannot be played.")
        return Response({"id": payment.id})

    def conclude(self, request: Request, answered: dict[str, Any]) -> dict[str, Any]:
        """Tell the channel; its notification then says that the money has come."""
        payment = lookups.get_payment(platform=self.platform, payment_id=answered["id"])
        channel = registry.get_channel(payment.channel)
        assert isinstance(channel, contract.PlayedBuyer)
        channel.pay(reference=payment.id)
        payment.refresh_from_db()
        return kept.write(payment_answers.PaymentAnswer, payment)


class PayDebtView(ApiView):
    scope = "sandbox"

    @extend_schema(request=requests.PayDebtRequest, responses=debt_answers.DebtAnswer)
    @refuses(clocks.require_test, lookups.get_debt, registry.get_rail, NothingAsked, NotPlayable)
    @idempotent
    def post(self, request: Request, debt_id: str) -> Response:
        """Pay a debt as the seller would by its bank, with the reference it was asked to write.

        The bank's message then says that the money has come; more than is owed is not booked.
        """
        clocks.require_test(self.platform)
        amount_minor = self.read(requests.PayDebtRequest)["amount_minor"]
        debt = lookups.get_debt(platform=self.platform, debt_id=debt_id)
        if debt.debit_request is None:
            raise NothingAsked(f"Nobody was asked to pay debt {debt.id} yet.", debt=debt.id)
        if not isinstance(self._bank(), contract.PlayedPayer):
            raise NotPlayable("The bank of this platform cannot be played.")
        number = new_id("sbi")  # one payment, whoever sends this request again
        return Response({"id": debt.id, "amount_minor": amount_minor, "number": number})

    def conclude(self, request: Request, answered: dict[str, Any]) -> dict[str, Any]:
        """Tell the bank; its message then says that the money has come."""
        debt = lookups.get_debt(platform=self.platform, debt_id=answered["id"])
        bank = self._bank()
        assert isinstance(bank, contract.PlayedPayer)
        bank.pay_in(
            reference=debt.debit_request.payment_reference,
            amount_minor=answered["amount_minor"],
            currency=debt.currency,
            number=answered["number"],
        )
        debt = lookups.get_debt(platform=self.platform, debt_id=debt.id)
        return kept.write(debt_answers.DebtAnswer, debt)

    def _bank(self) -> contract.Rail | None:
        rail = registry.first_rail(live=False)
        return registry.get_rail(rail.name) if rail else None
