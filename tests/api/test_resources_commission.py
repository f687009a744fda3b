"""Why: a platform changes what it takes of a sale while orders are under way: it must be able to
ask first, and what was agreed must stay.
"""

from typing import Any

import pytest

from merchants.models import CommissionPlan, CommissionRule
from tests.api.shop import Shop, all_rows, pointers, problem

SALE = {"currency": "CNY", "lines": [{"category": "tea", "amount_minor": 9001}]}
LATER = "2026-03-03T09:00:00.000000Z"
FIRST = {"currency": "CNY", "rate_bps": 1000}  # beats the standing rule of 5 % by what it matches


@pytest.fixture
def database(db: None) -> None:
    """Roll back instead of committing: faster, and nothing here needs a commit."""


def plan_of(shop: Shop) -> dict[str, Any]:
    (found,) = shop.get("/v1/commission-plans").json()["data"]
    return found


def ask(shop: Shop, what: str, body: dict[str, Any]) -> Any:
    return shop.post(f"/v1/commission-plans/{plan_of(shop)['id']}/{what}", body)


def add_rule(shop: Shop, **changes: Any) -> dict[str, Any]:
    answer = ask(shop, "rules", FIRST | changes)
    assert answer.status_code == 201, answer.content
    return answer.json()


def commission(shop: Shop, **changes: Any) -> int:
    """What a sale of 9001 would pay now."""
    answer = ask(shop, "explain", {"merchant": shop.merchants[0].id, **SALE, **changes})
    assert answer.status_code == 200, answer.content
    return answer.json()["commission_minor"]


# Plans and rules


def test_plan_is_answered_with_its_rules(shop: Shop) -> None:
    found = plan_of(shop)

    (rule,) = found["rules"]
    assert (found["name"], found["active"]) == ("Standard", True)
    assert rule == {
        "id": rule["id"],
        "priority": 0,
        "merchant": None,
        "category": None,
        "channel": None,
        "min_order_minor": None,
        "max_order_minor": None,
        "currency": "CNY",
        "rate_bps": 500,
        "fixed_minor": 0,
        "floor_minor": 100,
        "cap_minor": 5000,
        "base": "GOODS",
        "tax_bps": 0,
        "parties": [],
        "tiers": [],
        "effective_from": "2025-03-02T09:00:00.000000Z",
        "effective_to": None,
    }
    path = f"/v1/commission-plans/{found['id']}"
    assert shop.get(path).json() == found
    assert shop.get(f"{path}/rules").json() == {"data": [rule]}


def test_plan_says_what_a_refund_returns_and_orders_freeze_it(shop: Shop) -> None:
    returned = {
        "commission_returned_bps": 9_999,
        "service_fee_returned_bps": 0,
        "party_returned_bps": 2_550,
        "channel_fee_bps": 38,
        "channel_fee_returned_bps": 3_333,
    }
    everything = dict.fromkeys(returned, 10_000) | {"channel_fee_bps": 0}
    CommissionPlan.objects.update(active=False)

    answer = shop.post("/v1/commission-plans", {"name": "Shared", **returned})

    assert answer.status_code == 201, answer.content
    plan = answer.json()
    assert {name: plan[name] for name in returned} == returned
    assert shop.get(f"/v1/commission-plans/{plan['id']}").json() == plan
    order = shop.create_order()
    assert {name: order["terms"][name] for name in returned} == returned
    CommissionPlan.objects.update(active=False)
    order = shop.create_order()
    assert {name: order["terms"][name] for name in returned} == everything


@pytest.mark.parametrize("wrong", [10_001, -1, 1.0, "1", None])
def test_plan_is_refused_when_it_returns_more_than_everything(shop: Shop, wrong: Any) -> None:
    before = all_rows()

    answer = shop.post("/v1/commission-plans", {"name": "B", "party_returned_bps": wrong})

    found = pointers(problem(answer, 422, "request_invalid"))
    assert [each for each, _code in found] == ["#/party_returned_bps"]
    assert all_rows() == before


def test_platform_has_one_plan_in_force(shop: Shop) -> None:
    before = all_rows()

    problem(shop.post("/v1/commission-plans", {"name": "B"}), 409, "commission_plan_taken")

    assert all_rows() == before


def test_rule_counts_for_what_it_matches_from_its_instant(shop: Shop) -> None:
    add_rule(shop, category="tea", effective_from="2026-03-02T10:00:00+00:00")
    before = commission(shop)

    shop.wait(hours=1)

    assert (before, commission(shop)) == (450, 900)
    assert commission(shop, lines=[{"category": "cups", "amount_minor": 9001}]) == 450


