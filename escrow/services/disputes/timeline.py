"""Writing down what happens in a dispute: one step for both sides, and the event that tells of it.

It must never be called without the dispute's lock: the position of a step is the order of things.
"""

from datetime import datetime

from django.db import connection
from django.db.models import Max

from escrow import events
from escrow.models import Dispute, DisputeStep, Evidence, StepKind

# Steps that are told of by themselves. The others are followed by one that is.
TOLD = {
    StepKind.OPENED: "dispute.opened",
    StepKind.EVIDENCE: "dispute.evidence_added",
    StepKind.ACCEPTED: "dispute.answered",
    StepKind.OFFERED: "dispute.answered",
    StepKind.CONTESTED: "dispute.answered",
    StepKind.UNANSWERED: "dispute.unanswered",
    StepKind.OFFER_DECLINED: "dispute.offer_declined",
    StepKind.SENT_BACK: "dispute.sent_back",
    StepKind.RETURN_REFUSED: "dispute.return_refused",
    StepKind.PARKED: "dispute.parked",
    StepKind.RESOLVED: "dispute.resolved",
    StepKind.WITHDRAWN: "dispute.withdrawn",
}


def record_step(
    dispute: Dispute,
    kind: str,
    *,
    by: str,
    at: datetime,
    text: str = "",
    amount_minor: int | None = None,
    evidence: Evidence | None = None,
    told: str = "",
) -> None:
    """Write the next step, its event if it has one, and the dispute as it now is.

    Args: told: the type of the event, where it is not that of the step.
    """
    assert connection.in_atomic_block
    last = dispute.steps.aggregate(last=Max("position"))["last"] or 0
    DisputeStep.objects.create(
        dispute=dispute,
        position=last + 1,
        kind=kind,
        by=by,
        at=at,
        text=text,
        amount_minor=amount_minor,
        evidence_id=evidence.id if evidence else "",
        sha256=evidence.sha256 if evidence else "",
        due_at=dispute.due_at,
    )
    type = told or TOLD.get(StepKind(kind), "")
    if type:
        events.record_dispute_event(dispute, type, by=by, at=at)
    dispute.save()
