"""What the page of one order shows: where its money is, what comes next, who gets how much.

Pure over what it is handed. It must never decide anything: it only says what the stations know.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from api.status import LineStatus, Picture, SplitLine, Status
from escrow.models import Hold, Payee, Refund, SurplusReason
from orders.models import CancelReason, Order, OrderState
from portal.formats import day, instant, money
from portal.states import LINE_TONES, LINES

Text = str | Promise
PAYEES: dict[str, Text] = {
    Payee.MERCHANT: gettext_lazy("Seller"),
    Payee.RESERVE: gettext_lazy("Seller, held back"),
    Payee.PLATFORM: gettext_lazy("Commission"),
    Payee.TAX: gettext_lazy("Tax on the commission"),
    Payee.PARTY: gettext_lazy("Further party"),
    Payee.SERVICE_FEE: gettext_lazy("Service fee"),
}
BARS = {  # classes of portal.css
    Payee.MERCHANT: "bar-1",
    Payee.RESERVE: "bar-2",
    Payee.PLATFORM: "bar-3",
    Payee.TAX: "bar-4",
    Payee.PARTY: "bar-5",
    Payee.SERVICE_FEE: "bar-6",
}
WIDE = 1000  # units of the bar


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where the money is, what happens next and until when somebody has to do it."""

    title: str
    text: str
    tone: str
    icon: str
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One payee's part: of the table, and of the bar in thousandths of it."""

    label: Text
    bar: str
    line: SplitLine
    status: Text
    tone: str
    x: int
    width: int


def parts_of(split: Sequence[SplitLine]) -> list[Part]:
    """Lay out a split, as wide as the amounts are."""
    whole = sum(line.amount_minor for line in split) or 1
    parts, x = [], 0
    passed = 0
    for line in split:
        passed += line.amount_minor
        end = passed * WIDE // whole
        status = LineStatus(line.status)
        parts.append(
            Part(
                PAYEES[line.payee],
                BARS[Payee(line.payee)],
                line,
                LINES[status],
                LINE_TONES.get(status, "default"),
                x,
                end - x,
            )
        )
        x = end
    return parts


def due_of(order: Order) -> datetime | None:
    """The date somebody has to do something by."""
    return {
        OrderState.CREATED: order.pay_by,
        OrderState.PAID: order.ship_by,
        OrderState.SHIPPED: None if order.paused_at else order.confirm_by,
    }.get(OrderState(order.state))


def whereabouts(picture: Picture, hold: Hold | None, *, disputed: bool) -> Whereabouts:
    """Say where an order's money is. Args: disputed: whether a dispute is open."""
    order = picture.order
    due = due_of(order)
    held = money(hold.remaining_minor, hold.currency) if hold else ""
    match Status(picture.status):
        case Status.AWAITING_PAYMENT:
            text = _("The buyer has until %(at)s to pay. After that the order expires.")
            return Whereabouts(
                _("No money yet"), text % {"at": instant(due)}, "default", "hourglass", due
            )
        case Status.PAID:
            text = _("Ship by %(at)s. After that the order is canceled and the buyer gets it back.")
            return Whereabouts(
                _("%(amount)s is held") % {"amount": held},
                text % {"at": instant(due)},
                "info",
                "shield-check",
                due,
            )
        case Status.SHIPPED if order.paused_at:
            text = _("The time to confirm stands still. It goes on when the case is closed.")
            title = _("%(amount)s is held") % {"amount": held}
            return Whereabouts(title, text, "warning", "pause")
        case Status.SHIPPED:
            text = _("When the buyer confirms, or at %(at)s by itself, it is released and split.")
            return Whereabouts(
                _("%(amount)s is held") % {"amount": held},
                text % {"at": instant(due)},
                "info",
                "shield-check",
                due,
            )
        case Status.FROZEN:
            text = _("A dispute is open. Until it is decided nobody can move this money.")
            if not disputed:
                text = _("It is under review. Until that has ended nobody can move this money.")
            return Whereabouts(
                _("%(amount)s is frozen") % {"amount": held}, text, "warning", "snowflake"
            )
    return _over(picture, hold)


def _over(picture: Picture, hold: Hold | None) -> Whereabouts:
    order = picture.order
    back = money(hold.refunded_minor if hold else 0, order.currency)
    released = money(hold.released_minor if hold else 0, order.currency)
    match Status(picture.status):
        case Status.RELEASED:
            text = _("Confirmed on %(day)s and split as below. It goes out with the next payouts.")
            return Whereabouts(
                _("%(amount)s is released") % {"amount": released},
                text % {"day": day(order.confirmed_at)},
                "success",
                "badge-check",
            )
        case Status.PAID_OUT:
            text = _("Confirmed on %(day)s, split as below, and paid to the bank.")
            return Whereabouts(
                _("%(amount)s is paid out") % {"amount": released},
                text % {"day": day(order.confirmed_at)},
                "success",
                "banknote",
            )
        case Status.REFUNDING:
            text = _("The channel has been asked to pay the buyer back.")
            return Whereabouts(_("The money goes back to the buyer"), text, "danger", "undo-2")
        case Status.REFUNDED:
            title = _("%(amount)s is back with the buyer") % {"amount": back}
            return Whereabouts(title, order.get_cancel_reason_display(), "default", "undo-2")
        case Status.EXPIRED:
            text = _("Nobody paid in time. Should money still come, it goes back by itself.")
            return Whereabouts(_("Expired without money"), text, "default", "circle-x")
    text = _("Nobody had paid. Should money still come, it goes back by itself.")
    return Whereabouts(_("Canceled without money"), text, "default", "circle-x")


def refund_rows(picture: Picture) -> list[tuple[Refund, Text]]:
    """The refunds with why, which is a code where nobody wrote a sentence."""
    words: dict[str, Text] = dict(CancelReason.choices) | dict(SurplusReason.choices)
    return [(refund, words.get(refund.reason, refund.reason)) for refund in picture.refunds]


def money_facts(hold: Hold | None) -> Sequence[tuple[str, int]]:
    """What became of what the buyer paid, in minor units of the hold's currency."""
    if hold is None:
        return ()
    found: list[tuple[Any, int]] = [
        (_("Paid by the buyer"), hold.amount_minor),
        (_("Still held"), hold.remaining_minor),
        (_("Released"), hold.released_minor),
        (_("Refunded"), hold.refunded_minor),
    ]
    return [(label, amount) for label, amount in found if amount]
