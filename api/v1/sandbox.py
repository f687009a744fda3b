"""What a platform in test mode may do besides: move its clock, and pay as its buyer would.

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
from api.v1.answers import payments as payment_answers
from api.v1.answers import sandbox as answers
from api.v1.requests import sandbox as requests
from api.views import ApiView
from channels import contract, registry
from common.errors import DomainError
from merchants import clocks


class NotPlayable(DomainError):
    """This channel has real buyers; only the sandbox's can be played."""

    code = "channel_not_playable"


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
