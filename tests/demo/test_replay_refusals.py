"""Why: a replay writes into books others live by: it must refuse what it cannot vouch for, and
touch nobody else.
"""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from celery import current_app
from django.core.management import CommandError, call_command
from django.db import connection

from merchants.models import Platform
from orders.models import Order
from orders.services import creation
from sandbox.bank import SandboxBank
from tests.demo.history import item, order, write_history, write_small
from tests.demo.replaying import count, replay
from tests.factories import AT, MerchantFactory, PlatformFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker answers, without waiting for one."""
    monkeypatch.setattr(current_app.control, "ping", lambda timeout: [])


# Bad input


def test_replay_imports_nothing_when_a_row_is_broken(tmp_path: Path) -> None:
    write_history(
        tmp_path, orders=[order("one"), ""], items=[item("one"), item("one", 2, price="-1.00")]
    )
    errors = io.StringIO()

    with pytest.raises(
        CommandError, match=r"^2 rows are broken. Nothing was imported; repair them or skip them"
    ) as no:
        call_command("replay", str(tmp_path), stdout=io.StringIO(), stderr=errors)

    assert no.value.returncode == 1
    assert errors.getvalue().splitlines() == [
        "order_items.csv:3: price -1.00 is negative.",
        "orders.csv:3: The line is empty.",
    ]
    assert (Platform.objects.count(), Order.objects.count(), count("ledger_journalentry")) == (
        0,
        0,
        0,
    )


def test_replay_goes_on_without_broken_rows_when_told_to(tmp_path: Path) -> None:
    write_history(
        tmp_path,
        orders=[order("one"), order("two", purchased="?")],
        items=[item("one"), item("one", 2, price="-1.00"), item("two")],
    )

    report, errors = replay(tmp_path, skip_bad=True)

    assert (report["orders"], report["captured_minor"], report["audit_ok"]) == (1, 11005, True)
    assert errors.splitlines() == [
        "order_items.csv:3: price -1.00 is negative.",
        "order_items.csv:4: Its order two is broken, see orders.csv:3.",
        "orders.csv:3: order_purchase_timestamp '?' is not a date and time such as "
        "2017-11-23 09:40:00.",
        "3 rows are broken and skipped.",
    ]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"currency": "REAIS"}, "'REAIS' is not an ISO 4217 currency code"),
        ({"commission_bps": 10_001}, "--commission-bps is 0 to 10000 basis points"),
        ({"service_fee_bps": -1}, "--service-fee-bps is 0 to 10000 basis points"),
        ({"report": Path("/nowhere/r.json")}, "The report cannot be written to /nowhere/r.json"),
    ],
)
def test_replay_refuses_options_before_it_imports(
    tmp_path: Path, options: dict[str, Any], sentence: str
) -> None:
    write_history(tmp_path, orders=[order("one")], items=[item("one")])

    with pytest.raises(CommandError, match=sentence):
        replay(tmp_path, **options)

    assert Platform.objects.count() == 0


def test_replay_refuses_a_history_without_orders(tmp_path: Path) -> None:
    write_history(tmp_path, orders=[], items=[])

    with pytest.raises(CommandError, match="There is no order to replay"):
        replay(tmp_path)


# Others in the same database


def other_order(*, slug: str, at: datetime) -> Order:
    platform = PlatformFactory(slug=slug, name="Teahouse")
    new = creation.NewOrder(reference="1", currency="CNY", lines=[creation.NewLine("Tea", 10001)])
    merchant = MerchantFactory(platform=platform)
    return creation.create_order(platform=platform, merchant=merchant, new=new, at=at)[0]


def test_replay_leaves_the_present_of_others_alone(tmp_path: Path) -> None:
    other = other_order(slug="teahouse", at=AT)

    report, _errors = replay(write_small(tmp_path))

    other.refresh_from_db()
    assert report["orders"] == 14
    assert other.state == "CREATED"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relayed_at FROM notifications_event WHERE subject_id = %s", [other.id]
        )
        assert cursor.fetchall() == [(None,)]


def test_replay_refuses_while_others_have_work_due_in_its_time(tmp_path: Path) -> None:
    other = other_order(slug="teahouse", at=datetime(2017, 3, 3, tzinfo=UTC))

    with pytest.raises(
        CommandError,
        match=r"^The platform Teahouse has unfinished work due at 2017-03-03 00:00 UTC",
    ):
        replay(write_small(tmp_path))

    other.refresh_from_db()
    assert (other.state, Order.objects.count()) == ("CREATED", 1)


def test_replay_finishes_what_an_interrupted_one_has_left(tmp_path: Path) -> None:
    left = other_order(slug="replay-1", at=datetime(2017, 3, 3, tzinfo=UTC))

    report, _errors = replay(write_small(tmp_path))

    left.refresh_from_db()
    assert left.state == "EXPIRED"
    assert (report["orders"], report["audit_ok"]) == (14, True)


def test_replay_refuses_beside_a_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        current_app.control, "ping", lambda timeout: [{"celery@here": {"ok": "pong"}}]
    )

    with pytest.raises(CommandError, match=r"^A worker is running"):
        replay(write_small(tmp_path))

    assert Platform.objects.count() == 0


def test_replay_refuses_beside_another_replay(tmp_path: Path) -> None:
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [0x4F4C495354])

        with pytest.raises(CommandError, match=r"^Another replay is running on this database"):
            replay(write_small(tmp_path))

    assert Platform.objects.count() == 0


def test_replay_fails_when_the_sandbox_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    totals = SandboxBank.totals
    lying = {"balance": 1}
    monkeypatch.setattr(
        SandboxBank,
        "totals",
        lambda self: {key: value | lying for key, value in totals(self).items()},
    )
    out, err = io.StringIO(), io.StringIO()

    with pytest.raises(CommandError, match=r"^The books are wrong after this replay"):
        call_command("replay", str(write_small(tmp_path)), stdout=out, stderr=err)

    assert json.loads(out.getvalue())["audit_ok"] is False
    # 85 of fees, and the refunds, which the channel paid out of what it will collect next
    assert f"our books say {85 + 7420}, the sandbox says 1." in err.getvalue()
