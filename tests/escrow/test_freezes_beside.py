"""Why: several reasons may stop one order's money, and it must wait for the last. A freeze beside a
dispute, which two sides decide, and beside a chargeback, which asks nobody.
"""

from datetime import timedelta

import pytest

from escrow import sweeps
from escrow.models import FreezeKind
from escrow.services.disputes import chargebacks
from orders.models import Order
from tests import disputing, freezing, ground
from tests.ground import US
from tests.world import World

HOUR = timedelta(hours=1)
FROZEN = {"PAID": ("FROZEN", False), "SHIPPED": ("FROZEN", True)}


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def test_buyer_may_dispute_a_frozen_order(market: World) -> None:
    order = ground.shipped_order(market)
    freeze = freezing.freeze_order(market, order)

    dispute = disputing.open_dispute(market, order)
    freezing.lift(freeze)
    between = freezing.standing(order)
    disputing.moves(dispute)["withdraw"]()

    assert between == ("FROZEN", True)
    assert freezing.standing(order) == ("HELD", False)


def test_dispute_of_an_order_shipped_while_frozen_stops_the_clock_since_then(
    market: World,
) -> None:
    order = ground.paid_order(market)
    freeze = freezing.freeze_order(market, order)
    market.ship(order)
    promised, shipped_at = fresh(order).confirm_by, fresh(order).shipped_at
    assert promised is not None
    assert shipped_at is not None

    dispute = disputing.open_dispute(market, order, at=promised + HOUR)

    assert fresh(order).paused_at == shipped_at
    freezing.lift(freeze, at=promised + HOUR)
    disputing.moves(dispute, at=promised + HOUR)["withdraw"]()
    assert fresh(order).confirm_by == promised + (promised + HOUR - shipped_at)


def test_dispute_after_the_term_ran_out_is_too_late_for_a_frozen_order_too(market: World) -> None:
    order = ground.shipped_order(market)
    due = order.confirm_by
    freezing.freeze_order(market, order, at=due)

    refused = ground.refusal(lambda: disputing.open_dispute(market, order, at=due))

    assert refused.code == "confirmation_deadline_passed"


def test_withdrawn_dispute_leaves_a_frozen_order_frozen(market: World) -> None:
    dispute = disputing.open_dispute(market)
    freeze = freezing.freeze_order(market, dispute.order)

    disputing.moves(dispute)["withdraw"]()

    assert freezing.standing(dispute.order) == ("FROZEN", True)
    freezing.lift(freeze)
    assert freezing.standing(dispute.order) == ("HELD", False)


@pytest.mark.parametrize(
    ("amount_minor", "state"), [(0, "CONFIRMED"), (3333, "CONFIRMED"), (10001, "CANCELED")]
)
def test_dispute_decided_under_a_freeze_is_carried_out_after_it(
    market: World, amount_minor: int, state: str
) -> None:
    dispute = disputing.dispute_in(market, "ANSWERED/OPERATOR")
    freeze = freezing.freeze_order(market, dispute.order)
    before = ground.trial()

    disputing.decide(dispute, amount_minor)

    parked = disputing.fresh(dispute)
    assert (parked.state, parked.parked_minor, parked.due_at) == ("ANSWERED", amount_minor, None)
    assert sweeps.lapse_due_disputes(at=market.now + timedelta(days=400)) == 0
    assert ground.trial() == before
    freezing.lift(freeze)
    assert sweeps.lapse_due_disputes(at=market.now + US) == 1
    after = disputing.fresh(dispute)
    assert (after.state, after.resolved_minor, after.resolved_by) == (
        "RESOLVED",
        amount_minor,
        "OPERATOR",
    )
    assert (fresh(dispute.order).state, market.balance("held")) == (state, 0)
    assert sweeps.lapse_due_disputes(at=market.now + timedelta(days=400)) == 0


def test_dispute_decided_under_two_freezes_waits_for_the_second(market: World) -> None:
    dispute = disputing.dispute_in(market, "ANSWERED/OPERATOR")
    first = freezing.freeze_order(market, dispute.order)
    freezing.freeze_order(market, dispute.order, kind=FreezeKind.RISK)
    disputing.decide(dispute, 3333)

    freezing.lift(first)

    assert disputing.fresh(dispute).due_at is None


# Beside a chargeback: the channel asks nobody


def charge_back(market: World, order: Order, amount_minor: int) -> None:
    chargebacks.record_chargeback(
        payment_id=order.payment_parts.get().payment_id,
        provider_reference="SBC1",
        amount_minor=amount_minor,
        currency="CNY",
        at=market.now,
    )


@pytest.mark.parametrize("state", ["PAID", "SHIPPED"])
def test_chargeback_takes_all_of_a_frozen_order(market: World, state: str) -> None:
    order = ground.order_in(market, state)
    freeze = freezing.freeze_order(market, order)

    charge_back(market, order, 10001)

    assert (freezing.standing(order), fresh(order).state) == (("REFUNDED", False), "CANCELED")
    assert market.balance("held") == 0
    freezing.lift(freeze)
    assert freezing.standing(order) == ("REFUNDED", False)


@pytest.mark.parametrize("state", FROZEN)
def test_chargeback_of_a_part_leaves_the_rest_frozen(market: World, state: str) -> None:
    order = ground.order_in(market, state)
    freeze = freezing.freeze_order(market, order)

    charge_back(market, order, 3333)

    assert freezing.standing(order) == FROZEN[state]
    assert market.balance("held") == 6668
    freezing.lift(freeze)
    assert freezing.standing(order) == ("HELD", False)
