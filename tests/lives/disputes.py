"""The oracle's rules of complaints: each move is refused or leads on, and an end divides the
money. All moves are called alike."""

from datetime import datetime

from tests.lives.complaints import AGAIN, ANSWER, MOST, OFFER, RECEIVE, SEND, WINDOW, Complaint
from tests.lives.oracle import Oracle, Refused, Sale

CONFLICT = "dispute_state_conflict"
UNDECIDED = ("OPEN/OPERATOR", "ANSWERED/OPERATOR", "RETURNING/OPERATOR")


def check_open(sale: Sale, asked: int | None, *, at: datetime) -> int:
    """Returns: what is asked for. Raises: Refused."""
    Oracle.require(sale, "SHIPPED", "CONFIRMED")
    if sale.complaint is not None:
        raise Refused("dispute_open_already")
    if sale.decided:
        raise Refused("dispute_decided_already")
    if sale.complaints >= MOST:
        raise Refused("too_many_disputes")
    if sale.confirmed_at is not None and at > sale.confirmed_at + WINDOW:
        raise Refused("dispute_deadline_passed")
    asked = sale.left if asked is None else asked
    if not 0 < asked <= sale.left:
        raise Refused("dispute_invalid")
    return asked


def opened(sale: Sale, dispute_id: str, asked: int, *, at: datetime) -> None:
    sale.complaint = Complaint(dispute_id, at, asked, sale.left, at + ANSWER)
    sale.complaints += 1
    sale.turn_clock(at=at)


def accept(oracle: Oracle, sale: Sale, *, at: datetime) -> None:
    complaint = _in(sale, "OPEN/MERCHANT")
    conclude(oracle, sale, complaint.asked, at=at)


def offer(oracle: Oracle, sale: Sale, *, at: datetime, amount: int, goods_first: bool) -> None:
    complaint = _in(sale, "OPEN/MERCHANT")
    if not 0 < amount <= complaint.asked:
        raise Refused("offer_invalid")
    complaint.offer, complaint.goods_first = amount, goods_first
    complaint.to("ANSWERED/BUYER", at + OFFER)


def contest(oracle: Oracle, sale: Sale, *, at: datetime) -> None:
    complaint = _in(sale, "OPEN/MERCHANT")
    complaint.to("ANSWERED/OPERATOR", complaint.decide_by)


def take_offer(oracle: Oracle, sale: Sale, *, at: datetime) -> None:
    complaint = _in(sale, "ANSWERED/BUYER")
    assert complaint.offer is not None
    if complaint.goods_first:
        complaint.to("RETURNING/BUYER", at + SEND)
    else:
        conclude(oracle, sale, complaint.offer, at=at)


def decline(oracle: Oracle, sale: Sale, *, at: datetime) -> None:
    complaint = _in(sale, "ANSWERED/BUYER")
    complaint.to("ANSWERED/OPERATOR", complaint.decide_by)


def withdraw(oracle: Oracle, sale: Sale, *, at: datetime) -> None:
    complaint = sale.complaint
    if complaint is None or complaint.parked is not None or complaint.state == "RETURNING":
        raise Refused(CONFLICT)
    oracle.close(sale, at=at)


def send_back(oracle: Oracle, sale: Sale, *, at: datetime) -> None:
    _in(sale, "RETURNING/BUYER").to("RETURNING/MERCHANT", at + RECEIVE)


def receive(oracle: Oracle, sale: Sale, *, at: datetime) -> None:
    complaint = _in(sale, "RETURNING/MERCHANT")
    conclude(oracle, sale, complaint.offer or 0, at=at)


def refuse(oracle: Oracle, sale: Sale, *, at: datetime) -> None:
    complaint = _in(sale, "RETURNING/MERCHANT")
    complaint.to("RETURNING/OPERATOR", complaint.decide_by)


def decide(oracle: Oracle, sale: Sale, *, at: datetime, amount: int, goods_first: bool) -> None:
    """Two operators decide."""
    complaint = _in(sale, *UNDECIDED)
    if not 0 <= amount <= complaint.stake:
        raise Refused("decision_invalid")
    if goods_first and (not amount or complaint.state == "RETURNING"):
        raise Refused("decision_invalid")
    if goods_first:
        complaint.offer = amount
        complaint.to("RETURNING/BUYER", at + SEND)
    else:
        conclude(oracle, sale, amount, at=at)


def lapse(oracle: Oracle, sale: Sale, *, at: datetime) -> None:
    """What silence means, once the deadline has passed."""
    complaint = sale.complaint
    assert complaint is not None
    if complaint.parked is not None:
        conclude(oracle, sale, complaint.parked, at=at)
    elif complaint.waits == "OPERATOR":
        agreed = complaint.offer if complaint.state == "RETURNING" else None
        conclude(oracle, sale, complaint.asked if agreed is None else agreed, at=at)
    elif complaint.phase == "OPEN/MERCHANT":
        complaint.to("OPEN/OPERATOR", complaint.decide_by)
    elif complaint.phase == "ANSWERED/BUYER":
        take_offer(oracle, sale, at=at)
    elif complaint.phase == "RETURNING/BUYER":
        conclude(oracle, sale, 0, at=at)
    else:
        conclude(oracle, sale, complaint.offer or 0, at=at)


def conclude(oracle: Oracle, sale: Sale, amount: int, *, at: datetime) -> None:
    """So much to the buyer, the rest to the payees; what is not there is tried again, and
    what is frozen once that is lifted."""
    complaint = sale.complaint
    assert complaint is not None
    if sale.freezes:
        complaint.parked = amount
        complaint.to(f"{complaint.state}/OPERATOR", None)
        return
    if sale.state == "CONFIRMED":
        try:
            if amount:
                oracle.take_back(sale, amount, at=at)
        except Refused:
            complaint.parked = amount
            complaint.to(f"{complaint.state}/OPERATOR", at + AGAIN)
            return
        sale.complaint = None
    else:
        oracle.close(sale, at=at)
        if amount:
            oracle.give_back(sale, amount)
        if sale.left:
            oracle.release(sale, at=at)
    sale.decided = True


def _in(sale: Sale, *phases: str) -> Complaint:
    if sale.complaint is None or not sale.complaint.may(*phases):
        raise Refused(CONFLICT)
    return sale.complaint
