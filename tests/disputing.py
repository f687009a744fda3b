"""Disputes for tests: brought into each phase by services alone, and every move there is.

It must never reach around a service.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from escrow.models import Actor, Dispute, DisputeReason, SellerAnswer
from escrow.services.disputes import answering, deadlines, deciding, evidence, opening, returns
from orders.models import Order
from tests import ground
from tests.ground import US
from tests.world import World

OFFER_MINOR = 3333  # odd on purpose
TEXT_FILE = b"the lid is broken\n"

# A phase is a state and whose move it is.
PHASES = (
    "OPEN/MERCHANT",
    "OPEN/OPERATOR",
    "ANSWERED/BUYER",
    "ANSWERED/OPERATOR",
    "RETURNING/BUYER",
    "RETURNING/MERCHANT",
    "RETURNING/OPERATOR",
    "RESOLVED/",
    "WITHDRAWN/",
)


def open_dispute(world: World, order: Order | None = None, **changes: Any) -> Dispute:
    """The buyer of a shipped order wants everything back."""
    order = order or ground.shipped_order(world)
    asked = {"by": Actor.BUYER, "reason": DisputeReason.DAMAGED, "at": world.now, **changes}
    return opening.open_dispute(order_id=order.id, **asked)


def answer(dispute: Dispute, kind: str, **changes: Any) -> Dispute:
    at = changes.pop("at", dispute.opened_at)
    return answering.answer_dispute(
        dispute_id=dispute.id, answer=kind, by=Actor.MERCHANT, at=at, **changes
    )


def offer(dispute: Dispute, **changes: Any) -> Dispute:
    return answer(dispute, SellerAnswer.OFFER, offer_minor=OFFER_MINOR, **changes)


def lapse(dispute: Dispute, *, after: Any = US) -> bool:
    """Let the present deadline pass by `after`."""
    now = fresh(dispute)
    assert now.due_at is not None
    return deadlines.lapse_deadline(dispute_id=dispute.id, at=now.due_at + after)


def fresh(dispute: Dispute) -> Dispute:
    return Dispute.objects.select_related("order__hold").get(pk=dispute.pk)


def decide(dispute: Dispute, amount_minor: int, **changes: Any) -> Dispute:
    """One operator proposes this much for the buyer, another approves it."""
    at = fresh(dispute).steps.latest("position").at
    deciding.propose_decision(
        dispute_id=dispute.id,
        amount_minor=amount_minor,
        operator=ground.operator("first"),
        reason="photos",
        at=at,
        **changes,
    )
    return deciding.approve_decision(
        dispute_id=dispute.id, operator=ground.operator("second"), at=at
    )


def dispute_in(world: World, phase: str) -> Dispute:
    """A dispute in a phase, by the shortest way there."""
    dispute = open_dispute(world)
    if phase == "OPEN/OPERATOR":
        lapse(dispute)
    elif phase == "ANSWERED/BUYER":
        offer(dispute)
    elif phase == "ANSWERED/OPERATOR":
        answer(dispute, SellerAnswer.CONTEST)
    elif phase.startswith("RETURNING"):
        offer(dispute, needs_return=True)
        moves(dispute)["accept_offer"]()
        if phase != "RETURNING/BUYER":
            moves(dispute)["send_back"]()
        if phase == "RETURNING/OPERATOR":
            moves(dispute)["refuse_return"]()
    elif phase == "RESOLVED/":
        answer(dispute, SellerAnswer.ACCEPT)
    elif phase == "WITHDRAWN/":
        moves(dispute)["withdraw"]()
    now = fresh(dispute)
    assert f"{now.state}/{now.waits_for}" == phase
    return now


def moves(dispute: Dispute, *, at: datetime | None = None) -> dict[str, Callable[[], Any]]:
    """Everything anybody can do in a dispute, at the instant it now is there."""
    at = at or fresh(dispute).steps.latest("position").at
    known = {"dispute_id": dispute.id, "at": at}
    buyer, seller = {**known, "by": Actor.BUYER}, {**known, "by": Actor.MERCHANT}
    said = {**seller, "text": "no"}
    parcel = {"carrier": "SF", "tracking_number": "SF9009"}
    first, second = ground.operator("first"), ground.operator("second")
    decision = {**known, "amount_minor": OFFER_MINOR, "reason": "photos"}
    file = {"name": "lid.txt", "content": TEXT_FILE}
    return {
        "accept": lambda: answering.answer_dispute(answer=SellerAnswer.ACCEPT, **seller),
        "offer": lambda: answering.answer_dispute(
            answer=SellerAnswer.OFFER, offer_minor=OFFER_MINOR, **seller
        ),
        "contest": lambda: answering.answer_dispute(answer=SellerAnswer.CONTEST, **said),
        "accept_offer": lambda: answering.accept_offer(**buyer),
        "decline_offer": lambda: answering.decline_offer(**buyer),
        "withdraw": lambda: answering.withdraw_dispute(**buyer),
        "send_back": lambda: returns.send_back(**parcel, **buyer),
        "receive_return": lambda: returns.receive_return(**seller),
        "refuse_return": lambda: returns.refuse_return(**said),
        "propose": lambda: deciding.propose_decision(operator=first, **decision),
        "approve": lambda: deciding.approve_decision(operator=second, **known),
        "evidence": lambda: evidence.add_evidence(side=Actor.BUYER, **file, **buyer),
        "lapse": lambda: lapse(dispute),
    }
