"""The doors of the books: what they write, and which refusal each wrong draft gets."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from common import ids
from ledger import chart, entries, selectors, services
from ledger.entries import Draft, EntryKind, Leg
from ledger.models import JournalEntry, Posting
from tests.ledger import raw

pytestmark = pytest.mark.django_db

CAPTURE = entries.capture(
    payment_id="pay_1a", order_id="ord_1a", channel=raw.CHANNEL, amount_minor=10001, currency="CNY"
)


def post(draft: Draft) -> int:
    with transaction.atomic():
        return services.post(draft=draft, at=raw.AT)


def legs_of(entry_id: int) -> list[tuple[int, str, int]]:
    postings = Posting.objects.filter(entry_id=entry_id).select_related("account").order_by("leg")
    return [(each.leg, each.account.address, each.amount_minor) for each in postings]


def test_post_writes_the_draft_leg_by_leg() -> None:
    raw.post_capture("ord_1a")

    entry_id = raw.post_release("ord_1a")

    entry = JournalEntry.objects.get(id=entry_id)
    assert (entry.kind, entry.reference, entry.subject) == (
        "release",
        "release:rel_ord_1a",
        "ord_1a",
    )
    assert (entry.currency, entry.legs, entry.event_at) == ("CNY", 4, raw.AT)
    assert entry.reverses_id is None
    assert legs_of(entry_id) == [
        (1, "held", 10001),
        (2, "merchant:mer_1a:payable", -9491),
        (3, "platform:plt_1a:commission", -450),
        (4, "fee:service", -60),
    ]


def test_post_counts_an_account_twice_when_two_legs_touch_it() -> None:
    raw.post_capture("ord_1a")
    payable = chart.merchant_payable(raw.SELLER)
    shares = (Leg(payable, 1), Leg(payable, 10000))

    post(entries.release(release_id="rel_1a", order_id="ord_1a", currency="CNY", shares=shares))

    assert selectors.balance(address=payable, currency="CNY") == 10001


def _wrong(**changes: Any) -> Draft:
    return dataclasses.replace(CAPTURE, reference="capture:pay_2b", **changes)


REFUSED = {
    "twice": (CAPTURE, services.AlreadyPosted),
    "unbalanced": (
        _wrong(legs=(Leg("channel:sandbox:receivable", 10001), Leg("held", -10000))),
        services.UnbalancedEntry,
    ),
    "one leg": (_wrong(legs=(Leg("held", -10001),)), services.UnbalancedEntry),
    "no legs": (_wrong(legs=()), services.UnbalancedEntry),
    "leg of zero": (_wrong(legs=(*CAPTURE.legs, Leg("held", 0))), services.UnbalancedEntry),
    "forbidden route": (
        _wrong(legs=(Leg("held", 10001), Leg("fee:service", -10001))),
        services.ForbiddenRoute,
    ),
    "forbidden kind": (_wrong(kind=EntryKind.PAYOUT_PAID), services.ForbiddenRoute),
    "unknown address": (
        _wrong(legs=(Leg("channel:sandbox:receivable", 1), Leg("purse:1", -1))),
        services.UnknownAccount,
    ),
    "unknown currency": (_wrong(currency="cny"), services.UnknownAccount),
    "overdraft": (raw.payout_draft("po_1a", 1), services.InsufficientBalance),
}


def _post_among_others(draft: Draft) -> None:
    right = [dataclasses.replace(CAPTURE, reference=f"capture:pay_3c:{n}") for n in (1, 2)]
    with transaction.atomic():
        services.post_all(drafts=[right[0], draft, right[1]], at=raw.AT)


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("door", [post, _post_among_others])
def test_draft_is_refused(case: str, door: Callable[[Draft], Any]) -> None:
    draft, refusal = REFUSED[case]
    post(CAPTURE)
    before = raw.books()

    with pytest.raises(refusal) as caught:
        door(draft)

    assert caught.value.code == refusal.code
    assert caught.value.sentence.endswith(".")
    assert raw.books() == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "door",
    [
        lambda: services.post(draft=CAPTURE, at=raw.AT),
        lambda: services.post_all(drafts=[CAPTURE], at=raw.AT),
        lambda: services.reverse(entry_id=1, at=raw.AT),
    ],
)
def test_door_is_closed_outside_a_transaction(door: Callable[[], Any]) -> None:
    with pytest.raises(AssertionError):
        door()


def test_post_all_writes_the_same_books_as_post() -> None:
    drafts = [
        draft
        for order in ("ord_1a", "ord_2b", "ord_3c")
        for draft in (
            dataclasses.replace(CAPTURE, reference=f"capture:{order}", subject=order),
            entries.release(
                release_id=f"rel_{order}",
                order_id=order,
                currency="CNY",
                shares=(
                    Leg(chart.merchant_payable(f"mer_{order[4:]}"), 9941),
                    Leg("fee:service", 60),
                ),
            ),
        )
    ] + [raw.payout_draft("po_1a", 9941)]

    with transaction.atomic():
        together = services.post_all(drafts=drafts, at=raw.AT)
    legs_together, trial = [legs_of(each) for each in together], selectors.trial_balance()
    again = [dataclasses.replace(each, reference=f"{each.reference}:again") for each in drafts]
    one_by_one = [post(draft) for draft in again]

    references = JournalEntry.objects.in_bulk(together)
    assert [references[each].reference for each in together] == [each.reference for each in drafts]
    assert [legs_of(each) for each in one_by_one] == legs_together
    assert [(line.debit_minor * 2, line.credit_minor * 2) for line in trial] == [
        (line.debit_minor, line.credit_minor) for line in selectors.trial_balance()
    ]


def test_post_all_of_nothing_writes_nothing() -> None:
    with transaction.atomic():
        assert services.post_all(drafts=[], at=raw.AT) == []


def test_post_all_opens_accounts_in_several_currencies() -> None:
    drafts = [
        dataclasses.replace(CAPTURE, reference=f"capture:{currency}", currency=currency)
        for currency in ("CNY", "EUR", "JPY")
    ]

    with transaction.atomic():
        services.post_all(drafts=drafts, at=raw.AT)

    assert [selectors.balance(address="held", currency=each) for each in ("CNY", "EUR", "JPY")] == [
        10001
    ] * 3


def test_reverse_mirrors_the_entry_and_frees_the_held_money() -> None:
    raw.post_capture("ord_1a")
    released = raw.post_release("ord_1a")

    with transaction.atomic():
        reversal_id = services.reverse(entry_id=released, at=raw.AT + timedelta(days=1))

    reversal = JournalEntry.objects.get(id=reversal_id)
    assert reversal.reference == "reversal:release:rel_ord_1a"
    assert (reversal.kind, reversal.subject, reversal.reverses_id) == (
        "release",
        "ord_1a",
        released,
    )
    assert legs_of(reversal_id) == [(leg, address, -x) for leg, address, x in legs_of(released)]
    assert selectors.subject_balance(subject="ord_1a", address="held", currency="CNY") == 10001


def test_reverse_is_refused_twice_for_a_reversal_and_for_nothing() -> None:
    captured = raw.post_capture("ord_1a")
    with transaction.atomic():
        reversal = services.reverse(entry_id=captured, at=raw.AT)
    before = raw.books()

    for entry_id, refusal in (
        (captured, services.AlreadyPosted),
        (reversal, services.WrongMirror),
        (10**9, services.UnknownEntry),
    ):
        with pytest.raises(refusal), transaction.atomic():
            services.reverse(entry_id=entry_id, at=raw.AT)

    assert raw.books() == before


def test_reverse_is_refused_when_the_seller_was_paid_out() -> None:
    raw.post_capture("ord_1a")
    released = raw.post_release("ord_1a")
    post(raw.payout_draft("po_1a", 9491))

    with pytest.raises(services.InsufficientBalance), transaction.atomic():
        services.reverse(entry_id=released, at=raw.AT)


def test_sql_makes_ids_of_the_same_shape_as_python() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT holdfast_new_id('rel') FROM generate_series(1, 1000)")
        made = {row[0] for row in cursor.fetchall()}
    before = ids.new_id("rel")

    assert len(made) == 1000
    assert {len(each) for each in made} == {len(before)}
    assert abs(int(max(made)[4:16], 16) - int(before[4:16], 16)) < 60_000  # milliseconds
    assert all(set(each[4:]) <= set("0123456789abcdef") for each in made)
