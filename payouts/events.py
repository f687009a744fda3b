"""What payouts tell the world: thin events written to the outbox with the change itself."""

from datetime import datetime

from notifications import services as notifications
from payouts.models import Payout


def record_payout_event(payout: Payout, type: str, *, at: datetime) -> None:
    """Write a payout's event. The caller has locked the payout and saves `event_sequence` after."""
    notifications.record_event(
        type=type,
        platform_id=payout.platform_id,
        subject_id=payout.id,
        sequence=payout.next_sequence(),
        data={
            "payout": payout.id,
            "settlement": payout.settlement_id,
            "payee": payout.payee,
            "merchant": payout.merchant_id,
            "party": payout.party_id,
            "amount_minor": payout.amount_minor,
            "currency": payout.currency,
            "last_four": payout.last_four,
            "reason": payout.failure_message or payout.failure_code,
        },
        at=at,
    )
