"""The flows after a sale went wrong: refunds, claw-backs, debts, disputes and chargebacks, and a
commission that changes in between. Every step looks at the state first.

Amounts are fen, odd on purpose.
"""

from types import ModuleType
from typing import Any

from escrow.models import (
    Actor,
    DebitRequest,
    Debt,
    Dispute,
    DisputeReason,
    Refund,
    SellerAnswer,
    StepKind,
)
from escrow.services import order_refunds
from escrow.services.disputes import answering, deciding, opening, returns
from escrow.services.order_refunds import LineRefund
from merchants import services as merchants
from merchants.models import CommissionPlan, CommissionRule
from payouts.models import Cadence, PayoutSchedule
from payouts.services import schedules
from tests.flows.market import Market
from tests.flows.steps import Flow, Step, buy, remit, rest, ship, ship_and_confirm
from tests.world import PAYS

# Sellers, platform and operator


def sell(name: str, **amounts: int) -> tuple[Step, ...]:
    """One more order, from the cart to the release."""
    return (
        *buy(name, **amounts),
        lambda market: (market.ship_parcel(name), market.confirm_order(name))[0],
    )


def weekly(*, seller: int | None = None) -> Step:
    """The seller, or the platform itself, is paid on Mondays only."""

    def change(market: Market) -> None:
        merchant = None if seller is None else market.merchants[seller - 1]
        instant = PayoutSchedule.objects.filter(merchant=merchant, cadence=Cadence.INSTANT)
        for schedule in market.sees(lambda: list(instant)):
            schedules.change_schedule(
                schedule_id=schedule.pk,
                cadence=Cadence.WEEKLY,
                weekday=0,
                minimum_minor=1,
                approval_above_minor=None,
                at=market.now,
            )

    return change


def top_up(market: Market) -> None:
    """The operator's own funds are to stand in for what payees cannot give back."""
    market.top_up(12000)


def remit_again(market: Market) -> None:
    market.remit_collected(2)


def _guarantee(market: Market) -> None:
    plan = market.sees(CommissionPlan.objects.get)
    if plan.guarantee_days is None:
        merchants.set_guarantee(plan_id=plan.pk, days=17, at=market.now)


def wait_for_the_reminder(market: Market) -> None:
    market.wait_until(DebitRequest.objects.filter(reminded_at__isnull=False).exists, days=40)


def _wait_for_no_debt(market: Market) -> None:
    market.wait_until(lambda: not Debt.objects.filter(state="OPEN").exists())


def _raise_commission(market: Market) -> None:
    """From now on 8.5 % instead of 5 %, and the platform keeps it when an order is refunded."""
    rules = market.sees(lambda: list(CommissionRule.objects.all()))
    if len(rules) == 1:
        merchants.replace_rule(
            rule_id=rules[0].pk, effective_from=market.now, rate_bps=850, at=market.now
        )
    plan = market.sees(CommissionPlan.objects.get)
    if plan.commission_returned_bps:
        merchants.set_refund_policy(
            plan_id=plan.pk,
            commission_returned_bps=0,
            service_fee_returned_bps=5000,
            party_returned_bps=0,
            at=market.now,
        )


# Refunds


def refund(
    name: str,
    amount_minor: int | None = None,
    *,
    number: int = 1,
    lines: tuple[LineRefund, ...] = (),
) -> Step:
    """The platform refunds some of an order or, without an amount, all that is left: its
    `number`th refund."""

    def give_back(market: Market) -> None:
        made = Refund.objects.filter(hold__order__reference=name)
        if market.sees(made.count) < number:
            order_refunds.refund_order(
                order_id=market.order(name).id,
                amount_minor=amount_minor,
                lines=lines,
                reason="broken",
                at=market.now,
            )
        market.settle()

    return give_back


# Disputes about order A


def _dispute(market: Market) -> Dispute | None:
    complaints = Dispute.objects.filter(order__reference="A", kind="COMPLAINT")
    return market.sees(complaints.first)


def _open(market: Market) -> None:
    if _dispute(market) is None:
        opening.open_dispute(
            order_id=market.order("A").id,
            by=Actor.BUYER,
            reason=DisputeReason.DAMAGED,
            text="the lid is broken",
            at=market.now,
        )
    market.settle()


def _once(kind: StepKind, desk: ModuleType, verb: str, **facts: Any) -> Step:
    """Somebody makes a move, unless the timeline shows it."""

    def move(market: Market) -> None:
        dispute = _dispute(market)
        assert dispute is not None
        if not market.sees(dispute.steps.filter(kind=kind).exists):
            getattr(desk, verb)(dispute_id=dispute.id, at=market.now, **facts)
        market.settle()

    return move


def _seller(kind: StepKind, answer: str, **facts: Any) -> Step:
    return _once(kind, answering, "answer_dispute", answer=answer, by=Actor.MERCHANT, **facts)


def _propose(market: Market) -> None:
    dispute = _dispute(market)
    assert dispute is not None
    if dispute.proposed_minor is None:
        deciding.propose_decision(
            dispute_id=dispute.id,
            amount_minor=4447,
            operator=market.operator("first"),
            reason="photos",
            at=market.now,
        )
    market.settle()


