"""The flows whose books are golden: who does what, step by step. Those with refunds and disputes
are in aftersales.py, those of other ways of the money in recoveries.py.

Amounts are fen. The first flow is the worked example of the design; the others are odd on purpose.
"""

from datetime import timedelta

from escrow.models import Surplus
from escrow.services import refund as refunds
from orders.models import CancelReason, OrderState
from payouts.models import NOT_PAID_CODE, Payout, PayoutState
from tests.flows import aftersales, freezers, recoveries
from tests.flows.market import Market
from tests.flows.steps import Flow, buy, remit, rest, ship, ship_and_confirm, until_paid
from tests.world import FAILS, PAYS, RETURNS

# One order


def _wait_for_cancel(market: Market) -> None:
    market.wait_until(lambda: market.order("A").state == OrderState.CANCELED)


def _wait_for_confirmation(market: Market) -> None:
    market.wait_until(lambda: market.order("A").state == OrderState.CONFIRMED)


def _top_up(market: Market) -> None:
    """The channel kept more than our service fee, so the reserve does not cover both payouts."""
    market.top_up(91)


# A cart of three sellers


def _place_cart(market: Market) -> None:
    market.place("A", seller=1)
    market.place("B", seller=2, goods_minor=23017, shipping_minor=440)
    market.place("C", seller=3, goods_minor=95, shipping_minor=10)


def _pay_cart(market: Market) -> None:
    market.pay_at_cashier("A")
    until_paid(market, "A", "B", "C")


def _ship_two_of_three(market: Market) -> None:
    market.ship_parcel("A")
    market.ship_parcel("C")


def _confirm_first(market: Market) -> None:
    market.confirm_order("A")
    market.approve_payouts()


def _wait_for_the_others(market: Market) -> None:
    ends = (OrderState.CANCELED, OrderState.CONFIRMED)
    market.wait_until(lambda: market.order("B").state in ends and market.order("C").state in ends)


# Late and duplicate money


def _channel_is_deaf(market: Market) -> None:
    """The channel does not hear us close payments, so the cashier stays open after the order is
    given up.
    """
    faults = market.sandbox.channel.faults
    paid = market.sandbox.channel.book.row("SELECT count(*) AS n FROM captures")["n"]
    if not paid and not _armed(market.sandbox.channel):
        faults.add(operation="close_payment", fault="timeout_before", times=1000)
    market.wait_until(lambda: market.order("A").state == OrderState.EXPIRED)


def _armed(service: object) -> bool:
    return bool(service.book.rows("SELECT id FROM faults WHERE times > 0"))  # type: ignore[attr-defined]


def _pay_late(market: Market) -> None:
    market.sandbox.clock.move_to(market.payment("A").expires_at + timedelta(seconds=20))
    market.pay_at_cashier("A")
    market.wait_until(lambda: Surplus.objects.exists())
    market.sandbox.channel.faults.clear()


def _begin_both(market: Market) -> None:
    """The buyer has the cashier open in two windows."""
    market.begin_payment("A")
    market.begin_payment("A", number=2)


def _pay_both(market: Market) -> None:
    """The buyer presses both buttons before we hear of either: we would close the second window
    else.
    """
    for payment in market.payments_of("A"):
        market.sandbox.channel.pay(payment.id)
    until_paid(market, "A")
    market.wait_until(lambda: Surplus.objects.exists())


def _pay_twice(market: Market) -> None:
    market.pay_at_cashier("A")
    until_paid(market, "A")
    market.pay_at_cashier("A", times=2)
    market.wait_until(lambda: Surplus.objects.exists())


def _cancel(market: Market) -> None:
    if market.order("A").state == OrderState.PAID:
        refunds.cancel_paid_order(
            order_id=market.order("A").id, reason=CancelReason.MERCHANT, at=market.now
        )
    market.settle()


# Payouts that go wrong


def _wait_for_bad_end(market: Market) -> None:
    ended = Payout.objects.filter(state__in=[PayoutState.FAILED, PayoutState.RETURNED])
    market.wait_until(lambda: ended.exclude(failure_code=NOT_PAID_CODE).exists())


def _pay_to_another_account(market: Market) -> None:
    market.change_account(1)
    market.replace_payout(1)
    paid = Payout.objects.filter(state=PayoutState.PAID, merchant__isnull=False)
    market.wait_until(paid.exists)


