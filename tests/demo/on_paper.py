"""What must come of a replayed history, computed from its files alone.

It must never call the code it is held against.
"""

import csv
from collections import Counter, defaultdict
from decimal import ROUND_HALF_UP, Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings

from tests.flows.refund_arithmetic import turns

OLIST = Path(settings.BASE_DIR).parent / "shared" / "data" / "olist"
FILES = ("orders.csv", "order_items.csv", "sellers.csv")


def half_up(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def expected_of(directory: Path, *, dispute_late: bool = False) -> dict[str, Any]:
    """For histories in which every order is paid, and late ones are worth more than two cents."""
    orders = {row["order_id"]: row for row in read(directory / "orders.csv")}
    parts: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in read(directory / "order_items.csv"):
        parts[row["order_id"], row["seller_id"]].append(row)
    total: Counter[str] = Counter()
    states: Counter[str] = Counter()
    disputes = 0
    for (order_id, _seller), items in parts.items():
        goods = sum(Decimal(row["price"]) for row in items) * 100
        amount = goods + sum(Decimal(row["freight_value"]) for row in items) * 100
        if not shipped_in_time(orders[order_id], items):
            states["CANCELED"] += 1
            total["refunded_minor"] += int(amount)
            total["late_shipments_refused"] += bool(
                orders[order_id]["order_delivered_carrier_date"]
            )
        else:
            states["CONFIRMED"] += 1
            disputed = dispute_late and is_late(orders[order_id])
            disputes += disputed
            total.update(shared_out(goods, amount, back=half_up(amount / 5) if disputed else 0))
        total["captured_minor"] += int(amount)
    return {
        "orders": len(parts),
        "payments": len({order_id for order_id, _seller in parts}),
        "orders_by_state": dict(states),
        "disputes_by_state": {"RESOLVED": disputes} if disputes else {},
        "refunded_by_disputes_minor": 0,
        "held_minor": 0,
        "audit_ok": True,
        **total,
    }


def shipped_in_time(order: dict[str, str], items: list[dict[str, str]]) -> bool:
    carrier = order["order_delivered_carrier_date"]
    ships_at = max(carrier, order["order_approved_at"])
    return bool(carrier) and ships_at <= max(row["shipping_limit_date"] for row in items)


def is_late(order: dict[str, str]) -> bool:
    """Instants as they are written compare like text; what has not come is not late."""
    promised = order["order_estimated_delivery_date"]
    return bool(promised) and order["order_delivered_customer_date"] > promised


def shared_out(goods: Decimal, amount: Decimal, *, back: int) -> dict[str, int]:
    """10 % commission on goods, 0.6 % service fee; what goes back is given by all in proportion."""
    commission, fee = half_up(goods / 10), half_up(amount * 60 / 10_000)
    shares = (int(amount) - commission - fee, commission, fee)
    given = Counter(islice(turns(shares), back))
    seller, commission, fee = (share - given[place] for place, share in enumerate(shares))
    return {
        "released_minor": int(amount) - back,
        "refunded_minor": back,
        "refunded_by_disputes_minor": back,
        "commission_minor": commission,
        "platform_paid_minor": commission,
        "service_fee_minor": fee,
        "merchant_paid_minor": seller,
    }
