"""Why: a platform says how much of whose releases is held back; what it says is what is frozen."""

import pytest

from escrow.models import ReserveSlice
from merchants.models import CommissionPlan
from tests.api.shop import Shop, problem

SELLER = {"reference": "kept", "name": "Kept Garden"}
LEAF = {"reserve_bps": 1500, "reserve_days": 30}


def reserve(answer: dict[str, object]) -> dict[str, object]:
    return {name: answer[name] for name in LEAF}


def test_seller_has_a_reserve_of_its_own_or_none(shop: Shop) -> None:
    own = shop.post("/v1/merchants", {**SELLER, **LEAF}).json()
    none = shop.post("/v1/merchants", {"reference": "open", "name": "Open Garden"}).json()
    path = f"/v1/merchants/{own['id']}"

    changed = shop.post(path, {"reserve_bps": 0, "reserve_days": 0}).json()
    renamed = shop.post(path, {"name": "Free Garden"}).json()
    again = shop.post(path, {"reserve_bps": None, "reserve_days": None}).json()

    assert (reserve(own), reserve(changed), reserve(renamed)) == (
        LEAF,
        {"reserve_bps": 0, "reserve_days": 0},
        {"reserve_bps": 0, "reserve_days": 0},
    )
    assert reserve(none) == reserve(again) == {"reserve_bps": None, "reserve_days": None}


@pytest.mark.parametrize(
    "half", [{"reserve_bps": 1500}, {"reserve_days": 30}, {"reserve_bps": 1, "reserve_days": 0}]
)
def test_half_a_reserve_is_refused(shop: Shop, half: dict[str, int]) -> None:
    path = f"/v1/merchants/{shop.merchants[0].id}"

    created = shop.post("/v1/merchants", {**SELLER, **half})
    changed = shop.post(path, half)

    problem(created, 422, "merchant_invalid")
    problem(changed, 422, "merchant_invalid")
    assert reserve(shop.get(path).json()) == {"reserve_bps": None, "reserve_days": None}


def test_order_tells_what_of_it_will_be_held_back(shop: Shop) -> None:
    shop.post(f"/v1/merchants/{shop.merchants[0].id}", LEAF)

    order = shop.create_order()

    assert reserve(order["terms"]) == LEAF
    split = {line["payee"]: line["amount_minor"] for line in order["split"]}
    assert (split["MERCHANT"], split["RESERVE"]) == (8067, 1424)
    assert not ReserveSlice.objects.exists()


def test_plan_holds_back_of_sellers_without_a_word_of_their_own(shop: Shop) -> None:
    CommissionPlan.objects.update(active=False)

    plan = shop.post("/v1/commission-plans", {"name": "Careful", **LEAF})
    half = shop.post("/v1/commission-plans", {"name": "Half", "reserve_bps": 1})

    assert (plan.status_code, reserve(plan.json())) == (201, LEAF)
    assert reserve(shop.create_order()["terms"]) == LEAF
    problem(half, 422, "commission_rule_invalid")
