"""Benchmark (c): what one release costs with few and with many orders in the books."""

import time
from statistics import median

from django.db import connection
from django.utils import timezone

from benchmarks.seed import Books
from escrow.services import release as releases

SMALL, LARGE = 10_000, 200_000
SAMPLE = 2_000
WARM_UP = 200  # releases of a new connection that are not timed: it plans its statements once


def measure(books: Books, *, rounds: int) -> tuple[float, float]:
    """Returns: seconds per release at SMALL and at LARGE released orders in the books."""
    books.release_all(SMALL)
    small = _cost(books, rounds)
    books.release_all(LARGE - SMALL)
    large = _cost(books, rounds)
    print(
        f"(c) {small * 1e6:.0f} us per release at {SMALL:,} orders,"
        f" {large * 1e6:.0f} us at {LARGE:,}"
    )
    return small, large


def _cost(books: Books, rounds: int) -> float:
    costs = []
    for _ in range(rounds):
        orders = books.add_orders(WARM_UP + SAMPLE)
        connection.close()
        _release(orders[:WARM_UP])
        start = time.perf_counter()
        _release(orders[WARM_UP:])
        costs.append((time.perf_counter() - start) / SAMPLE)
    return median(costs)


def _release(orders: list[str]) -> None:
    for order_id in orders:
        releases.confirm_receipt(order_id=order_id, at=timezone.now())
