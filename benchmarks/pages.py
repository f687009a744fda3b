"""`make bench-pages`: how long pages for people take with 100,000 orders in the database, beside
the same pages with 100, and how many queries each needs.
Exit code 1 when a page needs more than QUERIES queries, or its p95 is more than GOAL times that of
the small database.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import quantiles
from typing import TYPE_CHECKING

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settlement_site.settings")

if TYPE_CHECKING:
    from django.test import Client

    from benchmarks.seed import Books
    from merchants.models import Merchant, Platform

SMALL, LARGE = 100, int(os.environ.get("BENCH_ORDERS", "100000"))
SELLERS = 20
RELEASED = 0.6  # of the orders; the others are on their way
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "40"))
WARM_UP = 3
GOAL, QUERIES = 1.5, 10
# A page this quick is quick: below it the ratio is only noise.
FLOOR_SECONDS = 0.015

ORDER_LISTS = [
    "/portal/orders?state=to-ship",
    "/portal/orders?state=shipped",
    "/portal/orders?state=frozen",
    "/portal/orders?state=canceled",
    "/portal/orders?q=bench-7",
    "/portal/orders?q=nobody",
    "/portal/accounts",
    "/portal/balance?days=365",
]


@dataclass(frozen=True, slots=True)
class Timing:
    """Of one page."""

    p95: float  # seconds
    queries: int


def main() -> int:
    """Measure small, grow, measure large. Returns: the exit code."""
    from settlement_site import embedded

    embedded.start()
    import django

    django.setup()
    from benchmarks.database import bench_database

    with bench_database():
        from benchmarks import seed

        platform, sellers = seed.make_platform(SELLERS)
        terms = _terms(platform, sellers[1])
        books = seed.Books(platform=platform, sellers=sellers, terms=terms)
        people = _people(books)
        _grow(books, SMALL)
        small = _measure(people)
        _grow(books, LARGE - SMALL)
        large = _measure(people)
    return _report(small, large)


def _terms(platform: "Platform", seller: "Merchant") -> str:
    """The terms of the worked example, as an order that is really created gets them."""
    from benchmarks import START
    from merchants import services as merchants
    from orders.services import creation

    plan = merchants.create_plan(platform=platform, name="Bench", at=START)
    merchants.add_rule(plan=plan, currency="CNY", rate_bps=500, effective_from=START, at=START)
    new = creation.NewOrder(
        reference="worked-example",
        currency="CNY",
        lines=[creation.NewLine(title="Tea", amount_minor=9001, category="tea")],
        shipping_minor=1000,
    )
    order, _token = creation.create_order(platform=platform, merchant=seller, new=new, at=START)
    return json.dumps(order.terms)


def _people(books: "Books") -> dict[str, "Client"]:
    from django.test import Client

    from merchants.models import User

    users = {
        "seller": User.objects.create_user("s", merchant=books.sellers[1]),
        "platform": User.objects.create_user("p", platform=books.platform),
        "operator": User.objects.create_superuser("o"),
    }
    clients = {}
    for who, user in users.items():
        clients[who] = Client(headers={"host": "localhost"})
        clients[who].force_login(user)
    return clients


def _grow(books: "Books", count: int) -> None:
    books.release_all(int(count * RELEASED))
    books.add_orders(count - int(count * RELEASED))


def _pages_of(who: str) -> list[str]:
    """Every list and first page there is for somebody: what the menus lead to."""
    from django.contrib import admin
    from django.urls import reverse

    from portal.shell import MENU

    if who == "operator":
        names = (f"{each._meta.app_label}_{each._meta.model_name}" for each in admin.site._registry)
        return [reverse("admin:index"), *(reverse(f"admin:{name}_changelist") for name in names)]
    entries = (entry for _title, entries in MENU for entry in entries)
    return [*(reverse(entry.page) for entry in entries if entry.of in ("any", who)), *ORDER_LISTS]


def _measure(people: dict[str, "Client"]) -> dict[str, Timing]:
    """Take the pages in turn, so that a noisy moment falls on all of them."""
    pages: dict[str, Callable[[], None]] = {}
    for who in people:
        for address in _pages_of(who):
            pages[f"{who:9}{address}"] = lambda who=who, address=address: _open(
                people[who], address
            )
    taken: dict[str, list[float]] = {name: [] for name in pages}
    for number in range(WARM_UP + ROUNDS):
        for name, open_page in pages.items():
            start = time.perf_counter()
            open_page()
            if number >= WARM_UP:
                taken[name].append(time.perf_counter() - start)
    return {
        name: Timing(quantiles(found, n=20)[-1], _count_queries(pages[name]))
        for name, found in taken.items()
    }


def _open(client: "Client", address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)


def _count_queries(open_page: Callable[[], None]) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        open_page()
    return len(queries)


def _report(small: dict[str, Timing], large: dict[str, Timing]) -> int:
    missed = 0
    for name, after in large.items():
        before = small[name]
        ratio = max(after.p95, FLOOR_SECONDS) / max(before.p95, FLOOR_SECONDS)
        met = ratio <= GOAL and after.queries <= QUERIES
        missed += not met
        print(
            f"{'ok    ' if met else 'MISSED'} {name:50} {before.p95 * 1e3:7.1f} ms"
            f" {after.p95 * 1e3:7.1f} ms  x{ratio:5.2f}  {after.queries:3d} queries"
        )
    print(
        f"bench-pages: {len(large) - missed} of {len(large)} pages within {GOAL} times their p95"
        f" at {SMALL:,} orders with {LARGE:,}, and within {QUERIES} queries"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
