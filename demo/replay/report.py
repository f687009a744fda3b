"""What became of a replay, added up from the rows and the books, and whether everybody's books
agree. Read-only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Sum
from django.utils.module_loading import import_string

from demo.local_sandbox import CHANNEL, RAIL, LocalSandbox
from escrow.models import Dispute, Hold, Payee, Refund, RefundState, Release, ReleaseLine
from ledger import chart
from ledger import selectors as books
from ledger.audit import Violation
from merchants.models import Platform
from orders.models import Order, Payment
from payouts.models import Payout, PayoutState

_JOURNAL = """
    SELECT count(*),
           coalesce(sum((SELECT count(*) FROM ledger_posting p WHERE p.entry_id = e.id)), 0)
    FROM ledger_journalentry e
    WHERE e.subject = ANY (%s) OR e.subject IN (
        SELECT id FROM orders_order WHERE platform_id = %s
        UNION ALL SELECT id FROM payouts_payout WHERE platform_id = %s
        UNION ALL SELECT s.id FROM escrow_surplus s JOIN orders_order o ON o.id = s.order_id
        WHERE o.platform_id = %s)
"""


@dataclass(frozen=True, slots=True)
class Position:
    """What our books say stands at the channel and in the reserve, minor units of one currency.

    The sandbox of a replay is new, our books may not be: what counts is how far both moved since
    its start.
    """

    at_channel_minor: int
    in_reserve_minor: int


def read_position(currency: str) -> Position:
    return Position(
        at_channel_minor=books.balance(
            address=chart.channel_receivable(CHANNEL), currency=currency
        ),
        in_reserve_minor=books.balance(address=chart.reserve(RAIL), currency=currency),
    )


def make_report(
    platform: Platform,
    sandbox: LocalSandbox,
    *,
    late_shipments_refused: int,
    seconds: float,
    audit_ok: bool,
) -> dict[str, Any]:
    """Add a replay up. Amounts in minor units of the platform's currency."""
    orders = Order.objects.filter(platform=platform)
    lines = ReleaseLine.objects.filter(release__hold__order__platform=platform)
    refunds = Refund.objects.filter(platform=platform, state=RefundState.SUCCEEDED)
    paid = Payout.objects.filter(platform=platform, state=PayoutState.PAID)
    states = orders.values_list("state").annotate(count=Count("pk")).order_by("state")
    disputes = Dispute.objects.filter(platform=platform)
    disputed = disputes.values_list("state").annotate(count=Count("pk")).order_by("state")
    entries, postings = _count_journal(platform, sandbox)
    return {
        "orders": orders.count(),
        "payments": Payment.objects.filter(platform=platform).count(),
        "captured_minor": _total(Hold.objects.filter(order__platform=platform)),
        "released_minor": _total(Release.objects.filter(hold__order__platform=platform)),
        "refunded_minor": _total(refunds),
        "refunded_by_disputes_minor": _total(refunds.filter(dispute__isnull=False)),
        "commission_minor": _total(lines.filter(payee=Payee.PLATFORM)),
        "service_fee_minor": _total(lines.filter(payee=Payee.SERVICE_FEE)),
        "merchant_paid_minor": _total(paid.filter(merchant__isnull=False)),
        "platform_paid_minor": _total(paid.filter(payee="PLATFORM")),
        "held_minor": _held_minor(platform),
        "orders_by_state": dict(states),
        "disputes_by_state": dict(disputed),
        "late_shipments_refused": late_shipments_refused,
        "entries": entries,
        "postings": postings,
        "audit_ok": audit_ok,
        "seconds": round(seconds, 3),
        "orders_per_second": round(orders.count() / seconds, 1),
    }


def _total(rows: Any) -> int:
    return int(rows.aggregate(total=Sum("amount_minor"))["total"] or 0)


def _held_minor(platform: Platform) -> int:
    """What the books, not the holds, say is still held for the platform's orders."""
    ours = set(Order.objects.filter(platform=platform).values_list("pk", flat=True))
    held = books.held_balances(currency=platform.currency)
    return sum(line.balance_minor for line in held if line.subject in ours)


def _count_journal(platform: Platform, sandbox: LocalSandbox) -> tuple[int, int]:
    """Count the entries about this platform's orders and payouts and about this sandbox's
    remittances.
    """
    sent = sandbox.channel.book.rows("SELECT reference FROM remittances WHERE status = 'SENT'")
    remittances = [f"{CHANNEL}:{row['reference']}" for row in sent]
    with connection.cursor() as cursor:
        cursor.execute(_JOURNAL, [remittances, platform.id, platform.id, platform.id])
        entries, postings = cursor.fetchone()
    return int(entries), int(postings)


def audit(
    platform: Platform, sandbox: LocalSandbox, *, before: Position, write: Callable[[str], None]
) -> list[Violation]:
    """Run every audit of the books, then hold them against the sandbox's.

    Returns: what is wrong.
    """
    found: list[Violation] = []
    for path in settings.AUDIT_CHECKS:
        found += import_string(path)(write=write)
    return found + _compare_with_sandbox(platform, sandbox, before=before)


def _compare_with_sandbox(
    platform: Platform, sandbox: LocalSandbox, *, before: Position
) -> list[Violation]:
    """Channel and bank must have collected, refunded and paid exactly what we say, and hold what is
    left.
    """
    currency, now = platform.currency, read_position(platform.currency)
    channel = sandbox.channel.totals().get(currency, {})
    bank = sandbox.bank.totals().get(currency, {})
    ours_paid = set(
        Payout.objects.filter(platform=platform, state=PayoutState.PAID).values_list(
            "pk", flat=True
        )
    )
    ours_all = set(Payout.objects.filter(platform=platform).values_list("pk", flat=True))
    executions = {
        reference: paid
        for reference, paid in sandbox.bank.executions().items()
        if reference in ours_all
    }
    captured = _total(Hold.objects.filter(order__platform=platform))
    refunded = _total(Refund.objects.filter(platform=platform, state=RefundState.SUCCEEDED))
    pairs = (
        ("collected by the channel", captured, channel.get("collected", 0)),
        ("refunded by the channel", refunded, channel.get("refunded", 0)),
        (
            "at the channel",
            now.at_channel_minor - before.at_channel_minor,
            channel.get("unremitted", 0),
        ),
        (
            "in the reserve",
            now.in_reserve_minor,
            bank.get("balance", 0) + min(before.in_reserve_minor, 0),
        ),
        (
            "payouts executed once each",
            dict.fromkeys(ours_paid, 1),
            {one: n for one, n in executions.items() if n},
        ),
    )
    return [
        Violation(
            "sandbox",
            platform.id,
            f"What is {name}: our books say {ours}, the sandbox says {theirs}.",
        )
        for name, ours, theirs in pairs
        if ours != theirs
    ]
