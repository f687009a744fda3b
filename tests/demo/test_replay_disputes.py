"""Why: with `--dispute-late` a replayed history goes through disputes too, and must still keep
every cent of it.
"""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from celery import current_app

from demo.replay import guard
from escrow.models import Debt, Dispute
from escrow.services import order_refunds as refunds
from escrow.services.remittance import record_topup
from merchants import services as merchants
from merchants.models import CommissionPlan
from orders.models import Order
from tests import disputing
from tests.demo.history import item, order, write_history
from tests.demo.on_paper import FILES, OLIST, expected_of, is_late, read
from tests.demo.replaying import replay
from tests.ground import US
from tests.stage import transactional_db, world
from tests.world import RAIL, World

__all__ = ["transactional_db", "world"]

MONTHS = ("2018-02", "2018-04")  # from, and until before: in these many orders were late
EVERY = 8  # one in so many of its orders that were not
pytestmark = pytest.mark.usefixtures("transactional_db")


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker answers, without waiting for one."""
    monkeypatch.setattr(current_app.control, "ping", lambda timeout: [])


def write_part_of_olist(directory: Path) -> Path:
    """All late orders of two months, and some of the others: the whole takes a minute."""
    first, end = MONTHS
    rows = read(OLIST / "orders.csv")
    orders = [row for row in rows if first <= row["order_purchase_timestamp"] < end]
    chosen = {
        row["order_id"] for place, row in enumerate(orders) if is_late(row) or place % EVERY == 0
    }
    for name in FILES:
        rows = read(OLIST / name)
        with (directory / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(row for row in rows if row.get("order_id", "") in {"", *chosen})
    return directory


@pytest.mark.skipif(not OLIST.is_dir(), reason=f"the real history is not at {OLIST}")
@pytest.mark.timeout(300)
def test_replay_with_disputes_of_a_real_history_comes_to_what_the_files_say(tmp_path: Path) -> None:
    expected = expected_of(write_part_of_olist(tmp_path), dispute_late=True)

    report, errors = replay(tmp_path, dispute_late=True)

    assert errors == ""
    assert {key: report[key] for key in expected} == expected
    assert report["disputes_by_state"]["RESOLVED"] >= 10
    assert report["released_minor"] + report["refunded_minor"] == report["captured_minor"]


def write_late(directory: Path) -> Path:
    """Orders that are due on 2017-03-20 00:00 and would be confirmed by themselves on the 23rd."""
    return write_history(
        directory,
        orders=[
            order("came-late", delivered="2017-03-20 00:00:01"),
            order("not-come", delivered="2017-03-25 00:00:00"),
            order("just-in-time", delivered="2017-03-20 00:00:00"),
            order("worth-nothing", delivered="2017-03-21 00:00:00"),
            order("never-shipped", carrier="", delivered="2017-03-21 00:00:00"),
        ],
        items=[
            item("came-late", price="33.33", freight="0.00"),
            item("not-come", 1, "ana", price="0.03", freight="0.00"),
            item("not-come", 2, "bia", price="1.00", freight="0.50"),
            item("just-in-time", price="10.00", freight="0.00"),
            item("worth-nothing", price="0.02", freight="0.00"),
            item("never-shipped", price="5.00", freight="0.00"),
        ],
    )


def test_replay_disputes_what_came_late_and_releases_the_rest(tmp_path: Path) -> None:
    report, errors = replay(write_late(tmp_path), dispute_late=True)

    assert errors == ""
    back = 667 + 1 + 30  # 666.6, 0.6 and 30
    assert report["refunded_by_disputes_minor"] == back
    assert report["refunded_minor"] == back + 500
    assert report["released_minor"] == 2666 + 2 + 120 + 1000 + 2
    assert report["commission_minor"] == 333 - 67 + 0 + 10 - 2 + 100 + 0
    assert report["service_fee_minor"] == 20 - 4 + 0 + 1 - 0 + 6 + 0
    assert report["platform_paid_minor"] == 374
    assert report["merchant_paid_minor"] == report["released_minor"] - 374 - 23
    assert report["disputes_by_state"] == {"RESOLVED": 3}
    assert report["orders_by_state"] == {"CANCELED": 1, "CONFIRMED": 5}
    assert (report["held_minor"], report["audit_ok"]) == (0, True)


def test_replay_disputes_at_delivery_or_right_before_it_confirms_by_itself(tmp_path: Path) -> None:
    replay(write_late(tmp_path), dispute_late=True)

    came = datetime(2017, 3, 20, 0, 0, 1, tzinfo=UTC)
    last_moment = datetime(2017, 3, 22, 23, 59, 59, tzinfo=UTC)
    found = {
        dispute.order.reference: (dispute.opened_at, dispute.reason, dispute.resolved_minor)
        for dispute in Dispute.objects.select_related("order")
    }
    assert found == {
        "came-late-1": (came, "OTHER", 667),
        "not-come-1": (last_moment, "NOT_RECEIVED", 1),
        "not-come-2": (last_moment, "NOT_RECEIVED", 30),
    }
    steps = Dispute.objects.get(order__reference="came-late-1").steps.order_by("position")
    assert list(steps.values_list("kind", "at", "amount_minor")) == [
        ("OPENED", came, 3333),
        ("OFFERED", came + timedelta(days=1), 667),
        ("OFFER_ACCEPTED", came + timedelta(days=2), 667),
        ("RESOLVED", came + timedelta(days=2), 667),
    ]
    confirmed = dict(
        Order.objects.filter(state="CONFIRMED").values_list("reference", "confirmed_by")
    )
    assert confirmed == {
        "came-late-1": "DISPUTE",
        "not-come-1": "DISPUTE",
        "not-come-2": "DISPUTE",
        "just-in-time-1": "BUYER",
        "worth-nothing-1": "BUYER",
    }


def test_replay_disputes_nothing_unless_told_to(tmp_path: Path) -> None:
    report, errors = replay(write_late(tmp_path))

    assert errors == ""
    assert not Dispute.objects.exists()
    assert report["refunded_minor"] == 500


# Others, whose disputes and debts the sweeps of a replay would decide


def paid_out_order(world: World) -> Order:
    order, _token = world.create_order()
    world.pay(order)
    world.ship(order)
    world.confirm(order)
    world.remit()
    world.settle()
    order.refresh_from_db()
    return order


def test_replay_refuses_while_a_dispute_of_others_is_due_in_its_time(world: World) -> None:
    dispute = disputing.open_dispute(world, paid_out_order(world))
    world.settle()

    with guard.alone(until=dispute.due_at - US):
        pass
    with (
        pytest.raises(guard.NotAlone, match=f"work due at {dispute.due_at:%Y-%m-%d %H:%M} UTC"),
        guard.alone(until=dispute.due_at),
    ):
        pass


def test_replay_refuses_while_a_debt_of_others_is_due_in_its_time(world: World) -> None:
    merchants.set_guarantee(plan_id=CommissionPlan.objects.get().pk, days=7, at=world.now)
    order = paid_out_order(world)
    record_topup(
        custodian=RAIL, bank_reference="T1", amount_minor=20000, currency="CNY", at=world.now
    )
    refunds.refund_order(order_id=order.id, reason="broken", at=world.now)
    world.settle()
    due_at = Debt.objects.get(payee="MERCHANT").guaranteed_at

    with guard.alone(until=due_at - US):
        pass
    with (
        pytest.raises(guard.NotAlone, match=f"work due at {due_at:%Y-%m-%d %H:%M} UTC"),
        guard.alone(until=due_at),
    ):
        pass
