"""Past orders under other rules: nothing is written, and the numbers are those of the rules."""

from typing import Any

from merchants import services as merchants
from merchants.services import NewRule
from orders import selectors
from orders.models import Order
from orders.services import pricing
from tests import ground
from tests.world import World


def compare(world: World, *rules: NewRule, orders: Any = None) -> Any:
    return pricing.what_if_rules(
        platform=world.platform,
        rules=rules,
        orders=selectors.orders_of(platform_id=world.platform.id) if orders is None else orders,
        at=world.now,
    )


def test_sold_orders_are_priced_again_newest_first(market: World) -> None:
    sold = [ground.paid_order(market), ground.shipped_order(market), ground.released_order(market)]
    ground.order_in(market, "CREATED")
    ground.order_in(market, "CANCELED")
    terms = list(Order.objects.order_by("pk").values_list("terms", flat=True))

    found = compare(market, NewRule(currency="CNY", rate_bps=1000, fixed_minor=7))

    assert [each.order_id for each in found.orders] == [order.id for order in reversed(sold)]
    assert [
        (each.old.commission_minor, each.new.commission_minor, each.difference_minor)
        for each in found.orders
    ] == [(450, 907, 457)] * 3
    assert {each.new.service_fee_minor for each in found.orders} == {60}
    (total,) = found.totals
    assert (total.currency, total.orders, total.amount_minor) == ("CNY", 3, 30003)
    assert (total.old_commission_minor, total.new_commission_minor) == (1350, 2721)
    assert (total.old_seller_minor, total.new_seller_minor) == (28473, 27102)
    assert list(Order.objects.order_by("pk").values_list("terms", flat=True)) == terms


def test_rules_of_one_seller_price_that_seller_only(market: World) -> None:
    other = market.add_merchant()
    ground.paid_order(market)
    ground.paid_order(market, other)

    found = compare(market, NewRule(currency="CNY", rate_bps=100, merchant_id=other.id))

    assert {each.old.merchant_id: each.new.commission_minor for each in found.orders} == {
        market.merchants[0].id: 0,
        other.id: 90,
    }


def test_a_draft_plan_is_tried_as_it_stands_now(market: World) -> None:
    ground.paid_order(market)
    plan = merchants.create_plan(
        platform=market.platform, name="Draft", active=False, at=market.now
    )
    merchants.add_rule(
        plan=plan, currency="CNY", rate_bps=200, effective_from=market.now, at=market.now
    )

    found = pricing.what_if_plan(
        platform=market.platform,
        plan_id=plan.id,
        orders=selectors.orders_of(platform_id=market.platform.id),
        at=market.now,
    )

    assert [each.new.commission_minor for each in found.orders] == [180]
    assert found.orders[0].new.plan_id == plan.id


def test_plan_of_another_platform_is_not_found(market: World) -> None:
    other = merchants.create_platform(name="Other", slug="other", at=market.now)
    plan = merchants.create_plan(platform=other, name="Theirs", at=market.now)

    refused = ground.refusal(
        lambda: pricing.what_if_plan(
            platform=market.platform, plan_id=plan.id, orders=Order.objects.all(), at=market.now
        )
    )

    assert (refused.code, refused.status) == ("commission_plan_not_found", 404)


def test_orders_of_other_platforms_and_more_than_the_limit_are_left_out(
    market: World, monkeypatch: Any
) -> None:
    monkeypatch.setattr(pricing, "MAX_ORDERS", 2)
    newest = [ground.paid_order(market) for _ in range(3)][1:]
    other = merchants.create_platform(name="Other", slug="other", at=market.now)

    own = compare(market, orders=Order.objects.all())
    foreign = pricing.what_if_rules(
        platform=other, rules=[], orders=Order.objects.all(), at=market.now
    )

    assert [each.order_id for each in own.orders] == [order.id for order in reversed(newest)]
    assert (foreign.orders, foreign.totals) == ((), ())
