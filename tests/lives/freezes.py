"""The oracle's rules of freezes: placed by one person, lifted by two (docs/adr/0036). That what is
frozen does not move is in oracle.py and disputes.py.
"""

from datetime import datetime

from tests.lives.oracle import Freeze, Refused, Sale


def check_order(sale: Sale, reason: str) -> None:
    """Raises: Refused when its money has moved on, or it is frozen for this very reason."""
    if sale.state not in ("PAID", "SHIPPED"):
        raise Refused("freeze_too_late")
    check(sale.freezes, reason)


def check(freezes: dict[str, Freeze], reason: str) -> None:
    if reason in freezes:
        raise Refused("frozen_already")


def propose(freeze: Freeze) -> None:
    _require(freeze, proposed=False)
    freeze.proposed = True


def keep(freeze: Freeze) -> None:
    _require(freeze, proposed=True)
    freeze.proposed = False


def check_lift(freeze: Freeze, *, same_person: bool) -> None:
    _require(freeze, proposed=True)
    if same_person:
        raise Refused("freeze_needs_second_person")


def lifted(sale: Sale, reason: str, *, at: datetime) -> None:
    """One reason less. After the last one the clock runs on, and what was decided is carried
    out."""
    del sale.freezes[reason]
    sale.turn_clock(at=at)
    complaint = sale.complaint
    if not sale.freezes and sale.frozen and complaint is not None and complaint.parked is not None:
        complaint.to(complaint.phase, at)


def _require(freeze: Freeze, *, proposed: bool) -> None:
    if freeze.proposed != proposed:
        raise Refused("freeze_state_conflict")