def test_rule_of_one_seller_counts_for_that_seller(shop: Shop) -> None:
    other = shop.add_merchant()

    rule = add_rule(shop, merchant=shop.merchants[0].id, fixed_minor=17)

    assert rule["merchant"] == shop.merchants[0].id
    assert commission(shop) == 917
    assert commission(shop, merchant=other.id) == 450
    assert shop.create_order()["terms"]["commission_minor"] == 917


def test_rule_of_equal_rank_is_refused(shop: Shop) -> None:
    before = all_rows()

    found = problem(ask(shop, "rules", FIRST), 409, "commission_rule_overlap")

    assert found["facts"] == {"rule": plan_of(shop)["rules"][0]["id"]}
    assert all_rows() == before
    assert add_rule(shop, priority=1)["priority"] == 1


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"rate_bps": 10001}, "request_invalid", "#/rate_bps"),
        ({"rate_bps": -1}, "request_invalid", "#/rate_bps"),
        ({"rate_bps": 5.0}, "request_invalid", "#/rate_bps"),
        ({"cap_minor": 10**15 + 1}, "request_invalid", "#/cap_minor"),
        ({"base": "ALL"}, "request_invalid", "#/base"),
        ({"priority": 1_000_001}, "request_invalid", "#/priority"),
        ({"effective_to": "tomorrow"}, "request_invalid", "#/effective_to"),
        ({"plan": "cpl_0"}, "request_invalid", "#/plan"),
        ({"version": 2}, "request_invalid", "#/version"),
        ({"merchant": "mer_0"}, "merchant_unavailable", "#/merchant"),
        ({"currency": "XXX"}, "currency_unknown", None),
    ],
)
def test_rule_that_is_none_is_refused(
    shop: Shop, changes: dict, code: str, pointer: str | None
) -> None:
    before = all_rows()

    found = problem(ask(shop, "rules", FIRST | {"category": "tea"} | changes), 422, code)

    assert [each for each, _code in pointers(found)] == ([pointer] if pointer else [])
    assert all_rows() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"floor_minor": 100, "cap_minor": 99},
        {"effective_from": LATER, "effective_to": "2026-03-02T09:00:00Z"},
    ],
)
def test_rule_that_contradicts_itself_is_refused(shop: Shop, changes: dict) -> None:
    before = all_rows()

    problem(ask(shop, "rules", FIRST | {"priority": 1} | changes), 422, "commission_rule_invalid")

    assert all_rows() == before


def test_replaced_rule_ends_as_the_next_one_begins(shop: Shop) -> None:
    old = plan_of(shop)["rules"][0]
    agreed = shop.create_order()
    body = {"rate_bps": 600, "effective_from": LATER}

    answer = shop.post(f"/v1/commission-rules/{old['id']}/replace", body)

    assert answer.status_code == 201
    ended, new = plan_of(shop)["rules"]
    assert ended == old | {"effective_to": LATER}
    assert new == answer.json()
    assert (new["rate_bps"], new["floor_minor"], new["cap_minor"]) == (600, None, None)
    assert (new["effective_from"], new["effective_to"]) == (LATER, None)
    assert commission(shop) == 450
    shop.wait(days=1)
    assert commission(shop) == 540
    assert shop.get(f"/v1/orders/{agreed['id']}").json()["terms"] == agreed["terms"]


def test_ended_rule_counts_no_more(shop: Shop) -> None:
    rule = plan_of(shop)["rules"][0]
    agreed = shop.create_order()

    answer = shop.post(f"/v1/commission-rules/{rule['id']}/end")

    assert answer.json() == rule | {"effective_to": "2026-03-02T09:00:00.000000Z"}
    assert commission(shop) == 0
    assert shop.get(f"/v1/orders/{agreed['id']}").json()["split"] == agreed["split"]


@pytest.mark.parametrize("step", ["end", "replace"])
def test_rule_neither_ends_in_the_past_nor_after_its_end(shop: Shop, step: str) -> None:
    rule = add_rule(shop, category="tea", effective_to=LATER)
    field = {"end": "effective_to", "replace": "effective_from"}[step]
    more = {"rate_bps": 600} if step == "replace" else {}
    before = all_rows()

    for instant in ("2026-03-02T08:59:59Z", "2026-03-03T09:00:01Z"):
        answer = shop.post(f"/v1/commission-rules/{rule['id']}/{step}", more | {field: instant})
        found = problem(answer, 422, "commission_rule_invalid")
        assert pointers(found) == [(f"#/{field}", "commission_rule_invalid")]

    assert all_rows() == before
    assert CommissionRule.objects.count() == 2


