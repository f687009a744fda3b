"""Why: an integrator who tries a year of trade in an afternoon must see what would have happened,
and nobody's real money may ever be played with.
"""

from typing import Any

import pytest

from channels import registry
from merchants import services as merchants
from merchants.models import Mode
from tests.api.shop import Shop, all_rows, pointers, problem
from tests.world import START

DAY = 86400
ADVANCE = "/v1/sandbox/clock/advance"


def clock(shop: Shop) -> dict[str, Any]:
    return shop.get("/v1/sandbox/clock").json()


def story(answer: Any) -> list[tuple[str, str]]:
    return [(each["type"], each["at"]) for each in answer.json()["fired"]]


def test_advancing_lets_happen_what_is_due_in_order(shop: Shop, rival: Shop) -> None:
    unpaid, unshipped, theirs = shop.create_order(), shop.paid_order(), rival.paid_order()

    answer = shop.post(ADVANCE, {"seconds": 4 * DAY})

    assert answer.status_code == 200
    found = answer.json()
    assert (found["started_at"], found["complete"]) == ("2026-03-02T09:00:00.000000Z", True)
    assert found["reached_at"] == found["target_at"] == "2026-03-06T09:00:00.000000Z"
    assert found["left_behind"] == []
    assert story(answer)[:3] == [
        ("order.expired", "2026-03-02T09:30:00.000001Z"),
        ("order.ship_reminder", "2026-03-04T09:00:00.000000Z"),
        ("refund.created", "2026-03-05T09:00:00.000001Z"),
    ]
    assert [each["subject"] for each in found["fired"]][:2] == [unpaid["id"], unshipped["id"]]
    assert (shop.status(unpaid), shop.status(unshipped)) == ("expired", "refunding")
    assert rival.status(theirs) == "paid"
    assert clock(shop) == {"now": "2026-03-06T09:00:00.000000Z", "moved": True}
    assert clock(rival) == {"now": "2026-03-02T09:00:00.000000Z", "moved": False}
    assert shop.create_order()["created_at"] == "2026-03-06T09:00:00.000000Z"


def test_retried_advance_moves_once(shop: Shop) -> None:
    first, again = (shop.post(ADVANCE, {"seconds": DAY}, Idempotency_Key="day-1") for _ in range(2))

    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert clock(shop)["now"] == "2026-03-03T09:00:00.000000Z"


@pytest.mark.parametrize("seconds", [0, -1, 90 * DAY + 1, 1.5, "60", None, True])
def test_clock_moves_by_a_second_to_ninety_days(shop: Shop, seconds: Any) -> None:
    found = problem(shop.post(ADVANCE, {"seconds": seconds}), 422, "request_invalid")

    assert [pointer for pointer, _code in pointers(found)] == ["#/seconds"]
    assert clock(shop)["moved"] is False


def test_live_platform_reaches_nothing_of_the_sandbox(shop: Shop) -> None:
    payment = shop.start_payment(shop.create_order())
    live = merchants.create_platform(name="Live", slug="live", mode=Mode.LIVE, at=START)
    other = Shop(door=shop.door, sandbox=shop.sandbox, time=shop.time, platform=live)
    other.open()
    before = all_rows()

    assert other.key.startswith("sk_live_")
    for answer in (
        other.get("/v1/sandbox/clock"),
        other.post(ADVANCE, {"seconds": 60}),
        other.post(f"/v1/sandbox/payments/{payment['id']}/pay"),
    ):
        problem(answer, 403, "clock_is_live")
    order = other.create_order()
    asked = {"orders": [order["id"]], "channel": "sandbox"}
    problem(other.post("/v1/payments", asked), 422, "channel_disabled")

    assert all_rows()["orders_payment"] == before["orders_payment"]


def test_paying_is_what_the_buyer_would_do(shop: Shop) -> None:
    order = shop.create_order()
    payment = shop.start_payment(order)

    answer = shop.post(f"/v1/sandbox/payments/{payment['id']}/pay")
    shop.sandbox.tick()

    assert answer.status_code == 200
    assert answer.json()["id"] == payment["id"]
    assert shop.status(order) == "paid"
    assert shop.get(f"/v1/payments/{payment['id']}").json()["state"] == "SUCCEEDED"


def test_paying_twice_pays_once(shop: Shop) -> None:
    order = shop.create_order()
    path = f"/v1/sandbox/payments/{shop.start_payment(order)['id']}/pay"

    for _ in range(2):
        assert shop.post(path).status_code == 200
        shop.sandbox.tick()

    assert [part["amount_minor"] for part in shop.get("/v1/holds").json()["data"][0]["shares"]] == [
        9491,
        450,
        60,
    ]
    assert shop.get("/v1/refunds").json()["data"] == []


def test_payment_through_another_channel_cannot_be_played(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = shop.start_payment(shop.create_order())
    monkeypatch.setattr(registry, "get_channel", lambda name: object())

    answer = shop.post(f"/v1/sandbox/payments/{payment['id']}/pay")

    problem(answer, 409, "channel_not_playable")


def test_payment_that_is_over_stays_as_it_is(shop: Shop) -> None:
    order = shop.create_order()
    payment = shop.start_payment(order)
    shop.wait(minutes=31)
    shop.settle()

    answer = shop.post(f"/v1/sandbox/payments/{payment['id']}/pay")

    shop.sandbox.tick()
    assert (answer.status_code, answer.json()["state"]) == (200, "EXPIRED")
    assert shop.status(order) == "expired"
