"""Why: a freeze that leaks pays the wrong person for good, and one that never ends keeps an honest
seller's money. Every state against every move, every reason that may hold beside it, and the clock.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from escrow import sweeps
from escrow.models import Freeze, FreezeKind, Hold
from escrow.services import order_refunds
from escrow.services import refund as refunds
from escrow.services import release as releases
from notifications.models import Event
from orders.models import CancelReason, Order
from orders.services import extensions
from tests import freezing, ground
from tests.ground import US
from tests.world import World, audit

HOUR = timedelta(hours=1)
# move -> from which state to which
MOVES = {
    "propose": {"ACTIVE": "PROPOSED"},
    "keep": {"PROPOSED": "ACTIVE"},
    "lift": {"PROPOSED": "LIFTED"},
}
CELLS = [(state, move) for state in freezing.STATES for move in MOVES]


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


@pytest.mark.parametrize(("state", "move"), CELLS)
def test_freeze_goes_on_where_it_may_and_nowhere_else(market: World, state: str, move: str) -> None:
    freeze = freezing.freeze_in(market, state)
    to = MOVES[move].get(state)

    if to is None:
        refused = ground.refusal(freezing.moves(freeze)[move])
        assert (refused.code, refused.status) == ("freeze_state_conflict", 409)
    else:
        freezing.moves(freeze)[move]()

    after = Freeze.objects.get(pk=freeze.pk)
    assert after.state == (to or state)
    open_ = after.state == "LIFTED"
    assert freezing.standing(freeze.order) == ("HELD" if open_ else "FROZEN", not open_)


HELD_STATES = {"PAID": ("FROZEN", False), "SHIPPED": ("FROZEN", True)}
REFUSED_STATES = {
    "CREATED": ("hold_not_found", 404),
    "EXPIRED": ("hold_not_found", 404),
    "VOID": ("hold_not_found", 404),
    "CONFIRMED": ("freeze_too_late", 409),
    "CANCELED": ("freeze_too_late", 409),
}


@pytest.mark.parametrize("state", HELD_STATES)
def test_order_with_held_money_is_frozen(market: World, state: str) -> None:
    order = ground.order_in(market, state)

    freeze = freezing.freeze_order(market, order)

    assert freezing.standing(order) == HELD_STATES[state]
    assert (freeze.platform, freeze.subject) == (market.platform, order.id)


@pytest.mark.parametrize("state", REFUSED_STATES)
def test_order_without_held_money_is_not_frozen(market: World, state: str) -> None:
    order = ground.order_in(market, state)

    refused = ground.refusal(lambda: freezing.freeze_order(market, order))

    assert (refused.code, refused.status) == REFUSED_STATES[state]
    assert not Freeze.objects.exists()


VERBS: dict[str, tuple[str, Any]] = {
    "confirm": (
        "SHIPPED",
        lambda world, order: releases.confirm_receipt(order_id=order.id, at=world.now),
    ),
    "release slowly": (
        "SHIPPED",
        lambda world, order: releases.release_order_slowly(
            order_id=order.id, confirmed_by="OPERATOR", at=world.now
        ),
    ),
    "refund": (
        "SHIPPED",
        lambda world, order: order_refunds.refund_order(
            order_id=order.id, reason="odd", amount_minor=1001, at=world.now
        ),
    ),
    "cancel": (
        "PAID",
        lambda world, order: refunds.cancel_paid_order(
            order_id=order.id, reason=CancelReason.PLATFORM, at=world.now
        ),
    ),
}


@pytest.mark.parametrize("kind", FreezeKind.values)
@pytest.mark.parametrize("verb", VERBS)
def test_frozen_money_moves_neither_to_the_seller_nor_to_the_buyer(
    market: World, verb: str, kind: str
) -> None:
    state, call = VERBS[verb]
    order = ground.order_in(market, state)
    freezing.freeze_order(market, order, kind=kind)

    refused = ground.refusal(lambda: call(market, order))

    assert (refused.code, refused.status) == ("hold_frozen", 409)
    assert fresh(order).state == state


def test_more_time_to_confirm_is_not_given_while_the_clock_stands_still(market: World) -> None:
    order = ground.shipped_order(market)
    freezing.freeze_order(market, order)

    refused = ground.refusal(
        lambda: extensions.extend_confirmation(order_id=order.id, by="BUYER", at=market.now)
    )

    assert refused.code == "clock_paused"


def test_term_to_confirm_goes_on_where_it_stopped(market: World) -> None:
    order = ground.shipped_order(market)
    assert order.confirm_by is not None
    freeze = freezing.freeze_order(market, order, at=market.now + HOUR)

    freezing.lift(freeze, at=market.now + 9 * HOUR)

    due = order.confirm_by + 8 * HOUR
    assert fresh(order).confirm_by == due
    assert sweeps.release_due_confirmations(at=due - US) == 0
    assert sweeps.release_due_confirmations(at=due) == 1
    assert fresh(order).confirmed_by == "AUTOMATIC"


def test_frozen_order_is_not_confirmed_by_time_however_late(market: World) -> None:
    frozen, free = ground.shipped_order(market), ground.shipped_order(market)
    freezing.freeze_order(market, frozen)

    released = sweeps.release_due_confirmations(at=market.now + timedelta(days=400))

    assert released == 1
    assert (fresh(frozen).state, fresh(free).state) == ("SHIPPED", "CONFIRMED")


def test_term_that_has_run_out_is_not_given_back(market: World) -> None:
    order = ground.shipped_order(market)
    due = order.confirm_by
    assert due is not None
    freeze = freezing.freeze_order(market, order, at=due)
    assert freezing.standing(order) == ("FROZEN", False)
    assert sweeps.release_due_confirmations(at=due) == 0

    freezing.lift(freeze, at=due + HOUR)

    assert sweeps.release_due_confirmations(at=due + HOUR) == 1
    assert fresh(order).confirm_by == due


def test_last_instant_of_the_term_can_be_stopped(market: World) -> None:
    order = ground.shipped_order(market)
    due = order.confirm_by
    assert due is not None

    freeze = freezing.freeze_order(market, order, at=due - US)

    assert freezing.standing(order) == ("FROZEN", True)
    freezing.lift(freeze, at=due + HOUR)
    assert fresh(order).confirm_by == due + HOUR + US


def test_order_frozen_before_it_is_shipped_loses_no_time_to_confirm(market: World) -> None:
    order = ground.paid_order(market)
    freeze = freezing.freeze_order(market, order)
    market.ship(order)
    promised = fresh(order).confirm_by
    assert promised is not None

    freezing.lift(freeze, at=promised + HOUR)

    shipped_at = fresh(order).shipped_at
    assert shipped_at is not None
    assert fresh(order).confirm_by == promised + (promised + HOUR - shipped_at)
    assert freezing.standing(order) == ("HELD", False)


def test_unshipped_frozen_order_is_canceled_only_after_the_freeze(market: World) -> None:
    order = ground.paid_order(market)
    late = order.ship_by + US
    freeze = freezing.freeze_order(market, order)
    assert sweeps.cancel_due_shipments(at=late) == 0

    freezing.lift(freeze, at=late)

    assert sweeps.cancel_due_shipments(at=late) == 1
    assert fresh(order).state == "CANCELED"


def test_money_is_let_go_when_the_last_freeze_is_lifted(market: World) -> None:
    order = ground.shipped_order(market)
    risk = freezing.freeze_order(market, order, kind=FreezeKind.RISK)
    legal = freezing.freeze_order(market, order, at=market.now + HOUR)

    freezing.lift(risk, at=market.now + 2 * HOUR)
    still = freezing.standing(order)
    freezing.lift(legal, at=market.now + 3 * HOUR)

    assert still == ("FROZEN", True)
    assert freezing.standing(order) == ("HELD", False)
    assert order.confirm_by is not None
    assert fresh(order).confirm_by == order.confirm_by + 3 * HOUR


def test_freezes_of_an_unshipped_order_lose_no_time_either(market: World) -> None:
    order = ground.paid_order(market)
    first = freezing.freeze_order(market, order)
    market.ship(order)
    promised, shipped_at = fresh(order).confirm_by, fresh(order).shipped_at
    assert promised is not None
    assert shipped_at is not None
    second = freezing.freeze_order(market, order, reason="another", at=shipped_at + HOUR)

    freezing.lift(first, at=shipped_at + 2 * HOUR)
    freezing.lift(second, at=shipped_at + 5 * HOUR)

    assert fresh(order).confirm_by == promised + 5 * HOUR


def test_same_reason_twice_is_refused_while_it_is_in_force(market: World) -> None:
    order = ground.shipped_order(market)
    freeze = freezing.freeze_order(market, order)

    refused = ground.refusal(lambda: freezing.freeze_order(market, order))
    freezing.lift(freeze)
    freezing.freeze_order(market, order)

    assert (refused.code, refused.status) == ("frozen_already", 409)
    assert freezing.standing(order) == ("FROZEN", True)


@pytest.mark.parametrize("verb", ["place", "propose"])
def test_reason_is_needed(market: World, verb: str) -> None:
    order = ground.shipped_order(market)
    verbs = {
        "place": lambda: freezing.freeze_order(market, order, reason="  "),
        "propose": lambda: freezing.freezes.propose_lift(
            freeze_id="frz_none", operator=ground.operator("first"), reason=" ", at=market.now
        ),
    }

    refused = ground.refusal(verbs[verb])

    assert (refused.code, refused.status) == ("freeze_reason_missing", 422)


def test_freeze_is_not_lifted_by_one_person(market: World) -> None:
    freeze = freezing.propose(freezing.freeze_in(market, "ACTIVE"))

    refused = ground.refusal(lambda: freezing.approve(freeze, by="first"))

    assert (refused.code, refused.status) == ("freeze_needs_second_person", 403)
    assert freezing.standing(freeze.order) == ("FROZEN", True)


def test_database_refuses_one_person_by_hand(market: World) -> None:
    freeze = freezing.propose(freezing.freeze_in(market, "ACTIVE"))
    lifted = (
        "UPDATE escrow_freeze SET state = 'LIFTED', lifted_at = now(), lifted_by_id = %s"
        " WHERE id = %s"
    )

    with (
        pytest.raises(DatabaseError, match="freeze_two_persons"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(lifted, [freeze.lift_proposed_by_id, freeze.id])

    assert Freeze.objects.get().state == "PROPOSED"


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("state = 'LIFTED'", "freeze_state_graph"),
        ("state = 'PROPOSED'", "freeze_state_graph"),
        ("payout_id = 'po_1'", "freeze_of_one_subject"),
        ("order_id = NULL", "freeze_of_one_subject"),
        ("reason = ''", "freeze_has_a_reason"),
    ],
)
def test_database_refuses_a_freeze_that_makes_no_sense(
    market: World, change: str, constraint: str
) -> None:
    freezing.freeze_in(market, "ACTIVE")

    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        connection.cursor().execute(f"UPDATE escrow_freeze SET {change}")

    assert caught.value.__cause__.diag.constraint_name == constraint  # type: ignore[union-attr]


def test_unknown_freeze_and_seller_are_refused(market: World) -> None:
    unknown = Freeze(id="frz_none", placed_at=market.now)

    assert ground.refusal(lambda: freezing.propose(unknown)).code == "freeze_not_found"
    refused = ground.refusal(lambda: freezing.freeze_seller(market, merchant_id="mer_none"))
    assert (refused.code, refused.status) == ("merchant_not_found", 404)


def test_events_tell_what_is_frozen_and_never_why(market: World) -> None:
    freeze = freezing.freeze_in(market, "LIFTED")

    told = list(Event.objects.filter(subject_id=freeze.id).order_by("sequence"))

    assert [event.type for event in told] == ["freeze.placed", "freeze.lifted"]
    facts = {"freeze": freeze.id, "order": freeze.order_id, "merchant": None, "payout": None}
    assert [event.data for event in told] == [facts, facts]
    everything = " ".join(str(each) for each in Event.objects.values_list("data", flat=True))
    assert freezing.WHY not in everything
    assert "LEGAL" not in everything


def test_every_step_of_a_freeze_is_audited(market: World) -> None:
    freeze = freezing.freeze_in(market, "LIFTED")

    kept = freeze.audit.order_by("pgh_id").values_list("state", flat=True)  # type: ignore[attr-defined]

    assert list(kept) == ["ACTIVE", "PROPOSED", "LIFTED"]


# The audit


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("UPDATE escrow_hold SET state = 'HELD'", "escrow.freeze_holds"),
        (
            "UPDATE escrow_hold SET state = 'RELEASED', released_minor = amount_minor",
            "escrow.freeze_holds",
        ),
        (
            "UPDATE escrow_hold SET state = 'REFUNDED', refunded_minor = amount_minor",
            "escrow.freeze_holds",
        ),
        ("UPDATE escrow_freeze SET state = 'LIFTED'", "escrow.frozen_for_a_reason"),
    ],
)
def test_audit_names_frozen_money_that_moved(market: World, statement: str, check: str) -> None:
    freezing.freeze_in(market, "ACTIVE")
    assert audit() == []

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(statement)
        found = [each.check for each in audit()]
        transaction.set_rollback(True)

    assert check in found
    assert Hold.objects.get().state == "FROZEN"
