"""Goods go back to the seller: the buyer sends them by a date, the seller says whether they
came."""

from datetime import datetime

from common.errors import DomainError
from escrow.models import Actor, Dispute, DisputeState, StepKind, WaitsFor
from escrow.services.disputes import outcome
from escrow.services.disputes.rules import lock_for_move, policy_of
from escrow.services.disputes.timeline import record_step
from ledger.usecases import use_case


class ReturnParcelInvalid(DomainError):
    """A parcel has a carrier and a number."""

    code = "return_parcel_invalid"
    status = 422


@use_case()
def send_back(
    *, dispute_id: str, carrier: str, tracking_number: str, by: str, at: datetime
) -> Dispute:
    """The buyer has sent the goods back.

    Args: by: Actor.BUYER or Actor.PLATFORM. carrier, tracking_number: 1 to 64 characters.
    Raises: DisputeNotFound, DisputeStateConflict, DisputeTooLate, ReturnParcelInvalid.
    Locks: the order, the dispute.
    """
    dispute = lock_for_move(
        dispute_id, state=DisputeState.RETURNING, waits_for=WaitsFor.BUYER, at=at
    )
    if not (1 <= len(carrier) <= 64 and 1 <= len(tracking_number) <= 64):
        raise ReturnParcelInvalid("Name the carrier and its number, up to 64 characters each.")
    dispute.return_carrier, dispute.return_tracking_number = carrier, tracking_number
    dispute.sent_back_at = at
    due_at = at + policy_of(dispute.order).span("receive")
    dispute.await_move(WaitsFor.MERCHANT, due_at=due_at)
    record_step(dispute, StepKind.SENT_BACK, by=by, at=at, text=f"{carrier} {tracking_number}")
    return dispute


@use_case()
def receive_return(*, dispute_id: str, by: str, at: datetime) -> Dispute:
    """The seller has the goods: the buyer gets what was agreed.

    Money: as `outcome.conclude`. Args: by: Actor.MERCHANT or Actor.PLATFORM.
    Raises: DisputeNotFound, DisputeStateConflict, DisputeTooLate.
    Locks: the order, the dispute, the hold.
    """
    dispute = _lock_sent(dispute_id, at=at)
    take_goods(dispute, kind=StepKind.RETURN_RECEIVED, by=by, at=at)
    return dispute


def take_goods(dispute: Dispute, *, kind: str, by: str, at: datetime) -> None:
    """Step of a seller who has the goods, by word or by silence."""
    amount_minor = dispute.offer_minor
    assert amount_minor is not None
    record_step(dispute, kind, by=by, at=at, amount_minor=amount_minor)
    outcome.conclude(
        dispute,
        amount_minor=amount_minor,
        by=Actor.DEADLINE if by == Actor.DEADLINE else Actor.MERCHANT,
        at=at,
    )


@use_case()
def refuse_return(*, dispute_id: str, text: str, by: str, at: datetime) -> Dispute:
    """The seller says that what came back is not what was sold: an operator decides.

    Args: by: Actor.MERCHANT or Actor.PLATFORM. text: why.
    Raises: DisputeNotFound, DisputeStateConflict, DisputeTooLate. Locks: the order, the dispute.
    """
    dispute = _lock_sent(dispute_id, at=at)
    dispute.await_move(WaitsFor.OPERATOR, due_at=dispute.decide_by)
    record_step(dispute, StepKind.RETURN_REFUSED, by=by, at=at, text=text)
    return dispute


def _lock_sent(dispute_id: str, *, at: datetime) -> Dispute:
    return lock_for_move(
        dispute_id, state=DisputeState.RETURNING, waits_for=WaitsFor.MERCHANT, at=at
    )
