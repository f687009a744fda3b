"""Many sessions at once: nobody deadlocks, nothing is lost, no mark passes a slow committer."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from ledger import audit, chart, entries, selectors, services
from ledger.models import Account, GuardedBalance, JournalEntry, WaitingCredit
from tests.ledger import raw

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = 8
HOT = chart.channel_receivable(raw.CHANNEL)
COMMISSION = chart.platform_commission(raw.SHOP)


def run_together(*works: Callable[[], Any]) -> list[Any]:
    """Run each work in a thread with its own connection, all from one starting line."""
    line = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        try:
            line.wait(timeout=30)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(run, work) for work in works]]


@contextmanager
def in_background(work: Callable[[], Any]) -> Iterator[Future[Any]]:
    """Run one work in a thread with its own connection while the caller goes on."""

    def run() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(run)


def wait_until_blocked() -> None:
    """Wait for another session to stand in a queue for a lock."""
    for _ in range(100_000):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE NOT granted AND datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waits for a lock")


def assert_books_are_right() -> None:
    assert audit.run(write=lambda line: None) == []


def test_releases_on_the_same_accounts_run_together_and_all_count() -> None:
    rounds = 12

    def release(client: int) -> None:
        for number in range(rounds):
            raw.post_release(f"ord_{client}x{number}", seller=f"mer_{(client + number) % 3}")

    for client in range(CLIENTS):
        for number in range(rounds):
            raw.post_capture(f"ord_{client}x{number}")
    run_together(*[lambda client=client: release(client) for client in range(CLIENTS)])

    done = CLIENTS * rounds
    assert selectors.balance(address=COMMISSION, currency="CNY") == 450 * done
    assert selectors.balance(address=chart.SERVICE_FEE, currency="CNY") == 60 * done
    assert selectors.held_balances() == []
    assert_books_are_right()


def test_batches_and_single_posts_on_the_same_sellers_do_not_deadlock() -> None:
    sellers = [f"mer_{number}" for number in range(6)]
    for number in range(CLIENTS * 6):
        raw.post_capture(f"ord_{number}")

    def batch(client: int) -> None:
        order = sellers if client % 2 else sellers[::-1]
        drafts = [
            entries.release(
                release_id=f"rel_{client}x{number}",
                order_id=f"ord_{client * 6 + number}",
                currency="CNY",
                shares=[entries.Leg(chart.merchant_payable(seller), 10001)],
            )
            for number, seller in enumerate(order)
        ]
        with transaction.atomic():
            services.post_all(drafts=drafts, at=raw.AT)
        payouts = [
            raw.payout_draft(f"po_{client}x{seller}", 1, chart.merchant_payable(seller))
            for seller in order
        ]
        with transaction.atomic():
            services.post_all(drafts=payouts, at=raw.AT)

    run_together(*[lambda client=client: batch(client) for client in range(CLIENTS)])

    for seller in sellers:
        address = chart.merchant_payable(seller)
        assert selectors.balance(address=address, currency="CNY") == CLIENTS * 10_000
    assert_books_are_right()


def test_account_is_opened_once_when_many_post_to_it_first() -> None:
    run_together(*[lambda n=n: raw.post_capture(f"ord_{n}") for n in range(CLIENTS)])
    run_together(*[lambda n=n: raw.post_release(f"ord_{n}") for n in range(CLIENTS)])

    assert Account.objects.count() == 5
    assert GuardedBalance.objects.count() == 2
    assert selectors.balance(address=COMMISSION, currency="CNY") == 450 * CLIENTS
    assert_books_are_right()


def test_reference_is_taken_by_exactly_one_of_many() -> None:
    def post() -> str:
        try:
            raw.post_capture("ord_1a")
        except services.AlreadyPosted:
            return "refused"
        return "posted"

    answers = run_together(*[post] * CLIENTS)

    assert sorted(answers) == ["posted"] + ["refused"] * (CLIENTS - 1)
    assert JournalEntry.objects.count() == 1
    assert_books_are_right()


def test_balance_is_paid_out_by_exactly_as_many_as_it_covers() -> None:
    raw.post_capture("ord_1a")
    raw.post_release("ord_1a")

    def pay(client: int) -> str:
        try:
            with transaction.atomic():
                services.post(draft=raw.payout_draft(f"po_{client}", 3000), at=raw.AT)
        except services.InsufficientBalance:
            return "refused"
        return "paid"

    answers = run_together(*[lambda client=client: pay(client) for client in range(CLIENTS)])

    assert sorted(answers) == ["paid"] * 3 + ["refused"] * (CLIENTS - 3)
    payable = chart.merchant_payable(raw.SELLER)
    assert selectors.balance(address=payable, currency="CNY") == 491
    assert_books_are_right()


def test_credit_does_not_wait_for_the_holder_of_the_balance_and_the_next_debit_finds_it() -> None:
    for order in ("ord_1a", "ord_2b", "ord_3c"):
        raw.post_capture(order)
    raw.post_release("ord_1a")

    with transaction.atomic():
        services.post(draft=raw.payout_draft("po_1a", 1), at=raw.AT)  # holds the seller's row
        with in_background(lambda: raw.post_release("ord_2b")) as release:
            release.result(timeout=30)
        waiting = list(WaitingCredit.objects.values_list("amount_minor", flat=True))
    payable = chart.merchant_payable(raw.SELLER)
    between = selectors.balance(address=payable, currency="CNY")
    assert_books_are_right()
    with transaction.atomic():
        services.post(draft=raw.payout_draft("po_2b", 9491 + 9490), at=raw.AT)

    assert waiting == [9491]
    assert between == 9491 + 9490
    assert WaitingCredit.objects.count() == 0
    assert selectors.balance(address=payable, currency="CNY") == 0
    assert_books_are_right()


def test_credits_of_a_batch_do_not_wait_either() -> None:
    for order in ("ord_1a", "ord_2b", "ord_3c"):
        raw.post_capture(order)
    raw.post_release("ord_1a")
    drafts = [
        entries.release(
            release_id=f"rel_{order}",
            order_id=order,
            currency="CNY",
            shares=[entries.Leg(chart.merchant_payable(seller), 10001)],
        )
        for order, seller in (("ord_2b", raw.SELLER), ("ord_3c", "mer_2b"))
    ]

    def post_batch() -> None:
        with transaction.atomic():
            services.post_all(drafts=drafts, at=raw.AT)

    with transaction.atomic():
        services.post(draft=raw.payout_draft("po_1a", 1), at=raw.AT)
        with in_background(post_batch) as batch:
            batch.result(timeout=30)

    waiting = list(WaitingCredit.objects.values_list("amount_minor", flat=True))
    assert waiting == [10001]
    payable = chart.merchant_payable(raw.SELLER)
    assert selectors.balance(address=payable, currency="CNY") == 9490 + 10001
    assert_books_are_right()


def test_checkpoint_waits_for_a_poster_with_a_lower_id() -> None:
    raw.post_capture("ord_1a")

    with transaction.atomic():
        late = entries.capture(
            payment_id="late",
            order_id="ord_2b",
            channel=raw.CHANNEL,
            amount_minor=7,
            currency="CNY",
        )
        late_id = services.post(draft=late, at=raw.AT)  # has its id, and is not committed
        with in_background(lambda: raw.post_capture("ord_3c")) as early:
            early_id = early.result(timeout=30)
        checkpoint = ThreadPoolExecutor(1)
        marked = checkpoint.submit(_checkpoint_and_close)
        wait_until_blocked()
    with checkpoint:
        mark = marked.result(timeout=30)

    assert late_id < early_id == mark
    assert selectors.balance(address=HOT, currency="CNY") == 10001 + 7 + 10001
    assert_books_are_right()


def _checkpoint_and_close() -> int:
    try:
        return services.checkpoint_hot_accounts(at=raw.AT)
    finally:
        connection.close()


def test_checkpoint_gives_up_on_a_poster_that_stays() -> None:
    raw.post_capture("ord_1a")

    with transaction.atomic():
        raw.post_capture("ord_2b")
        with (
            in_background(lambda: services.checkpoint_hot_accounts(at=raw.AT)) as checkpoint,
            pytest.raises(OperationalError) as caught,
        ):
            checkpoint.result(timeout=30)

    assert isinstance(caught.value.__cause__, psycopg.errors.LockNotAvailable)
    assert selectors.balance(address=HOT, currency="CNY") == 20002


def test_checkpoints_among_posters_never_lose_a_posting() -> None:
    rounds = 15

    def post(client: int) -> None:
        for number in range(rounds):
            raw.post_capture(f"ord_{client}x{number}")

    def checkpoint() -> None:
        for _ in range(rounds):
            services.checkpoint_hot_accounts(at=raw.AT)

    posters = [lambda client=client: post(client) for client in range(CLIENTS - 2)]
    run_together(*posters, checkpoint, checkpoint)

    expected = 10001 * rounds * (CLIENTS - 2)
    assert selectors.balance(address=HOT, currency="CNY") == expected
    assert selectors.balance(address=chart.HELD, currency="CNY") == expected
    assert_books_are_right()
    services.checkpoint_hot_accounts(at=raw.AT)
    assert selectors.balance(address=HOT, currency="CNY") == expected
    assert_books_are_right()
