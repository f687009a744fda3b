"""Freezes in random lives, on both sides: persons freeze orders and sellers, and let them go."""

from typing import Any

from escrow.models import FreezeKind
from escrow.services import freezes as ours
from tests.lives import freezes
from tests.lives.both import Both
from tests.lives.oracle import Freeze, Sale

AT_ONCE = 500  # both persons, one after the other
REASONS = ("order 4711 of the district court", "a stolen card")


def freeze(both: Both, life: int, x: int, y: int) -> None:
    """One person freezes an order, which may be frozen for another reason already."""
    sale = both.sale(life)
    reason, words = _words(both, x)
    made = both.attempt(
        lambda: freezes.check_order(sale, reason),
        lambda: ours.freeze_order(order_id=sale.id, **words),
    )
    if made is not None:
        sale.freezes[reason] = Freeze(made.id)
        sale.turn_clock(at=both.now)


def freeze_seller(both: Both, life: int, x: int, y: int) -> None:
    seller = both.sale(life).seller
    reason, words = _words(both, x)
    there = both.oracle.frozen[seller]
    made = both.attempt(
        lambda: freezes.check(there, reason),
        lambda: ours.freeze_seller(merchant_id=seller.split(":")[1], **words),
    )
    if made is not None:
        there[reason] = Freeze(made.id)


def _words(both: Both, x: int) -> tuple[str, dict[str, Any]]:
    reason = REASONS[x % len(REASONS)]
    kind = (FreezeKind.LEGAL, FreezeKind.RISK)[x % len(REASONS)]
    said = {"kind": kind, "reason": reason, "operator": both.operators[0], "at": both.now}
    return reason, said


def lift(both: Both, life: int, x: int, y: int) -> None:
    """A step towards letting an order go, or all of the way."""
    _lift_order(both, both.sale(life), y)


def lift_seller(both: Both, life: int, x: int, y: int) -> None:
    _lift_seller(both, both.oracle.frozen[both.sale(life).seller], y)


def lift_all(both: Both) -> None:
    """Let everything go that is frozen."""
    for sale in both.oracle.sales.values():
        while sale.freezes:
            _lift_order(both, sale, AT_ONCE)
    for there in both.oracle.frozen.values():
        while there:
            _lift_seller(both, there, AT_ONCE)


def _lift_order(both: Both, sale: Sale, y: int) -> None:
    for reason, freeze in list(sale.freezes.items())[:1]:
        if _lift(both, freeze, y):
            if sale.complaint is not None and sale.complaint.parked is not None:
                both.note("lifted, with a decision to carry out")
            freezes.lifted(sale, reason, at=both.now)


def _lift_seller(both: Both, there: dict[str, Freeze], y: int) -> None:
    for reason, freeze in list(there.items())[:1]:
        if _lift(both, freeze, y):
            del there[reason]


def _lift(both: Both, freeze: Freeze, y: int) -> bool:
    """Propose, approve, both, or what is refused. Returns: whether it is lifted."""
    first, second = both.operators
    known = {"freeze_id": freeze.id, "at": both.now}
    if y < 80:
        both.attempt(lambda: freezes.keep(freeze), lambda: ours.keep_freeze(freeze_id=freeze.id))
        return False
    if y < 920:
        both.attempt(
            lambda: freezes.propose(freeze),
            lambda: ours.propose_lift(operator=first, reason="let go", **known),
        )
    if y < 300:
        return False
    same = y < 400
    done = both.attempt(
        lambda: freezes.check_lift(freeze, same_person=same),
        lambda: ours.lift_freeze(operator=first if same else second, **known),
    )
    if done is not None:
        both.note("lifted")
    return done is not None
