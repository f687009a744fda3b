"""Why: one wrong digit in a plan costs every seller of a shop. People see what it takes, try it,
and change it as a whole."""

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from merchants import selectors, services
from merchants.models import CommissionPlan, CommissionRule, Party, Role
from orders.models import Order
from portal import sweeps
from portal.models import JobFile
from tests import ground
from tests.factories import MerchantFactory, PlatformFactory
from tests.world import START, World

SignIn = Callable[..., Client]
HOSTILE = '<script>alert("x")</script>'


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def draft_of(world: World, name: str = "Spring") -> CommissionPlan:
    return services.draft_plan(
        platform=world.platform, based_on=in_force(world), name=name, at=world.now
    )


def in_force(world: World) -> CommissionPlan:
    return CommissionPlan.objects.get(platform=world.platform, active=True)


def open_rules(plan: CommissionPlan) -> list[CommissionRule]:
    return list(selectors.open_rules(plan_id=plan.pk, at=START))


def page(client: Client, path: str) -> str:
    answer = client.get(f"/portal/{path}")
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content.decode()


def typed(**changes: str) -> dict[str, str]:
    """What the form of a rule sends: 5 % of the goods, no tiers and no parties."""
    rows = {"parties-TOTAL_FORMS": "1", "parties-INITIAL_FORMS": "0"}
    rows |= {"tiers-TOTAL_FORMS": "1", "tiers-INITIAL_FORMS": "0"}
    base = {"currency": "CNY", "priority": "0", "rate": "5", "base": "GOODS"}
    return {**rows, **base, **changes}


