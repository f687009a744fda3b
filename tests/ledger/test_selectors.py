"""Reading the books: every way of asking must give the same money."""

from datetime import timedelta

import pytest
from django.db import transaction

from ledger import chart, entries, selectors, services
from tests.ledger import raw

pytestmark = pytest.mark.django_db

HOT = chart.channel_receivable(raw.CHANNEL)
GUARDED = chart.merchant_payable(raw.SELLER)


def balances() -> list[int]:
    return [
        selectors.balance(address=address, currency="CNY")
        for address in (HOT, chart.HELD, GUARDED, chart.SERVICE_FEE)
    ]


def test_balance_is_positive_in_the_normal_side() -> None:
    raw.post_capture("ord_1a")
    raw.post_capture("ord_2b")
    raw.post_release("ord_1a")

    assert balances() == [20002, 10001, 9491, 60]


def test_balance_is_zero_for_an_account_not_opened_or_of_another_currency() -> None:
    raw.post_capture("ord_1a", currency="EUR")

    assert balances() == [0, 0, 0, 0]


def test_balance_is_the_same_before_and_after_a_checkpoint_and_with_later_postings() -> None:
    raw.post_capture("ord_1a")
    first = raw.post_release("ord_1a")
    before = balances()

    mark = services.checkpoint_hot_accounts(at=raw.AT)
    at_mark = balances()
    raw.post_capture("ord_2b")

    assert mark == first
    assert at_mark == before == [10001, 0, 9491, 60]
    assert balances() == [20002, 10001, 9491, 60]


def test_balance_of_a_hot_account_opened_after_the_checkpoint_is_right() -> None:
    raw.post_capture("ord_1a")
    services.checkpoint_hot_accounts(at=raw.AT)
    draft = entries.topup(topup_id="top_1a", custodian="b", amount_minor=777, currency="CNY")
    with transaction.atomic():
        services.post(draft=draft, at=raw.AT)

    assert selectors.balance(address=chart.reserve("b"), currency="CNY") == 777
    services.checkpoint_hot_accounts(at=raw.AT)
    assert selectors.balance(address=chart.reserve("b"), currency="CNY") == 777


def test_checkpoint_of_empty_books_marks_nothing() -> None:
    assert services.checkpoint_hot_accounts(at=raw.AT) == 0
    assert services.checkpoint_hot_accounts(at=raw.AT) == 0


def test_subject_balance_is_of_one_order_only() -> None:
    raw.post_capture("ord_1a")
    raw.post_capture("ord_2b", 777)
    raw.post_release("ord_1a")

    held = [
        selectors.subject_balance(subject=order, address="held", currency="CNY")
        for order in ("ord_1a", "ord_2b", "ord_3c")
    ]

    assert held == [0, 777, 0]
    assert selectors.held_balances() == [selectors.HeldBalance("CNY", "ord_2b", 777)]


def test_subject_entries_are_the_order_s_journal_oldest_first() -> None:
    raw.post_capture("ord_1a")
    raw.post_capture("ord_2b")
    raw.post_release("ord_1a")

    journal = selectors.subject_entries("ord_1a")

    assert [each.kind for each in journal] == ["capture", "release"]


@pytest.mark.parametrize("address", [GUARDED, HOT])
def test_statement_runs_the_balance_by_when_it_happened(address: str) -> None:
    for day, order in enumerate(("ord_3c", "ord_1a", "ord_2b")):
        captured = entries.capture(
            payment_id=order, order_id=order, channel=raw.CHANNEL, amount_minor=101, currency="CNY"
        )
        share = entries.Leg(GUARDED, 101)
        released = entries.release(release_id=order, order_id=order, currency="CNY", shares=[share])
        with transaction.atomic():
            services.post_all(drafts=[captured, released], at=raw.AT - timedelta(days=day))

    whole = selectors.statement(address=address, currency="CNY")
    part = selectors.statement(
        address=address, currency="CNY", since=raw.AT - timedelta(days=1), until=raw.AT
    )

    assert [line.subject for line in whole] == ["ord_2b", "ord_1a", "ord_3c"]
    assert [line.amount_minor for line in whole] == [101, 101, 101]
    assert [line.balance_minor for line in whole] == [101, 202, 303]
    assert part == whole[1:2]


def test_trial_balance_is_by_currency_and_class() -> None:
    raw.post_capture("ord_1a")
    services.checkpoint_hot_accounts(at=raw.AT)
    raw.post_capture("ord_2b", 7, "EUR")
    raw.post_release("ord_1a")

    lines = [
        (line.currency, line.account_class, line.debit_minor, line.credit_minor, line.balance_minor)
        for line in selectors.trial_balance()
    ]

    assert lines == [
        ("CNY", "channel_receivable", 10001, 0, 10001),
        ("CNY", "held", 0, 0, 0),
        ("CNY", "merchant_payable", 0, 9491, 9491),
        ("CNY", "platform_commission", 0, 450, 450),
        ("CNY", "service_fee", 0, 60, 60),
        ("EUR", "channel_receivable", 7, 0, 7),
        ("EUR", "held", 0, 7, 7),
    ]
