"""What holds and refunds tell the world, beside the order events that orders writes itself."""

from datetime import datetime

from escrow.models import (
    BankRefund,
    DebitRequest,
    Debt,
    Dispute,
    Freeze,
    Refund,
    ReserveSlice,
    Surplus,
)
from notifications import services as notifications
from orders.events import instant, order_facts


def record_refund_event(
    refund: Refund, type: str, *, at: datetime, route: BankRefund | None = None
) -> None:
    """Write a refund's event. The caller has locked the refund and saves `event_sequence` after.

    Args: route: the bank refund it is about; empty: the channel.
    """
    notifications.record_event(
        type=type,
        platform_id=refund.platform_id,
        subject_id=refund.id,
        sequence=refund.next_sequence(),
        data={
            "refund": refund.id,
            "payment": refund.payment_id,
            "order": refund.hold.order_id if refund.hold else None,
            "amount_minor": refund.amount_minor,
            "currency": refund.currency,
            "route": "BANK" if route else "CHANNEL",
            "bank_refund": route.id if route else None,
        },
        at=at,
    )


def record_debt_event(debt: Debt, type: str, *, at: datetime) -> None:
    """Write a debt's event. The caller has locked the debt and saves `event_sequence` after."""
    notifications.record_event(
        type=type,
        platform_id=debt.platform_id,
        subject_id=debt.id,
        sequence=debt.next_sequence(),
        data={
            "debt": debt.id,
            "refund": debt.refund_id,
            "dispute": debt.dispute_id,
            "merchant": debt.merchant_id,
            "payee": debt.payee,
            "amount_minor": debt.amount_minor,
            "open_minor": debt.open_minor,
            "currency": debt.currency,
        },
        at=at,
    )


def record_reserve_event(kept: ReserveSlice, type: str, *, order_id: str, at: datetime) -> None:
    """Write the event of a slice of a reserve. The caller has locked the slice, or makes it, and
    saves `event_sequence` after. Args: order_id: of the release it was held back of."""
    notifications.record_event(
        type=type,
        platform_id=kept.platform_id,
        subject_id=kept.id,
        sequence=kept.next_sequence(),
        data={
            "reserve": kept.id,
            "release": kept.release_id,
            "order": order_id,
            "merchant": kept.merchant_id,
            "amount_minor": kept.amount_minor,
            "taken_minor": kept.taken_minor,
            "currency": kept.currency,
            "due_at": instant(kept.due_at),
        },
        at=at,
    )


def record_debit_request_event(request: DebitRequest, type: str, *, at: datetime) -> None:
    """Write a debit request's event. The caller has locked its debt, which is at hand, and saves
    `event_sequence` after."""
    notifications.record_event(
        type=type,
        platform_id=request.platform_id,
        subject_id=request.id,
        sequence=request.next_sequence(),
        data={
            "debit_request": request.id,
            "debt": request.debt_id,
            "merchant": request.debt.merchant_id,
            "payment_reference": request.payment_reference,
            "amount_minor": request.amount_minor,
            "open_minor": request.debt.open_minor,
            "currency": request.currency,
            "custodian": request.custodian,
            **_pay_to(request),
            "due_at": instant(request.due_at),
        },
        at=at,
    )


def _pay_to(request: DebitRequest) -> dict[str, str]:
    """The account to pay into; empty words when it is not configured any more, as a mail about the
    end of a request does not need it."""
    account = request.pay_to
    names = ("account_name", "account_number", "bank_name", "bank_code")
    return {name: getattr(account, name, "") for name in names}


def record_surplus_event(surplus: Surplus, *, platform_id: str, at: datetime) -> None:
    """Write the one event of a surplus."""
    notifications.record_event(
        type="payment.surplus",
        platform_id=platform_id,
        subject_id=surplus.id,
        sequence=1,
        data={
            "payment": surplus.payment_id,
            "order": surplus.order_id,
            "amount_minor": surplus.amount_minor,
            "currency": surplus.currency,
            "reason": surplus.reason,
        },
        at=at,
    )


def record_freeze_event(freeze: Freeze, type: str, *, at: datetime) -> None:
    """Write a freeze's event: what is frozen, never why, nor of which kind. The caller has made or
    locked the freeze and saves `event_sequence` after."""
    notifications.record_event(
        type=type,
        platform_id=freeze.platform_id,
        subject_id=freeze.id,
        sequence=freeze.next_sequence(),
        data={
            "freeze": freeze.id,
            "order": freeze.order_id,
            "merchant": freeze.merchant_id,
            "payout": freeze.payout_id,
        },
        at=at,
    )


def record_dispute_event(dispute: Dispute, type: str, *, by: str, at: datetime) -> None:
    """Write a dispute's event. The caller has locked the dispute and saves `event_sequence`
    after."""
    notifications.record_event(
        type=type,
        platform_id=dispute.platform_id,
        subject_id=dispute.id,
        sequence=dispute.next_sequence(),
        data={
            **order_facts(dispute.order),
            "dispute": dispute.id,
            "kind": dispute.kind,
            "by": str(by),
            "dispute_state": dispute.state,
            "dispute_reason": dispute.reason,
            "waits_for": dispute.waits_for or None,
            "due_at": instant(dispute.due_at),
            "asked_minor": dispute.asked_minor,
            "answer": dispute.answer or None,
            "offer_minor": dispute.offer_minor,
            "needs_return": dispute.needs_return,
            "resolution": dispute.resolution or None,
            "resolved_minor": dispute.resolved_minor,
        },
        at=at,
    )
