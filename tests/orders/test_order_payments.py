"""Payments before money comes: starting one, what the channel answers, giving one up."""

from datetime import timedelta

import pytest

from channels.contract import Status
from escrow import sweeps
from merchants import services as merchants
from merchants.models import Mode
from notifications.models import Event
from orders import sweeps as order_sweeps
from orders.models import Payment
from orders.services import lifecycle, payments
from orders.services.creation import NewLine
from tests import ground
from tests.ground import US
from tests.world import World, answer

WAITS = ["PENDING", "UNKNOWN"]
DONE = ["SUCCEEDED", "FAILED", "EXPIRED"]


def request(world: World, *order_ids: str, **changes: str) -> dict[str, object]:
    known = {
        "platform_id": world.platform.id,
        "order_ids": order_ids,
        "channel": "sandbox",
        "return_url": "",
    }
    return {**known, **changes, "at": world.now}


def test_payment_of_a_cart_is_the_sum_of_its_orders(market: World) -> None:
    left, _ = market.create_order()
    right, _ = market.create_order(lines=[NewLine(title="Cup", amount_minor=333)], shipping_minor=1)

    payment = ground.make_payment(market, left, right)

    assert payment.amount_minor == 10001 + 334
    assert payment.expires_at == min(left.pay_by, right.pay_by)


def test_payment_is_refused_for_odd_lists_of_orders(market: World) -> None:
    order, _token = market.create_order()
    lists = [[], [order.id, order.id], [f"ord_{n}" for n in range(payments.MAX_ORDERS + 1)]]

    codes = [
        ground.refusal(lambda ids=ids: payments.create_payment(**request(market, *ids))).code
        for ids in lists
    ]

    assert codes == ["payment_invalid"] * 3


def test_sandbox_channel_is_refused_to_a_live_platform(market: World) -> None:
    live = merchants.create_platform(name="Live", slug="live", mode=Mode.LIVE, at=market.now)
    shop = World(market.sandbox, live)
    shop.add_merchant()
    order, _token = shop.create_order()

    refused = ground.refusal(lambda: ground.make_payment(shop, order))

    assert refused.code == "channel_disabled"
    assert not Payment.objects.exists()


def test_payment_of_two_currencies_is_refused(market: World) -> None:
    yuan, _ = market.create_order()
    yen, _ = market.create_order(currency="JPY")

    refused = ground.refusal(lambda: ground.make_payment(market, yuan, yen))

    assert refused.code == "payment_invalid"


def test_payment_is_refused_for_orders_of_others_and_unknown_channels(market: World) -> None:
    order, _token = market.create_order()
    create = payments.create_payment
    odd = {
        "payment_invalid": request(market, order.id, platform_id="plt_other"),
        "order_not_found": request(market, "ord_none"),
        "channel_disabled": request(market, order.id, channel="pigeon"),
    }

    codes = [ground.refusal(lambda wanted=wanted: create(**wanted)).code for wanted in odd.values()]

    assert codes == list(odd)
    assert not Payment.objects.exists()


def payment_in(world: World, state: str) -> Payment:
    order, _token = world.create_order()
    payment = ground.make_payment(world, order)
    if state == "SUCCEEDED":
        ground.capture(payment)
    elif state == "EXPIRED":
        payments.expire_order(order_id=order.id, at=order.pay_by + US)
    elif state != "PENDING":
        told = Status.UNKNOWN if state == "UNKNOWN" else Status.FAILED
        tell(world, payment, told)
    payment.refresh_from_db()
    return payment


def tell(world: World, payment: Payment, status: Status) -> Payment:
    told = answer(status, reference=payment.id, provider_reference="SBP1")
    return payments.record_channel_answer(payment_id=payment.id, answer=told, at=world.now)


@pytest.mark.parametrize(
    "status", [Status.PENDING, Status.FAILED, Status.UNKNOWN, Status.NOT_FOUND]
)
@pytest.mark.parametrize("state", [*WAITS, *DONE])
def test_channel_answer_moves_only_an_open_payment(
    market: World, state: str, status: Status
) -> None:
    payment = payment_in(market, state)
    moves = {Status.PENDING: "PENDING", Status.FAILED: "FAILED", Status.UNKNOWN: "UNKNOWN"}
    before = ground.trial()

    after = tell(market, payment, status)

    kept = state in DONE or status == Status.NOT_FOUND
    assert after.state == (state if state in DONE else moves.get(status, "PENDING"))
    assert kept or (after.due_at is None) == (status == Status.FAILED)
    assert ground.trial() == before


@pytest.mark.parametrize("state", [*WAITS, *DONE])
def test_money_for_a_payment_in_any_state_is_booked(market: World, state: str) -> None:
    payment = payment_in(market, state)
    order = payment.parts.get().order

    ground.capture(payment, number="SBP2")

    counted = ground.order_facts(order.id)
    assert counted["surpluses"] == (state in DONE)
    assert market.balance("channel:sandbox:receivable") == 10001 * (
        2 if state == "SUCCEEDED" else 1
    )


def test_expired_payment_tells_so_once(market: World) -> None:
    payment = payment_in(market, "EXPIRED")

    told = Event.objects.filter(subject_id=payment.id, type="payment.expired")

    assert [event.data["payment"] for event in told] == [payment.id]


def test_cart_payment_expires_with_its_last_order(market: World) -> None:
    first, _ = market.create_order()
    market.sandbox.clock.move_to(market.now + timedelta(minutes=5))
    last, _ = market.create_order()
    payment = ground.make_payment(market, first, last)
    states = []

    for order in (first, last):
        order_sweeps.expire_due_orders(at=order.pay_by + US)
        states.append(Payment.objects.get(pk=payment.id).state)

    assert states == ["PENDING", "EXPIRED"]


@pytest.mark.parametrize("given_up", ["paid by another payment", "canceled"])
def test_open_payment_is_closed_when_no_order_waits_for_it(world: World, given_up: str) -> None:
    """Such a payment was asked about every five minutes for ever, and could
    still be paid.
    """
    order, _token = world.create_order()
    forgotten = world.start_payment(order)
    if given_up == "canceled":
        lifecycle.cancel_unpaid_order(order_id=order.id, reason="PLATFORM", at=world.now)
    else:
        world.pay(order)

    for _ in range(3):
        world.sandbox.clock.move_to(world.now + payments.QUERY_EVERY)
        sweeps.query_due_payments(at=world.now)

    forgotten.refresh_from_db()
    assert (forgotten.state, forgotten.due_at) == ("EXPIRED", None)
    query = "SELECT status, code FROM payments WHERE reference = ?"
    assert world.sandbox.channel.book.row(query, forgotten.id) == {
        "status": "FAILED",
        "code": "CLOSED",
    }


def test_open_payment_stays_open_while_one_order_of_its_cart_waits(world: World) -> None:
    left, right = world.create_order()[0], world.create_order()[0]
    cart = world.start_payment(left, right)
    world.pay(left)

    world.sandbox.clock.move_to(world.now + payments.QUERY_EVERY)
    sweeps.query_due_payments(at=world.now)

    cart.refresh_from_db()
    assert cart.state == "PENDING"
