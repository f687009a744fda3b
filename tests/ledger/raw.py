"""Writes entries by raw SQL, as somebody who goes around every service would.

It must never use the ledger's own functions: what it gets refused, the database refuses.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from ledger import accounts, chart, entries, selectors, services

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
CHANNEL, CUSTODIAN, RAIL = "sandbox", "sandbox-bank", "sandbox-bank"
SELLER, SHOP, PARTY = "mer_1a", "plt_1a", "pty_1a"

# One address of every class of the chart.
ADDRESSES = {
    "channel_receivable": chart.channel_receivable(CHANNEL),
    "reserve": chart.reserve(CUSTODIAN),
    "merchant_receivable": f"merchant:{SELLER}:receivable",
    "platform_receivable": f"platform:{SHOP}:receivable",
    "party_receivable": f"party:{PARTY}:receivable",
    "held": chart.HELD,
    "merchant_payable": chart.merchant_payable(SELLER),
    "merchant_reserve": chart.merchant_reserve(SELLER),
    "platform_commission": chart.platform_commission(SHOP),
    "party_payable": f"party:{PARTY}:payable",
    "payout_in_transit": chart.payout_in_transit(RAIL),
    "refund_in_transit": chart.refund_in_transit(CHANNEL),
    "surplus": chart.surplus(CHANNEL),
    "unidentified": f"unidentified:{CUSTODIAN}",
    "service_fee": chart.SERVICE_FEE,
    "channel_fee": chart.channel_fee(CHANNEL),
    "own_topup": chart.OWN_TOPUP,
    "loss_writeoff": "loss:writeoff",
}

_references = itertools.count(1)

INSERT = """
    WITH head (reference, kind, subject, currency, legs, reverses_id) AS (
        SELECT * FROM unnest(
            %(references)s::text[], %(kinds)s::text[], %(subjects)s::text[],
            %(currencies)s::text[], %(declared)s::smallint[], %(reverses)s::bigint[])
    ), entry AS (
        INSERT INTO ledger_journalentry
            (reference, kind, subject, currency, legs, reverses_id, event_at)
        SELECT *, %(at)s FROM head RETURNING id, reference
    ), posted AS (
        INSERT INTO ledger_posting (entry_id, leg, account_id, amount_minor)
        SELECT entry.id, leg.leg, leg.account_id, leg.amount_minor
        FROM unnest(
            %(of)s::text[], %(numbers)s::smallint[], %(accounts)s::bigint[], %(amounts)s::bigint[]
        ) AS leg (reference, leg, account_id, amount_minor) JOIN entry USING (reference)
    )
    SELECT max(id) FROM entry
"""


def account_ids(currency: str = "CNY") -> dict[str, int]:
    """Open one account of every class. Returns: id by class."""
    with transaction.atomic():
        by_address = accounts.open_accounts(addresses=ADDRESSES.values(), currency=currency)
    return {code: by_address[address] for code, address in ADDRESSES.items()}


def entry(*legs: tuple[int, int], kind: str = "capture", **changes: Any) -> dict[str, Any]:
    """An entry to insert; `changes` replace what would be right. Legs are (account id, amount)."""
    right = {
        "reference": f"raw:{next(_references)}",
        "kind": kind,
        "subject": "ord_1a",
        "currency": "CNY",
        "declared": len(legs),
        "reverses": None,
        "numbers": range(1, len(legs) + 1),
    }
    return {**right, **changes, "legs": legs}


def insert(*written: dict[str, Any]) -> int:
    """Insert entries with their postings, all in one statement. Returns: the highest entry id."""
    legs = [
        (each["reference"], number, *leg)
        for each in written
        for number, leg in zip(each["numbers"], each["legs"], strict=True)
    ]
    values = {
        "references": [each["reference"] for each in written],
        "kinds": [each["kind"] for each in written],
        "subjects": [each["subject"] for each in written],
        "currencies": [each["currency"] for each in written],
        "declared": [each["declared"] for each in written],
        "reverses": [each["reverses"] for each in written],
        "of": [leg[0] for leg in legs],
        "numbers": [leg[1] for leg in legs],
        "accounts": [leg[2] for leg in legs],
        "amounts": [leg[3] for leg in legs],
        "at": AT,
    }
    with connection.cursor() as cursor:
        cursor.execute(INSERT, values)
        return int(cursor.fetchone()[0])


def execute(sql: str, *values: Any) -> None:
    """Run one statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


@contextmanager
def refused(sqlstate: str, constraint: str | None = None) -> Iterator[None]:
    """Expect the database to refuse with this SQLSTATE, and the books to be as they were."""
    before = books()
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        yield
    cause = caught.value.__cause__
    assert isinstance(cause, psycopg.Error)
    assert (cause.sqlstate, cause.diag.constraint_name) == (sqlstate, constraint), cause

    assert books() == before


def books() -> tuple[Any, ...]:
    """Everything that would show that the books moved."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM ledger_journalentry),"
            " (SELECT count(*) FROM ledger_posting)"
        )
        return (*cursor.fetchone(), selectors.trial_balance())


def fund(ids: dict[str, int], amount_minor: int = 10_000_001) -> None:
    """Give every account that pays some money, so that only a rule can refuse."""
    at_first = ids["channel_receivable"], ids["held"]
    insert(
        entry((at_first[0], 5 * amount_minor), (at_first[1], -5 * amount_minor)),
        entry(
            (ids["held"], 4 * amount_minor),
            (ids["merchant_payable"], -amount_minor),
            (ids["merchant_reserve"], -amount_minor),
            (ids["platform_commission"], -amount_minor),
            (ids["party_payable"], -amount_minor),
            kind="release",
        ),
    )


def post_capture(order: str, amount_minor: int = 10001, currency: str = "CNY") -> int:
    """Post a capture by the service."""
    draft = entries.capture(
        payment_id=f"pay_{order}",
        order_id=order,
        channel=CHANNEL,
        amount_minor=amount_minor,
        currency=currency,
    )
    with transaction.atomic():
        return services.post(draft=draft, at=AT)


def post_release(order: str, seller: str = SELLER, shop: str = SHOP, currency: str = "CNY") -> int:
    """Post the worked example's release of 10001 by the service: 9491 + 450 + 60."""
    shares = (
        entries.Leg(chart.merchant_payable(seller), 9491),
        entries.Leg(chart.platform_commission(shop), 450),
        entries.Leg(chart.SERVICE_FEE, 60),
    )
    draft = entries.release(
        release_id=f"rel_{order}", order_id=order, currency=currency, shares=shares
    )
    with transaction.atomic():
        return services.post(draft=draft, at=AT)


def payout_draft(payout: str, amount_minor: int, payable: str | None = None) -> entries.Draft:
    """A payout to the seller."""
    return entries.payout_sent(
        payout_id=payout,
        payable=payable or chart.merchant_payable(SELLER),
        rail=RAIL,
        amount_minor=amount_minor,
        currency="CNY",
    )
