"""Why: what a rule says about parties, tax, channels, amounts and tiers is kept as it was said, two
rules never tie, and the database refuses what the services would.
"""

from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from merchants import selectors, services
from merchants.models import CommissionPlan, CommissionRule, Party
from merchants.rules import PartyShare, Tier
from merchants.services import NewPartyShare, NewRule
from tests.factories import AT, CommissionPlanFactory, CommissionRuleFactory, PlatformFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan() -> CommissionPlan:
    return CommissionPlanFactory()


@pytest.fixture
def party(plan: CommissionPlan) -> Party:
    return services.create_party(platform=plan.platform, reference="carrier", name="Carrier", at=AT)


def add(plan: CommissionPlan, **changes: Any) -> CommissionRule:
    wanted = {"currency": "CNY", "rate_bps": 500, "effective_from": AT, "at": AT} | changes
    return services.add_rule(plan=plan, **wanted)


def test_rule_keeps_everything_it_says(plan: CommissionPlan, party: Party) -> None:
    rule = add(
        plan,
        tax_bps=600,
        parties=[NewPartyShare(party_id=party.pk, rate_bps=250, fixed_minor=7)],
        tiers=[Tier(100_000, 400)],
        channel="wechat",
        min_order_minor=1,
        max_order_minor=10_001,
    )

    [kept] = selectors.list_rules_in_force(plan_id=plan.pk, at=AT)
    assert (kept.id, kept.tax_bps, kept.channel) == (rule.pk, 600, "wechat")
    assert kept.parties == (PartyShare(party.pk, "Carrier", 250, 7),)
    assert kept.tiers == (Tier(100_000, 400),)
    assert (kept.min_order_minor, kept.max_order_minor) == (1, 10_001)
    assert rule.audit.get().parties == rule.parties


def test_replaced_rule_keeps_what_it_matches(plan: CommissionPlan, party: Party) -> None:
    old = add(plan, channel="wechat", max_order_minor=10_001, tax_bps=600)

    new = services.replace_rule(
        rule_id=old.pk,
        effective_from=AT,
        rate_bps=400,
        tiers=[Tier(5, 300)],
        parties=[NewPartyShare(party_id=party.pk, rate_bps=1)],
        at=AT,
    )

    assert (new.channel, new.min_order_minor, new.max_order_minor) == ("wechat", None, 10_001)
    assert (new.tax_bps, new.tiers) == (0, [{"from_minor": 5, "rate_bps": 300}])
    assert [each["party_id"] for each in new.parties] == [party.pk]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tax_bps": 10_001}, "commission_rule_invalid"),
        ({"channel": "We Chat"}, "commission_rule_invalid"),
        ({"min_order_minor": 0}, "commission_rule_invalid"),
        ({"min_order_minor": 2, "max_order_minor": 1}, "commission_rule_invalid"),
        ({"max_order_minor": 10**15 + 1}, "commission_rule_invalid"),
        ({"tiers": [Tier(0, 1)]}, "commission_rule_invalid"),
        ({"tiers": [Tier(1, 10_001)]}, "commission_rule_invalid"),
        ({"tiers": [Tier(2, 1), Tier(1, 2)]}, "commission_tiers_invalid"),
        ({"tiers": [Tier(2, 1), Tier(2, 2)]}, "commission_tiers_invalid"),
        ({"tiers": [Tier(n, 1) for n in range(1, 12)]}, "commission_tiers_invalid"),
        ({"parties": [NewPartyShare(party_id="pty_0")]}, "party_share_invalid"),
    ],
)
def test_rule_that_makes_no_sense_is_refused_also_when_tried(
    plan: CommissionPlan, changes: dict[str, Any], code: str
) -> None:
    refusals = (
        services.CommissionRuleInvalid,
        services.CommissionTiersInvalid,
        services.PartyShareInvalid,
    )
    with pytest.raises(refusals) as refusal:
        add(plan, **changes)
    wanted = NewRule(currency="CNY", rate_bps=500, **changes)
    with pytest.raises(refusals) as tried:
        services.draft_rules(platform=plan.platform, wanted=[wanted], at=AT)

    assert refusal.value.code == tried.value.code == code
    assert tried.value.facts["position"] == 0
    assert not CommissionRule.objects.exists()


