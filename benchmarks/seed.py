"""Fills the benchmark's database with shipped orders, set-based, through all guards. For measurements only."""

from dataclasses import dataclass

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

# One shipped order of 10001 minor units a row: commission 450, service fee 60, seller 9491, all parts as the services
# write them. `%(first)s` keeps ids unique and orders sortable by due time.
_SHIPPED_ORDERS = """
WITH seed AS MATERIALIZED (
    SELECT n, holdfast_new_id('ord') AS order_id, holdfast_new_id('pay') AS payment_id, holdfast_new_id('hld') AS hold_id,
           nextval('ledger_journalentry_id_seq') AS entry_id,
           (%(merchants)s::text[])[1 + n %% cardinality(%(merchants)s::text[])] AS merchant_id,
           (%(accounts)s::bigint[])[1 + n %% cardinality(%(accounts)s::bigint[])] AS account_id,
           %(at)s::timestamptz + n * interval '1 millisecond' AS due
    FROM generate_series(%(first)s::int, %(last)s::int) AS n
), an_order AS (
    INSERT INTO orders_order (
        id, event_sequence, platform_id, merchant_id, reference, state, currency, amount_minor, goods_minor,
        shipping_minor, terms, delivery, buyer_name, buyer_email, buyer_token_hash, metadata, created_at, pay_by,
        ship_seconds, ship_reminder_seconds, confirm_seconds, confirm_reminder_seconds, ship_by, confirm_by, paid_at,
        shipped_at, confirmed_by, cancel_reason)
    SELECT order_id, 3, %(platform)s, merchant_id, 'bench-' || n, 'SHIPPED', 'CNY', 10001, 9001, 1000, '{}', 'COURIER',
           '', '', '', '{}', due, due, 1, 1, 1, 1, due, due, due, due, '', ''
    FROM seed
), payment AS (
    INSERT INTO orders_payment (
        id, event_sequence, platform_id, channel, state, currency, amount_minor, return_url, cashier_url,
        provider_reference, created_at, expires_at, succeeded_at, attempts, failure_code)
    SELECT payment_id, 1, %(platform)s, 'sandbox', 'SUCCEEDED', 'CNY', 10001, '', '', 'bench', due, due, due, 1, ''
    FROM seed
), entry AS (
    INSERT INTO ledger_journalentry (id, kind, reference, subject, currency, legs, event_at) OVERRIDING SYSTEM VALUE
    SELECT entry_id, 'capture', 'capture:' || payment_id || ':' || order_id, order_id, 'CNY', 2, due FROM seed
), posting AS (
    INSERT INTO ledger_posting (entry_id, leg, account_id, amount_minor)
    SELECT entry_id, leg, account, amount FROM seed CROSS JOIN (
        VALUES (1, %(receivable)s::bigint, 10001), (2, %(held)s::bigint, -10001)
    ) AS legs (leg, account, amount)
), hold AS (
    INSERT INTO escrow_hold (
        id, order_id, payment_id, state, currency, amount_minor, released_minor, refunded_minor, held_at, capture_entry_id)
    SELECT hold_id, order_id, payment_id, 'HELD', 'CNY', 10001, 0, 0, due, entry_id FROM seed
)
INSERT INTO escrow_holdshare (hold_id, leg, payee, address, account_id, amount_minor)
SELECT hold_id, leg, payee, coalesce(address, 'merchant:' || merchant_id || ':payable'), coalesce(account, seed.account_id),
       amount
FROM seed CROSS JOIN (
    VALUES (2, 'MERCHANT', NULL, NULL::bigint, 9491),
           (3, 'PLATFORM', 'platform:' || %(platform)s || ':commission', %(commission)s::bigint, 450),
           (4, 'SERVICE_FEE', 'fee:service', %(fee)s::bigint, 60)
) AS shares (leg, payee, address, account, amount)
"""


def make_platform() -> tuple[Platform, list[Merchant]]:
    """A platform and its sellers."""
    platform = merchants.create_platform(name="Bench", slug="bench", service_fee_bps=60, at=START)
    sellers = [
        merchants.create_merchant(platform=platform, reference=f"s{n}", name=f"Seller {n}", at=START)
        for n in range(MERCHANTS)
    ]
    return platform, sellers


def _add_shipped_orders(platform: Platform, sellers: list[Merchant], *, first: int, count: int) -> None:
    payable = {seller.id: chart.merchant_payable(seller.id) for seller in sellers}
    commission, receivable = chart.platform_commission(platform.id), chart.channel_receivable("sandbox")
    with transaction.atomic():
        ids = accounts.open_accounts(
            addresses=[*payable.values(), commission, receivable, chart.HELD, chart.SERVICE_FEE], currency="CNY"
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

    def add_orders(self, count: int) -> list[str]:
        """Make `count` shipped orders, due already, and let the planner know. Returns: their ids."""
        first = self.made + 1
        self.made += count
        _add_shipped_orders(self.platform, self.sellers, first=first, count=count)
        tidy()
        numbers = [f"bench-{n}" for n in range(first, self.made + 1)]
        return list(Order.objects.filter(reference__in=numbers).order_by("id").values_list("id", flat=True))

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