def _bank_is_mute(market: Market) -> None:
    """The bank pays, but neither its answers nor its notifications reach us."""
    if not market.sees(Payout.objects.exists) and not _armed(market.sandbox.bank):
        faults = market.sandbox.bank.faults
        faults.add(operation="payout", fault="timeout_after", times=2)
        faults.add(operation="notify_payout", fault="drop", times=2)


def _wait_for_payouts(market: Market) -> None:
    market.wait_until(lambda: Payout.objects.filter(state=PayoutState.PAID).count() == 2)


FLOWS: tuple[Flow, ...] = (
    Flow(
        "happy_path",
        "The buyer pays and confirms, seller and platform are paid out",
        (*buy(), ship, remit, ship_and_confirm, rest),
    ),
    Flow(
        "further_party",
        "Seller, platform with the tax on its commission, and a further party are paid out",
        (*buy(), ship, remit, ship_and_confirm, rest),
        party_account=PAYS,
    ),
    Flow(
        "missed_shipping_deadline",
        "The seller does not ship in time, the buyer gets everything back",
        (*buy(goods_minor=7777, shipping_minor=333), remit, _wait_for_cancel, rest),
    ),
    Flow(
        "automatic_confirmation",
        "The buyer is silent; the channel's fee eats into the reserve and the operator tops it up",
        (
            *buy(goods_minor=12347, shipping_minor=0),
            remit,
            ship,
            _wait_for_confirmation,
            _top_up,
            rest,
        ),
        fee_bps=130,
    ),
    Flow(
        "cart_of_three_sellers",
        "One payment for three orders: one confirmed, one not shipped, one confirmed by the clock",
        (
            _place_cart,
            lambda market: market.begin_payment("A", "B", "C"),
            _pay_cart,
            _ship_two_of_three,
            remit,
            _confirm_first,
            _wait_for_the_others,
            rest,
        ),
        accounts=(PAYS, PAYS, PAYS),
        fee_bps=38,
        approval_above_minor=5000,
    ),
    Flow(
        "late_payment",
        "The buyer pays after the order was given up, and gets the money back",
        (*buy(goods_minor=5003, shipping_minor=0)[:2], _channel_is_deaf, _pay_late, rest),
    ),
    Flow(
        "duplicate_payment",
        "The buyer pays one order by two payments; the second one goes back",
        (
            buy(goods_minor=331, shipping_minor=2)[0],
            _begin_both,
            _pay_both,
            remit,
            ship_and_confirm,
            rest,
        ),
    ),
    Flow(
        "duplicate_capture",
        "The channel captures one payment twice, then the seller cancels: both go back",
        (*buy(goods_minor=6151, shipping_minor=98)[:2], _pay_twice, _cancel, rest),
    ),
    Flow(
        "payout_failed",
        "The seller's account is closed; another account, a second person, paid",
        (*buy(), remit, ship_and_confirm, _wait_for_bad_end, _pay_to_another_account, rest),
        accounts=(FAILS,),
    ),
    Flow(
        "payout_returned",
        "The bank pays and gets the money back; another account, a second person, paid",
        (
            *buy(goods_minor=8887, shipping_minor=14),
            remit,
            ship_and_confirm,
            _wait_for_bad_end,
            _pay_to_another_account,
            rest,
        ),
        accounts=(RETURNS,),
    ),
    Flow(
        "payout_unknown_then_paid",
        "The bank pays and nobody hears of it; asking finds out",
        (
            *buy(goods_minor=4409, shipping_minor=1),
            remit,
            _bank_is_mute,
            ship_and_confirm,
            _wait_for_payouts,
            rest,
        ),
    ),
    Flow(
        "frozen_then_lifted",
        "Order and seller are frozen and let go one after the other; then all goes on as before",
        (
            *buy(goods_minor=6007, shipping_minor=13),
            remit,
            freezers.freeze_order,
            freezers.freeze_seller,
            ship,
            freezers.outlast_confirmation,
            rest,  # nothing is confirmed by time
            freezers.lift_order,
            _wait_for_confirmation,
            rest,  # the platform is paid out, the seller is not
            freezers.lift_seller,
            rest,
        ),
    ),
    *aftersales.FLOWS,
    *recoveries.FLOWS,
)
BY_NAME = {flow.name: flow for flow in FLOWS}
