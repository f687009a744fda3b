"""Why: the channel has taken money that was released. The books must say so, whoever lacks it
(docs/adr/0034); on the worked example of 10001 fen: seller 9491, commission 450, our fee 60.
"""

import pytest
from django.db import DatabaseError, connection, transaction

from escrow.models import Hold
from escrow.services import release as releases
from ledger import selectors as books
from notifications.models import Event
from operators import dashboard
from orders.models import Order
from tests import disputing, ground
from tests.escrow.test_chargebacks import RECEIVABLE, charge_back
from tests.escrow.test_clawbacks import balances, pay_out, refund, top_up
from tests.world import World


def test_released_money_is_taken_back_from_what_payees_are_owed(market: World) -> None:
    order = ground.released_order(market)

    [dispute] = charge_back(market, order, 3333)

    assert (dispute.state, dispute.resolution, dispute.after_release) == (
        "RESOLVED",
        "PARTIAL",
        True,
    )
    taken = {"MERCHANT": 3163, "PLATFORM": 150, "SERVICE_FEE": 20}
    assert dict(dispute.shares.values_list("payee", "amount_minor")) == taken
    del taken["SERVICE_FEE"]
    assert dict(dispute.deductions.values_list("payee", "amount_minor")) == taken
    assert not dispute.debts.exists()
    assert balances(market) == {"payable": 6328, "commission": 300, "fee": 40}
    assert market.balance(RECEIVABLE) == 6668
    hold = Hold.objects.get()
    assert (hold.state, hold.released_minor, hold.refunded_minor) == ("RELEASED", 6668, 3333)
    assert Order.objects.get().state == "CONFIRMED"
    assert [entry.kind for entry in books.subject_entries(order.id)] == [
        "capture",
        "release",
        "clawback",
        "chargeback",
    ]


def test_what_a_paid_out_seller_lacks_is_its_debt_whatever_own_funds_there_are(
    market: World, caplog: pytest.LogCaptureFixture
) -> None:
    order = ground.released_order(market)
    pay_out(market)

    [dispute] = charge_back(market, order)

    owed = list(dispute.debts.order_by("payee").values_list("payee", "amount_minor", "state"))
    assert owed == [("MERCHANT", 9491, "OPEN"), ("PLATFORM", 450, "OPEN")]
    assert dict(dispute.debts.values_list("payee", "refund_id")) == {
        "MERCHANT": None,
        "PLATFORM": None,
    }
    assert balances(market) == {"owes": 9491, "platform owes": 450}
    assert market.balance(RECEIVABLE) == 0
    assert books.free_own_funds(currency="CNY") == -9941
    (yuan,) = dashboard.money_by_currency(books.trial_balance())
    assert yuan.tiles[-1].note == "99.41 short for what payees owe: top up"
    assert f"own funds lack 9941 minor units of CNY after chargeback {dispute.id}" in caplog.text


def test_own_funds_that_cover_a_chargeback_are_no_alarm(
    market: World, caplog: pytest.LogCaptureFixture
) -> None:
    order = ground.released_order(market)
    pay_out(market)
    top_up(market, 9941)

    charge_back(market, order)

    (yuan,) = dashboard.money_by_currency(books.trial_balance())
    assert (yuan.tiles[-1].amount, yuan.tiles[-1].note) == ("99.41", "fees and top-ups")
    assert books.free_own_funds(currency="CNY") == 0
    assert "own funds" not in caplog.text


def test_refund_waits_while_a_chargeback_has_used_up_own_funds(market: World) -> None:
    charged, other = ground.released_order(market), ground.released_order(market)
    pay_out(market)
    top_up(market, 9941)
    charge_back(market, charged)

    refused = ground.refusal(lambda: refund(market, other))

    # Our fee of the order that is left pays nothing either: the refund would give it back.
    assert refused.code == "refund_not_covered"
    assert refused.facts == {"lacking_minor": 9941, "own_funds_minor": 0}


