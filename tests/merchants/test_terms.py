"""The commission terms are what everybody is paid by: exact, explainable, and frozen for ever."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.money import share_half_up
from merchants.explanation import explain
from merchants.freezing import compute
from merchants.rules import CommissionBase, OrderedLine, Rule, Sale, commission
from merchants.terms import LossReason, PassedOver, Terms, TermsUnreadable

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
PLAIN = replace(ANY, id="crl_plain", floor_minor=None, cap_minor=None)


def freeze(
    *rules: Rule,
    lines: list[OrderedLine] | None = None,
    shipping_minor: int = 1000,
    service_fee_bps: int = 60,
    at: datetime = AT,
) -> Terms:
    return compute(
        plan_id="cpl_1",
        rules=rules,
        sale=Sale("mer_1", "CNY", lines or [OrderedLine("tea", 9001)], shipping_minor),
        service_fee_bps=service_fee_bps,
        at=at,
    )


def test_terms_give_the_worked_example_of_the_books() -> None:
    terms = freeze(ANY)

    assert terms.commission_minor == 450
    assert terms.service_fee_minor == 60
    assert terms.seller_minor == 9491


@pytest.mark.parametrize(
    ("changes", "base_minor", "expected"),
    [
        ({}, 1999, 100),  # 99.95 rounds to 100, which is the floor itself
        ({}, 1001, 100),
        ({}, 200_001, 5000),
        ({"fixed_minor": 33}, 9001, 483),
        ({"fixed_minor": 4700}, 9001, 5000),
        ({"rate_bps": 0, "floor_minor": None}, 9001, 0),
        ({"rate_bps": 0, "floor_minor": 7}, 9001, 7),
        ({"rate_bps": 10_000, "cap_minor": None}, 9001, 9001),
        ({"floor_minor": 300, "cap_minor": 300}, 9001, 300),
        ({"fixed_minor": 33}, 0, 0),
    ],
)
def test_commission_applies_rate_fixed_part_floor_and_cap(
    changes: dict[str, int | None], base_minor: int, expected: int
) -> None:
    assert commission(replace(ANY, **changes), base_minor) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(("base_minor", "expected"), [(10, 1), (9, 0), (30, 2), (29, 1)])
def test_commission_rounds_half_up(base_minor: int, expected: int) -> None:
    assert commission(PLAIN, base_minor) == expected


def test_terms_take_no_commission_when_no_rule_matches() -> None:
    terms = freeze(
        replace(ANY, id="crl_books", category="books"),
        replace(ANY, id="crl_other", merchant_id="mer_2"),
        replace(ANY, id="crl_usd", currency="USD"),
    )

    assert terms.commission_minor == 0
    assert terms.lines[0].rule_id is None
    assert terms.seller_minor == 9941


def test_terms_follow_the_ranking_and_say_who_lost() -> None:
    rules = [
        replace(PLAIN, id="crl_any"),
        replace(PLAIN, id="crl_tea", category="tea"),
        replace(PLAIN, id="crl_mer", merchant_id="mer_1"),
        replace(PLAIN, id="crl_both", merchant_id="mer_1", category="tea"),
        replace(PLAIN, id="crl_low", merchant_id="mer_1", category="tea", priority=-1),
    ]

    line = freeze(*rules).lines[0]

    assert line.rule_id == "crl_both"
    assert line.passed_over == (
        PassedOver("crl_mer", LossReason.LESS_SPECIFIC, 0, 8),
        PassedOver("crl_tea", LossReason.LESS_SPECIFIC, 0, 4),
        PassedOver("crl_any", LossReason.LESS_SPECIFIC, 0, 0),
        PassedOver("crl_low", LossReason.LOWER_PRIORITY, -1, 12),
    )


def test_terms_prefer_priority_to_specificity() -> None:
    high = replace(PLAIN, id="crl_high", priority=5)
    exact = replace(PLAIN, id="crl_exact", merchant_id="mer_1", category="tea")

    assert freeze(exact, high).lines[0].rule_id == "crl_high"


def test_terms_refuse_to_choose_between_rules_of_equal_rank() -> None:
    with pytest.raises(AssertionError, match="equal rank"):
        freeze(PLAIN, replace(PLAIN, id="crl_twin"))


def test_rule_counts_from_its_first_instant_and_not_at_its_end() -> None:
    rule = replace(PLAIN, effective_from=AT, effective_to=AT + timedelta(days=1))

    winners = {
        offset: freeze(rule, at=AT + offset).lines[0].rule_id
        for offset in (
            timedelta(microseconds=-1),
            timedelta(0),
            timedelta(days=1, microseconds=-1),
            timedelta(days=1),
        )
    }

    assert list(winners.values()) == [None, "crl_plain", "crl_plain", None]


def test_terms_group_lines_by_rule_and_share_the_shipping() -> None:
    tea = replace(
        PLAIN, id="crl_tea", category="tea", fixed_minor=7, base=CommissionBase.GOODS_AND_SHIPPING
    )
    lines = [
        OrderedLine("tea", 3001),
        OrderedLine("cups", 3000),
        OrderedLine("tea", 3000),
        OrderedLine("gift", 0),
    ]

    terms = freeze(tea, replace(PLAIN, id="crl_cups", category="cups", rate_bps=1000), lines=lines)

    told = [
        (
            group.rule and group.rule.id,
            group.goods_minor,
            group.shipping_minor,
            group.base_minor,
            group.percent_minor,
            group.commission_minor,
        )
        for group in terms.groups
    ]
    assert told == [
        ("crl_tea", 6001, 667, 6668, 333, 340),
        ("crl_cups", 3000, 333, 3000, 300, 300),
        (None, 0, 0, 0, 0, 0),
    ]
    assert terms.commission_minor == 640


def test_terms_share_the_shipping_by_lines_when_all_goods_are_free() -> None:
    rule = replace(ANY, category="tea", base=CommissionBase.GOODS_AND_SHIPPING)

    terms = freeze(rule, lines=[OrderedLine("tea", 0), OrderedLine("", 0), OrderedLine("", 0)])

    assert [group.shipping_minor for group in terms.groups] == [333, 667]
    assert terms.commission_minor == 100


def test_terms_never_take_more_than_the_order_leaves() -> None:
    greedy = replace(ANY, id="crl_tea", category="tea", floor_minor=900, cap_minor=None)
    cups = replace(greedy, id="crl_cups", category="cups", floor_minor=300)

    terms = freeze(
        greedy, cups, lines=[OrderedLine("tea", 101), OrderedLine("cups", 100)], shipping_minor=0
    )

    assert terms.service_fee_minor == 1
    assert [group.commission_minor for group in terms.groups] == [150, 50]
    assert terms.seller_minor == 0
    assert "cut to what the order leaves" in " ".join(each.sentence for each in explain(terms))


def test_explain_says_who_won_who_lost_and_the_arithmetic() -> None:
    tea = replace(ANY, id="crl_tea", category="tea", fixed_minor=33)
    loud = replace(PLAIN, id="crl_quiet", category="tea", priority=-5)

    remarks = explain(freeze(ANY, tea, loud, lines=[OrderedLine("tea", 9001), OrderedLine("", 10)]))

    assert [each.sentence for each in remarks] == [
        "Line 1 (tea, 90.01 CNY): rule crl_tea wins; it matches the category with priority 0.",
        "Rule crl_any loses: it matches only any line.",
        "Rule crl_quiet loses: its priority -5 is lower than 0.",
        "Line 2 (no category, 0.10 CNY): rule crl_any wins; it matches any line with priority 0.",
        "Rule crl_tea: 5 % of 90.01 CNY (goods) = 4.50 CNY, plus 0.33 CNY = 4.83 CNY, above the"
        " floor 1.00 CNY, within the cap 50.00 CNY; commission 4.83 CNY.",
        "Rule crl_any: 5 % of 0.10 CNY (goods) = 0.01 CNY, raised to the floor 1.00 CNY, within the"
        " cap 50.00 CNY; commission 1.00 CNY.",
        "Service fee: 0.6 % of 100.11 CNY = 0.60 CNY.",
        "When it is refunded, the seller gets every cut back.",
        "Left for the seller: 93.68 CNY.",
    ]


def test_terms_are_read_back_exactly() -> None:
    zone = datetime.fromisoformat("2026-11-23T16:00:00.000001+08:00")
    terms = freeze(replace(ANY, effective_to=AT + timedelta(days=9)), at=zone)

    assert Terms.from_json(json.loads(json.dumps(terms.to_json()))) == terms


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("version", 6),
        ("refund", {}),
        ("refund", {"commission_returned_bps": 10_001}),
        ("commission_minor", 451),
        ("commission_minor", 450.0),
        ("goods_minor", None),
        ("groups", []),
        ("lines", [{}]),
        ("frozen_at", "yesterday"),
        ("surprise", 1),
    ],
)
def test_terms_refuse_damaged_json(name: str, value: object) -> None:
    written = freeze(ANY).to_json() | {name: value}

    with pytest.raises(TermsUnreadable):
        Terms.from_json(written)


AMOUNTS = st.integers(0, 10**12)
OPTIONAL = st.none() | st.integers(0, 10**9)


@st.composite
def rule_lists(draw: st.DrawFn) -> list[Rule]:
    """Rules of distinct rank: `add_rule` lets no others into a plan."""
    ranks = draw(
        st.lists(
            st.tuples(
                st.integers(-2, 2),
                st.sampled_from([None, "mer_1", "mer_2"]),
                st.sampled_from(["", "tea", "cups"]),
            ),
            unique=True,
            max_size=8,
        )
    )
    return [draw(rules(f"crl_{n}", *rank)) for n, rank in enumerate(ranks)]


@st.composite
def rules(draw: st.DrawFn, id: str, priority: int, merchant_id: str | None, category: str) -> Rule:
    bounds = sorted([draw(st.integers(0, 10**9)), draw(st.integers(0, 10**9))])
    return Rule(
        id=id,
        priority=priority,
        merchant_id=merchant_id,
        category=category,
        currency="CNY",
        rate_bps=draw(st.integers(0, 10_000)),
        fixed_minor=draw(st.integers(0, 10**9)),
        floor_minor=draw(st.sampled_from([None, bounds[0]])),
        cap_minor=draw(st.sampled_from([None, bounds[1]])),
        base=draw(st.sampled_from(CommissionBase)),
        effective_from=AT - timedelta(days=draw(st.integers(0, 3))),
        effective_to=None,
    )


LINES = st.lists(
    st.builds(OrderedLine, st.sampled_from(["", "tea", "cups"]), AMOUNTS), min_size=1, max_size=6
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # a loaded machine is no failure
@given(rule_lists(), LINES, AMOUNTS, st.integers(0, 10_000))
def test_terms_parts_always_sum_to_the_whole(
    rules: list[Rule], lines: list[OrderedLine], shipping_minor: int, fee_bps: int
) -> None:
    terms = freeze(*rules, lines=lines, shipping_minor=shipping_minor, service_fee_bps=fee_bps)

    whole = sum(line.amount_minor for line in lines) + shipping_minor
    assert terms.seller_minor >= 0
    assert terms.commission_minor + terms.service_fee_minor + terms.seller_minor == whole
    assert terms.service_fee_minor == share_half_up(whole, fee_bps)
    assert sum(group.shipping_minor for group in terms.groups) == shipping_minor
    assert Terms.from_json(json.loads(json.dumps(terms.to_json()))) == terms
    assert explain(terms)[-1].facts == {"seller_minor": terms.seller_minor}


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(rule_lists(), LINES, AMOUNTS)
def test_terms_winner_outranks_every_other_matching_rule(
    rules: list[Rule], lines: list[OrderedLine], shipping_minor: int
) -> None:
    terms = freeze(*rules, lines=lines, shipping_minor=shipping_minor)

    for line, frozen in zip(lines, terms.lines, strict=True):
        rivals = {
            rule.id: (rule.priority, rule.specificity)
            for rule in rules
            if rule.matches(
                Sale("mer_1", "CNY", lines, shipping_minor),
                category=line.category,
                channel="",
                at=AT,
            )
        }
        assert frozen.rule_id == max(rivals, key=lambda id: rivals[id], default=None)
        assert {loser.rule_id for loser in frozen.passed_over} == rivals.keys() - {frozen.rule_id}


@given(st.integers(1, 10**12), st.integers(0, 10_000), st.integers(0, 10**9), OPTIONAL, OPTIONAL)
def test_commission_stays_within_floor_and_cap(
    base_minor: int, rate_bps: int, fixed_minor: int, floor: int | None, cap: int | None
) -> None:
    if floor is not None and cap is not None:
        floor, cap = min(floor, cap), max(floor, cap)
    rule = replace(
        ANY, rate_bps=rate_bps, fixed_minor=fixed_minor, floor_minor=floor, cap_minor=cap
    )

    taken = commission(rule, base_minor)

    exact_twice = 2 * base_minor * rate_bps + 2 * 10_000 * fixed_minor
    assert floor is None or taken >= floor
    assert cap is None or taken <= cap
    if taken not in (floor, cap):
        assert -10_000 <= exact_twice - 2 * 10_000 * taken < 10_000
