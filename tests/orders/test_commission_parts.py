"""Why: what the contract gives to further parties and takes as tax must arrive where it says, by
the channel the buyer really paid through.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.transaction import atomic
from django.test.utils import CaptureQueriesContext

from api import status
from escrow.models import Hold, HoldShare, ReleaseLine
from escrow.services import release as releases
from merchants import services as merchants
from merchants.models import CommissionPlan, Party
from merchants.rules import Tier
from merchants.services import NewPartyShare, NewRule
from orders import selectors
from orders.models import Order
from orders.services import pricing
from orders.services.creation import NewLine
from payouts.balances import balances_of
from tests import ground
from tests.world import World, audit


def add_rule(world: World, **changes: Any) -> None:
    plan = CommissionPlan.objects.get()
    merchants.add_rule(
        plan=plan,
        **{
            "currency": "CNY",
            "rate_bps": 500,
            "priority": 1,
            "effective_from": world.now,
            "at": world.now,
            **changes,
        },
    )


def wait(world: World, **span: float) -> None:
    world.sandbox.clock.move_to(world.now + timedelta(**span))


def add_party(world: World) -> Party:
    return merchants.create_party(
        platform=world.platform, reference="carrier", name="Carrier", at=world.now
    )


def test_release_pays_party_and_tax_and_the_books_hold(market: World) -> None:
    party = add_party(market)
    shares = [NewPartyShare(party_id=party.pk, rate_bps=250, fixed_minor=7)]
    add_rule(market, tax_bps=600, parties=shares)
    order = ground.shipped_order(market)
    [held] = [each for each in balances_of(platform=market.platform) if each.party_id]

    market.confirm(order)

    assert (held.payee, held.party_id, held.held_minor) == ("PARTY", party.pk, 232)
    lines = {line.payee: line.amount_minor for line in ReleaseLine.objects.all()}
    assert lines == {
        "MERCHANT": 10_001 - 450 - 27 - 232 - 60,
        "PLATFORM": 450,
        "TAX": 27,
        "PARTY": 232,
        "SERVICE_FEE": 60,
    }
    assert market.balance(f"party:{party.pk}:payable") == 232
    [balance] = [each for each in balances_of(platform=market.platform) if each.party_id]
    assert (balance.held_minor, balance.payable_minor) == (0, 232)
    picture = status.picture(Order.objects.get(pk=order.pk))
    found = {line.payee: line.status for line in picture.split}
    assert (found["PARTY"], found["TAX"]) == ("payable", found["PLATFORM"])
    assert picture.terms.tax_minor == 27
    assert audit() == []


def test_sweep_releases_party_and_tax_the_same(market: World) -> None:
    party = add_party(market)
    add_rule(market, tax_bps=600, parties=[NewPartyShare(party_id=party.pk, rate_bps=250)])
    ground.shipped_order(market)

    wait(market, days=10, minutes=1)
    releases.release_due_orders(at=market.now, limit=9)

    lines = {line.payee: line.amount_minor for line in ReleaseLine.objects.all()}
    assert (lines["TAX"], lines["PARTY"], lines["PLATFORM"]) == (27, 225, 450)
    assert audit() == []


def test_hold_takes_the_terms_of_the_channel_the_buyer_paid_through(market: World) -> None:
    add_rule(market, rate_bps=200, channel="sandbox")
    add_rule(market, rate_bps=100, channel="alipay")
    order, _token = market.create_order()
    before = status.picture(order)

    ground.capture(ground.make_payment(market, order))

    after = status.picture(Order.objects.get(pk=order.pk))
    assert (before.terms.commission_minor, before.terms.channel) == (450, "")
    assert (after.terms.commission_minor, after.terms.channel) == (180, "sandbox")
    shares = {share.payee: share.amount_minor for share in HoldShare.objects.all()}
    assert shares == {"MERCHANT": 10_001 - 180 - 60, "PLATFORM": 180, "SERVICE_FEE": 60}
    assert Hold.objects.get().payment.channel == "sandbox"
    assert selectors.channels_paid(order_ids=[order.pk]) == {order.pk: "sandbox"}


def test_what_if_prices_by_the_channel_that_was_used(market: World) -> None:
    add_rule(market, rate_bps=200, channel="sandbox")
    ground.paid_order(market)

    found = pricing.what_if_rules(
        platform=market.platform,
        rules=[
            NewRule(currency="CNY", rate_bps=1000),
            NewRule(currency="CNY", rate_bps=300, channel="sandbox"),
            NewRule(currency="CNY", rate_bps=400, channel="alipay"),
        ],
        orders=selectors.orders_of(platform_id=market.platform.id),
        at=market.now,
    )

    [order] = found.orders
    assert (order.old.commission_minor, order.new.commission_minor) == (180, 270)


# Tiers by trailing volume


def create(market: World) -> int:
    """Create an order and say its rate of commission, in basis points."""
    order, _token = market.create_order()
    [group] = status.picture_of_new(order, list(order.lines.all())).terms.groups
    return group.rate_bps


def test_trailing_volume_is_what_was_sold_in_the_thirty_days_before(market: World) -> None:
    tiers = [Tier(9001, 400), Tier(18_002, 300)]
    add_rule(market, tiers=tiers)
    other = market.add_merchant()

    rates = [create(market)]
    ground.paid_order(market)
    ground.paid_order(market, other)
    ground.order_in(market, "CANCELED")
    rates.append(create(market))
    wait(market, minutes=1)
    rates.append(create(market))
    wait(market, seconds=1)
    rates.append(create(market))
    ground.released_order(market)
    wait(market, minutes=2)
    rates.append(create(market))
    wait(market, days=31)
    rates.append(create(market))

    # What is paid at the very instant is not before it.
    assert rates == [500, 500, 500, 400, 300, 500]


def test_volume_is_one_query_and_only_when_a_rule_with_tiers_wins(market: World) -> None:
    def queries() -> list[str]:
        with CaptureQueriesContext(
            connection,
        ) as found:
            market.create_order()
            # (Of a prepared statement the driver does not tell the text.)
            return [each["sql"] or "" for each in found.captured_queries]

    plain = queries()
    add_rule(market, tiers=[Tier(9001, 400)], category="none of it")
    assert len(queries()) == len(plain)
    add_rule(market, tiers=[Tier(9001, 400)])

    asked = [each for each in queries() if "SUM" in each]

    [volume] = asked
    with atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {volume}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "order_of_merchant" in plan


def test_volume_of_tried_rules_is_that_before_each_order(market: World) -> None:
    ground.paid_order(market)
    wait(market, minutes=2)
    ground.paid_order(market)

    found = pricing.what_if_rules(
        platform=market.platform,
        rules=[NewRule(currency="CNY", rate_bps=1000, tiers=[Tier(1, 100)])],
        orders=selectors.orders_of(platform_id=market.platform.id),
        at=market.now + timedelta(days=1),
    )

    assert [each.new.commission_minor for each in found.orders] == [90, 900]  # newest first


@pytest.mark.parametrize("amount_minor", [1, 13, 100])
def test_small_order_pays_nobody_below_zero(market: World, amount_minor: int) -> None:
    party = add_party(market)
    add_rule(
        market,
        floor_minor=90,
        tax_bps=2000,
        parties=[NewPartyShare(party_id=party.pk, fixed_minor=50)],
    )
    line = NewLine(title="Tea", amount_minor=amount_minor, category="tea")
    order, _token = market.create_order(lines=[line], shipping_minor=0)
    ground.capture(ground.make_payment(market, order))

    shares = {share.payee: share.amount_minor for share in HoldShare.objects.all()}

    assert sum(shares.values()) == order.amount_minor
    assert min(shares.values()) > 0
    assert audit() == []
