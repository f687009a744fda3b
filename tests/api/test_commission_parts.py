"""Why: everything a commission contract can say is said over the API too, and answered as said."""

from typing import Any

import pytest

from tests.api.shop import Shop, all_rows, pointers, problem


@pytest.fixture
def database(db: None) -> None:
    """Roll back instead of committing: faster, and nothing here needs a commit."""


def plan_path(shop: Shop) -> str:
    (found,) = shop.get("/v1/commission-plans").json()["data"]
    return f"/v1/commission-plans/{found['id']}"


def add_party(shop: Shop, reference: str = "carrier") -> dict[str, Any]:
    answer = shop.post("/v1/parties", {"reference": reference, "name": "Carrier"})
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_party_is_taken_in_and_found(shop: Shop, rival: Shop) -> None:
    party = add_party(shop)
    add_party(shop, "affiliate")

    assert shop.get(f"/v1/parties/{party['id']}").json() == party
    assert shop.get("/v1/parties?reference=carrier").json()["data"] == [party]
    assert len(shop.get("/v1/parties").json()["data"]) == 2
    assert rival.get("/v1/parties").json()["data"] == []
    problem(rival.get(f"/v1/parties/{party['id']}"), 404, "resource_not_found")
    again = shop.post("/v1/parties", {"reference": "carrier", "name": "Other"})
    problem(again, 409, "party_reference_taken")


def test_rule_with_parties_tax_tiers_and_amounts_is_answered_and_counts(shop: Shop) -> None:
    party = add_party(shop)
    said = {
        "tax_bps": 600,
        "parties": [{"party": party["id"], "rate_bps": 250, "fixed_minor": 7}],
        "tiers": [{"from_minor": 1, "rate_bps": 400}],
        "channel": None,
        "min_order_minor": 10_001,
        "max_order_minor": 10_001,
    }
    body = {"currency": "CNY", "rate_bps": 500, **said, "channel": ""}

    answer = shop.post(f"{plan_path(shop)}/rules", body)

    assert answer.status_code == 201, answer.content
    rule = answer.json()
    named = said | {"parties": [said["parties"][0] | {"name": "Carrier"}]}
    assert {name: rule[name] for name in said} == named
    terms = shop.create_order()["terms"]
    assert terms["parties"] == [{"party": party["id"], "name": "Carrier", "amount_minor": 232}]
    assert (terms["commission_minor"], terms["tax_minor"], terms["channel"]) == (450, 27, None)
    assert terms["seller_minor"] == 10_001 - 450 - 27 - 232 - 60
    codes = [remark["code"] for remark in terms["explanation"]]
    assert codes[2:6] == ["tier", "commission", "tax", "party"]


def test_sale_is_explained_for_the_channel_it_is_asked_for(shop: Shop) -> None:
    rule = {"currency": "CNY", "rate_bps": 100, "channel": "wechat"}
    assert shop.post(f"{plan_path(shop)}/rules", rule).status_code == 201
    sale = {
        "merchant": shop.merchants[0].id,
        "currency": "CNY",
        "lines": [{"category": "tea", "amount_minor": 9001}],
    }

    found = {
        channel: shop.post(f"{plan_path(shop)}/explain", sale | {"channel": channel}).json()
        for channel in ("", "wechat", "alipay")
    }

    commissions = {channel: each["commission_minor"] for channel, each in found.items()}
    assert commissions == {"": 450, "wechat": 90, "alipay": 450}


def test_plan_is_priced_again_with_everything_a_rule_can_say(shop: Shop) -> None:
    party = add_party(shop)
    shop.paid_order()
    rule = {
        "currency": "CNY",
        "rate_bps": 1000,
        "parties": [{"party": party["id"], "fixed_minor": 7}],
        "tiers": [{"from_minor": 1, "rate_bps": 100}],
    }

    answer = shop.post(f"{plan_path(shop)}/what-if", {"rules": [rule]})

    assert answer.status_code == 200, answer.content
    [order] = answer.json()["orders"]
    assert (order["old_commission_minor"], order["new_commission_minor"]) == (450, 900)


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"tax_bps": 10_001}, "request_invalid", "#/tax_bps"),
        ({"parties": [{"party": "pty_0", "rate_bps": -1}]}, "request_invalid", None),
        ({"parties": [{"party": "pty_0"}]}, "party_share_invalid", "#/parties"),
        ({"parties": "pty_0"}, "request_invalid", None),
        ({"tiers": [{"from_minor": 0, "rate_bps": 1}]}, "request_invalid", None),
        (
            {"tiers": [{"from_minor": 2, "rate_bps": 1}, {"from_minor": 1, "rate_bps": 2}]},
            "commission_tiers_invalid",
            "#/tiers",
        ),
        ({"channel": "We Chat"}, "commission_rule_invalid", "#/channel"),
        ({"min_order_minor": 2, "max_order_minor": 1}, "commission_rule_invalid", None),
    ],
)
def test_rule_whose_parts_make_no_sense_is_refused(
    shop: Shop, changes: dict, code: str, pointer: str | None
) -> None:
    before = all_rows()

    answer = shop.post(
        f"{plan_path(shop)}/rules", {"currency": "CNY", "rate_bps": 500, "priority": 1} | changes
    )

    found = problem(answer, 422, code)
    if pointer:
        assert [each for each, _code in pointers(found)] == [pointer]
    assert all_rows() == before
