"""Every refusal of the books, provoked by raw SQL: the database is the last auditor.

Each is tried for an entry alone and for one in a batch: the trigger has a path for each.
"""

import itertools
from typing import Any

import pytest
from django.db import connection

from ledger import chart, entries, routes
from tests.ledger import raw

pytestmark = pytest.mark.django_db

SIDES = (routes.D, routes.C)
TRIPLES = list(itertools.product(entries.EntryKind, chart.BY_CODE, SIDES))


@pytest.fixture
def ids() -> dict[str, int]:
    return raw.account_ids()


@pytest.fixture(params=["alone", "in a batch"])
def company(request: pytest.FixtureRequest, ids: dict[str, int]) -> list[dict[str, Any]]:
    """Right entries of the same statement."""
    others = 20 if request.param == "in a batch" else 0
    legs = (ids["channel_receivable"], 10001), (ids["held"], -10001)
    return [raw.entry(*legs) for _ in range(others)]


def test_entry_is_refused_when_its_legs_do_not_sum_to_zero(
    ids: dict[str, int], company: list[Any]
) -> None:
    wrong = raw.entry((ids["channel_receivable"], 10001), (ids["held"], -10000))

    with raw.refused("HF001"):
        raw.insert(*company, wrong)


@pytest.mark.parametrize(
    ("declared", "numbers"), [(3, (1, 2)), (2, (2, 3)), (2, (0, 1)), (3, (1, 3)), (4, (1, 2))]
)
def test_entry_is_refused_when_its_legs_are_not_those_declared(
    ids: dict[str, int], company: list[Any], declared: int, numbers: tuple[int, int]
) -> None:
    legs = (ids["channel_receivable"], 10001), (ids["held"], -10001)
    wrong = raw.entry(*legs, declared=declared, numbers=numbers)

    with raw.refused("HF002"):
        raw.insert(*company, wrong)


def test_entry_is_refused_when_it_declares_fewer_legs_than_two(ids: dict[str, int]) -> None:
    legs = (ids["channel_receivable"], 10001), (ids["held"], -10001)

    with raw.refused("23514", "ledger_entry_two_legs"):
        raw.insert(raw.entry(*legs, declared=1))


def test_leg_is_refused_when_it_is_added_to_an_old_entry(ids: dict[str, int]) -> None:
    entry_id = raw.insert(raw.entry((ids["channel_receivable"], 10001), (ids["held"], -10001)))
    add = """
        INSERT INTO ledger_posting (entry_id, leg, account_id, amount_minor)
        VALUES (%s, 3, %s, 1), (%s, 4, %s, -1)
    """

    with raw.refused("HF002"):
        raw.execute(add, entry_id, ids["channel_receivable"], entry_id, ids["held"])


def test_posting_is_refused_when_there_is_no_entry(ids: dict[str, int]) -> None:
    add = """
        INSERT INTO ledger_posting (entry_id, leg, account_id, amount_minor)
        VALUES (10001, 1, %s, 1), (10001, 2, %s, -1)
    """

    with raw.refused("HF003"):
        raw.execute(add, ids["channel_receivable"], ids["held"])


def test_entry_is_refused_when_it_has_no_postings() -> None:
    empty = """
        INSERT INTO ledger_journalentry (reference, kind, subject, currency, legs, event_at)
        VALUES ('capture:pay_1a', 'capture', 'ord_1a', 'CNY', 2, now())
    """

    with raw.refused("HF002"):
        raw.execute(empty)


def test_entry_is_refused_when_one_beside_it_in_the_statement_has_no_postings(
    ids: dict[str, int],
) -> None:
    right = raw.entry((ids["channel_receivable"], 10001), (ids["held"], -10001))

    with raw.refused("HF002"):
        raw.insert(right, raw.entry(declared=2))


def test_entry_is_refused_when_an_account_does_not_exist(
    ids: dict[str, int], company: list[Any]
) -> None:
    wrong = raw.entry((ids["channel_receivable"], 10001), (99_999, -10001))

    with raw.refused("HF003"):
        raw.insert(*company, wrong)


