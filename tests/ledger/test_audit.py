"""The audit finds what a superuser changes behind the triggers' back, and names the row."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from ledger import audit, services
from tests.ledger import raw

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def books() -> dict[str, int]:
    """Captures, a release, a reversal, then a checkpoint, a capture and a payout. Ids by name."""
    first = raw.post_capture("ord_1a")
    second = raw.post_release("ord_1a")
    with transaction.atomic():
        services.reverse(entry_id=raw.post_capture("ord_4d"), at=raw.AT)
    services.checkpoint_hot_accounts(at=raw.AT)
    raw.post_capture("ord_2b")
    with transaction.atomic():
        payout = services.post(draft=raw.payout_draft("po_1a", 491), at=raw.AT)
    return {**raw.account_ids(), "first": first, "second": second, "last": payout}


@contextmanager
def tampering() -> Iterator[None]:
    """Act as a superuser who switches every trigger off."""
    raw.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what was right so far has been checked
    raw.execute("SET LOCAL session_replication_role = replica")
    yield
    raw.execute("SET LOCAL session_replication_role = origin")


def find() -> dict[str, str]:
    """Run the ledger's audit. Returns: the first wrong row by check."""
    return {each.check: each.row for each in audit.run(write=lambda line: None)}


def test_audit_finds_nothing_in_right_books() -> None:
    said: list[str] = []

    assert audit.run(write=said.append) == []
    assert len(said) == 1 + len(audit.CHECKS)
    assert all(line.startswith("ok") for line in said)


def _rows(books: dict[str, int], *names: str) -> tuple[int, ...]:
    return tuple(books[name] for name in names)


def test_audit_names_the_entry_when_an_amount_was_changed(books: dict[str, int]) -> None:
    with tampering():
        raw.execute(
            "UPDATE ledger_posting SET amount_minor = amount_minor + 1"
            " WHERE entry_id = %s AND leg = 2",
            books["second"],
        )

    found = find()

    assert found["every entry sums to zero and has its declared legs"] == f"entry {books['second']}"
    assert found["guarded balances equal their postings"] == f"account {books['merchant_payable']}"
    assert found["every currency sums to zero"] == "currency CNY"


def test_audit_names_the_leg_when_it_was_moved_to_another_account(books: dict[str, int]) -> None:
    with tampering():
        raw.execute(
            "UPDATE ledger_posting SET account_id = %s WHERE entry_id = %s AND leg = 2",
            *_rows(books, "service_fee", "first"),
        )

    found = find()

    assert found["every posting has a route"] == f"entry {books['first']} leg 2"
    assert found["hot checkpoints equal their postings"] == f"account {books['held']}"
    assert "every entry sums to zero and has its declared legs" not in found


