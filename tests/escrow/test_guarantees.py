"""Why: who stands in for a seller is agreed with the order, not after it has gone wrong."""

from datetime import timedelta

import pytest

from escrow.models import Debt
from merchants import services as merchants
from merchants.models import CommissionPlan
from orders.models import Order
from tests import ground
from tests.escrow.test_clawbacks import pay_out, refund, top_up
from tests.world import World

pytestmark = pytest.mark.usefixtures("transactional_db")


def guarantee(market: World, days: int | None) -> None:
    merchants.set_guarantee(plan_id=CommissionPlan.objects.get().pk, days=days, at=market.now)


def owe(market: World, order: Order) -> Debt:
    """The seller was paid out, and the order is refunded."""
    pay_out(market)
    top_up(market, 20000)
    refund(market, order)
    return Debt.objects.get(payee="MERCHANT")


def test_guarantee_withdrawn_later_still_covers_the_orders_before(market: World) -> None:
    guarantee(market, 27)  # longer than the seller's own term, which comes first
    order = ground.released_order(market)
    guarantee(market, None)

    assert owe(market, order).guaranteed_at == market.now + timedelta(days=27)


def test_guarantee_given_later_does_not_reach_back(market: World) -> None:
    order = ground.released_order(market)
    guarantee(market, 7)

    assert owe(market, order).guaranteed_at is None


def test_plan_says_the_guarantee_of_orders_that_froze_none(market: World) -> None:
    order = ground.released_order(market)
    terms = {name: value for name, value in order.terms.items() if name != "guarantee"}
    order.terms = terms | {"version": 4}
    order.save(update_fields=["terms"])
    guarantee(market, 23)

    assert owe(market, order).guaranteed_at == market.now + timedelta(days=23)
