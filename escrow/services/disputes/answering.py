"""The seller answers, and the buyer answers the seller's offer."""

from datetime import datetime

from common.errors import DomainError
from escrow.locks import lock_dispute
from escrow.models import (
    Actor,
    Dispute,
    DisputeState,
    SellerAnswer,
    StepKind,
    WaitsFor,
)
from escrow.services.disputes import outcome
from escrow.services.disputes.rules import conflict, lock_for_move, policy_of
from escrow.services.disputes.timeline import record_step
from ledger.usecases import use_case


class OfferInvalid(DomainError):
    """An offer is more than nothing and at most what is asked for."""

    code = "offer_invalid"
    status = 422


@use_case()
def answer_dispute(
    *,
    dispute_id: str,
    answer: str,
    by: str,
    at: datetime,
    offer_minor: int | None = None,
    needs_return: bool = False,
    text: str = "",
) -> Dispute:
    """The seller accepts, offers something, or contests.

    Money: ACCEPT gives the buyer what was asked, as in `outcome.conclude`; else none.
    Args: answer: a SellerAnswer. by: Actor.MERCHANT or Actor.PLATFORM. offer_minor: minor units of
        the dispute's currency, 0 < x <= asked, with OFFER only. needs_return: the offer holds when
        the goods come back.
    Raises: DisputeNotFound, DisputeStateConflict, DisputeTooLate, OfferInvalid.
    Idempotent: no: a second answer is refused. Locks: the order, the dispute, the hold.
    """
    assert by in (Actor.MERCHANT, Actor.PLATFORM), by
    dispute = lock_for_move(dispute_id, state=DisputeState.OPEN, waits_for=WaitsFor.MERCHANT, at=at)
    if answer == SellerAnswer.OFFER:
        _offer(dispute, offer_minor, needs_return=needs_return, by=by, text=text, at=at)
    elif offer_minor is not None or needs_return:
        raise OfferInvalid("Only an OFFER names an amount or a return.", field="offer_minor")
    elif answer == SellerAnswer.ACCEPT:
        dispute.answer, dispute.answered_at = answer, at
        asked_minor = dispute.asked_minor
        record_step(dispute, StepKind.ACCEPTED, by=by, at=at, text=text, amount_minor=asked_minor)
        outcome.conclude(dispute, amount_minor=asked_minor, by=Actor.MERCHANT, at=at)
    else:
        dispute.reply(at=at, answer=SellerAnswer.CONTEST)
        dispute.await_move(WaitsFor.OPERATOR, due_at=dispute.decide_by)
        record_step(dispute, StepKind.CONTESTED, by=by, at=at, text=text)
    return dispute


def _offer(
    dispute: Dispute,
    offer_minor: int | None,
    *,
    needs_return: bool,
    by: str,
    text: str,
    at: datetime,
) -> None:
    if offer_minor is None or not 0 < offer_minor <= dispute.asked_minor:
        raise OfferInvalid(
            f"`offer_minor` is 1 to {dispute.asked_minor}, what is asked for.", field="offer_minor"
        )
    dispute.reply(at=at, answer=SellerAnswer.OFFER)
    dispute.offer_minor, dispute.needs_return = offer_minor, needs_return
    due_at = at + policy_of(dispute.order).span("offer")
    dispute.await_move(WaitsFor.BUYER, due_at=due_at)
    record_step(dispute, StepKind.OFFERED, by=by, at=at, text=text, amount_minor=offer_minor)


@use_case()
def accept_offer(*, dispute_id: str, by: str, at: datetime) -> Dispute:
    """The buyer takes the seller's offer: it is paid, or the goods have to be sent back first.

    Money: as `outcome.conclude`, unless goods come back first.
    Args: by: Actor.BUYER or Actor.PLATFORM.
    Raises: DisputeNotFound, DisputeStateConflict, DisputeTooLate.
    Locks: the order, the dispute, the hold.
    """
    dispute = _lock_offer(dispute_id, at=at)
    take_offer(dispute, kind=StepKind.OFFER_ACCEPTED, by=by, at=at)
    return dispute


def take_offer(dispute: Dispute, *, kind: str, by: str, at: datetime) -> None:
    """Step of a buyer who accepts, in words or by silence."""
    offer_minor = dispute.offer_minor
    assert offer_minor is not None
    if dispute.needs_return:
        await_goods(dispute, amount_minor=offer_minor, kind=kind, by=by, at=at)
        return
    record_step(dispute, kind, by=by, at=at, amount_minor=offer_minor)
    outcome.conclude(dispute, amount_minor=offer_minor, by=by, at=at)


def await_goods(
    dispute: Dispute, *, amount_minor: int, kind: str, by: str, at: datetime, text: str = ""
) -> None:
    """Step: the buyer has to send the goods back for this amount."""
    dispute.await_goods(amount_minor=amount_minor)
    due_at = at + policy_of(dispute.order).span("return")
    dispute.await_move(WaitsFor.BUYER, due_at=due_at)
    record_step(
        dispute,
        kind,
        by=by,
        at=at,
        text=text,
        amount_minor=amount_minor,
        told="dispute.return_awaited",
    )


@use_case()
def decline_offer(*, dispute_id: str, by: str, at: datetime, text: str = "") -> Dispute:
    """The buyer does not take the seller's offer: an operator decides.

    Args: by: Actor.BUYER or Actor.PLATFORM.
    Raises: DisputeNotFound, DisputeStateConflict, DisputeTooLate. Locks: the order, the dispute.
    """
    dispute = _lock_offer(dispute_id, at=at)
    dispute.await_move(WaitsFor.OPERATOR, due_at=dispute.decide_by)
    record_step(
        dispute,
        StepKind.OFFER_DECLINED,
        by=by,
        at=at,
        text=text,
        amount_minor=dispute.offer_minor,
    )
    return dispute


def _lock_offer(dispute_id: str, *, at: datetime) -> Dispute:
    return lock_for_move(dispute_id, state=DisputeState.ANSWERED, waits_for=WaitsFor.BUYER, at=at)


@use_case()
def withdraw_dispute(*, dispute_id: str, by: str, at: datetime, text: str = "") -> Dispute:
    """The buyer gives the dispute up: what is held waits for receipt again.

    Money: none; it is no longer frozen. Once goods are to be sent back it is too late for this.
    Args: by: Actor.BUYER or Actor.PLATFORM.
    Raises: DisputeNotFound, DisputeStateConflict. Locks: the order, the dispute, the hold.
    """
    dispute = lock_dispute(dispute_id)
    if dispute.state not in (DisputeState.OPEN, DisputeState.ANSWERED) or dispute.parked_at:
        raise conflict(dispute)
    outcome.give_up(dispute, by=by, at=at, text=text)
    return dispute
