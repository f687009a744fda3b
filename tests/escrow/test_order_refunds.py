"""Refunds of an order while its money is held: whole, in parts, by lines; who gives how much; and
what the database refuses by itself."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from escrow.models import Hold, Refund, RefundLine
from escrow.services import order_refunds as refunds
from escrow.services import release as releases
from escrow.services.order_refunds import LineRefund
from merchants import services as merchants
from merchants.models import CommissionPlan
from orders.models import Order
from orders.services.creation import NewLine
from tests import ground
from tests.world import World

LINES = [NewLine(title="Tea", amount_minor=5001), NewLine(title="Pot", amount_minor=4000)]


def refund(world: World, order: Order, amount_minor: int | None = None, **more: object) -> Refund:
    return refunds.refund_order(
        order_id=order.id, amount_minor=amount_minor, reason="broken", at=world.now, **more
    )


def given(refund: Refund) -> dict[str, int]:
    return dict(refund.shares.values_list("payee", "amount_minor"))


def shares(order: Order) -> list[tuple[int, str, int]]:
    return list(order.hold.shares.order_by("leg").values_list("leg", "payee", "amount_minor"))


def keep_fees(world: World) -> None:
    """The plan keeps what was earned, from the next order on."""
    merchants.set_refund_policy(
        plan_id=CommissionPlan.objects.get().pk,
        commission_returned_bps=0,
        service_fee_returned_bps=0,
        party_returned_bps=0,
        at=world.now,
    )


@pytest.mark.parametrize("stage", [ground.paid_order, ground.shipped_order])
def test_part_of_an_order_is_refunded_and_each_payee_gives_its_part(
    market: World, stage: object
) -> None:
    order = stage(market)  # type: ignore[operator]

    made = refund(market, order, 3333)

    order.refresh_from_db()
    assert (made.amount_minor, made.state, made.reason) == (3333, "PENDING", "broken")
    assert given(made) == {"MERCHANT": 3163, "PLATFORM": 150, "SERVICE_FEE": 20}
    assert shares(order) == [(2, "MERCHANT", 6328), (3, "PLATFORM", 300), (4, "SERVICE_FEE", 40)]
    assert (order.hold.state, order.hold.remaining_minor) == ("HELD", 6668)
    assert order.state in ("PAID", "SHIPPED")
    assert market.balance("held") == 6668
    assert market.balance("refund:sandbox:in_transit") == 3333


def test_what_is_left_after_refunds_is_released_by_every_path(market: World) -> None:
    paths = [
        lambda order: releases.confirm_receipt(order_id=order.id, at=market.now),
        lambda order: releases.release_order_slowly(
            order_id=order.id, confirmed_by="BUYER", at=market.now
        ),
        lambda order: releases.release_due_orders(limit=9, at=market.now + timedelta(days=11)),
    ]
    for path in paths:
        order = ground.shipped_order(market)
        refund(market, order, 1111)
        refund(market, order, 2222)
        path(order)

    lines = Hold.objects.filter(state="RELEASED").values_list(
        "releases__amount_minor", "releases__lines__payee", "releases__lines__amount_minor"
    )
    assert sorted(lines) == sorted(
        [(6668, "MERCHANT", 6328), (6668, "PLATFORM", 300), (6668, "SERVICE_FEE", 40)] * 3
    )
    assert market.balance("held") == 0


@pytest.mark.parametrize(
    ("stage", "order_state"), [(ground.paid_order, "CANCELED"), (ground.shipped_order, "CANCELED")]
)
def test_odd_refunds_that_come_to_everything_leave_every_payee_at_zero(
    market: World, stage: object, order_state: str
) -> None:
    order = stage(market)  # type: ignore[operator]

    made = [refund(market, order, part) for part in (1, 3333, 5000)] + [refund(market, order)]

    order.refresh_from_db()
    totals: dict[str, int] = {}
    for each in made:
        for payee, amount_minor in given(each).items():
            totals[payee] = totals.get(payee, 0) + amount_minor
    assert made[-1].amount_minor == 1667
    assert totals == {"MERCHANT": 9491, "PLATFORM": 450, "SERVICE_FEE": 60}
    assert shares(order) == []
    assert (order.state, order.cancel_reason) == (order_state, "REFUNDED")
    assert (order.hold.state, order.hold.refunded_minor) == ("REFUNDED", 10001)
    assert market.balance("held") == 0


def test_seller_bears_a_refund_when_the_plan_keeps_the_cuts(market: World) -> None:
    keep_fees(market)
    order = ground.shipped_order(market)

    first, second = refund(market, order, 5000), refund(market, order, 4600)

    assert given(first) == {"MERCHANT": 5000}
    assert given(second) == {"MERCHANT": 4491, "PLATFORM": 109}
    assert shares(order) == [(2, "PLATFORM", 341), (3, "SERVICE_FEE", 60)]
    releases.confirm_receipt(order_id=order.id, at=market.now)
    assert market.balance(f"platform:{market.platform.id}:commission") == 341


def test_lines_are_refunded_in_parts_and_never_beyond_their_price(market: World) -> None:
    order, _ = market.create_order(lines=LINES)
    ground.capture(ground.make_payment(market, order))

    part = refund(market, order, lines=[LineRefund(1, 2000)])
    rest = refund(market, order, lines=[LineRefund(1), LineRefund(2, 1)])
    refused = ground.refusal(lambda: refund(market, order, lines=[LineRefund(2, 4000)]))
    empty = ground.refusal(lambda: refund(market, order, lines=[LineRefund(1)]))

    assert (part.amount_minor, rest.amount_minor) == (2000, 3002)
    assert list(
        RefundLine.objects.order_by("id").values_list("line__position", "amount_minor")
    ) == [(1, 2000), (1, 3001), (2, 1)]
    assert (refused.code, refused.facts["left_minor"]) == ("refund_too_large", 3999)
    assert empty.code == "refund_invalid"
    assert market.balance("held") == 10001 - 5002


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"amount_minor": 10002}, "refund_too_large"),
        ({"amount_minor": 0}, "refund_invalid"),
        ({"amount_minor": -1}, "refund_invalid"),
        ({"lines": [LineRefund(7)]}, "refund_invalid"),
        ({"lines": [LineRefund(1), LineRefund(1)]}, "refund_invalid"),
        ({"lines": [LineRefund(1, 100)], "amount_minor": 99}, "refund_invalid"),
        ({"lines": [LineRefund(1, 9002)]}, "refund_too_large"),
        ({"reason": ""}, "refund_invalid"),
        ({"reason": "r" * 65}, "refund_invalid"),
    ],
)
def test_refund_that_makes_no_sense_is_refused(
    market: World, wanted: dict[str, object], code: str
) -> None:
    order = ground.paid_order(market)

    refused = ground.refusal(
        lambda: refunds.refund_order(
            **{"order_id": order.id, "reason": "broken", "at": market.now, **wanted}
        )
    )

    assert refused.code == code
    assert market.balance("held") == 10001
    assert not Refund.objects.exists()


@pytest.mark.parametrize("stage", ["CREATED", "CANCELED", "EXPIRED"])
def test_order_without_held_money_has_nothing_to_refund(market: World, stage: str) -> None:
    order = ground.order_in(market, stage)

    refused = ground.refusal(lambda: refund(market, order, 1))

    assert refused.code == "order_state_conflict"


def test_database_refuses_more_refunds_than_were_captured(market: World) -> None:
    order = ground.paid_order(market)
    refund(market, order, 10000)

    with (
        pytest.raises(DatabaseError, match=r"hold_(never_overdrawn|closed_when_empty)"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE escrow_hold SET refunded_minor = refunded_minor + 2")

    assert Hold.objects.get().refunded_minor == 10000


def test_what_a_refund_took_is_never_rewritten(market: World) -> None:
    refund(market, ground.paid_order(market), 5)

    for statement in (
        "UPDATE escrow_refundshare SET amount_minor = 4",
        "DELETE FROM escrow_refundshare",
    ):
        with (
            pytest.raises(DatabaseError, match="refundshare_kept"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
