"""Cells: machines whose every state is tried against everything that can be done to a row.

A row is brought into a state by services alone. A case is a state, or a state and what sets it
apart: `HELD/PAID`. `tests/machines/test_machine_cells.py` tries each case with each act, and fails
for a state or a move of a machine that stands in no table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction

from channels.contract import Answer, Status
from escrow.models import Actor, Debt, Dispute, Hold, Refund
from escrow.services import bank_refunds, debts
from escrow.services import order_refunds as refunding
from escrow.services import refund as refunds
from escrow.services import release as releases
from escrow.services.disputes import answering, chargebacks
from merchants import services as merchants
from merchants.models import CommissionPlan
from orders import sweeps as order_sweeps
from orders.models import CancelReason, ConfirmedBy, Payment
from tests import disputing, ground
from tests.escrow.test_clawbacks import owing_seller
from tests.ground import US
from tests.orders import test_order_payments as order_payments
from tests.world import RAIL, World

LATE = timedelta(days=60)
WEEK = timedelta(days=7)
WHOLE, PART = 10001, 3333

Act = Callable[[World, Any], Any]


@dataclass(frozen=True)
class Machine:
    """A model, how a row gets into each case, and what can be done: which case goes to which state.
    Where an act leads nowhere, it is refused or does nothing.
    """

    model: Any
    make: Callable[[World, str], Any]
    cases: tuple[str, ...]
    acts: Mapping[str, tuple[Act, Mapping[str, str]]]

    def moves(self) -> set[tuple[str, str]]:
        """The moves from one state to another that the acts make."""
        return {
            (state_of(case), target)
            for _, leads in self.acts.values()
            for case, target in leads.items()
        }


def state_of(case: str) -> str:
    """The state of a case."""
    return case.split("/")[0]


# Payments


def _tell_payment(status: Status) -> Act:
    return lambda world, payment: order_payments.tell(world, payment, status)


def _charge_back(world: World, payment: Payment, amount_minor: int = WHOLE) -> list[Dispute]:
    return chargebacks.record_chargeback(
        payment_id=payment.id,
        provider_reference="SBC1",
        amount_minor=amount_minor,
        currency="CNY",
        at=world.now,
    )


PAYMENT = Machine(
    model=Payment,
    make=order_payments.payment_in,
    cases=("PENDING", "UNKNOWN", "SUCCEEDED", "FAILED", "EXPIRED"),
    acts={
        "channel says pending": (
            _tell_payment(Status.PENDING),
            {"PENDING": "PENDING", "UNKNOWN": "PENDING"},
        ),
        "channel knows nothing": (
            _tell_payment(Status.NOT_FOUND),
            {"PENDING": "PENDING", "UNKNOWN": "PENDING"},
        ),
        "channel says failed": (
            _tell_payment(Status.FAILED),
            {"PENDING": "FAILED", "UNKNOWN": "FAILED"},
        ),
        "channel is silent": (
            _tell_payment(Status.UNKNOWN),
            {"PENDING": "UNKNOWN", "UNKNOWN": "UNKNOWN"},
        ),
        "money comes": (
            lambda world, payment: ground.capture(payment, number="SBP2"),
            {
                "PENDING": "SUCCEEDED",
                "UNKNOWN": "SUCCEEDED",
                "SUCCEEDED": "SUCCEEDED",  # surplus, as in the next two
                "FAILED": "FAILED",
                "EXPIRED": "EXPIRED",
            },
        ),
        "money is charged back": (_charge_back, {"SUCCEEDED": "SUCCEEDED"}),
        "its order expires": (
            lambda world, payment: order_sweeps.expire_due_orders(at=world.now + LATE),
            {"PENDING": "EXPIRED", "UNKNOWN": "EXPIRED"},
        ),
    },
)


# Holds


def hold_in(world: World, case: str) -> Hold:
    if case == "FROZEN":
        order = disputing.open_dispute(world).order
    else:
        orders = {"HELD": "SHIPPED", "RELEASED": "CONFIRMED", "REFUNDED": "CANCELED"}
        order = ground.order_in(world, orders.get(case, "PAID"))
    return Hold.objects.select_related("order", "payment").get(order=order)


def _refund(amount_minor: int | None) -> Act:
    return lambda world, hold: refunding.refund_order(
        order_id=hold.order_id, amount_minor=amount_minor, reason="broken", at=world.now
    )


def _in_dispute(verb: Callable[..., Any], **known: Any) -> Act:
    def act(world: World, hold: Hold) -> Any:
        dispute = Dispute.objects.filter(order=hold.order).first()
        dispute_id = dispute.id if dispute else "dsp_none"
        return verb(dispute_id=dispute_id, at=world.now, **known)

    return act


def _release_slowly(world: World, hold: Hold) -> Any:
    by = ConfirmedBy.OPERATOR
    return releases.release_order_slowly(order_id=hold.order_id, confirmed_by=by, at=world.now)


def _cancel(world: World, hold: Hold) -> Any:
    reason = CancelReason.PLATFORM
    return refunds.cancel_paid_order(order_id=hold.order_id, reason=reason, at=world.now)


OPEN_HOLDS = ("HELD", "HELD/PAID")
TO_RELEASED = {"HELD": "RELEASED"}
TO_REFUNDED = {"HELD/PAID": "REFUNDED"}
HOLD = Machine(
    model=Hold,
    make=hold_in,
    cases=(*OPEN_HOLDS, "FROZEN", "RELEASED", "REFUNDED"),
    acts={
        "buyer confirms": (
            lambda world, hold: releases.confirm_receipt(order_id=hold.order_id, at=world.now),
            TO_RELEASED,
        ),
        "operator confirms": (_release_slowly, TO_RELEASED),
        "time confirms": (
            lambda world, hold: releases.release_due_orders(limit=9, at=world.now + LATE),
            TO_RELEASED,
        ),
        "platform cancels": (_cancel, TO_REFUNDED),
        "time cancels": (
            lambda world, hold: refunds.cancel_unshipped_order(
                order_id=hold.order_id, at=world.now + LATE
            ),
            TO_REFUNDED,
        ),
        "all is refunded": (
            _refund(None),
            {**dict.fromkeys(OPEN_HOLDS, "REFUNDED"), "RELEASED": "RELEASED"},
        ),
        "a part is refunded": (
            _refund(PART),
            {**dict.fromkeys(OPEN_HOLDS, "HELD"), "RELEASED": "RELEASED"},
        ),
        "too much is refunded": (_refund(WHOLE + 1), {}),
        "all is charged back": (
            lambda world, hold: _charge_back(world, hold.payment),
            {**dict.fromkeys((*OPEN_HOLDS, "FROZEN"), "REFUNDED"), "RELEASED": "RELEASED"},
        ),
        "a part is charged back": (
            lambda world, hold: _charge_back(world, hold.payment, PART),
            {**dict.fromkeys((*OPEN_HOLDS, "FROZEN"), "HELD"), "RELEASED": "RELEASED"},
        ),
        "buyer disputes": (
            lambda world, hold: disputing.open_dispute(world, hold.order),
            {"HELD": "FROZEN", "RELEASED": "RELEASED"},
        ),
        "buyer withdraws": (
            _in_dispute(answering.withdraw_dispute, by=Actor.BUYER),
            {"FROZEN": "HELD"},
        ),
        "seller accepts": (
            _in_dispute(answering.answer_dispute, by=Actor.MERCHANT, answer="ACCEPT"),
            {"FROZEN": "REFUNDED"},
        ),
        "seller contests": (
            _in_dispute(answering.answer_dispute, by=Actor.MERCHANT, answer="CONTEST", text="no"),
            {"FROZEN": "FROZEN"},
        ),
    },
)


# Refunds


def refund_in(world: World, case: str) -> Refund:
    refund = ground.open_refund(world, claimed=case != "PENDING")
    if case in ("UNKNOWN", "FAILED", "SUCCEEDED"):
        _tell_refund(Status(case))(world, refund)
    return Refund.objects.get(pk=refund.pk)


def _tell_refund(status: Status, **changes: Any) -> Act:
    def act(world: World, refund: Refund) -> Refund:
        money = {"amount_minor": refund.amount_minor, "currency": refund.currency, **changes}
        said = money if status == Status.SUCCEEDED else {}
        told = Answer(status=status, reference=refund.id, provider_reference="SBR1", **said)
        return refunds.record_refund_answer(refund_id=refund.id, answer=told, at=world.now)

    return act


ASKED = ("PENDING", "SUBMITTED", "UNKNOWN")  # claimed or not: the channel knows it
REFUND = Machine(
    model=Refund,
    make=refund_in,
    cases=(*ASKED, "FAILED", "SUCCEEDED"),
    acts={
        "it is claimed": (
            lambda world, refund: refunds.claim_refund(refund_id=refund.id, at=world.now),
            {"PENDING": "SUBMITTED"},
        ),
        "channel has refunded": (
            _tell_refund(Status.SUCCEEDED),
            dict.fromkeys((*ASKED, "FAILED"), "SUCCEEDED"),
        ),
        "channel has refunded less": (_tell_refund(Status.SUCCEEDED, amount_minor=WHOLE - 1), {}),
        "channel refuses": (_tell_refund(Status.FAILED), dict.fromkeys(ASKED, "FAILED")),
        "channel says pending": (
            _tell_refund(Status.PENDING),
            dict.fromkeys(ASKED, "SUBMITTED"),
        ),
        "channel is silent": (_tell_refund(Status.UNKNOWN), dict.fromkeys(ASKED, "UNKNOWN")),
        "channel is asked again": (
            lambda world, refund: bank_refunds.ask_channel_again(refund_id=refund.id, at=world.now),
            {"FAILED": "PENDING"},
        ),
    },
)


# Debts


def debt_in(world: World, case: str) -> Debt:
    """A seller's debt of 9491, and a later sale of its own that is not cut yet."""
    merchants.set_guarantee(plan_id=CommissionPlan.objects.get().pk, days=7, at=world.now)
    debt = owing_seller(world)
    if case == "SETTLED":
        repay(9491)(world, debt)
    if case in ("OPEN/PROPOSED", "WRITTEN_OFF"):
        _propose(world, debt)
    if case == "WRITTEN_OFF":
        _decide("second", approve=True)(world, debt)
    ground.released_order(world)
    return Debt.objects.get(pk=debt.pk)


