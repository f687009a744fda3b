"""Changes by two persons: one proposes a service and its arguments, another one lets it be called.

It must never decide what a service may do: that is the service's, when it is called.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from common.errors import DomainError
from ledger.usecases import door, use_case
from merchants.models import Platform, Proposal, ProposalState, User


class ProposalNotFound(DomainError):
    code = "proposal_not_found"
    status = 404


class ProposalDecided(DomainError):
    """Somebody has decided about it already."""

    code = "proposal_decided"


class ProposedAlready(DomainError):
    """The same change of the same row waits for a second person; decide about that one first."""

    code = "proposed_already"


class SecondApprover(DomainError):
    """Another operator than the one who proposed a change has to approve it."""

    code = "proposal_needs_second_person"
    status = 403


@use_case()
def propose_change(
    *,
    verb: str,
    subject: str,
    platform: Platform,
    reason: str,
    proposed_by: User,
    at: datetime,
    **arguments: Any,
) -> Proposal:
    """Say what should be done with a row. Nothing is, until another person approves it.

    Money: none.
    Args: verb: of ProposalVerb. subject: id of the row. arguments: of the service, JSON values.
    Raises: ProposedAlready.
    Locks: none; a unique index lets one proposal of a kind wait per row.
    """
    if Proposal.objects.filter(verb=verb, subject=subject, state=ProposalState.PROPOSED).exists():
        raise ProposedAlready("This change is proposed already; decide about that one first.")
    return Proposal.objects.create(
        platform=platform,
        verb=verb,
        subject=subject,
        arguments=arguments,
        reason=reason,
        proposed_by=proposed_by,
        proposed_at=at,
    )


def approve_proposal(
    *, proposal_id: str, approved_by: User, call: Callable[..., Any], at: datetime
) -> Proposal:
    """Do what was proposed, as the second person: all of it and the decision, or nothing.

    Money: as the service that is called says.
    Args: call: the service, with everything but the proposed arguments and `at` filled in.
    Raises: ProposalNotFound, ProposalDecided, SecondApprover, and what the service refuses.
    Idempotent: a second approval is refused. Locks: the proposal, then what the service locks.
    """
    with door():
        proposal = _lock_open(proposal_id)
        if proposal.proposed_by_id == approved_by.pk:
            raise SecondApprover("You proposed it yourself; another operator has to approve it.")
        call(**proposal.arguments, at=at)
        proposal.finish(at=at)
        proposal.decided_by = approved_by
        proposal.save()
    return proposal


def drop_proposal(
    *, proposal_id: str, dropped_by: User, at: datetime, undo: Callable[..., Any] | None = None
) -> Proposal:
    """Turn a proposed change down, or take the own proposal back.

    Money: none.
    Args: undo: the service that puts away what was kept for the proposal alone.
    Raises: ProposalNotFound, ProposalDecided, and what that service refuses.
    Locks: the proposal, then what the service locks.
    """
    with door():
        proposal = _lock_open(proposal_id)
        if undo is not None:
            undo(at=at)
        proposal.drop(at=at)
        proposal.decided_by = dropped_by
        proposal.save()
    return proposal


def _lock_open(proposal_id: str) -> Proposal:
    rows = Proposal.objects.select_for_update(of=("self",))
    proposal = rows.filter(pk=proposal_id).first()
    if proposal is None:
        raise ProposalNotFound(f"There is no proposed change {proposal_id}.")
    if proposal.state != ProposalState.PROPOSED:
        raise ProposalDecided(
            f"Proposal {proposal_id} is {proposal.state} already.", state=proposal.state
        )
    return proposal
