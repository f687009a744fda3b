"""What pages say of a dispute: whose turn it is, what silence brings, and who would get how much.

It must never decide anything: it says what the services of escrow would do.
"""

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from escrow.models import (
    CLOSED,
    Dispute,
    DisputeKind,
    DisputeState,
    Hold,
    HoldState,
    Payee,
    StepKind,
    WaitsFor,
)
from escrow.services.shares import shares_after
from portal.access import Member
from portal.formats import instant, money
from portal.order_picture import PAYEES

Text = str | Promise
YOURS: Text = gettext_lazy("Your turn")
TURNS: dict[str, Text] = {
    WaitsFor.MERCHANT: gettext_lazy("The seller's turn"),
    WaitsFor.BUYER: gettext_lazy("The buyer's turn"),
    WaitsFor.OPERATOR: gettext_lazy("Our staff decides"),
}
TONES: dict[str, str] = {
    WaitsFor.MERCHANT: "warning",
    WaitsFor.BUYER: "info",
    WaitsFor.OPERATOR: "info",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a dispute stands, and what happens when the time is over."""

    title: str
    text: str
    tone: str
    icon: str
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Moves:
    """What is offered to the seller's side."""

    answer: bool
    receive: bool
    add_files: bool


def turn_of(dispute: Dispute, member: Member) -> tuple[Text, str]:
    """Say who has to act now, and the color of it; of one that is over, how it ended."""
    if not dispute.waits_for:
        tone = "success" if dispute.state == DisputeState.RESOLVED else "default"
        return dispute.get_resolution_display() or dispute.get_state_display(), tone
    if dispute.waits_for == WaitsFor.MERCHANT and member.is_seller:
        return YOURS, TONES[WaitsFor.MERCHANT]
    return TURNS[dispute.waits_for], TONES[dispute.waits_for]


def moves_of(dispute: Dispute, *, at: datetime) -> Moves:
    """Say what the seller's side can do now: not what the services would refuse."""
    in_time = dispute.due_at is None or at <= dispute.due_at
    theirs = dispute.waits_for == WaitsFor.MERCHANT and in_time
    return Moves(
        answer=theirs and dispute.state == DisputeState.OPEN,
        receive=theirs and dispute.state == DisputeState.RETURNING,
        add_files=dispute.state not in CLOSED,
    )


def standing_of(dispute: Dispute, *, yours: bool) -> Standing:
    """Say whose move it is, and what it brings when nothing is said in time.

    Args: yours: whether the reader is the seller.
    """
    if dispute.state in CLOSED:
        return _over(dispute)
    due = dispute.due_at
    if dispute.parked_minor is not None:
        return _parked(dispute, dispute.parked_minor)
    offer = money(dispute.offer_minor or 0, dispute.currency)
    match (dispute.state, dispute.waits_for):
        case (DisputeState.OPEN, WaitsFor.MERCHANT):
            title = _("You have to answer") if yours else _("The seller has to answer")
            text = _(
                "Without an answer by then our staff decides, by %(at)s, on the buyer's word alone."
            )
            said = {"at": instant(dispute.decide_by)}
            return Standing(title, text % said, "warning", "message-square-warning", due)
        case (DisputeState.ANSWERED, WaitsFor.BUYER):
            text = _("If the buyer says nothing by then, the offer stands: %(amount)s goes back.")
            if dispute.needs_return:
                text = _(
                    "If the buyer says nothing by then, the offer stands: the goods have to be sent"
                    " back, and %(amount)s goes back when they have arrived."
                )
            title = _("The buyer has to answer the offer of %(amount)s")
            said = {"amount": offer}
            return Standing(title % said, text % said, "info", "handshake", due)
        case (DisputeState.RETURNING, WaitsFor.BUYER):
            text = _("If nothing is sent by then, the dispute is over and nothing goes back.")
            return Standing(
                _("The buyer has to send the goods back"), text, "info", "package-open", due
            )
        case (DisputeState.RETURNING, WaitsFor.MERCHANT):
            text = _(
                "If nothing is said by then, the goods count as received and %(amount)s goes back"
                " to the buyer."
            )
            title = _("You have to say whether the goods have come back")
            if not yours:
                title = _("The seller has to say whether the goods have come back")
            return Standing(title, text % {"amount": offer}, "warning", "package-open", due)
    agreed = dispute.state == DisputeState.RETURNING
    fallback = offer if agreed else money(dispute.asked_minor, dispute.currency)
    text = _("If it is not decided by then, %(amount)s goes back to the buyer.")
    return Standing(_("Our staff decides"), text % {"amount": fallback}, "info", "scale", due)


def _parked(dispute: Dispute, parked_minor: int) -> Standing:
    """Decided, and the money cannot be moved yet."""
    text = _("Those who were paid cannot cover it now. It is tried again at this time.")
    if dispute.due_at is None:
        text = _("The order is frozen besides. It goes back when that has ended.")
    title = _("It is decided: %(amount)s goes back to the buyer")
    amount = money(parked_minor, dispute.currency)
    return Standing(title % {"amount": amount}, text, "warning", "hourglass", dispute.due_at)


def _over(dispute: Dispute) -> Standing:
    if dispute.kind == DisputeKind.CHARGEBACK:
        title = _("The buyer's bank has taken %(amount)s back")
        amount = money(dispute.asked_minor, dispute.currency)
        text = _("This was decided outside. The channel has the money already.")
        return Standing(title % {"amount": amount}, text, "danger", "landmark")
    if dispute.state == DisputeState.WITHDRAWN:
        text = _("The buyer has given it up. The order goes on as before.")
        if any(step.kind == StepKind.CHARGED_BACK for step in dispute.steps.all()):
            text = _("The buyer's bank has taken the money back instead.")
        return Standing(_("The dispute is withdrawn"), text, "default", "undo-2")
    back_minor = dispute.resolved_minor or 0
    rest = money(dispute.stake_minor - back_minor, dispute.currency)
    title = _("%(amount)s goes back to the buyer") % {"amount": money(back_minor, dispute.currency)}
    if not back_minor:
        title = _("Nothing goes back to the buyer")
    text = _("The rest, %(rest)s, is with those who sold.") % {"rest": rest}
    if back_minor == dispute.stake_minor:
        text = _("That is all of it. Nobody else gets anything of this order.")
    return Standing(title, text, "success", "circle-check")


def division_of(
    dispute: Dispute, hold: Hold | None, *, amount_minor: int
) -> list[tuple[Text, int]]:
    """Say who would get how much of the held money if so much went back, the buyer first; nothing
    once it was released, for then it is taken back as far as it is there.

    Args: amount_minor: minor units of the dispute's currency, at most its stake.
    """
    if hold is None or hold.state not in (HoldState.HELD, HoldState.FROZEN):
        return []
    found: dict[str, int] = {Payee.MERCHANT: 0}  # said even when nothing is left for the seller
    for share in shares_after(dispute.order, hold, amount_minor=amount_minor):
        found[share.payee] = found.get(share.payee, 0) + share.amount_minor
    buyer: tuple[Text, int] = (_("Buyer"), amount_minor)
    return [buyer, *((PAYEES[payee], amount) for payee, amount in found.items())]