# Asking first


def test_explanation_says_what_a_sale_would_pay_and_why(shop: Shop) -> None:
    before = all_rows()

    answer = ask(
        shop, "explain", {"merchant": shop.merchants[0].id, **SALE, "shipping_minor": 1000}
    )

    found = answer.json()
    order = shop.create_order()
    said = [remark["sentence"] for remark in found.pop("explanation")]
    assert found == {
        "amount_minor": 10001,
        "commission_minor": 450,
        "tax_minor": 0,
        "parties": [],
        "service_fee_minor": 60,
        "seller_minor": 9491,
    }
    assert said[-1] == "Left for the seller: 94.91 CNY."
    assert [remark["sentence"] for remark in order["terms"]["explanation"]] == said
    assert before["merchants_commissionrule"] == CommissionRule.objects.count()


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"merchant": "mer_0"}, "sale_invalid", "#/merchant"),
        ({"lines": []}, "request_invalid", "#/lines"),
        ({"lines": [{"amount_minor": -1}]}, "request_invalid", "#/lines/0/amount_minor"),
        ({"lines": [{"amount_minor": 10**15}] * 2}, "amount_out_of_range", None),
        ({"currency": "XXX"}, "currency_unknown", None),
        ({"rules": []}, "request_invalid", "#/rules"),
    ],
)
def test_sale_that_is_none_is_not_explained(
    shop: Shop, changes: dict, code: str, pointer: str | None
) -> None:
    body = {"merchant": shop.merchants[0].id, **SALE} | changes

    found = problem(ask(shop, "explain", body), 422, code)

    assert [each for each, _code in pointers(found)] == ([pointer] if pointer else [])


def test_past_orders_are_priced_again_under_rules_to_try(shop: Shop) -> None:
    first, second = shop.paid_order(), shop.released_order()
    shop.create_order()  # nobody has paid
    shop.post(f"/v1/orders/{shop.paid_order()['id']}/cancel")
    before = all_rows()

    answer = ask(shop, "what-if", {"rules": [FIRST, FIRST | {"category": "tea", "rate_bps": 700}]})

    found = answer.json()
    assert {each["order"] for each in found["orders"]} == {first["id"], second["id"]}
    prices = {
        (each["old_commission_minor"], each["new_commission_minor"], each["difference_minor"])
        for each in found["orders"]
    }
    assert prices == {(450, 630, 180)}
    assert found["totals"] == [
        {
            "currency": "CNY",
            "orders": 2,
            "amount_minor": 20002,
            "old_commission_minor": 900,
            "new_commission_minor": 1260,
            "old_seller_minor": 18982,
            "new_seller_minor": 18622,
        }
    ]
    assert all_rows() == before


def test_past_orders_are_priced_again_under_the_plan_as_it_stands(shop: Shop) -> None:
    shop.paid_order()
    add_rule(shop, category="tea")

    stands, free = (ask(shop, "what-if", body).json() for body in ({}, {"rules": []}))

    assert [each["new_commission_minor"] for each in stands["orders"]] == [900]
    assert [each["new_commission_minor"] for each in free["orders"]] == [0]


def test_past_orders_are_chosen_by_seller_and_time(shop: Shop) -> None:
    other = shop.add_merchant()
    first = shop.paid_order()
    shop.wait(days=1)
    second = shop.create_order(merchant=other.id)
    shop.pay(second)

    def chosen(**by: str) -> list[str]:
        return [each["order"] for each in ask(shop, "what-if", by).json()["orders"]]

    assert chosen() == [second["id"], first["id"]]
    assert chosen(merchant=other.id) == [second["id"]]
    assert chosen(created_before=LATER) == [first["id"]]
    assert chosen(created_from=LATER) == [second["id"]]


@pytest.mark.parametrize(
    ("second", "status", "code"),
    [
        ({"merchant": "mer_0"}, 422, "commission_rule_invalid"),
        ({}, 409, "commission_rule_overlap"),
        ({"floor_minor": 2, "cap_minor": 1, "priority": 1}, 422, "commission_rule_invalid"),
    ],
)
def test_wrong_rule_to_try_is_told_by_its_position(
    shop: Shop, second: dict, status: int, code: str
) -> None:
    answer = ask(shop, "what-if", {"rules": [FIRST, FIRST | second]})

    assert problem(answer, status, code)["facts"] == {"position": 1}