def test_entry_is_refused_when_an_account_has_another_currency(
    ids: dict[str, int], company: list[Any]
) -> None:
    euro = raw.account_ids("EUR")
    wrong = raw.entry((ids["channel_receivable"], 10001), (euro["held"], -10001))

    with raw.refused("HF003"):
        raw.insert(*company, wrong)


@pytest.mark.parametrize("amount_minor", [0, 10**15 + 1, -(10**15) - 1])
def test_entry_is_refused_when_an_amount_is_zero_or_beyond_the_limit(
    ids: dict[str, int], amount_minor: int
) -> None:
    with raw.refused("23514", "ledger_posting_amount"):
        raw.insert(
            raw.entry((ids["channel_receivable"], amount_minor), (ids["held"], -amount_minor))
        )


def test_entry_is_refused_when_the_reference_is_taken(ids: dict[str, int]) -> None:
    legs = (ids["channel_receivable"], 10001), (ids["held"], -10001)
    raw.insert(raw.entry(*legs, reference="capture:pay_1a"))

    with raw.refused("23505", "ledger_entry_reference_once"):
        raw.insert(raw.entry(*legs, reference="capture:pay_1a"))


def test_entry_is_refused_when_it_brings_an_id_of_its_own() -> None:
    with_id = """
        INSERT INTO ledger_journalentry (id, reference, kind, subject, currency, legs, event_at)
        VALUES (7, 'capture:pay_1a', 'capture', 'ord_1a', 'CNY', 2, now())
    """

    with raw.refused("428C9"):
        raw.execute(with_id)


def test_entry_takes_only_the_routes_of_its_kind_over_all_kinds_classes_and_sides(
    ids: dict[str, int], company: list[Any]
) -> None:
    raw.fund(ids)
    entries_before = raw.books()[0]
    accepted = 0

    for kind, code, side in TRIPLES:
        written = raw.entry(*_legs_with(kind, code, side, ids), kind=kind)
        if (code, side) in entries.ROUTES[kind]:
            raw.insert(
                *[
                    {**each, "reference": f"{kind}{code}{side}{n}"}
                    for n, each in enumerate(company)
                ],
                written,
            )
            accepted += 1
        else:
            with raw.refused("HF004"):
                raw.insert(*company, written)

    assert accepted == sum(len(allowed) for allowed in entries.ROUTES.values())
    assert raw.books()[0] == entries_before + accepted * (1 + len(company))


def _legs_with(kind: entries.EntryKind, code: str, side: str, ids: dict[str, int]) -> Any:
    """Two legs: the one on trial, and one the kind may have on the other side."""
    other = next(c for c, s in sorted(entries.ROUTES[kind]) if s != side)
    amount = 101 if side == routes.D else -101
    return (ids[code], amount), (ids[other], -amount)


@pytest.mark.parametrize("code", ["merchant_payable", "platform_commission", "party_payable"])
def test_entry_is_refused_when_a_guarded_account_would_fall_below_zero(
    ids: dict[str, int], company: list[Any], code: str
) -> None:
    raw.fund(ids, 10001)
    legs = (ids[code], 10002), (ids["payout_in_transit"], -10002)

    with raw.refused("23514", "ledger_guardedbalance_not_below_zero"):
        raw.insert(*company, raw.entry(*legs, kind="payout-sent"))


def test_entry_is_accepted_when_a_guarded_account_falls_to_exactly_zero(
    ids: dict[str, int], company: list[Any]
) -> None:
    raw.fund(ids, 10001)
    legs = (ids["merchant_payable"], 10001), (ids["payout_in_transit"], -10001)

    raw.insert(*company, raw.entry(*legs, kind="payout-sent"))

    assert _stored(ids["merchant_payable"]) == 0


def test_guarded_balance_nets_debits_and_credits_of_one_statement(ids: dict[str, int]) -> None:
    raw.fund(ids, 10001)

    raw.insert(
        raw.entry(
            (ids["merchant_payable"], 10002), (ids["payout_in_transit"], -10002), kind="payout-sent"
        ),
        raw.entry((ids["held"], 7), (ids["merchant_payable"], -7), kind="release"),
    )

    assert _stored(ids["merchant_payable"]) == 6


def _stored(account_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT balance_minor FROM ledger_guardedbalance WHERE account_id = %s", (account_id,)
        )
        return int(cursor.fetchone()[0])