def test_plans_are_listed_with_their_rules_in_words_and_who_changed_them(
    world: World, sign_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    plan = in_force(world)
    seller = world.add_merchant()
    services.update_merchant(merchant=seller, name=HOSTILE)
    services.add_rule(
        plan=plan,
        currency="CNY",
        rate_bps=355,
        merchant=seller,
        effective_from=START,
        at=START,
    )
    for number in range(12):
        draft_of(world, name=f"{HOSTILE} {number}")
    client = sign_in(platform=world.platform, role=Role.VIEWER)

    with django_assert_max_num_queries(10):
        listed = page(client, "plans")
    draft = draft_of(world, name=HOSTILE)
    with django_assert_max_num_queries(10):
        shown = page(client, f"plans/{draft.pk}")

    assert "5% of the goods" in listed
    assert "3.55% of the goods" in listed
    assert listed.index("3.55%") < listed.index("5% of the goods")  # as they are tried
    assert HOSTILE not in listed + shown
    assert "&lt;script&gt;" in listed
    assert "Begun, 2 rules added" in shown
    assert "No difference: it says the same." in shown
    assert "New draft" not in listed
    assert "Bring into force" not in shown


def test_rule_of_a_draft_is_written_in_whole_units_and_percent(
    world: World, sign_in: SignIn
) -> None:
    client = sign_in(platform=world.platform)
    client.post("/portal/plans/parties", {"reference": "agent", "name": HOSTILE})
    party = Party.objects.get()
    client.post("/portal/plans/draft", {"plan": in_force(world).pk})
    draft = CommissionPlan.objects.get(active=False)
    [rule] = open_rules(draft)

    answer = client.post(
        f"/portal/plans/{draft.pk}/rules/{rule.pk}",
        typed(
            category="tea",
            seller=world.merchants[0].reference,
            least="0.01",
            most="100.01",
            rate="5.55",
            fixed="0.3",
            floor="1",
            cap="50.05",
            tax="6",
            **{"parties-0-party": party.pk, "parties-0-rate": "2.5"},
            **{"tiers-0-sold": "1000", "tiers-0-rate": "4"},
        ),
    )

    assert answer["Location"] == f"/portal/plans/{draft.pk}"
    [written] = open_rules(draft)
    assert (written.rate_bps, written.fixed_minor, written.floor_minor) == (555, 30, 100)
    assert (written.cap_minor, written.tax_bps, written.merchant) == (5005, 600, world.merchants[0])
    assert (written.min_order_minor, written.max_order_minor) == (1, 10001)
    assert written.parties == [
        {"party_id": party.pk, "name": HOSTILE, "rate_bps": 250, "fixed_minor": 0}
    ]
    assert written.tiers == [{"from_minor": 100_000, "rate_bps": 400}]
    form = page(client, f"plans/{draft.pk}/rules/{written.pk}")
    assert 'value="5.55"' in form
    assert 'value="50.05"' in form
    assert HOSTILE not in form + page(client, f"plans/{draft.pk}")
    client.post(f"/portal/plans/{draft.pk}/rules/{written.pk}/end")
    assert open_rules(draft) == []
    assert [each.rate_bps for each in open_rules(in_force(world))] == [500]


WRONG: list[tuple[dict[str, str], str]] = [
    ({"rate": "100.01"}, "less than or equal to 100"),
    ({"rate": "5.555"}, "no more than 2 decimal places"),
    ({"fixed": "0.001"}, "in steps of"),
    ({"floor": "2", "cap": "1"}, "below the least commission"),
    ({"most": "0"}, "Leave it empty"),
    ({"cap": "1e400"}, "no more than 20 digits"),
    ({"seller": "nobody"}, "You have no such seller."),
    ({"currency": "XXQ"}, "We do not know this currency."),
    ({"tiers-0-sold": "10"}, "Give the rate from this amount on."),
    ({"parties-0-rate": "1"}, "Choose who gets this."),
    ({}, "Another rule is for the same sales"),
]


def test_wrong_rule_is_refused_beside_its_field(world: World, sign_in: SignIn) -> None:
    client, draft = sign_in(platform=world.platform), draft_of(world)

    for wrong, said in WRONG:
        answer = client.post(f"/portal/plans/{draft.pk}/rules/new", typed(**wrong))
        assert said in answer.content.decode(), wrong

    assert [rule.rate_bps for rule in open_rules(draft)] == [500]


def test_another_row_keeps_what_was_typed_and_judges_nothing(world: World, sign_in: SignIn) -> None:
    client, draft = sign_in(platform=world.platform), draft_of(world)
    sent = typed(rate="oops", more="tiers", **{"tiers-0-sold": "7"})

    shown = client.post(f"/portal/plans/{draft.pk}/rules/new", sent).content.decode()

    assert 'value="oops"' in shown
    assert 'name="tiers-1-sold"' in shown
    assert 'role="alert"' not in shown
    assert len(open_rules(draft)) == 1


def test_terms_of_a_draft_change_within_what_protects_the_operator(
    world: World, sign_in: SignIn
) -> None:
    services.set_refund_policy(
        plan_id=in_force(world).pk,
        commission_returned_bps=10000,
        service_fee_returned_bps=0,
        party_returned_bps=10000,
        at=START,
    )
    client, draft = sign_in(platform=world.platform), draft_of(world)
    sent = {
        "name": "Summer",
        "commission_returned_bps": "33.33",
        "party_returned_bps": "0",
        "service_fee_returned_bps": "0",
        "channel_fee_bps": "0",
        "channel_fee_returned_bps": "100",
        "guarantee_days": "",
        "reserve_bps": "15",
        "reserve_days": "30",
    }

    loosened = client.post(
        f"/portal/plans/{draft.pk}/terms", {**sent, "service_fee_returned_bps": "0.01"}
    )
    changed = client.post(f"/portal/plans/{draft.pk}/terms", sent)

    assert "Ask the operator." in loosened.content.decode()
    assert changed.status_code == 302
    draft.refresh_from_db()
    assert (draft.name, draft.commission_returned_bps, draft.reserve_bps) == ("Summer", 3333, 1500)
    assert "33.33% of it goes back to the seller" in page(client, f"plans/{draft.pk}")


def test_file_is_looked_at_and_added_as_a_whole_or_not(world: World, sign_in: SignIn) -> None:
    client, draft = sign_in(platform=world.platform), draft_of(world, name=HOSTILE)
    path = f"/portal/plans/{draft.pk}/import"
    bad = (
        f"currency,rate_bps,category\nCNY,550,tea\nCNY,x,=HYPERLINK(1)\nCNY,550,tea\n{HOSTILE},1,\n"
    )
    good = "currency,rate_bps,category,cap_minor\nCNY,551,tea,5001\nCNY,801,cups,\n"

    refused = client.post(path, {"text": bad, "apply": "1"}).content.decode()
    errors = client.post(path, {"text": bad, "errors": "1"}).content.decode("utf-8-sig")
    looked = client.post(path, {"file": io.BytesIO(good.encode())}).content.decode()
    before = len(open_rules(draft))
    client.post(path, {"text": good, "apply": "1"})

    assert "3 errors: nothing was added" in refused
    assert HOSTILE not in refused
    assert [row["Line"] for row in csv.DictReader(io.StringIO(errors))] == ["3", "4", "5"]
    assert "2 rules would be added" in looked
    assert "5.51% of the goods" in looked
    assert before == 1
    assert sorted(rule.rate_bps for rule in open_rules(draft)) == [500, 551, 801]
    handed = client.get(f"/portal/plans/{draft.pk}/rules.csv").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(handed)))
    assert {(row["rate_bps"], row["category"]) for row in rows} >= {
        ("551", "tea"),
        ("801", "cups"),
    }


