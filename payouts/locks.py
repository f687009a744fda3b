"""Where payouts and schedules are locked: one row, before anything is decided about it."""

from django.db import connection

from common.errors import DomainError
from payouts.models import Payout, PayoutSchedule, Settlement


class PayoutNotFound(DomainError):
    code = "payout_not_found"
    status = 404


def lock_payout(payout_id: str) -> Payout:
    """Lock one payout. Raises: PayoutNotFound."""
    assert connection.in_atomic_block, "locks need a database transaction around them"
    payout = Payout.objects.filter(pk=payout_id).select_for_update(of=("self",)).first()
    if payout is None:
        raise PayoutNotFound(f"There is no payout {payout_id}.", payout=payout_id)
    return payout


def lock_settlement(settlement_id: str) -> Settlement:
    """Lock one settlement, after its payout: whoever holds it is the only one who cuts another
    payout for it."""
    assert connection.in_atomic_block, "locks need a database transaction around them"
    return Settlement.objects.select_for_update(of=("self",)).get(pk=settlement_id)


def lock_schedule(schedule_id: int) -> PayoutSchedule:
    """Lock one schedule: whoever holds it is the only one who cuts this payee's settlements."""
    assert connection.in_atomic_block, "locks need a database transaction around them"
    schedules = PayoutSchedule.objects.select_for_update(of=("self",)).select_related(
        "platform", "merchant", "party"
    )
    return schedules.get(pk=schedule_id)
