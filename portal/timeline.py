"""An order's life on one line, from what every station knows. Pure over what it is handed."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from api.status import Picture
from escrow.models import Refund, RefundState
from ledger.admin_panels import Step
from orders.models import Order, OrderState, PaymentOrder, PaymentState
from payouts.models import Payout, PayoutState

_PAYOUT_ENDS = {
    PayoutState.PENDING: ("wait", "Payout waits for approval"),
    PayoutState.APPROVED: ("wait", "Payout is about to be sent"),
    PayoutState.SENDING: ("wait", "Payout is at the bank"),
    PayoutState.UNKNOWN: ("bad", "The bank is asked about the payout"),
    PayoutState.FAILED: ("bad", "Payout failed"),
    PayoutState.RETURNED: ("bad", "Payout came back"),
}


def order_steps(picture: Picture, *, payouts: Iterable[Payout]) -> list[Step]:
    """Say what happened to an order and what is expected next, oldest first."""
    order = picture.order
    steps = [Step(_("Order created"), order.created_at, order.buyer_name)]
    for part in picture.payments:
        if part.payment.state == PaymentState.FAILED:
            steps.append(Step(_("Payment failed"), None, part.payment.failure_code, "bad"))
    if order.paid_at:
        channel = next((each.payment.channel for each in picture.payments if _paid(each)), "")
        steps.append(Step(_("Paid by the buyer, held"), order.paid_at, channel))
    steps += [
        Step(_("Shipped"), each.shipped_at, f"{each.carrier} {each.tracking_number}")
        for each in picture.shipments
    ]
    if order.shipped_at and not picture.shipments:
        steps.append(Step(_("Shipped"), order.shipped_at, order.get_delivery_display()))
    if order.confirmed_at:
        by = order.get_confirmed_by_display()
        steps.append(Step(_("Receipt confirmed, released"), order.confirmed_at, by))
    steps += _ending(order)
    steps += [step for refund in picture.refunds for step in _refund_steps(refund)]
    steps += [step for payout in payouts for step in payout_steps(payout)]
    return steps


def _paid(part: PaymentOrder) -> bool:
    return part.payment.state == PaymentState.SUCCEEDED


def _ending(order: Order) -> list[Step]:
    """What ended the order, or what it waits for and until when."""
    match order.state:
        case OrderState.CREATED:
            return [Step(_("Waiting for payment, until"), order.pay_by, tone="wait")]
        case OrderState.PAID:
            return [Step(_("To be shipped by"), order.ship_by, tone="wait")]
        case OrderState.SHIPPED if order.paused_at:
            return [Step(_("Time to confirm stands still"), order.paused_at, tone="wait")]
        case OrderState.SHIPPED:
            note = _("then released by itself")
            return [Step(_("Receipt to be confirmed by"), order.confirm_by, note, "wait")]
        case OrderState.EXPIRED:
            return [Step(_("Not paid in time"), order.pay_by, tone="bad")]
        case OrderState.CANCELED:
            reason = order.get_cancel_reason_display()
            return [Step(_("Canceled"), order.canceled_at, reason, "bad")]
    return []


def _refund_steps(refund: Refund) -> list[Step]:
    steps = [Step(_("Refund asked"), refund.created_at, refund.channel)]
    if refund.state == RefundState.SUCCEEDED:
        steps.append(Step(_("Refunded to the buyer"), refund.succeeded_at))
    elif refund.state == RefundState.FAILED:
        steps.append(Step(_("Refund refused by the channel"), None, refund.failure_code, "bad"))
    return steps


def payout_steps(payout: Payout) -> list[Step]:
    """Say what happened to a payout, oldest first."""
    steps = [Step(_("Payout cut"), payout.created_at, f"•••• {payout.last_four}")]
    if payout.paid_at:
        steps.append(Step(_("Paid out"), payout.paid_at, payout.provider_reference))
    if payout.state in _PAYOUT_ENDS:
        tone, title = _PAYOUT_ENDS[PayoutState(payout.state)]
        at = payout.returned_at or payout.parked_at
        steps.append(Step(_(title), at, payout.failure_message, tone))
    return steps