def _approve(market: Market) -> None:
    dispute = _dispute(market)
    assert dispute is not None
    if not dispute.resolution:
        deciding.approve_decision(
            dispute_id=dispute.id, operator=market.operator("second"), at=market.now
        )
    market.settle()


def _wait_for_parked(market: Market) -> None:
    market.wait_until(lambda: Dispute.objects.filter(parked_at__isnull=False).exists(), days=90)


def _wait_for_end(market: Market) -> None:
    market.wait_until(lambda: Dispute.objects.get().resolution != "")


def _charge_back(market: Market) -> None:
    """The buyer's bank takes a part back, while the buyer complains here too."""
    if not market.sandbox.channel.book.rows("SELECT * FROM chargebacks"):
        market.sandbox.channel.charge_back(market.payment("A").id, amount_minor=3333)
    market.settle()


_OFFER = _seller(StepKind.OFFERED, SellerAnswer.OFFER, offer_minor=3333)
_OFFER_FOR_RETURN = _seller(
    StepKind.OFFERED, SellerAnswer.OFFER, offer_minor=5557, needs_return=True
)
_CONTEST = _seller(StepKind.CONTESTED, SellerAnswer.CONTEST, text="it was whole")
_ACCEPT_OFFER = _once(StepKind.OFFER_ACCEPTED, answering, "accept_offer", by=Actor.BUYER)
_SEND_BACK = _once(
    StepKind.SENT_BACK, returns, "send_back", carrier="SF", tracking_number="SF9009", by=Actor.BUYER
)
_RECEIVE = _once(StepKind.RETURN_RECEIVED, returns, "receive_return", by=Actor.MERCHANT)

FLOWS: tuple[Flow, ...] = (
    Flow(
        "partial_refunds_before_release",
        "Two parts go back before the release, one of them by lines; the rest is released",
        (
            *buy(),
            remit,
            refund("A", lines=(LineRefund(1, 3334),)),
            ship,
            refund("A", 1667, number=2),
            ship_and_confirm,
            rest,
        ),
    ),
    Flow(
        "full_refund_after_release",
        "All goes back in three odd parts out of what was released and not paid out yet",
        (
            weekly(seller=1),
            weekly(),
            *buy(),
            remit,
            ship_and_confirm,
            refund("A", 3333),
            refund("A", 1, number=2),
            refund("A", number=3),
            *sell("B", goods_minor=12013, shipping_minor=0),
            remit_again,
            rest,
        ),
    ),
    Flow(
        "refund_after_payout",
        "All goes back after the payout; two later sales pay what the seller owes",
        (
            *buy(),
            remit,
            ship_and_confirm,
            top_up,
            refund("A"),
            *sell("B", goods_minor=4003, shipping_minor=0),
            *sell("C", goods_minor=9007, shipping_minor=13),
            remit_again,
            rest,
        ),
    ),
    Flow(
        "debt_guaranteed",
        "A seller who sells no more owes a refund; asked and reminded, it does not pay, and the"
        " platform's commission pays it",
        (
            _guarantee,
            weekly(),
            *buy(goods_minor=1003, shipping_minor=7),
            remit,
            ship_and_confirm,
            top_up,
            refund("A"),
            wait_for_the_reminder,
            *sell("B", seller=2, goods_minor=21013, shipping_minor=0),
            remit_again,
            _wait_for_no_debt,
            rest,
        ),
        accounts=(PAYS, PAYS),
    ),
    Flow(
        "dispute_offer_accepted",
        "The buyer takes the seller's offer of a part; the rest is released at once",
        (*buy(), remit, ship, _open, _OFFER, _ACCEPT_OFFER, rest),
    ),
    Flow(
        "dispute_decided_by_two",
        "The seller contests; one operator proposes, another approves",
        (*buy(), remit, ship, _open, _CONTEST, _propose, _approve, rest),
    ),
    Flow(
        "dispute_with_return",
        "The seller offers a part for the goods; they go back and arrive",
        (*buy(), remit, ship, _open, _OFFER_FOR_RETURN, _ACCEPT_OFFER, _SEND_BACK, _RECEIVE, rest),
    ),
    Flow(
        "late_dispute_parked",
        "Nobody answers a dispute after the payout; it waits until own funds cover it",
        (
            *buy(),
            remit,
            ship_and_confirm,
            _open,
            _wait_for_parked,
            top_up,
            _wait_for_end,
            *sell("B", goods_minor=12013, shipping_minor=0),
            remit_again,
            rest,
        ),
    ),
    Flow(
        "chargeback_of_held_money",
        "The buyer complains, and the bank takes a part back; the rest is confirmed",
        (*buy(), remit, ship, _open, _charge_back, ship_and_confirm, rest),
        fee_bps=60,
    ),
    Flow(
        "rate_change_in_between",
        "The commission rises between two orders; refunds take back at the rate of each",
        (
            weekly(seller=1),
            weekly(),
            *buy(),
            _raise_commission,
            *buy("B", goods_minor=9001, shipping_minor=1000),
            remit,
            ship,
            refund("A", 3333),
            refund("B", 3333),
            ship_and_confirm,
            lambda market: (market.ship_parcel("B"), market.confirm_order("B"))[0],
            refund("A", 1000, number=2),
            refund("B", 1000, number=2),
            rest,
        ),
    ),
)
