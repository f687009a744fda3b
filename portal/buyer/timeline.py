"""What happened in a dispute, as a buyer reads it: the same steps the seller reads."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from escrow.models import Actor, Dispute, DisputeStep, Evidence, StepKind, WaitsFor
from portal import formats

BAD = {StepKind.CONTESTED, StepKind.NOT_SENT_BACK, StepKind.RETURN_REFUSED}


@dataclass(frozen=True, slots=True)
class Said:
    """One step. `who`: who did it; `text`: in that person's words."""

    title: str
    at: datetime | None
    note: str
    text: str
    tone: str
    file: Evidence | None = None


def dispute_steps(dispute: Dispute) -> list[Said]:
    """Say what happened, oldest first, and whose move it is."""
    files = {each.pk: each for each in dispute.evidence.all()}
    steps = [_said(dispute, step, files.get(step.evidence_id)) for step in dispute.steps.all()]
    if dispute.waits_for:
        steps.append(Said(_waits(dispute), dispute.due_at, "", "", "wait"))
    return steps


def _said(dispute: Dispute, step: DisputeStep, file: Evidence | None) -> Said:
    who = _("You") if step.by == Actor.BUYER else step.get_by_display()
    notes = [who] if step.by != Actor.DEADLINE else []
    if step.amount_minor is not None:
        notes.append(formats.money(step.amount_minor, dispute.currency))
    return Said(
        title=step.get_kind_display(),
        at=step.at,
        note=" · ".join(notes),
        text="" if step.kind == StepKind.EVIDENCE else step.text,
        tone="bad" if step.kind in BAD else "done",
        file=file,
    )


def _waits(dispute: Dispute) -> str:
    match dispute.waits_for:
        case WaitsFor.BUYER:
            return _("It is your turn, until")
        case WaitsFor.MERCHANT:
            return _("It is the seller's turn, until")
    return _("Our staff decides, until") if dispute.due_at else _("Our staff decides")
