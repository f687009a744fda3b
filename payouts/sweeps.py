"""The due work of station 3. Each sweep takes `at`, may run twice or late, and one bad row never
stops the rest."""

from datetime import datetime

from django.db.models import Case, CharField, Exists, OuterRef, Q, Value, When
from django.db.models.functions import Concat

from escrow.models import Payee, ReleaseLine
from orders.claims import lease_due
from orders.sweeps import run_each
from payouts.models import Payout, PayoutSchedule, PayoutState
from payouts.services import cutoff, sending

BATCH = 500
NETWORK_BATCH = 50


def cut_due_settlements(*, at: datetime) -> int:
    """Cut settlements for every payee whose cutoff has come and to whom something was released
    since the last."""
    address = Case(
        When(
            merchant__isnull=False,
            then=Concat(Value("merchant:"), "merchant_id", Value(":payable")),
        ),
        default=Concat(Value("platform:"), "platform_id", Value(":commission")),
        output_field=CharField(),
    )
    open_lines = ReleaseLine.objects.filter(
        ~Q(payee=Payee.SERVICE_FEE), address=OuterRef("payable"), settlement_id__isnull=True
    )
    due = PayoutSchedule.objects.filter(next_cutoff_at__lte=at).annotate(payable=address)
    ids = (
        due.filter(Exists(open_lines))
        .order_by("next_cutoff_at", "pk")
        .values_list("pk", flat=True)[:BATCH]
    )
    return run_each(
        [str(pk) for pk in ids],
        lambda schedule_id: cutoff.cut_settlements(schedule_id=int(schedule_id), at=at),
        sweep="cut_due_settlements",
    )


def send_due_payouts(*, at: datetime) -> int:
    """Send approved payouts to their bank."""
    due = lease_due(
        Payout.objects.filter(state=PayoutState.APPROVED),
        at=at,
        lease=sending.LEASE,
        limit=NETWORK_BATCH,
    )
    return run_each(due, lambda payout_id: _send(payout_id, at=at), sweep="send_due_payouts")


def _send(payout_id: str, *, at: datetime) -> None:
    attempt = sending.claim_payout(payout_id=payout_id, at=at)
    if attempt is not None:
        sending.submit_payout(payout_id=payout_id, attempt=attempt, at=at)


def query_due_payouts(*, at: datetime) -> int:
    """Ask banks about payouts that gave no final answer."""
    due = lease_due(
        Payout.objects.filter(state__in=Payout.OPEN),
        at=at,
        lease=sending.LEASE,
        limit=NETWORK_BATCH,
    )
    return run_each(
        due,
        lambda payout_id: sending.query_payout(payout_id=payout_id, at=at),
        sweep="query_due_payouts",
    )
