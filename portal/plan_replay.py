"""Past orders priced again, under a draft of a commission plan and under the plan in force.

It must never change an order: it only reads the terms they froze.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.money import exponent
from merchants.models import CommissionPlan
from merchants.terms import Terms
from orders import selectors
from orders.models import Order
from orders.services import pricing
from portal.access import Member, member_of
from portal.days import on_axis
from portal.jobs import File, Outcome, Work

KIND = "plan_what_if"
MOST, BATCH = 2_000, 100
MONTH = "month"
REACHES = {"100": _("The newest 100 orders"), "500": _("The newest 500 orders")} | {
    MONTH: _("Orders of the last 30 days")
}
WIDEST_CHART = 92  # days
SHOWN = ("pk", "reference", "created_at")


@dataclass(frozen=True, slots=True)
class PricedOrder:
    """What one order comes to under both plans, in minor units of its currency."""

    order_id: str
    reference: str
    day: str  # of its creation, where the reader is
    currency: str
    amount_minor: int
    old_platform_minor: int  # commission, and the tax on it
    new_platform_minor: int
    old_seller_minor: int
    new_seller_minor: int
    old_parties_minor: int
    new_parties_minor: int

    @property
    def difference_minor(self) -> int:
        return self.new_platform_minor - self.old_platform_minor


@dataclass(frozen=True, slots=True)
class Side:
    """Who gets what of all orders of a currency, under each plan."""

    name: str
    old_minor: int
    new_minor: int

    @property
    def difference_minor(self) -> int:
        return self.new_minor - self.old_minor


def price_orders(work: Work) -> Outcome:
    """Price orders under both plans, some at a time.

    Args: work: wanted is `plan`, `against` (empty: no plan was in force) and `reach`, a key of
        REACHES.
    """
    member, wanted = member_of(work.job), work.job.wanted
    plan = member.plans().get(pk=wanted["plan"])
    against = member.plans().filter(pk=wanted["against"]).first()
    found = list(_chosen(member, wanted["reach"]).values_list("pk", flat=True)[: MOST + 1])
    ids = found[:MOST]
    priced: list[PricedOrder] = []
    with timezone.override(member.zone):
        for start in range(0, len(ids), BATCH):
            priced += _price(member, plan, against, ids[start : start + BATCH])
            work.tell(len(priced), len(ids))
    content = json.dumps([asdict(each) for each in priced]).encode()
    left_out = _chosen(member, wanted["reach"]).count() - len(ids) if len(found) > MOST else 0
    return Outcome(
        file=File("what-if.json", "application/json", content),
        counts={"orders": len(priced), "left_out": left_out},
    )


def _chosen(member: Member, reach: str) -> QuerySet[Order]:
    sold = member.orders().filter(state__in=selectors.SOLD).order_by("-pk")
    if reach == MONTH:
        return sold.filter(created_at__gt=member.at - timedelta(days=30))
    return sold.filter(pk__in=sold.values("pk")[: int(reach)])


def _price(
    member: Member, plan: CommissionPlan, against: CommissionPlan | None, ids: list[str]
) -> Iterator[PricedOrder]:
    rows = member.orders().filter(pk__in=ids)
    known = {pk: (reference, at) for pk, reference, at in rows.values_list(*SHOWN)}
    asked: dict[str, Any] = {"platform": member.platform, "orders": rows, "at": member.at}
    new = pricing.what_if_plan(plan_id=plan.pk, **asked)
    if against is not None:
        old = pricing.what_if_plan(plan_id=against.pk, **asked)
    else:
        old = pricing.what_if_rules(rules=[], **asked)
    before = {each.order_id: each.new for each in old.orders}
    for each in new.orders:
        if each.order_id in before:  # it may have been refunded between the two readings
            reference, created_at = known[each.order_id]
            day = timezone.localtime(created_at).date().isoformat()
            parts = _parts(before[each.order_id], each.new)
            yield PricedOrder(order_id=each.order_id, reference=reference, day=day, **parts)


def _parts(old: Terms, new: Terms) -> dict[str, Any]:
    return {
        "currency": new.currency,
        "amount_minor": new.amount_minor,
        "old_platform_minor": old.commission_minor + old.tax_minor,
        "new_platform_minor": new.commission_minor + new.tax_minor,
        "old_seller_minor": old.seller_minor,
        "new_seller_minor": new.seller_minor,
        "old_parties_minor": sum(part.amount_minor for part in old.parties),
        "new_parties_minor": sum(part.amount_minor for part in new.parties),
    }


def read(content: bytes) -> list[PricedOrder]:
    """Read what `price_orders` kept."""
    return [PricedOrder(**each) for each in json.loads(content)]


def by_currency(priced: Iterable[PricedOrder]) -> dict[str, list[PricedOrder]]:
    """Put orders apart, the currency with most orders first."""
    found: dict[str, list[PricedOrder]] = defaultdict(list)
    for each in priced:
        found[each.currency].append(each)
    return dict(sorted(found.items(), key=lambda pair: -len(pair[1])))


def sides_of(priced: Iterable[PricedOrder]) -> list[Side]:
    """Sum up who gets what of orders of one currency. Further parties only where they get some."""
    sums: Counter[str] = Counter()
    for each in priced:
        for name in ("platform", "seller", "parties"):
            for when in ("old", "new"):
                sums[f"{when}_{name}"] += getattr(each, f"{when}_{name}_minor")
    named = [("platform", gettext("You keep")), ("seller", gettext("Sellers get"))]
    if sums["old_parties"] or sums["new_parties"]:
        named.append(("parties", gettext("Further parties")))
    return [Side(words, sums[f"old_{name}"], sums[f"new_{name}"]) for name, words in named]


def chart_of(priced: Iterable[PricedOrder], currency: str) -> dict[str, Any] | None:
    """The commission of each day under both plans, in whole units; None for a single day."""
    sums: dict[date, list[int]] = defaultdict(lambda: [0, 0])
    for each in priced:
        both = sums[date.fromisoformat(each.day)]
        both[0] += each.old_platform_minor
        both[1] += each.new_platform_minor
    if len(sums) < 2:
        return None
    last = max(sums)
    first = max(min(sums), last - timedelta(days=WIDEST_CHART))
    days = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    unit = 10 ** exponent(currency)
    series = (
        (gettext("Plan in force"), "--muted", [sums[each][0] / unit for each in days]),
        (gettext("This draft"), "--brand", [sums[each][1] / unit for each in days]),
    )
    return {
        "x": on_axis(days),
        "series": [
            {"label": label, "color": color, "values": values} for label, color, values in series
        ],
    }
