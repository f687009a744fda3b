"""What silence means, for each side (docs/adr/0033)."""

from datetime import datetime

from escrow.locks import lock_dispute
from escrow.models import Actor, Dispute, DisputeState, StepKind, WaitsFor
from escrow.services.disputes import answering, outcome, returns
from escrow.services.disputes.timeline import record_step
from ledger.usecases import use_case


@use_case()
def lapse_deadline(*, dispute_id: str, at: datetime) -> bool:
    """Do what a deadline that passed in silence brings.

    The seller silent: operators decide, undefended. The buyer silent on an offer: it stands. The
    buyer silent on a return: nothing to the buyer. The seller silent on a return: the goods count
    as received. Operators silent: the buyer gets what was asked, or what the return was for. What
    is decided and was not covered is tried again.

    Money: as `outcome.conclude`, where it ends. Returns: whether it was due.
    Raises: DisputeNotFound. Locks: the order, the dispute, the hold.
    """
    dispute = lock_dispute(dispute_id)
    if dispute.due_at is None or dispute.due_at >= at:
        return False
    if dispute.parked_minor is not None:
        outcome.conclude(dispute, amount_minor=dispute.parked_minor, by=dispute.parked_by, at=at)
        return True
    by = Actor.DEADLINE
    match (dispute.state, dispute.waits_for):
        case (_, WaitsFor.OPERATOR):
            _side_with_buyer(dispute, at=at)
        case (DisputeState.OPEN, WaitsFor.MERCHANT):
            dispute.unanswered_at = at
            dispute.await_move(WaitsFor.OPERATOR, due_at=dispute.decide_by)
            record_step(dispute, StepKind.UNANSWERED, by=by, at=at)
        case (DisputeState.ANSWERED, WaitsFor.BUYER):
            answering.take_offer(dispute, kind=StepKind.OFFER_STOOD, by=by, at=at)
        case (DisputeState.RETURNING, WaitsFor.BUYER):
            record_step(dispute, StepKind.NOT_SENT_BACK, by=by, at=at, amount_minor=0)
            outcome.conclude(dispute, amount_minor=0, by=by, at=at)
        case _:
            returns.take_goods(dispute, kind=StepKind.RETURN_TAKEN, by=by, at=at)
    return True


def _side_with_buyer(dispute: Dispute, *, at: datetime) -> None:
    agreed_minor = dispute.offer_minor if dispute.state == DisputeState.RETURNING else None
    amount_minor = dispute.asked_minor if agreed_minor is None else agreed_minor
    by = Actor.DEADLINE
    record_step(dispute, StepKind.UNDECIDED, by=by, at=at, amount_minor=amount_minor)
    outcome.conclude(dispute, amount_minor=amount_minor, by=by, at=at)