def test_sale_is_explained_to_the_last_cent_and_every_rule_says_why(
    world: World, sign_in: SignIn
) -> None:
    draft = draft_of(world)
    common = {"plan": draft, "currency": "CNY", "effective_from": START, "at": START}
    services.add_rule(rate_bps=333, category="tea", **common)
    services.add_rule(rate_bps=444, category="cups", **common)
    client = sign_in(platform=world.platform)
    asked = {"amount": "90.01", "shipping": "10", "category": "tea", "currency": "CNY"}
    asked["seller"] = world.merchants[0].reference

    shown = client.get(f"/portal/plans/{draft.pk}/explain", asked).content.decode()
    wrong = client.get(f"/portal/plans/{draft.pk}/explain", {**asked, "amount": "1e9999999"})

    # 333 of 9001 are 299.73, so 300; 60 of 10001 are 60.006, so 60; the seller has what is left.
    assert "CN¥3.00" in shown
    assert "CN¥0.60" in shown
    assert "CN¥96.41" in shown
    assert "The first that matches the sale." in shown
    assert "It is for another category." in shown
    assert "the other one says more about the sale" in shown
    assert "Try an amount" in wrong.content.decode()


def test_past_orders_are_priced_exactly_under_draft_and_plan_in_force(
    world: World, sign_in: SignIn
) -> None:
    CommissionPlan.objects.update(name=HOSTILE)
    first, second = ground.paid_order(world), ground.paid_order(world)
    Order.objects.filter(pk=second.pk).update(reference="=1")
    draft = draft_of(world, name=HOSTILE)
    [rule] = open_rules(draft)
    services.rewrite_rule(
        plan_id=draft.pk, rule_id=rule.pk, currency="CNY", rate_bps=333, tax_bps=600, at=START
    )
    books = ground.trial()
    client = sign_in(platform=world.platform)

    waiting = client.post(f"/portal/plans/{draft.pk}/what-if", {"reach": "100"})["Location"]
    asked = client.get(waiting).content.decode()
    assert sweeps.run_due_jobs(at=timezone.now()) == 1
    shown = client.get(waiting).content.decode()

    # Each: 5 % of 9001 are 450; 3.33 % are 300, with 6 % tax on it 18.
    kept = json.loads(bytes(JobFile.objects.get().content))
    assert {each["order_id"] for each in kept} == {second.pk, first.pk}
    assert {(each["old_platform_minor"], each["new_platform_minor"]) for each in kept} == {
        (450, 318)
    }
    assert {(each["old_seller_minor"], each["new_seller_minor"]) for each in kept} == {(9491, 9623)}
    assert "hx-get" in asked
    assert HOSTILE not in asked + shown
    assert waiting in page(client, f"jobs/{waiting.rpartition('/')[2]}")
    assert "−CN¥2.64" in shown
    assert "+CN¥2.64" in shown
    rows = csv.DictReader(io.StringIO(client.get(f"{waiting}.csv").content.decode("utf-8-sig")))
    found = {(row["Order"], Decimal(row["You, draft"])) for row in rows}
    assert found == {("'=1", Decimal("3.18")), (first.reference, Decimal("3.18"))}
    assert client.get(waiting, headers={"hx-request": "true"})["HX-Refresh"] == "true"
    assert ground.trial() == books


