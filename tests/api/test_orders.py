"""Why: every endpoint of an order must do what an integrator reads, from creation to paid out."""

from datetime import timedelta

import pytest

from demo import clockwork
from escrow.models import FreezeKind
from escrow.services import freezes
from orders.models import Order
from tests import ground
from tests.api.shop import Shop, all_books, nothing_moves, problem
from tests.world import START, audit

SPLIT = [("MERCHANT", 9491), ("PLATFORM", 450), ("SERVICE_FEE", 60)]


def split(answer: dict) -> list[tuple[str, int, str]]:
    return [(line["payee"], line["amount_minor"], line["status"]) for line in answer["split"]]


def settle(shop: Shop) -> None:
    """Let every sweep and the sandbox work until nothing is due."""
    for _ in range(20):
        if not clockwork.run_sweeps(at=shop.sandbox.clock.now) + shop.sandbox.tick():
            return
    raise AssertionError("the sweeps do not come to rest")


def test_an_order_is_answered_whole_when_created(shop: Shop) -> None:
    answer = shop.post("/v1/orders", shop.order_body())

    found = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/orders/{found['id']}"
    assert found["status"] == "awaiting_payment"
    assert (found["amount_minor"], found["goods_minor"], found["shipping_minor"]) == (
        10001,
        9001,
        1000,
    )
    assert found["lines"] == [
        {"title": "西湖龙井", "category": "tea", "quantity": 3, "amount_minor": 9001}
    ]
    assert found["buyer"] == {"name": "王芳", "email": "buyer@example.com", "time_zone": ""}
    assert found["created_at"] == "2026-03-02T09:00:00.000000Z"
    assert found["deadlines"] == {
        "pay_by": "2026-03-02T09:30:00.000000Z",
        "ship_by": None,
        "expected_delivery_at": None,
        "confirm_by": None,
        "paused_at": None,
    }
    assert split(found) == [(payee, amount, "planned") for payee, amount in SPLIT]
    assert found["terms"]["commission_minor"] == 450
    assert found["terms"]["seller_minor"] == 9491
    assert found["terms"]["explanation"][-1]["sentence"] == "Left for the seller: 94.91 CNY."
    assert found["metadata"] == {"cart": "c-17"}
    assert found["buyer_url"].endswith(f"/o/{found['id']}/{found['buyer_token']}")
    assert found["confirm_url"].endswith(f"/v1/orders/{found['id']}/confirm")


def test_the_buyers_token_is_shown_once(shop: Shop) -> None:
    created = shop.create_order()

    read = shop.get(f"/v1/orders/{created['id']}")

    assert created["buyer_token"] not in read.content.decode()
    assert {name: value for name, value in created.items() if name in read.json()} == read.json()
    assert set(created) - set(read.json()) == {"buyer_token", "confirm_url", "buyer_url"}


def test_an_order_walks_from_creation_to_paid_out(shop: Shop, rung: list[str]) -> None:
    order = shop.create_order()
    shop.pay(order)
    assert shop.status(order) == "paid"
    shipped = shop.ship(order).json()
    assert shipped["status"] == "shipped"
    assert shipped["shipments"][0]["tracking_number"] == "SF1001"
    assert shipped["deadlines"]["confirm_by"] == "2026-03-12T09:00:00.000000Z"

    confirmed = shop.confirm(order)

    assert confirmed.status_code == 200
    assert confirmed.json() == {"id": order["id"], "confirmed_at": "2026-03-02T09:00:00.000000Z"}
    assert rung == ["payouts.cut_due_settlements"]
    found = shop.get(f"/v1/orders/{order['id']}").json()
    assert (found["status"], found["confirmed_by"]) == ("released", "BUYER")
    assert split(found) == [
        ("MERCHANT", 9491, "payable"),
        ("PLATFORM", 450, "payable"),
        ("SERVICE_FEE", 60, "kept"),
    ]
    shop.sandbox.channel.remittances.cut(START.timestamp())
    shop.sandbox.tick()
    settle(shop)
    found = shop.get(f"/v1/orders/{order['id']}").json()
    assert found["status"] == "paid_out"
    assert split(found)[0] == ("MERCHANT", 9491, "paid")
    assert found["split"][0]["payout_state"] == "PAID"
    assert sum(line["amount_minor"] for line in found["split"]) == 10001
    assert audit() == []


def test_an_instant_with_an_offset_is_answered_in_utc(shop: Shop) -> None:
    order = shop.create_order(
        ship_by="2026-03-04T10:30:00+08:00", expected_delivery_at="2026-03-09T23:59:59.5Z"
    )

    assert order["deadlines"]["ship_by"] == "2026-03-04T02:30:00.000000Z"
    assert order["deadlines"]["expected_delivery_at"] == "2026-03-09T23:59:59.500000Z"


def test_an_unpaid_order_is_canceled_without_a_refund(shop: Shop, rung: list[str]) -> None:
    order = shop.create_order()

    answer = shop.post(f"/v1/orders/{order['id']}/cancel")

    assert answer.status_code == 200
    found = answer.json()
    assert (found["status"], found["cancel_reason"]) == ("canceled", "PLATFORM")
    assert split(found) == [(payee, amount, "void") for payee, amount in SPLIT]
    assert found["refunds"] == []
    assert rung == []


