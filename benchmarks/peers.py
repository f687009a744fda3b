"""Benchmark (a): releases through the service, with everything it writes, against hordak's four
bare legs."""

import json
import subprocess
import sys
from collections.abc import Iterator

from django.db import connection
from django.utils import timezone

from benchmarks.clients import WARM_UP, count_per_second
from benchmarks.seed import Books
from escrow.services import release as releases

PER_SECOND = 4000  # more than any client can do, so that nobody runs out of orders


def measure(
    books: Books, *, peer_url: str, clients: int, rounds: int, seconds: float
) -> list[float]:
    """Measure both in turn. Returns: one ratio per round, ours over hordak's."""
    _peer(peer_url, 0, seconds)
    ratios = []
    for _ in range(rounds):
        ours = _ours(books, clients=clients, seconds=seconds)
        theirs = _peer(peer_url, clients, seconds)
        print(
            f"(a) {clients:2} clients: {ours:8.0f} releases/s,"
            f" hordak {theirs:8.0f}/s, ratio {ours / theirs:.2f}"
        )
        ratios.append(ours / theirs)
    return ratios


def _ours(books: Books, *, clients: int, seconds: float) -> float:
    orders = books.add_orders(int(PER_SECOND * seconds) + clients * WARM_UP)
    share = len(orders) // clients

    def release(client: int) -> Iterator[None]:
        connection.close()
        mine = iter(orders[client * share : (client + 1) * share])
        releases.confirm_receipt(order_id=next(mine), at=timezone.now())
        yield
        for order_id in mine:
            releases.confirm_receipt(order_id=order_id, at=timezone.now())
            yield

    connection.close()
    before = books.count_entries()
    connection.close()
    per_second = count_per_second(release, clients=clients, seconds=seconds)
    assert books.count_entries() > before, "nothing was released"
    return per_second


def _peer(url: str, clients: int, seconds: float) -> float:
    command = [sys.executable, "-m", "benchmarks.peer_hordak", url, str(clients), str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(
            f"the peer failed, install requirements-dev.txt first:\n{done.stderr[-2000:]}"
        )
    return float(json.loads(done.stdout)) if clients else 0.0