def net(amount_minor: int) -> Act:
    def act(world: World, debt: Debt) -> int:
        with transaction.atomic():
            return debts.net_debts(
                address=debt.address,
                currency=debt.currency,
                available_minor=amount_minor,
                at=world.now,
            )

    return act


def repay(amount_minor: int) -> Act:
    return lambda world, debt: debts.record_repayment(
        debt_id=debt.id,
        amount_minor=amount_minor,
        rail=RAIL,
        provider_reference=f"B{world.count}-{amount_minor}",
        at=world.now,
    )


def _propose(world: World, debt: Debt) -> Debt:
    first = ground.operator("first")
    return debts.propose_write_off(debt_id=debt.id, reason="gone", proposed_by=first, at=world.now)


def _decide(name: str, *, approve: bool) -> Act:
    return lambda world, debt: debts.decide_write_off(
        debt_id=debt.id, decided_by=ground.operator(name), approve=approve, at=world.now
    )


OPEN_DEBTS = ("OPEN", "OPEN/PROPOSED")
DEBT = Machine(
    model=Debt,
    make=debt_in,
    cases=(*OPEN_DEBTS, "SETTLED", "WRITTEN_OFF"),
    acts={
        "later sales pay it": (net(9491), dict.fromkeys(OPEN_DEBTS, "SETTLED")),
        "later sales pay a part": (net(491), dict.fromkeys(OPEN_DEBTS, "OPEN")),
        "no later sales": (net(0), {}),
        "debtor pays it": (repay(9491), dict.fromkeys(OPEN_DEBTS, "SETTLED")),
        "debtor pays a part": (repay(491), dict.fromkeys(OPEN_DEBTS, "OPEN")),
        "debtor pays too much": (repay(9492), {}),
        "platform pays what it has": (
            lambda world, debt: debts.guarantee_debt(debt_id=debt.id, at=world.now + WEEK),
            dict.fromkeys(OPEN_DEBTS, "OPEN"),
        ),
        "platform need not pay yet": (
            lambda world, debt: debts.guarantee_debt(debt_id=debt.id, at=world.now + WEEK - US),
            {},
        ),
        "one proposes to write it off": (_propose, {"OPEN": "OPEN"}),
        "the same approves": (_decide("first", approve=True), {}),
        "another approves": (_decide("second", approve=True), {"OPEN/PROPOSED": "WRITTEN_OFF"}),
        "another declines": (_decide("second", approve=False), {"OPEN/PROPOSED": "OPEN"}),
    },
)

MACHINES = (PAYMENT, HOLD, REFUND, DEBT)
