"""Why: a chargeback is money that has left already. It is booked once, out of what is held."""

import pytest

from escrow.models import Dispute, Hold, HoldShare
from escrow.services import release as releases
from escrow.services.disputes import chargebacks
from ledger import selectors as books
from orders.models import Order, Payment
from sandbox.wire import Refused
from tests import disputing, ground, oracle
from tests.world import World

RECEIVABLE = "channel:sandbox:receivable"


def payment_of(order: Order) -> Payment:
    return order.payment_parts.get().payment


def charge_back(
    world: World, order: Order, amount_minor: int = 10001, *, number: str = "SBC1", **changes: str
) -> list[Dispute]:
    return chargebacks.record_chargeback(
        payment_id=payment_of(order).id,
        provider_reference=number,
        amount_minor=amount_minor,
        currency=changes.get("currency", "CNY"),
        at=world.now,
    )


@pytest.mark.parametrize("state", ["PAID", "SHIPPED"])
def test_held_money_pays_a_chargeback(market: World, state: str) -> None:
    order = ground.order_in(market, state)

    [dispute] = charge_back(market, order)

    order.refresh_from_db()
    assert (order.state, order.cancel_reason, order.hold.state) == (
        "CANCELED",
        "CHARGEBACK",
        "REFUNDED",
    )
    assert (dispute.state, dispute.resolution, dispute.resolved_by) == (
        "RESOLVED",
        "FULL",
        "CHANNEL",
    )
    assert (market.balance("held"), market.balance(RECEIVABLE)) == (0, 0)
    assert [entry.kind for entry in books.subject_entries(order.id)] == ["capture", "chargeback"]


def test_part_that_is_charged_back_leaves_the_rest_to_the_order(market: World) -> None:
    order = ground.shipped_order(market)

    [dispute] = charge_back(market, order, 3333)
    releases.confirm_receipt(order_id=order.id, at=market.now)

    assert (dispute.resolution, dispute.resolved_minor) == ("PARTIAL", 3333)
    assert list(HoldShare.objects.order_by("leg").values_list("amount_minor", flat=True)) == [
        6328,
        300,
        40,
    ]
    assert (market.balance("held"), market.balance(RECEIVABLE)) == (0, 6668)


def test_same_chargeback_is_booked_once(market: World) -> None:
    order = ground.shipped_order(market)
    first = charge_back(market, order, 3333)

    again = charge_back(market, order, 3333)

    assert [each.id for each in again] == [each.id for each in first]
    assert market.balance("held") == 6668


def test_chargeback_of_a_cart_falls_on_its_orders_in_proportion(market: World) -> None:
    one, _token = market.create_order()
    two, _token = market.create_order(shipping_minor=0)
    ground.capture(ground.make_payment(market, one, two))

    found = charge_back(market, one, 101)

    # 101 · 10001 / 19002 = 53.16 and 101 · 9001 / 19002 = 47.84
    assert [(each.order_id, each.resolved_minor) for each in found] == [(one.id, 53), (two.id, 48)]
    assert market.balance("held") == 19002 - 101


def test_chargeback_takes_over_a_dispute_of_the_buyer(market: World) -> None:
    order = ground.shipped_order(market)
    complaint = disputing.open_dispute(market, order)

    charge_back(market, order)

    after = disputing.fresh(complaint)
    assert (after.state, after.resolution) == ("WITHDRAWN", "")
    assert Hold.objects.get(order=order).state == "REFUNDED"


def test_shares_say_from_whom_held_money_was_taken(market: World) -> None:
    order = ground.shipped_order(market)

    [dispute] = charge_back(market, order, 3333)

    assert dict(dispute.shares.values_list("payee", "amount_minor")) == {
        "MERCHANT": 3163,
        "PLATFORM": 150,
        "SERVICE_FEE": 20,
    }
    assert not dispute.deductions.exists()


@pytest.mark.parametrize(("amount_minor", "currency"), [(10002, "CNY"), (0, "CNY"), (10001, "USD")])
def test_chargeback_that_contradicts_our_books_is_refused(
    market: World, amount_minor: int, currency: str
) -> None:
    order = ground.shipped_order(market)

    refused = ground.refusal(lambda: charge_back(market, order, amount_minor, currency=currency))

    assert (refused.code, refused.status) == ("chargeback_mismatch", 422)


def test_chargeback_of_refunded_money_is_refused(market: World) -> None:
    order = ground.order_in(market, "CANCELED")

    assert ground.refusal(lambda: charge_back(market, order, 1)).code == "chargeback_mismatch"


def test_second_chargeback_takes_no_more_than_is_left(market: World) -> None:
    order = ground.shipped_order(market)
    charge_back(market, order, 6001)

    refused = ground.refusal(lambda: charge_back(market, order, 4001, number="SBC2"))
    charge_back(market, order, 4000, number="SBC3")

    assert refused.code == "chargeback_mismatch"
    assert market.balance("held") == 0


# Told by the channel


@pytest.mark.parametrize("released", [False, True])
def test_channel_tells_of_a_chargeback_and_the_books_agree(world: World, released: bool) -> None:
    order, _token = world.create_order()
    payment = world.pay(order)
    if released:
        world.ship(order)
        releases.confirm_receipt(order_id=order.id, at=world.now)

    world.sandbox.channel.charge_back(payment.id, amount_minor=3333)
    world.settle()

    dispute = Dispute.objects.get(order=order)
    assert (dispute.kind, dispute.resolved_minor, dispute.opened_by) == (
        "CHARGEBACK",
        3333,
        "CHANNEL",
    )
    assert dispute.after_release is released
    assert world.balance(RECEIVABLE) == 6668
    assert oracle.disagreements(world) == []


@pytest.mark.parametrize("fault", ["send_twice", "send_twice_new_id", "timeout_after", "reorder"])
def test_chargeback_is_booked_once_however_it_is_told(world: World, fault: str) -> None:
    order, _token = world.create_order()
    payment = world.pay(order)
    world.sandbox.channel.faults.add(operation="notify_chargeback", fault=fault)

    world.sandbox.channel.charge_back(payment.id)
    world.pass_time(minutes=5)

    assert Dispute.objects.filter(order=order).count() == 1
    assert world.balance("held") == 0
    assert oracle.disagreements(world) == []


@pytest.mark.parametrize("fault", ["sign_wrongly", "torn", "wrong_amount"])
def test_forged_or_torn_chargeback_moves_nothing(world: World, fault: str) -> None:
    order, _token = world.create_order()
    payment = world.pay(order)
    world.sandbox.channel.faults.add(operation="notify_chargeback", fault=fault)
    before = ground.trial()

    world.sandbox.channel.charge_back(payment.id)
    world.sandbox.tick()

    assert ground.trial() == before
    assert not Dispute.objects.exists()


def test_chargeback_beyond_the_payment_is_refused_by_the_channel(world: World) -> None:
    order, _token = world.create_order()
    payment = world.pay(order)
    world.sandbox.channel.charge_back(payment.id, amount_minor=6668)

    with pytest.raises(Refused, match="3333 are left"):
        world.sandbox.channel.charge_back(payment.id, amount_minor=3334)