def test_party_is_named_once_and_within_range(plan: CommissionPlan, party: Party) -> None:
    twice = [NewPartyShare(party_id=party.pk)] * 2
    with pytest.raises(services.PartyShareInvalid, match="once"):
        add(plan, parties=twice)
    with pytest.raises(services.CommissionRuleInvalid):
        add(plan, parties=[NewPartyShare(party_id=party.pk, rate_bps=10_001)])
    many = [
        services.create_party(platform=plan.platform, reference=f"{n}", name="P", at=AT)
        for n in range(11)
    ]
    with pytest.raises(services.PartyShareInvalid, match="at most 10"):
        add(plan, parties=[NewPartyShare(party_id=each.pk) for each in many])

    assert not CommissionRule.objects.exists()


def test_party_of_another_platform_is_refused(plan: CommissionPlan) -> None:
    foreign = services.create_party(platform=PlatformFactory(), reference="x", name="X", at=AT)

    with pytest.raises(services.PartyShareInvalid, match="no further party"):
        add(plan, parties=[NewPartyShare(party_id=foreign.pk)])


def test_party_is_created_once_per_reference(plan: CommissionPlan, party: Party) -> None:
    with pytest.raises(services.PartyReferenceTaken):
        services.create_party(platform=plan.platform, reference="carrier", name="B", at=AT)
    with pytest.raises(services.PartyInvalid):
        services.create_party(platform=plan.platform, reference="", name="B", at=AT)

    assert Party.objects.get() == party


@pytest.mark.parametrize(
    ("one", "other", "tie"),
    [
        ({"channel": "wechat"}, {"channel": "wechat"}, True),
        ({"channel": "wechat"}, {"channel": ""}, False),
        ({"min_order_minor": 5}, {}, False),
        ({"max_order_minor": 99}, {"min_order_minor": 100}, False),
        ({"max_order_minor": 100}, {"min_order_minor": 100}, True),
        ({"min_order_minor": 5}, {"min_order_minor": 50, "max_order_minor": 60}, True),
        ({"min_order_minor": 5, "max_order_minor": 9}, {"max_order_minor": 4}, False),
    ],
)
def test_service_and_database_refuse_the_same_ties(
    one: dict[str, Any], other: dict[str, Any], tie: bool
) -> None:
    for first, second in ((one, other), (other, one)):
        plan = CommissionPlanFactory()
        add(plan, **first)
        if not tie:
            CommissionRuleFactory(plan=plan, effective_from=AT, **second)
            continue
        with pytest.raises(IntegrityError, match="overlap"), transaction.atomic():
            CommissionRuleFactory(plan=plan, effective_from=AT, **second)
        with pytest.raises(services.CommissionRuleOverlap):
            add(plan, **second)
        assert CommissionRule.objects.filter(plan=plan).count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"tax_bps": 10_001},
        {"min_order_minor": 2, "max_order_minor": 1},
        {"parties": [{"party_id": "p", "name": "n", "rate_bps": 10_001, "fixed_minor": 0}]},
        {"parties": [{"party_id": "p", "name": "n", "rate_bps": "5", "fixed_minor": 0}]},
        {"parties": [{"party_id": "p", "name": "n", "rate_bps": 5}]},
        {"parties": [{"party_id": "p", "name": "n", "rate_bps": 5, "fixed_minor": -1}]},
        {"tiers": [{"from_minor": 0, "rate_bps": 5}]},
        {"tiers": [{"from_minor": 5, "rate_bps": None}]},
    ],
)
def test_database_refuses_columns_out_of_range(plan: CommissionPlan, wrong: dict) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        CommissionRuleFactory(plan=plan, **wrong)

    assert not CommissionRule.objects.exists()


def test_database_keeps_rules_and_parties_as_they_are(plan: CommissionPlan, party: Party) -> None:
    add(plan, parties=[NewPartyShare(party_id=party.pk)])

    for error, attempt in (
        (ProgrammingError, lambda: CommissionRule.objects.update(parties=[])),
        (ProgrammingError, lambda: CommissionRule.objects.update(tiers=[{"a": 1}])),
        (ProgrammingError, lambda: Party.objects.update(platform=PlatformFactory())),
        (ProgrammingError, lambda: Party.objects.all().delete()),
    ):
        with pytest.raises(error), transaction.atomic():
            attempt()
