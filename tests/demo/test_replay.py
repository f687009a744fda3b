"""Why: a replayed history is the widest check we have that the line keeps every cent of orders."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from celery import current_app

from merchants.models import Platform
from orders.models import Order
from tests.demo.history import item, order, write_history, write_small
from tests.demo.on_paper import OLIST, expected_of
from tests.demo.replaying import count, replay, sums

REPORT_KEYS = [
    "orders", "payments", "captured_minor", "released_minor", "refunded_minor",
    "refunded_by_disputes_minor", "commission_minor", "service_fee_minor", "merchant_paid_minor",
    "platform_paid_minor", "held_minor", "orders_by_state", "disputes_by_state",
    "late_shipments_refused", "entries", "postings", "audit_ok", "seconds",
    "orders_per_second",
]  # fmt: skip

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker answers, without waiting for one."""
    monkeypatch.setattr(current_app.control, "ping", lambda timeout: [])


# A real history. What must come of it is computed from the files alone, by no code of ours.


@pytest.mark.skipif(not OLIST.is_dir(), reason=f"the real history is not at {OLIST}")
@pytest.mark.timeout(600)
def test_replay_of_a_real_history_comes_to_what_the_files_say(tmp_path: Path) -> None:
    expected = expected_of(OLIST)

    report, errors = replay(OLIST, report=tmp_path / "r.json")

    assert errors == ""
    assert list(report) == REPORT_KEYS
    assert json.loads((tmp_path / "r.json").read_text()) == report
    assert {key: report[key] for key in expected} == expected
    assert (report["orders"], report["captured_minor"]) == (443, 6452374)
    assert report["released_minor"] + report["refunded_minor"] == report["captured_minor"]
    assert (report["entries"], report["postings"]) == (
        count("ledger_journalentry"),
        count("ledger_posting"),
    )


# A small history: every rule once, in BRL, commission 10 % of goods, service fee 0.6 % of the
# amount.


def confirmations() -> dict[str, tuple[str, datetime | None, datetime | None]]:
    found = Order.objects.filter(state="CONFIRMED")
    return {
        each.reference: (each.confirmed_by, each.confirm_by, each.confirmed_at) for each in found
    }


def test_replay_lives_every_rule_of_a_small_history(tmp_path: Path) -> None:
    report, errors = replay(write_small(tmp_path))

    assert errors == ""
    assert sums(report) == {
        "orders": 14,
        "payments": 12,
        "captured_minor": 11005 + 1105 + 3310 + 250 + 4 + 5 + 3333 + 1000 + 777 + 4 * 100,
        "released_minor": 11005 + 1105 + 250 + 4 + 5 + 1000 + 4 * 100,
        "refunded_minor": 3310 + 3333 + 777,
        "refunded_by_disputes_minor": 0,
        "commission_minor": 1001 + 101 + 20 + 0 + 1 + 10 + 4 * 10,
        "service_fee_minor": 66 + 7 + 2 + 0 + 0 + 6 + 4 * 1,
        "merchant_paid_minor": 9938 + 997 + 228 + 4 + 4 + 984 + 4 * 89,
        "platform_paid_minor": 1173,
        "held_minor": 0,
        "orders_by_state": {"CANCELED": 3, "CONFIRMED": 10, "EXPIRED": 1},
        "disputes_by_state": {},
        "late_shipments_refused": 2,
        "entries": count("ledger_journalentry"),
        "postings": count("ledger_posting"),
        "audit_ok": True,
    }


def test_replay_confirms_by_the_buyer_or_at_the_deadline_whichever_comes_first(
    tmp_path: Path,
) -> None:
    replay(write_small(tmp_path))

    expected_and_grace = datetime(2017, 3, 23, tzinfo=UTC)
    shipped_and_ten_days = datetime(2017, 3, 12, 9, tzinfo=UTC)
    found = confirmations()
    assert found["plain-1"] == ("BUYER", expected_and_grace, datetime(2017, 3, 5, 18, tzinfo=UTC))
    assert found["automatic-1"] == ("AUTOMATIC", shipped_and_ten_days, shipped_and_ten_days)
    assert found["too-late-to-confirm-1"] == ("AUTOMATIC", expected_and_grace, expected_and_grace)
    assert found["expected-soon-1"] == ("AUTOMATIC", shipped_and_ten_days, shipped_and_ten_days)
    assert found["confirmed-before-shipped-1"] == (
        "AUTOMATIC",
        expected_and_grace,
        expected_and_grace,
    )
    paid = Order.objects.get(reference="shipped-before-paid-1")
    assert (paid.paid_at, paid.shipped_at) == (datetime(2017, 3, 1, 11, tzinfo=UTC),) * 2
    canceled = Order.objects.filter(state="CANCELED").values_list(
        "reference", "cancel_reason", "canceled_at"
    )
    assert sorted(canceled) == [
        ("cart-2", "NOT_SHIPPED", datetime(2017, 3, 2, 8, 59, 59, 1, tzinfo=UTC)),
        ("late-1", "NOT_SHIPPED", datetime(2017, 3, 4, 11, 0, 0, 1, tzinfo=UTC)),
        ("never-shipped-1", "NOT_SHIPPED", datetime(2017, 3, 4, 11, 0, 0, 1, tzinfo=UTC)),
    ]


def test_replay_confirms_by_the_buyer_at_the_very_deadline(tmp_path: Path) -> None:
    write_history(
        tmp_path,
        orders=[order("one", delivered="2017-03-12 09:00:00", estimated="")],
        items=[item("one")],
    )

    replay(tmp_path)

    at = datetime(2017, 3, 12, 9, tzinfo=UTC)
    assert confirmations() == {"one-1": ("BUYER", at, at)}


def test_replay_again_comes_to_the_same_beside_the_first(tmp_path: Path) -> None:
    first, _errors = replay(write_small(tmp_path))

    second, errors = replay(tmp_path)

    assert errors == ""
    assert sums(second) == sums(first)
    assert Platform.objects.count() == 2


def test_replay_takes_currency_and_rates(tmp_path: Path) -> None:
    write_history(tmp_path, orders=[order("one")], items=[item("one", price="1005", freight="95")])

    report, _errors = replay(tmp_path, currency="JPY", commission_bps=1250, service_fee_bps=0)

    assert report["captured_minor"] == 1100
    assert (report["commission_minor"], report["service_fee_minor"]) == (126, 0)  # 125.625
    assert (report["merchant_paid_minor"], report["platform_paid_minor"]) == (974, 126)