TAMPERINGS: dict[str, tuple[str, tuple[str, ...], str, str]] = {
    "a posting is deleted": (
        "DELETE FROM ledger_posting WHERE entry_id = %s AND leg = 2",
        ("first",),
        "every entry sums to zero and has its declared legs",
        "entry {first}",
    ),
    "two legs are added": (
        "INSERT INTO ledger_posting (entry_id, leg, account_id, amount_minor)"
        " VALUES (%s, 3, %s, 1), (%s, 4, %s, -1)",
        ("first", "channel_receivable", "first", "held"),
        "every entry sums to zero and has its declared legs",
        "entry {first}",
    ),
    "an entry is deleted": (
        "DELETE FROM ledger_journalentry WHERE id = %s",
        ("second",),
        "every entry sums to zero and has its declared legs",
        "entry {second}",
    ),
    "the postings of an entry are deleted": (
        "DELETE FROM ledger_posting WHERE entry_id = %s",
        ("last",),
        "every entry sums to zero and has its declared legs",
        "entry {last}",
    ),
    "an account is deleted": (
        "DELETE FROM ledger_account WHERE id = %s",
        ("held",),
        "every posting is to an account of the entry's currency",
        "entry {first} leg 2",
    ),
    "an account changes its currency": (
        "UPDATE ledger_account SET currency = 'EUR' WHERE id = %s",
        ("held",),
        "every posting is to an account of the entry's currency",
        "entry {first} leg 2",
    ),
    "an account changes its class": (
        "UPDATE ledger_account SET account_class_id = 'own_topup' WHERE id = %s",
        ("service_fee",),
        "every account is of its class",
        "account {service_fee}",
    ),
    "an entry changes its kind": (
        "UPDATE ledger_journalentry SET kind = 'surplus' WHERE id = %s",
        ("first",),
        "every posting has a route",
        "entry {first} leg 2",
    ),
    "a reversal is no longer one": (
        "UPDATE ledger_journalentry SET reverses_id = %s WHERE reverses_id IS NOT NULL",
        ("first",),
        "every reversal is an exact mirror",
        "entry {first}",
    ),
    "a guarded balance is raised": (
        "UPDATE ledger_guardedbalance SET balance_minor = balance_minor + 1 WHERE account_id = %s",
        ("platform_commission",),
        "guarded balances equal their postings",
        "account {platform_commission}",
    ),
    "a guarded balance is deleted": (
        "DELETE FROM ledger_guardedbalance WHERE account_id = %s",
        ("party_payable",),
        "guarded balances equal their postings",
        "account {party_payable}",
    ),
    "a waiting credit is invented": (
        "INSERT INTO ledger_waitingcredit (account_id, amount_minor) VALUES (%s, 1)",
        ("merchant_payable",),
        "guarded balances equal their postings",
        "account {merchant_payable}",
    ),
    "a checkpoint is changed": (
        "UPDATE ledger_hotcheckpoint SET balance_minor = balance_minor - 1 WHERE account_id = %s",
        ("held",),
        "hot checkpoints equal their postings",
        "account {held}",
    ),
    "a class is unguarded": (
        "UPDATE ledger_accountclass SET guarded = false WHERE code = 'party_payable'",
        (),
        "chart and routes are those of the code",
        "account class",
    ),
    "a route is added": (
        "INSERT INTO ledger_route (kind, account_class_id, side)"
        " VALUES ('capture', 'own_topup', 'C')",
        (),
        "chart and routes are those of the code",
        "route ('capture', 'own_topup', 'C')",
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_audit_names_the_row_when(name: str, books: dict[str, int]) -> None:
    statement, values, check, row = TAMPERINGS[name]
    with tampering():
        raw.execute(statement, *_rows(books, *values))

    found = find()

    assert check in found
    assert found[check].startswith(_expected(row, name, books))


def _expected(row: str, name: str, books: dict[str, int]) -> str:
    if name == "a reversal is no longer one":
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM ledger_journalentry WHERE reverses_id IS NOT NULL")
            return f"entry {cursor.fetchone()[0]}"
    return row.format(**books)


def test_audit_names_the_account_when_customers_money_is_missing(books: dict[str, int]) -> None:
    _post_by_hand(books, "surplus-refund-asked", ("surplus", 7), ("refund_in_transit", -7))

    assert find() == {"no customers' account is below zero": f"account {books['surplus']}"}


def test_audit_names_the_entry_when_more_was_released_than_held(books: dict[str, int]) -> None:
    entry_id = _post_by_hand(books, "refund-asked", ("held", 7), ("refund_in_transit", -7), "ord_9")

    assert find() == {"no order's held money is below zero": f"entry {entry_id}"}


def _post_by_hand(
    books: dict[str, int],
    kind: str,
    debit: tuple[str, int],
    credit: tuple[str, int],
    subject: str = "s",
) -> int:
    """What no trigger refuses, because the order's hold guards it, not the books."""
    legs = [(books[name], amount) for name, amount in (debit, credit)]
    return raw.insert(raw.entry(*legs, kind=kind, subject=subject))


@pytest.fixture
def ledger_alone(settings: Any) -> None:
    """Leave the other stations' checks out: these books have no orders."""
    settings.AUDIT_CHECKS = ["ledger.audit.run"]


def run_command(*options: str) -> str:
    out = StringIO()
    call_command("audit_books", *options, stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("ledger_alone")
def test_command_prints_totals_and_what_is_held() -> None:
    said = run_command("--held")

    assert "The books are right." in said
    assert "Held for 1 order: 100.01 CNY" in said
    assert "ord_2b" in said
    totals = [line.split() for line in said.splitlines() if line.startswith("total")]
    assert totals == [["total", "200.02", "200.02"]]


@pytest.mark.usefixtures("ledger_alone")
def test_command_prints_json_of_one_currency() -> None:
    answer = json.loads(run_command("--json", "--currency", "CNY"))

    assert answer["ok"] is True
    assert answer["held_orders"] == 1
    assert answer["held_minor"] == {"CNY": 10001}
    assert answer["own_funds_minor"] == {"CNY": 60}
    assert {line["currency"] for line in answer["totals"]} == {"CNY"}
    assert json.loads(run_command("--json", "--currency", "EUR"))["totals"] == []


@pytest.mark.usefixtures("ledger_alone")
@pytest.mark.parametrize(("lost", "short"), [(60, []), (61, ["0.01 CNY"])])
def test_command_tells_what_own_funds_lack(
    books: dict[str, int], lost: int, short: list[str]
) -> None:
    _post_by_hand(books, "remittance", ("channel_fee", lost), ("channel_receivable", -lost))

    said = [line for line in run_command().splitlines() if line.startswith("SHORT")]

    assert [line.split("lack ")[1].split(";")[0] for line in said] == short


@pytest.mark.usefixtures("ledger_alone")
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_command_fails_with_one_and_names_the_row(
    books: dict[str, int], options: tuple[str, ...]
) -> None:
    with tampering():
        raw.execute(
            "UPDATE ledger_posting SET amount_minor = -10002 WHERE entry_id = %s AND leg = 2",
            books["first"],
        )

    with pytest.raises(
        CommandError, match=f"entry {books['first']}\\. capture:.* sums to -1"
    ) as caught:
        run_command(*options)

    assert caught.value.returncode == 1


@pytest.mark.usefixtures("ledger_alone")
@pytest.mark.django_db(transaction=True)
def test_command_reads_one_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check sees the books as they were when the command began, whatever is posted meanwhile."""
    levels: list[tuple[str, ...]] = []

    def check(*, write: Callable[[str], None]) -> list[audit.Violation]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('transaction_isolation'),"
                " current_setting('transaction_read_only')"
            )
            levels.append(cursor.fetchone())
        return []

    monkeypatch.setattr(audit, "run", check)

    run_command()

    assert levels == [("repeatable read", "on")]
