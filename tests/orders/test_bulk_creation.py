"""Many orders at once: the same rows as one by one, all of them or none."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.errors import DomainError
from merchants import services as merchants
from notifications.models import Event
from orders import selectors
from orders.models import Order, OrderLine
from orders.services import bulk
from orders.services.creation import NewLine, NewOrder
from tests import ground
from tests.world import World

OWN = {"id", "reference", "buyer_token_hash"}


def new(reference: str, **changes: Any) -> NewOrder:
    lines = [
        NewLine(title="Tea", amount_minor=9001, category="tea", quantity=2),
        NewLine(title="Cup", amount_minor=777, category="cups"),
    ]
    wanted = {"currency": "CNY", "lines": lines, "shipping_minor": 1000} | changes
    return NewOrder(reference=reference, **wanted)


def create(world: World, *wanted: NewOrder) -> list[tuple[Order, str]]:
    return bulk.create_orders(
        platform=world.platform,
        wanted=[(world.merchants[0], each) for each in wanted],
        at=world.now,
    )


def rows_of(order: Order) -> dict[str, Any]:
    """Everything there is about an order but what is its own."""
    row = Order.objects.values().get(pk=order.pk)
    lines = OrderLine.objects.filter(order=order).order_by("position")
    events = Event.objects.filter(subject_id=order.pk).order_by("sequence")
    facts = [
        (each.type, each.sequence, {**each.data, "order": "", "order_reference": ""})
        for each in events
    ]
    return {
        **{name: value for name, value in row.items() if name not in OWN},
        "lines": list(lines.values("position", "title", "category", "quantity", "amount_minor")),
        "events": facts,
        "audit": list(order.audit.values_list("pgh_label", "state", "amount_minor")),
    }


def test_orders_are_the_same_as_one_by_one(market: World) -> None:
    seller = market.add_merchant()
    merchants.add_rule(
        plan=market.platform.commission_plans.get(),
        merchant=seller,
        currency="CNY",
        rate_bps=1234,
        effective_from=market.now,
        at=market.now,
    )
    shapes: list[tuple[Any, dict[str, Any]]] = [
        (market.merchants[0], {}),
        (seller, {"delivery": "VIRTUAL", "buyer_email": "b@example.com", "metadata": {"a": "b"}}),
        (seller, {"currency": "JPY", "shipping_minor": 0, "ship_by": market.now}),
    ]
    single = [
        market.create_order(merchant, **{**vars_of(new("x")), **changes})[0]
        for merchant, changes in shapes
    ]

    made = bulk.create_orders(
        platform=market.platform,
        wanted=[(merchant, new(f"B-{n}", **each)) for n, (merchant, each) in enumerate(shapes)],
        at=market.now,
    )

    assert [order.reference for order, _ in made] == ["B-0", "B-1", "B-2"]
    assert [rows_of(order) for order, _ in made] == [
        rows_of(order) | {"created_at": market.now} for order in single
    ]


def vars_of(wanted: NewOrder) -> dict[str, Any]:
    return {
        "currency": wanted.currency,
        "lines": wanted.lines,
        "shipping_minor": wanted.shipping_minor,
        "buyer_email": "",
    }


def test_each_token_opens_its_own_order(market: World) -> None:
    made = create(market, new("A"), new("B"))

    for order, token in made:
        assert selectors.get_order_for_buyer(order_id=order.id, token=token) == order
    assert len({token for _, token in made}) == 2


def test_every_wrong_order_is_named_and_none_is_created(market: World) -> None:
    market.create_order(reference="taken")
    seller, stranger = market.merchants[0], market.add_merchant()
    stranger = merchants.suspend_merchant(merchant=stranger)
    wanted = [
        (seller, new("good")),
        (seller, new("")),
        (None, new("unknown seller")),
        (seller, new("taken")),
        (stranger, new("suspended seller")),
        (seller, new("good")),
        (seller, new("rmb", currency="RMB")),
    ]

    refused = ground.refusal(
        lambda: bulk.create_orders(platform=market.platform, wanted=wanted, at=market.now)
    )

    assert (refused.code, refused.status) == ("orders_refused", 422)
    assert [(each["position"], each["code"]) for each in refused.facts["orders"]] == [
        (1, "order_invalid"),
        (2, "merchant_unavailable"),
        (3, "order_reference_taken"),
        (4, "merchant_unavailable"),
        (5, "order_reference_taken"),
        (6, "currency_unknown"),
    ]
    assert refused.facts["orders"][0]["field"] == "reference"
    assert refused.facts["orders"][2]["reference"] == "taken"
    assert list(Order.objects.values_list("reference", flat=True)) == ["taken"]


def test_reference_taken_at_the_last_moment_is_named_too(
    market: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.create_order(reference="B")
    monkeypatch.setattr(bulk, "_known_references", lambda *_: set())

    refused = ground.refusal(lambda: create(market, new("A"), new("B"), new("C")))

    assert [(each["position"], each["code"]) for each in refused.facts["orders"]] == [
        (1, "order_reference_taken")
    ]
    assert list(Order.objects.values_list("reference", flat=True)) == ["B"]
    assert Event.objects.count() == OrderLine.objects.count() == 1


@pytest.mark.parametrize("count", [0, bulk.MAX_ORDERS + 1])
def test_list_has_one_to_five_hundred_orders(market: World, count: int) -> None:
    refused = ground.refusal(lambda: create(market, *[new(f"A-{n}") for n in range(count)]))

    assert (refused.code, refused.status) == ("orders_list_length", 422)


def test_number_of_statements_does_not_grow(market: World) -> None:
    create(market, new("warm"))
    counts = []
    for size in (1, 40):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            create(market, *[new(f"{size}-{n}") for n in range(size)])
        counts.append(len(queries))

    assert counts == [9, 9]


def test_two_lists_of_the_same_orders_do_not_lock_each_other_out(market: World) -> None:
    """Each would wait for a reference the other has just taken; sorted, one waits for the other."""
    wanted = [new(f"A-{number:02}") for number in range(60)]
    line = threading.Barrier(2)

    def send(orders: list[NewOrder]) -> str:
        try:
            line.wait(timeout=10)
            create(market, *orders)
        except DomainError as refusal:
            return refusal.code
        finally:
            connection.close()
        return "created"

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(send, [wanted, wanted[::-1]]))

    assert sorted(answers) == ["created", "orders_refused"]
    assert Order.objects.count() == 60
