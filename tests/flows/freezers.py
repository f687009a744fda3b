"""Operators who freeze an order and a seller, and let both go: steps of a flow, each looking at the
state first."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet

from escrow.models import Freeze, FreezeKind, FreezeState
from escrow.services import freezes
from tests.flows.market import Look, Market

Step = Callable[[Market], None]


def freeze_order(market: Market) -> None:
    order = market.order("A")
    if not _found(Freeze.objects.filter(order=order)):
        freezes.freeze_order(order_id=order.id, kind=FreezeKind.LEGAL, **_said(market))
    market.settle()


def freeze_seller(market: Market) -> None:
    seller = market.merchants[0]
    if not _found(Freeze.objects.filter(merchant=seller)):
        freezes.freeze_seller(merchant_id=seller.id, kind=FreezeKind.RISK, **_said(market))
    market.settle()


def outlast_confirmation(market: Market) -> None:
    """The date of the automatic confirmation passes while the order is frozen."""
    confirm_by = market.order("A").confirm_by
    frozen = _state(Freeze.objects.filter(order=market.order("A"))) == FreezeState.ACTIVE
    if frozen and confirm_by is not None and market.now <= confirm_by:
        market.sandbox.clock.move_to(confirm_by + timedelta(days=1))
    market.settle()


def lift_order(market: Market) -> None:
    _lift(market, Freeze.objects.filter(order=market.order("A")))


def lift_seller(market: Market) -> None:
    _lift(market, Freeze.objects.filter(merchant=market.merchants[0]))


def _lift(market: Market, rows: QuerySet[Freeze]) -> None:
    """The first operator proposes it, the second agrees."""
    if _state(rows) == FreezeState.ACTIVE:
        freezes.propose_lift(freeze_id=_id(rows), **_said(market))
    if _state(rows) == FreezeState.PROPOSED:
        second = market.operator("second")
        freezes.lift_freeze(freeze_id=_id(rows), operator=second, at=market.now)
    market.settle()


def _said(market: Market) -> dict[str, Any]:
    return {"reason": "letter", "operator": market.operator("first"), "at": market.now}


def _found(rows: QuerySet[Freeze]) -> bool:
    with Look():
        return rows.exists()


def _state(rows: QuerySet[Freeze]) -> str:
    with Look():
        return rows.get().state


def _id(rows: QuerySet[Freeze]) -> str:
    with Look():
        return rows.get().id
