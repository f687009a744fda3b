"""Where a buyer's money is: one sentence, and a picture of the steps with their dates.

Pure over what it is handed. A buyer is told whether the seller is paid, never how much.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from api.status import Picture, Status
from escrow.models import CLOSED, Dispute, Payee, Refund, RefundState
from orders.models import ConfirmedBy, Order, OrderState
from portal import formats

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Stage:
    """One step. `tone`: done, now, next, or bad; `at`: when it was, or until when it has to be."""

    label: str
    icon: str
    at: datetime | None
    tone: str


@dataclass(frozen=True, slots=True)
class Word:
    """Where the money is. `due`: by when something happens."""

    title: str
    text: str
    icon: str
    tone: str
    due: datetime | None = None


TITLES: dict[Status, tuple[Text, str, str]] = {
    Status.AWAITING_PAYMENT: (_lazy("Not paid yet"), "credit-card", "warning"),
    Status.PAID: (_lazy("Your money is held safely"), "shield-check", "info"),
    Status.SHIPPED: (_lazy("Your money is held safely"), "shield-check", "info"),
    Status.FROZEN: (_lazy("Your money is frozen"), "snowflake", "warning"),
    Status.RELEASED: (_lazy("Released to the seller"), "check-check", "success"),
    Status.PAID_OUT: (_lazy("The seller has been paid"), "check-check", "success"),
    Status.EXPIRED: (_lazy("This order has expired"), "clock", "default"),
    Status.CANCELED: (_lazy("This order was canceled"), "circle-x", "default"),
    Status.REFUNDING: (_lazy("Your money is on its way back"), "undo-2", "info"),
    Status.REFUNDED: (_lazy("You have your money back"), "undo-2", "success"),
}


def word_of(picture: Picture, *, dispute: Dispute | None) -> Word:
    """Say where the money is and what happens by itself."""
    order, status = picture.order, Status(picture.status)
    title, icon, tone = TITLES[status]
    amount = formats.money(order.amount_minor, order.currency)
    disputed = dispute is not None and dispute.state not in CLOSED
    text, due = _text(order, status, amount, disputed=disputed)
    return Word(str(title), text, icon, tone, due)


def _text(
    order: Order, status: Status, amount: str, *, disputed: bool
) -> tuple[str, datetime | None]:
    match status:
        case Status.AWAITING_PAYMENT:
            text = _("Pay %(amount)s. The seller gets nothing before you have the goods.")
            return text % {"amount": amount}, order.pay_by
        case Status.PAID:
            text = _(
                "We hold %(amount)s, not the seller. If nothing is shipped in time, you get all of"
                " it back by itself."
            )
            return text % {"amount": amount}, order.ship_by
        case Status.SHIPPED:
            text = _(
                "We hold %(amount)s. The seller gets it when you confirm receipt, or by itself when"
                " the time is over."
            )
            return text % {"amount": amount}, None if order.paused_at else order.confirm_by
        case Status.FROZEN if disputed:
            return _("Nobody gets the money before the dispute is over."), None
        case Status.FROZEN:
            return _("Nobody gets the money before we have looked into it."), None
        case Status.RELEASED | Status.PAID_OUT:
            return _released(order), None
        case Status.EXPIRED:
            return _("It was not paid in time. No money has moved."), None
        case Status.CANCELED:
            return _("It was canceled before it was paid. No money has moved."), None
        case Status.REFUNDING:
            return _("It comes back the way you paid. That can take some days."), None
    return _("It came back the way you paid."), None


def _released(order: Order) -> str:
    match order.confirmed_by:
        case ConfirmedBy.BUYER:
            return _("You have confirmed receipt.")
        case ConfirmedBy.DISPUTE:
            return _("The dispute is over; what was not given back went to the seller.")
        case ConfirmedBy.OPERATOR:
            return _("Receipt was confirmed for you.")
    return _("The time to confirm was over, so the order counted as received.")


def stages_of(picture: Picture) -> list[Stage]:
    """The five steps of a sale: pay, held, shipped, confirmed, paid out; or how it ended before."""
    order = picture.order
    done = [
        Stage(_("Paid"), "credit-card", order.paid_at, "done"),
        Stage(_("Held"), "shield-check", order.paid_at, "done"),
        Stage(_("Shipped"), "truck", order.shipped_at, "done"),
    ]
    if order.state in (OrderState.EXPIRED, OrderState.CANCELED):
        reached = [stage for stage in done if stage.at is not None]
        return [*reached, *_ends(order, picture.refunds)]
    stages = [
        *done,
        Stage(_("Received"), "package-check", order.confirmed_at, "done"),
        Stage(_("Seller paid"), "banknote", _paid_out_at(picture), "done"),
    ]
    ahead = [
        Stage(_("Pay"), "credit-card", order.pay_by, "next"),
        Stage(_("Held"), "shield-check", None, "next"),
        Stage(_("To be shipped"), "truck", order.ship_by, "next"),
        Stage(_("Confirm receipt"), "package-check", _confirm_by(order), "next"),
        Stage(_("Seller paid"), "banknote", None, "next"),
    ]
    return list(_with_present(stages, ahead))


def _with_present(stages: Sequence[Stage], ahead: Sequence[Stage]) -> Iterator[Stage]:
    """What is done, and what is ahead with its deadline; the first of that is the present step."""
    present = True
    for stage, later in zip(stages, ahead, strict=True):
        if stage.at is not None:
            yield stage
        else:
            yield replace(later, tone="now") if present else later
            present = False


def _ends(order: Order, refunds: Sequence[Refund]) -> Iterator[Stage]:
    if order.state == OrderState.EXPIRED:
        yield Stage(_("Not paid in time"), "clock", order.pay_by, "bad")
        return
    yield Stage(_("Canceled"), "circle-x", order.canceled_at, "bad")
    if order.paid_at is None:
        return
    back = [refund.succeeded_at for refund in refunds if refund.hold_id]
    if all(at is not None for at in back):
        yield Stage(_("Refunded"), "undo-2", max(filter(None, back), default=None), "done")
    else:
        yield Stage(_("Refunded"), "undo-2", None, "now")


def _confirm_by(order: Order) -> datetime | None:
    return None if order.paused_at else order.confirm_by


def _paid_out_at(picture: Picture) -> datetime | None:
    if picture.status != Status.PAID_OUT:
        return None
    paid = [line.paid_at for line in picture.split if line.payee == Payee.MERCHANT]
    return max(filter(None, paid), default=None)


def refunds_of(picture: Picture) -> list[Refund]:
    """What came back, or is on its way, while the order went on otherwise."""
    return [refund for refund in picture.refunds if refund.state != RefundState.FAILED]
