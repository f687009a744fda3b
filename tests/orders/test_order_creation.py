"""What an order must look like to be taken, and what a buyer's token opens."""

from datetime import timedelta
from typing import Any

import pytest

from orders import selectors
from orders.models import Order
from orders.services.creation import MAX_LINES, NewLine
from tests import ground
from tests.world import World

TEA = NewLine(title="Tea", amount_minor=9001)
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no reference": ({"reference": ""}, "order_invalid"),
    "reference too long": ({"reference": "r" * 65}, "order_invalid"),
    "no lines": ({"lines": []}, "order_invalid"),
    "too many lines": ({"lines": [TEA] * (MAX_LINES + 1)}, "order_invalid"),
    "negative line": ({"lines": [NewLine(title="Tea", amount_minor=-1)]}, "order_invalid"),
    "no pieces": ({"lines": [NewLine(title="Tea", amount_minor=1, quantity=0)]}, "order_invalid"),
    "negative shipping": ({"shipping_minor": -1}, "order_invalid"),
    "unknown delivery": ({"delivery": "PIGEON"}, "order_invalid"),
    "nothing to pay": (
        {"lines": [NewLine(title="Tea", amount_minor=0)], "shipping_minor": 0},
        "order_invalid",
    ),
    "no such currency": ({"currency": "RMB"}, "currency_unknown"),
    "more than the limit": (
        {"lines": [NewLine(title="Tea", amount_minor=10**15)]},
        "amount_out_of_range",
    ),
    "title too long": ({"lines": [NewLine(title="T" * 201, amount_minor=1)]}, "order_invalid"),
    "category too long": (
        {"lines": [NewLine(title="T", category="c" * 65, amount_minor=1)]},
        "order_invalid",
    ),
    "too many pieces": (
        {"lines": [NewLine(title="T", amount_minor=1, quantity=2**31)]},
        "order_invalid",
    ),
    "buyer's name too long": ({"buyer_name": "b" * 121}, "order_invalid"),
    "buyer's address too long": ({"buyer_email": f"{'b' * 250}@example.com"}, "order_invalid"),
}


@pytest.mark.parametrize("case", BAD)
def test_order_is_refused_when_it_is_not_well_formed(market: World, case: str) -> None:
    changes, code = BAD[case]

    refused = ground.refusal(lambda: market.create_order(**changes))

    assert (refused.code, refused.status) == (code, 422)
    assert not Order.objects.exists()


def test_order_reads_back_as_it_was_made_in_every_column(market: World) -> None:
    made, _ = market.create_order(
        ship_by=market.now + timedelta(days=2, microseconds=7), metadata={"号码": 'a "quoted" one'}
    )

    found = Order.objects.get()
    assert {
        field.attname: getattr(found, field.attname) for field in Order._meta.concrete_fields
    } == {field.attname: getattr(made, field.attname) for field in Order._meta.concrete_fields}
    assert list(found.lines.values_list("position", "title", "amount_minor")) == [(1, "Tea", 9001)]


def test_order_of_one_minor_unit_and_of_the_limit_are_taken(market: World) -> None:
    smallest, _ = market.create_order(
        lines=[NewLine(title="Tea", amount_minor=1)], shipping_minor=0
    )
    largest, _ = market.create_order(lines=[NewLine(title="Tea", amount_minor=10**15 - 1000)])

    assert (smallest.amount_minor, largest.amount_minor) == (1, 10**15)


def test_order_reference_is_taken_once_per_platform(market: World) -> None:
    market.create_order(reference="A-1")

    refused = ground.refusal(lambda: market.create_order(reference="A-1"))

    assert (refused.code, refused.status) == ("order_reference_taken", 409)
    assert Order.objects.count() == 1


def test_order_of_a_foreign_or_inactive_seller_is_refused(market: World) -> None:
    market.platform.slug = "other"
    seller = market.merchants[0]
    seller.active = False
    seller.save(update_fields=["active"])

    refused = ground.refusal(lambda: market.create_order(seller))

    assert refused.code == "merchant_unavailable"


def test_buyer_token_opens_its_order_only(market: World) -> None:
    order, token = market.create_order()
    other, other_token = market.create_order()

    found = selectors.get_order_for_buyer(order_id=order.id, token=token)

    assert found.pk == order.pk
    for order_id, wrong in (
        (order.id, other_token),
        (order.id, ""),
        (other.id, token),
        ("ord_none", token),
    ):
        with pytest.raises(selectors.BuyerTokenInvalid):
            selectors.get_order_for_buyer(order_id=order_id, token=wrong)


def test_order_terms_stay_when_the_platform_changes_its_fee(market: World) -> None:
    order, _token = market.create_order()
    market.platform.service_fee_bps = 9999
    market.platform.save(update_fields=["service_fee_bps"])

    ground.capture(ground.make_payment(market, order))

    assert dict(order.hold.shares.values_list("payee", "amount_minor")) == {
        "MERCHANT": 9491,
        "PLATFORM": 450,
        "SERVICE_FEE": 60,
    }
