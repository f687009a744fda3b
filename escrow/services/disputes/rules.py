"""Who may do what in a dispute, and until when: what every verb asks first."""

from datetime import datetime

from common.errors import DomainError
from escrow.locks import lock_dispute
from escrow.models import Dispute
from merchants.dispute_policy import DisputePolicy
from orders.models import Order


class DisputeStateConflict(DomainError):
    """The dispute is closed, or it is somebody else's move."""

    code = "dispute_state_conflict"


class DisputeTooLate(DomainError):
    """The time for this is over; what silence means happens by itself."""

    code = "dispute_deadline_passed"


def lock_for_move(dispute_id: str, *, state: str, waits_for: str, at: datetime) -> Dispute:
    """Lock a dispute in which it is somebody's move, in time.

    Raises: DisputeNotFound, DisputeStateConflict, DisputeTooLate. Locks: the order, the dispute.
    """
    dispute = lock_dispute(dispute_id)
    if dispute.state != state or dispute.waits_for != waits_for:
        raise conflict(dispute)
    require_in_time(dispute, at=at)
    return dispute


def require_in_time(dispute: Dispute, *, at: datetime) -> None:
    """Raises: DisputeTooLate after the deadline; at its instant it is in time."""
    if dispute.due_at is not None and at > dispute.due_at:
        raise DisputeTooLate(
            f"This had to be done by {dispute.due_at:%Y-%m-%d %H:%M:%S} UTC.",
            dispute=dispute.id,
            due_at=dispute.due_at.isoformat(),
        )


def conflict(dispute: Dispute) -> DisputeStateConflict:
    """Say where a dispute stands."""
    waits = f" and waits for the {dispute.get_waits_for_display()}" if dispute.waits_for else ""
    return DisputeStateConflict(
        f"Dispute {dispute.id} is {dispute.state}{waits.lower()}.",
        dispute=dispute.id,
        state=dispute.state,
        waits_for=dispute.waits_for,
    )


def policy_of(order: Order) -> DisputePolicy:
    """The deadlines frozen on an order; the platform's present ones on an order older than that."""
    if order.dispute_policy:
        return DisputePolicy.from_json(order.dispute_policy)
    return DisputePolicy.of(order.platform)
