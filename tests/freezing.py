"""Freezes for tests: placed and lifted by services alone.

It must never reach around a service.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from escrow.models import Freeze, FreezeKind, Hold
from escrow.services import freezes
from orders.models import Order
from payouts.models import Payout
from payouts.services import freezing
from tests import ground
from tests.world import World

STATES = ("ACTIVE", "PROPOSED", "LIFTED")
WHY = "order 4711 of the district court"


def freeze_order(world: World, order: Order, **changes: Any) -> Freeze:
    return freezes.freeze_order(order_id=order.id, **_placed(world, changes))


def freeze_seller(world: World, **changes: Any) -> Freeze:
    """The first seller, unless told."""
    merchant_id = changes.pop("merchant_id", world.merchants[0].id)
    return freezes.freeze_seller(merchant_id=merchant_id, **_placed(world, changes))


def freeze_payout(world: World, payout: Payout, **changes: Any) -> Freeze:
    return freezing.freeze_payout(payout_id=payout.id, **_placed(world, changes))


def _placed(world: World, changes: dict[str, Any]) -> dict[str, Any]:
    said = {"kind": FreezeKind.LEGAL, "reason": WHY, "at": world.now}
    return {**said, "operator": ground.operator("first"), **changes}


def propose(freeze: Freeze, *, at: datetime | None = None, by: str = "first") -> Freeze:
    return freezes.propose_lift(
        freeze_id=freeze.id,
        operator=ground.operator(by),
        reason="the court let go",
        at=at or freeze.placed_at,
    )


def approve(freeze: Freeze, *, at: datetime | None = None, by: str = "second") -> Freeze:
    return freezes.lift_freeze(
        freeze_id=freeze.id, operator=ground.operator(by), at=at or freeze.placed_at
    )


def lift(freeze: Freeze, *, at: datetime | None = None) -> Freeze:
    """One person proposes it, another one agrees."""
    propose(freeze, at=at)
    return approve(freeze, at=at)


def freeze_in(world: World, state: str, **changes: Any) -> Freeze:
    """A freeze of a shipped order in a state, by the shortest way there."""
    freeze = freeze_order(world, ground.shipped_order(world), **changes)
    if state != "ACTIVE":
        freeze = propose(freeze)
    if state == "LIFTED":
        freeze = approve(freeze)
    return freeze


def moves(freeze: Freeze) -> dict[str, Callable[[], Any]]:
    """Everything an operator can do about a freeze."""
    return {
        "propose": lambda: propose(freeze),
        "keep": lambda: freezes.keep_freeze(freeze_id=freeze.id),
        "lift": lambda: approve(freeze),
    }


def standing(order: Order) -> tuple[str, bool]:
    """The state of an order's hold, and whether its clock stands still."""
    hold = Hold.objects.select_related("order").get(order=order)
    return hold.state, hold.order.paused_at is not None