def test_draft_comes_into_force_as_it_was_seen_with_the_password_again(
    world: World, sign_in: SignIn
) -> None:
    old, draft = in_force(world), draft_of(world)
    [rule] = open_rules(draft)
    services.rewrite_rule(plan_id=draft.pk, rule_id=rule.pk, currency="CNY", rate_bps=333, at=START)
    path = f"/portal/plans/{draft.pk}/force"
    order = ground.paid_order(world)
    client = sign_in(platform=world.platform, fresh=True)

    stale = sign_in(platform=world.platform).get(path)
    shown = client.get(path)
    seen = shown.context["seen"]
    client.post(path, {"seen": "somewhat else"})
    assert in_force(world) == old
    client.post(path, {"seen": seen})

    assert stale["Location"].startswith("/accounts/reauthenticate/")
    assert "Orders that exist keep the terms" in shown.content.decode()
    assert "<del" in shown.content.decode()
    assert in_force(world) == draft
    assert order.terms["commission_minor"] == 450
    order.refresh_from_db()
    assert order.terms["commission_minor"] == 450
    new, _token = world.create_order()
    assert new.terms["commission_minor"] == 300
    assert "Replaced by another plan" in page(client, f"plans/{old.pk}")
    edited = client.post(f"/portal/plans/{draft.pk}/rules/new", typed(category="x"), follow=True)
    assert "no draft any more" in edited.content.decode()


def test_only_owners_change_plans_and_nobody_reaches_another_platform_s(
    world: World, sign_in: SignIn
) -> None:
    draft = draft_of(world)
    pages = ["", "/terms", "/import", "/rules/new", "/explain", "/what-if", "/force", "/rules.csv"]
    paths = [f"/portal/plans/{draft.pk}{each}" for each in pages]
    viewer = sign_in(platform=world.platform, role=Role.FINANCE, fresh=True)
    stranger = sign_in(platform=PlatformFactory(), fresh=True)
    seller = sign_in(merchant=world.merchants[0], fresh=True)

    seen = [viewer.get(path).status_code for path in paths]
    posted = [
        viewer.post(path).status_code
        for path in (f"{paths[0]}/drop", "/portal/plans/draft", "/portal/plans/parties")
    ]

    assert seen == [200, 403, 403, 403, 200, 200, 403, 200]
    assert posted == [403, 403, 403]
    assert {stranger.get(path).status_code for path in paths} == {404}
    assert {seller.get(path).status_code for path in [*paths, "/portal/plans"]} == {404}
    assert stranger.post("/portal/plans/draft", {"plan": draft.pk}).status_code == 404
    assert CommissionPlan.objects.filter(active=False).count() == 1
    assert viewer.get("/portal/commission").status_code == 404


def test_seller_sees_the_rules_for_its_own_sales_and_tries_one(
    world: World, sign_in: SignIn
) -> None:
    other = MerchantFactory(platform=world.platform)
    common = {"currency": "CNY", "effective_from": START, "at": START}
    services.add_rule(plan=in_force(world), rate_bps=123, merchant=other, **common)
    services.add_rule(plan=in_force(world), rate_bps=234, category="cups", **common)
    client = sign_in(merchant=world.merchants[0])

    sent = {"amount": "100.01", "category": "cups", "currency": "CNY", "seller": other.pk}
    shown = client.get("/portal/commission", sent).content.decode()

    assert "1.23%" not in shown
    assert "CN¥2.34" in shown  # 234 of 10001
    assert "Your commission" in shown
