"""What states are called for people, and their colors. One place for portal and admin."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from api.status import LineStatus, Status
from payouts.models import PayoutState

Text = str | Promise
STATUSES: dict[Status, str | Promise] = {
    Status.AWAITING_PAYMENT: _("Awaiting payment"),
    Status.PAID: _("Held, to be shipped"),
    Status.SHIPPED: _("Held, on its way"),
    Status.FROZEN: _("Frozen"),
    Status.RELEASED: _("Released"),
    Status.PAID_OUT: _("Paid out"),
    Status.EXPIRED: _("Expired"),
    Status.CANCELED: _("Canceled"),
    Status.REFUNDING: _("Refunding"),
    Status.REFUNDED: _("Refunded"),
}
TONES = {
    Status.PAID: "info",
    Status.SHIPPED: "info",
    Status.FROZEN: "warning",
    Status.RELEASED: "success",
    Status.PAID_OUT: "success",
    Status.REFUNDING: "danger",
    Status.REFUNDED: "danger",
}
LINES: dict[LineStatus, str | Promise] = {
    LineStatus.PLANNED: _("Planned"),
    LineStatus.HELD_BACK: _("Held back"),
    LineStatus.TAKEN: _("Taken for claw-backs"),
    LineStatus.VOID: _("Void"),
    LineStatus.KEPT: _("Kept"),
    LineStatus.PAYABLE: _("Payable"),
    LineStatus.AWAITING_APPROVAL: _("Awaiting approval"),
    LineStatus.SENDING: _("Being sent"),
    LineStatus.PAID: _("Paid"),
    LineStatus.FAILED: _("Failed"),
    LineStatus.RETURNED: _("Returned"),
}
LINE_TONES = {
    LineStatus.HELD_BACK: "warning",
    LineStatus.KEPT: "success",
    LineStatus.PAYABLE: "info",
    LineStatus.AWAITING_APPROVAL: "warning",
    LineStatus.SENDING: "info",
    LineStatus.PAID: "success",
    LineStatus.FAILED: "danger",
    LineStatus.RETURNED: "danger",
}

PAYOUT_TONES = {
    PayoutState.PENDING: "warning",
    PayoutState.APPROVED: "info",
    PayoutState.SENDING: "info",
    PayoutState.UNKNOWN: "warning",
    PayoutState.PAID: "success",
    PayoutState.FAILED: "danger",
    PayoutState.RETURNED: "danger",
}
PAYOUT_NOTES: dict[PayoutState, Text] = {
    PayoutState.PENDING: _("It is large enough that a person approves it first."),
    PayoutState.APPROVED: _("It goes to the bank in a moment."),
    PayoutState.SENDING: _("The bank has it and has not answered yet."),
    PayoutState.UNKNOWN: _("The bank has given no clear answer. We keep asking; nothing is lost."),
    PayoutState.FAILED: _("The bank refused it. The money is available again."),
    PayoutState.RETURNED: _("The bank sent it back. The money is available again."),
}
