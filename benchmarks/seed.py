"""Fills the benchmark's database with shipped orders, set-based, through all guards. For
measurements only."""

from dataclasses import dataclass
from pathlib import Path

from django.db import connection, transaction
from django.utils import timezone

from benchmarks import START
from escrow import sweeps
from ledger import accounts, chart
from merchants import services as merchants
from merchants.models import Merchant, Platform
from orders.models import Order

MERCHANTS = 500
CHUNK = 10_000

_SHIPPED_ORDERS = (Path(__file__).parent / "shipped_orders.sql").read_text(encoding="utf-8")


def make_platform(count: int = MERCHANTS) -> tuple[Platform, list[Merchant]]:
    """A platform and its sellers."""
    platform = merchants.create_platform(name="Bench", slug="bench", service_fee_bps=60, at=START)
    sellers = [
        merchants.create_merchant(
            platform=platform, reference=f"s{n}", name=f"Seller {n}", at=START
        )
        for n in range(count)
    ]
    return platform, sellers


def _add_shipped_orders(
    platform: Platform, sellers: list[Merchant], *, first: int, count: int, terms: str
) -> None:
    payable = {seller.id: chart.merchant_payable(seller.id) for seller in sellers}
    commission, receivable = (
        chart.platform_commission(platform.id),
        chart.channel_receivable("sandbox"),
    )
    with transaction.atomic():
        ids = accounts.open_accounts(
            addresses=[*payable.values(), commission, receivable, chart.HELD, chart.SERVICE_FEE],
            currency="CNY",
        )
    for start in range(first, first + count, CHUNK):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                _SHIPPED_ORDERS,
                {
                    "first": start,
                    "last": min(start + CHUNK, first + count) - 1,
                    "merchants": list(payable),
                    "accounts": [ids[address] for address in payable.values()],
                    "platform": platform.id,
                    "terms": terms,
                    "commission": ids[commission],
                    "receivable": ids[receivable],
                    "held": ids[chart.HELD],
                    "fee": ids[chart.SERVICE_FEE],
                    "at": START,
                },
            )


@dataclass
class Books:
    """The benchmark's marketplace; hands out shipped orders and remembers how many it made."""

    platform: Platform
    sellers: list[Merchant]
    made: int = 0
    terms: str = "{}"  # of every order, as JSON: only pages read them

    def add_orders(self, count: int) -> list[str]:
        """Make `count` shipped orders, due already, and let the planner know. Returns: their
        ids."""
        first = self.made + 1
        self.made += count
        _add_shipped_orders(self.platform, self.sellers, first=first, count=count, terms=self.terms)
        tidy()
        numbers = [f"bench-{n}" for n in range(first, self.made + 1)]
        return list(
            Order.objects.filter(reference__in=numbers).order_by("id").values_list("id", flat=True)
        )

    def release_all(self, count: int) -> None:
        """Make and release `count` orders, as history."""
        for start in range(0, count, CHUNK):
            self.add_orders(min(CHUNK, count - start))
            sweeps.release_due_confirmations(at=timezone.now())
        tidy()

    def count_entries(self) -> int:
        """Return how many journal entries there are."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM ledger_journalentry")
            return int(cursor.fetchone()[0])


def tidy() -> None:
    """Give the planner what autovacuum would give it in time."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