def test_later_sales_pay_the_debt_of_a_chargeback(market: World) -> None:
    order = ground.released_order(market)
    pay_out(market)
    [dispute] = charge_back(market, order)
    ground.released_order(market)

    first = pay_out(market)
    ground.released_order(market)
    second = pay_out(market)

    assert (first, second) == ([], [9491, 450])
    assert set(dispute.debts.values_list("state", flat=True)) == {"SETTLED"}
    steps = dispute.deductions.filter(step__kind="NETTED").order_by("payee")
    assert list(steps.values_list("payee", "amount_minor")) == [
        ("MERCHANT", 9491),
        ("PLATFORM", 450),
    ]
    assert balances(market) == {"fee": 2 * 60}


def test_debt_of_a_chargeback_is_told_with_its_cause(market: World) -> None:
    order = ground.released_order(market)
    pay_out(market)

    [dispute] = charge_back(market, order)

    told = Event.objects.filter(type="debt.created").order_by("id").values_list("data", flat=True)
    assert [(each["dispute"], each["refund"], each["open_minor"]) for each in told] == [
        (dispute.id, None, 9491),
        (dispute.id, None, 450),
    ]


@pytest.mark.parametrize("parts", [("refund", "charge", "refund"), ("charge", "refund", "charge")])
def test_refunds_and_chargebacks_of_released_money_leave_everybody_at_zero(
    market: World, parts: tuple[str, ...]
) -> None:
    order = ground.released_order(market)
    takes = {
        "refund": lambda amount: refund(market, order, amount),
        "charge": lambda amount: charge_back(market, order, amount, number=f"SBC{amount}"),
    }

    for part, amount_minor in zip(parts, (3333, 1, 6667), strict=True):
        takes[part](amount_minor)

    refunded = 10000 if parts[0] == "refund" else 1
    assert balances(market) == {"refunds": refunded}
    assert market.balance(RECEIVABLE) == refunded
    refused = ground.refusal(lambda: charge_back(market, order, 1, number="SBC0"))
    assert refused.code == "chargeback_mismatch"


def test_money_refunded_while_held_is_not_charged_back_again(market: World) -> None:
    order = ground.shipped_order(market)
    refund(market, order, 3333)
    releases.confirm_receipt(order_id=order.id, at=market.now)

    refused = ground.refusal(lambda: charge_back(market, order, 6669))
    charge_back(market, order, 6668)

    assert refused.code == "chargeback_mismatch"
    assert balances(market) == {"refunds": 3333}


def test_same_chargeback_of_released_money_is_booked_once(market: World) -> None:
    order = ground.released_order(market)
    first = charge_back(market, order, 3333)
    before = ground.trial()

    again = charge_back(market, order, 3333)

    assert [each.id for each in again] == [each.id for each in first]
    assert ground.trial() == before


def test_chargeback_of_a_cart_takes_what_is_held_and_what_was_released(market: World) -> None:
    one, _token = market.create_order()
    two, _token = market.create_order(shipping_minor=0)
    ground.capture(ground.make_payment(market, one, two))
    market.ship(one)
    releases.confirm_receipt(order_id=one.id, at=market.now)

    found = charge_back(market, one, 19002)

    assert [(each.order_id, each.after_release, each.resolved_minor) for each in found] == [
        (one.id, True, 10001),
        (two.id, False, 9001),
    ]
    assert balances(market) == {}
    assert market.balance(RECEIVABLE) == 0
    states = Order.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == ["CONFIRMED", "CANCELED"]


def test_chargeback_of_released_money_takes_over_a_dispute_of_the_buyer(market: World) -> None:
    order = ground.released_order(market)
    complaint = disputing.open_dispute(market, order)

    charge_back(market, order, 3333)

    after = disputing.fresh(complaint)
    assert (after.state, after.resolution) == ("WITHDRAWN", "")


@pytest.mark.parametrize("table", ["debt", "deduction", "refundshare"])
@pytest.mark.parametrize("cause", ["refund_id = 'ref_x'", "dispute_id = NULL"])
def test_database_wants_one_cause(market: World, table: str, cause: str) -> None:
    order = ground.released_order(market)
    if table == "debt":
        pay_out(market)
    charge_back(market, order)

    with (
        pytest.raises(DatabaseError, match=f"{table}_of_refund_or_chargeback|Cannot update"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE escrow_{table} SET {cause}")
