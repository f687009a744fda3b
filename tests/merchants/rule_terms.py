"""Rules for the tests of terms: the worked example's, changed as a test needs it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from merchants.freezing import compute
from merchants.rules import CommissionBase, OrderedLine, PartyShare, Rule, Sale, Tier
from merchants.terms import Terms

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ANY = Rule(
    id="crl_any",
    priority=0,
    merchant_id=None,
    category="",
    currency="CNY",
    rate_bps=500,
    fixed_minor=0,
    floor_minor=100,
    cap_minor=5000,
    base=CommissionBase.GOODS,
    effective_from=AT - timedelta(days=1),
    effective_to=None,
)
CARRIER = PartyShare("pty_carrier", "Carrier", 250, 0)
AFFILIATE = PartyShare("pty_affiliate", "Affiliate", 0, 30)


def rule(id: str, **changes: Any) -> Rule:
    return replace(ANY, id=id, **changes)


def sale(*lines: OrderedLine, shipping_minor: int = 1000) -> Sale:
    return Sale("mer_1", "CNY", lines or (OrderedLine("tea", 9001),), shipping_minor)


def freeze(
    *rules: Rule,
    of: Sale | None = None,
    service_fee_bps: int = 60,
    volume_minor: int | None = None,
) -> Terms:
    return compute(
        plan_id="cpl_1",
        rules=rules,
        sale=of or sale(),
        service_fee_bps=service_fee_bps,
        at=AT,
        volume_minor=volume_minor,
    )


AMOUNTS = st.integers(0, 10**12)
SALES = st.builds(
    lambda lines, shipping_minor: sale(*lines, shipping_minor=shipping_minor),
    st.lists(
        st.builds(OrderedLine, st.sampled_from(["", "tea", "cups"]), AMOUNTS),
        min_size=1,
        max_size=5,
    ),
    AMOUNTS,
)
RATES = st.integers(0, 10_000)
FIXED = st.integers(0, 10**9)


@st.composite
def some_rule(draw: st.DrawFn, id: str, rank: tuple[Any, ...]) -> Rule:
    priority, merchant_id, category, channel, banded = rank
    floor, cap = sorted([draw(FIXED), draw(FIXED)])
    least = draw(st.integers(1, 10**12)) if banded else None
    starts = sorted(draw(st.sets(st.integers(1, 10**12), max_size=3)))
    return Rule(
        id=id,
        priority=priority,
        merchant_id=merchant_id,
        category=category,
        currency="CNY",
        rate_bps=draw(RATES),
        fixed_minor=draw(FIXED),
        floor_minor=draw(st.sampled_from([None, floor])),
        cap_minor=draw(st.sampled_from([None, cap])),
        base=draw(st.sampled_from(CommissionBase)),
        effective_from=AT,
        effective_to=None,
        tax_bps=draw(RATES),
        parties=tuple(
            PartyShare(f"pty_{number}", f"Party {number}", draw(RATES), draw(FIXED))
            for number in range(draw(st.integers(0, 3)))
        ),
        channel=channel,
        min_order_minor=least,
        max_order_minor=draw(st.sampled_from([None, least and 2 * least])),
        tiers=tuple(Tier(start, draw(RATES)) for start in starts),
    )


@st.composite
def rule_lists(draw: st.DrawFn) -> list[Rule]:
    """Rules of distinct rank: `add_rule` lets no others into a plan."""
    ranks = st.tuples(
        st.integers(-1, 1),
        st.sampled_from([None, "mer_1", "mer_2"]),
        st.sampled_from(["", "tea", "cups"]),
        st.sampled_from(["", "wechat", "alipay"]),
        st.booleans(),
    )
    found = draw(st.lists(ranks, unique=True, max_size=8))
    return [draw(some_rule(f"crl_{number}", rank)) for number, rank in enumerate(found)]
