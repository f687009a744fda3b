"""Why: whoever asks what changed in a plan gets each rule with its old and its new values."""

from dataclasses import asdict, replace
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from merchants import services
from merchants.differences import Change, Value, differences
from merchants.models import User
from merchants.refund_policy import EVERYTHING_RETURNED
from merchants.rules import Tier
from tests.factories import AT, CommissionPlanFactory, CommissionRuleFactory
from tests.merchants.rule_terms import ANY, rule


def test_replaced_ended_and_added_rules_are_told_apart() -> None:
    tea = rule("crl_tea", category="tea")
    cups = rule("crl_cups", category="cups", floor_minor=None, cap_minor=None)
    newer = replace(ANY, id="crl_new", rate_bps=600, floor_minor=0, tiers=(Tier(5, 1),))

    found = differences(old=[ANY, tea], new=[newer, cups])

    assert [(each.change, each.rule.id) for each in found] == [
        (Change.REPLACED, "crl_new"),
        (Change.ENDED, "crl_tea"),
        (Change.ADDED, "crl_cups"),
    ]
    assert found[0].values == (
        Value("rate_bps", 500, 600),
        Value("floor_minor", 100, 0),
        Value("tiers", (), (Tier(5, 1),)),
    )
    assert found[1].values == (
        Value("rate_bps", 500, None),
        Value("floor_minor", 100, None),
        Value("cap_minor", 5000, None),
        Value("base", "GOODS", None),
    )
    assert found[2].values == (Value("rate_bps", None, 500), Value("base", None, "GOODS"))


def test_rule_replaced_by_the_same_is_no_difference() -> None:
    assert differences(old=[ANY], new=[replace(ANY, id="crl_again", effective_from=AT)]) == ()


@pytest.mark.django_db
def test_page_shows_what_changed_between_two_instants(client: Client) -> None:
    client.force_login(User.objects.create_superuser("op", "op@example.com", "p"))
    plan = CommissionPlanFactory()
    old = CommissionRuleFactory(plan=plan)
    services.replace_rule(
        rule_id=old.pk, effective_from=AT + timedelta(days=1), rate_bps=7331, at=AT
    )
    url = reverse("admin:merchants_commissionplan_history_page", args=[plan.pk])

    stranger = Client()
    stranger.force_login(User.objects.create_user("staff", is_staff=True))
    assert stranger.get(url).status_code == 403
    before = client.get(url, {"since": "2026-11-22T00:00", "until": "2026-11-23T08:00"})
    after = client.get(url, {"since": "2026-11-23T08:00", "until": "2126-11-25T00:00"})

    assert "7331" not in before.content.decode()
    assert before.content.decode().count("Nothing changed.") == 2
    assert "7331" in after.content.decode()
    assert "Replaced" in after.content.decode()
    services.set_refund_policy(
        plan_id=plan.pk, at=AT, **asdict(EVERYTHING_RETURNED) | {"party_returned_bps": 4_321}
    )
    again = client.get(url, {"since": "2026-11-23T08:00", "until": "2126-11-25T00:00"})
    assert "party_returned_bps" in again.content.decode()
    assert "4321" in again.content.decode()
