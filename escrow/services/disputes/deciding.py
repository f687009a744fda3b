"""Operators decide what the two sides do not settle: one proposes, another approves.

The database refuses the same person twice; below a platform's own limit one person is enough.
"""

from datetime import datetime

from common.errors import DomainError
from escrow.locks import lock_dispute
from escrow.models import Actor, Dispute, DisputeState, StepKind, WaitsFor
from escrow.services.disputes import outcome
from escrow.services.disputes.answering import await_goods
from escrow.services.disputes.rules import conflict, require_in_time
from escrow.services.disputes.timeline import record_step
from ledger.usecases import use_case
from merchants.models import User


class DecisionInvalid(DomainError):
    """A decision gives the buyer something between nothing and all that is at stake."""

    code = "decision_invalid"
    status = 422


class NothingProposed(DomainError):
    """Nobody has proposed a decision, or it was carried out already."""

    code = "decision_not_proposed"


class SecondDecider(DomainError):
    """Another operator than the one who proposed it has to approve a decision."""

    code = "decision_needs_second_person"
    status = 403


@use_case()
def propose_decision(
    *,
    dispute_id: str,
    amount_minor: int,
    operator: User,
    reason: str,
    at: datetime,
    needs_return: bool = False,
) -> Dispute:
    """Say how a dispute that waits for the operator should end. A later proposal replaces this.

    Money: none, unless the platform's limit lets one person decide; then as `outcome.conclude`.
    Args: amount_minor: minor units to the buyer, 0 <= x <= stake. needs_return: only when the
        goods come back.
    Raises: DisputeNotFound, DisputeStateConflict, DisputeTooLate, DecisionInvalid.
    Locks: the order, the dispute, the hold.
    """
    dispute = _lock_undecided(dispute_id, at=at)
    if not 0 <= amount_minor <= dispute.stake_minor:
        raise DecisionInvalid(
            f"The buyer gets 0 to {dispute.stake_minor} minor units.", field="amount_minor"
        )
    if needs_return and (not amount_minor or dispute.state == DisputeState.RETURNING):
        raise DecisionInvalid("Goods come back once, and for money.", field="needs_return")
    dispute.proposed_minor, dispute.proposed_return = amount_minor, needs_return
    dispute.proposed_by, dispute.proposed_at = operator, at
    dispute.proposed_reason = reason
    dispute.approved_by = None
    dispute.needs_approval = _needs_second(dispute)
    if dispute.needs_approval:
        dispute.save()  # internal: neither side reads of it before it is approved
    else:
        _carry_out(dispute, at=at)
    return dispute


def _needs_second(dispute: Dispute) -> bool:
    limit_minor = dispute.platform.dispute_approval_above_minor
    assert dispute.proposed_minor is not None
    most_minor = max(dispute.asked_minor, dispute.proposed_minor)
    return limit_minor is None or most_minor > limit_minor


@use_case()
def approve_decision(*, dispute_id: str, operator: User, at: datetime) -> Dispute:
    """A second person approves what was proposed, and it is carried out.

    Money: as `outcome.conclude`.
    Raises: DisputeNotFound, DisputeStateConflict, DisputeTooLate, NothingProposed, SecondDecider.
    Locks: the order, the dispute, the hold.
    """
    dispute = _lock_undecided(dispute_id, at=at)
    if dispute.proposed_by_id is None or not dispute.needs_approval or dispute.approved_by_id:
        raise NothingProposed(
            f"Nobody has proposed how dispute {dispute.id} ends.", dispute=dispute.id
        )
    if dispute.proposed_by_id == operator.pk:
        raise SecondDecider(
            "You proposed it yourself; another operator has to approve it.", dispute=dispute.id
        )
    dispute.approved_by = operator
    _carry_out(dispute, at=at)
    return dispute


def _carry_out(dispute: Dispute, *, at: datetime) -> None:
    amount_minor = dispute.proposed_minor
    assert amount_minor is not None
    text = dispute.proposed_reason
    if dispute.proposed_return:
        await_goods(
            dispute,
            amount_minor=amount_minor,
            kind=StepKind.DECIDED,
            by=Actor.OPERATOR,
            at=at,
            text=text,
        )
        return
    record_step(
        dispute,
        StepKind.DECIDED,
        by=Actor.OPERATOR,
        at=at,
        text=text,
        amount_minor=amount_minor,
    )
    outcome.conclude(dispute, amount_minor=amount_minor, by=Actor.OPERATOR, at=at)


def _lock_undecided(dispute_id: str, *, at: datetime) -> Dispute:
    dispute = lock_dispute(dispute_id)
    if dispute.waits_for != WaitsFor.OPERATOR or dispute.parked_at is not None:
        raise conflict(dispute)
    require_in_time(dispute, at=at)
    return dispute
