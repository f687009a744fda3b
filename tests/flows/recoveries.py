"""The flows of money that is got or given by another way: refused refunds that go to the buyer's
bank, rolling reserves, and sellers that pay what they owe. Every step looks at the state first.

Amounts are fen, odd on purpose.
"""

from django.db.models import QuerySet

from demo.local_sandbox import RAIL
from escrow.models import BankRefund, BankRefundState, DebitRequest, Refund, RefundState
from escrow.services import bank_refunds
from merchants import services as merchants
from merchants.models import CommissionPlan
from payouts.models import NOT_PAID_CODE
from tests.flows.aftersales import (
    refund,
    remit_again,
    sell,
    top_up,
    wait_for_the_reminder,
    weekly,
)
from tests.flows.market import Market
from tests.flows.steps import Flow, Step, buy, remit, rest, ship, ship_and_confirm
from tests.world import PAYS, RETURNS

# Refunds the channel refuses


def _channel_refuses(market: Market) -> None:
    """The channel takes the first refund it is asked for, and refuses it later."""
    book = market.sandbox.channel.book
    if not book.rows("SELECT * FROM refunds") and not book.rows("SELECT * FROM faults"):
        market.sandbox.channel.faults.add(operation="refund", fault="fail_later", times=1)


def _wait_for_refusal(market: Market) -> None:
    refused = Refund.objects.filter(state=RefundState.FAILED)
    market.wait_until(lambda: refused.exists() or BankRefund.objects.exists())


def _pay_by_bank(account_number: str, *, number: int = 1) -> Step:
    """One operator proposes the `number`th way to the buyer's bank, another approves it."""

    def pay(market: Market) -> None:
        if market.sees(lambda: _tried().count() < number):
            bank_refunds.propose_bank_refund(
                refund_id=market.sees(Refund.objects.get).id,
                rail=RAIL,
                holder_name="王芳",
                bank_code="102100099996",
                account_number=account_number,
                reason="her letter of today",
                operator=market.operator("first"),
                at=market.now,
            )
        for found in market.sees(lambda: list(_tried().filter(state=BankRefundState.PROPOSED))):
            bank_refunds.approve_bank_refund(
                bank_refund_id=found.id, operator=market.operator("second"), at=market.now
            )
        market.settle()

    return pay


def _tried() -> QuerySet[BankRefund]:
    """All but those that two persons gave up: the market has them paid again by itself."""
    return BankRefund.objects.exclude(failure_code=NOT_PAID_CODE)


def _wait_for(state: BankRefundState) -> Step:
    return lambda market: market.wait_until(BankRefund.objects.filter(state=state).exists)


# The rolling reserve


def _hold_back(market: Market) -> None:
    """A tenth of what sellers earn is held back for three days."""
    plan = market.sees(CommissionPlan.objects.get)
    if not plan.reserve_days:
        merchants.set_plan_reserve(plan_id=plan.pk, reserve_bps=1000, reserve_days=3, at=market.now)


# What a seller is asked to pay


def _pay_debt(amount_minor: int | None = None, *, number: int) -> Step:
    """The seller pays some of what it was asked for or, without an amount, all that is left: its
    `number`th payment, under the reference it was told."""

    def pay(market: Market) -> None:
        asked = market.sees(DebitRequest.objects.select_related("debt").get)
        paid_in = market.sandbox.bank.book.rows(
            "SELECT * FROM deposits WHERE reference LIKE 'SBI%'"
        )
        if len(paid_in) < number:
            market.sandbox.bank.receive(
                reference=asked.payment_reference,
                amount_minor=amount_minor or asked.debt.open_minor,
                currency="CNY",
            )
        market.settle()

    return pay


FLOWS: tuple[Flow, ...] = (
    Flow(
        "refund_by_bank",
        "The channel refuses a refund; two persons send it to the buyer's bank",
        (
            *buy(),
            remit,
            ship,
            _channel_refuses,
            refund("A", 3335),
            _wait_for_refusal,
            _pay_by_bank(PAYS),
            _wait_for(BankRefundState.PAID),
            ship_and_confirm,
            rest,
        ),
    ),
    Flow(
        "refund_by_bank_returned",
        "The bank returns the refund the channel refused; it is paid to another account",
        (
            *buy(goods_minor=7013, shipping_minor=0),
            remit,
            _channel_refuses,
            refund("A"),
            _wait_for_refusal,
            _pay_by_bank(RETURNS),
            _wait_for(BankRefundState.RETURNED),
            _pay_by_bank(PAYS, number=2),
            _wait_for(BankRefundState.PAID),
            rest,
        ),
    ),
    Flow(
        "reserve_freed",
        "A tenth of the release is held back; when its days are over it is paid out too",
        (_hold_back, *buy(), remit, ship_and_confirm, rest),
    ),
    Flow(
        "reserve_taken",
        "A refund after the payout takes the reserve before the seller owes; a later sale pays",
        (
            _hold_back,
            weekly(),
            *buy(),
            remit,
            ship_and_confirm,
            top_up,
            refund("A", 333),
            refund("A", 3333, number=2),
            *sell("B", goods_minor=12013, shipping_minor=0),
            remit_again,
            rest,
        ),
    ),
    Flow(
        "debt_paid_when_asked",
        "A seller who sells no more is asked for what it owes, and pays it in two parts",
        (
            weekly(),
            *buy(),
            remit,
            ship_and_confirm,
            top_up,
            refund("A"),
            *sell("B", seller=2, goods_minor=21013, shipping_minor=0),
            remit_again,
            wait_for_the_reminder,
            _pay_debt(3331, number=1),
            _pay_debt(number=2),
            rest,
        ),
        accounts=(PAYS, PAYS),
    ),
)