def test_a_paid_order_is_canceled_and_refunded(shop: Shop, rung: list[str]) -> None:
    order = shop.paid_order()

    answer = shop.post(f"/v1/orders/{order['id']}/cancel", {"reason": "MERCHANT"})

    found = answer.json()
    assert (found["status"], found["cancel_reason"]) == ("refunding", "MERCHANT")
    assert [(refund["amount_minor"], refund["state"]) for refund in found["refunds"]] == [
        (10001, "PENDING")
    ]
    assert rung == ["escrow.send_due_refunds"]
    settle(shop)
    shop.wait(seconds=5)
    settle(shop)
    assert shop.status(order) == "refunded"
    assert audit() == []


def test_an_order_nobody_pays_expires(shop: Shop) -> None:
    order = shop.create_order()

    shop.wait(minutes=31)
    settle(shop)

    assert shop.status(order) == "expired"


def test_a_frozen_hold_shows(shop: Shop) -> None:
    order = shop.shipped_order()
    freezes.freeze_order(
        order_id=order["id"],
        kind=FreezeKind.RISK,
        reason="stolen card",
        operator=ground.operator("first"),
        at=Order.objects.get(pk=order["id"]).created_at,
    )

    assert shop.status(order) == "frozen"
    with nothing_moves():
        problem(shop.confirm(order), 409, "hold_frozen")


def test_an_order_is_read_in_a_fixed_number_of_queries(
    shop: Shop, django_assert_num_queries: object
) -> None:
    order = shop.shipped_order()
    shop.confirm(order)

    with django_assert_num_queries(9):  # type: ignore[operator]  # one writes the request down
        shop.get(f"/v1/orders/{order['id']}")


def test_who_acted_is_in_the_audit_of_every_step(shop: Shop) -> None:
    order = shop.shipped_order()
    shop.confirm(order)

    audited = Order.objects.get(pk=order["id"]).audit.order_by("pgh_id")
    found = [(row.state, (row.pgh_context or {}).get("actor")) for row in audited]

    platform = f"platform:{shop.platform.id}"
    assert found == [
        ("CREATED", platform),
        ("PAID", "notification:channels/sandbox"),
        ("SHIPPED", platform),
        ("CONFIRMED", f"buyer:{order['id']}"),
    ]


# Refusals of state


def test_a_second_order_of_the_same_reference_is_refused(shop: Shop) -> None:
    order = shop.create_order()

    with nothing_moves():
        answer = shop.post("/v1/orders", shop.order_body(reference=order["reference"]))

    problem(answer, 409, "order_reference_taken")


def test_shipping_an_unpaid_order_is_refused(shop: Shop) -> None:
    order = shop.create_order()

    with nothing_moves():
        found = problem(shop.ship(order), 409, "order_state_conflict")

    assert found["facts"] == {"order": order["id"], "state": "CREATED"}


def test_shipping_too_late_is_refused(shop: Shop) -> None:
    order = shop.paid_order()
    shop.wait(hours=73)

    with nothing_moves():
        problem(shop.ship(order), 409, "shipping_deadline_passed")


def test_canceling_a_shipped_order_is_refused(shop: Shop, rung: list[str]) -> None:
    order = shop.shipped_order()

    with nothing_moves():
        problem(shop.post(f"/v1/orders/{order['id']}/cancel"), 409, "order_state_conflict")

    assert rung == []


def test_canceling_twice_is_refused(shop: Shop) -> None:
    order = shop.paid_order()
    shop.post(f"/v1/orders/{order['id']}/cancel")

    with nothing_moves():
        problem(shop.post(f"/v1/orders/{order['id']}/cancel"), 409, "order_state_conflict")


def test_an_inactive_seller_is_refused_as_a_missing_one(shop: Shop) -> None:
    idle = shop.add_merchant()
    type(idle).objects.filter(pk=idle.pk).update(active=False)

    with nothing_moves():
        inactive = problem(
            shop.post("/v1/orders", shop.order_body(merchant=idle.id)), 422, "merchant_unavailable"
        )
        missing = problem(
            shop.post("/v1/orders", shop.order_body(merchant="mer_0")), 422, "merchant_unavailable"
        )

    assert inactive["detail"] == missing["detail"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"currency": "ABC"}, "currency_unknown"),
        ({"currency": "XAU"}, "currency_unknown"),
        ({"currency": "cny"}, "currency_unknown"),
        ({"lines": [{"title": "Free", "amount_minor": 0}], "shipping_minor": 0}, "order_invalid"),
        (
            {"lines": [{"title": "Much", "amount_minor": 10**15}], "shipping_minor": 1},
            "amount_out_of_range",
        ),
    ],
)
def test_what_the_domain_refuses_is_told_with_its_code(
    shop: Shop, changes: dict, code: str
) -> None:
    with nothing_moves():
        problem(shop.post("/v1/orders", shop.order_body(**changes)), 422, code)

    assert not Order.objects.exists()


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(days=-1), timedelta(days=366)])
def test_a_deadline_that_is_not_ahead_is_refused(shop: Shop, ahead: timedelta) -> None:
    when = (START + ahead).isoformat()

    with nothing_moves():
        found = problem(
            shop.post("/v1/orders", shop.order_body(ship_by=when)), 422, "request_invalid"
        )

    assert [error["pointer"] for error in found["errors"]] == ["#/ship_by"]


def test_reading_writes_nothing(shop: Shop) -> None:
    order = shop.shipped_order()
    before = all_books()

    shop.get(f"/v1/orders/{order['id']}")

    assert all_books() == before
