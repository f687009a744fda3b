"""What happened in a dispute, as one of its sides reads it: both read the same steps."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from escrow.models import Actor, Dispute, DisputeStep, Evidence, StepKind, WaitsFor
from portal import formats

BAD = {StepKind.CONTESTED, StepKind.NOT_SENT_BACK, StepKind.RETURN_REFUSED}
Address = Callable[[Evidence], str]


@dataclass(frozen=True, slots=True)
class Said:
    """One step. `note`: who did it, and the amount it speaks of; `text`: in that person's words;
    `url`: where the file is, if it brought one."""

    title: str
    at: datetime | None
    note: str
    text: str
    tone: str
    file: Evidence | None = None
    url: str = ""


def dispute_steps(dispute: Dispute, *, reader: str, address: Address) -> list[Said]:
    """Say what happened, oldest first, and whose move it is.

    Args: reader: an Actor, who is called "you". address: where the reader finds a file.
    """
    files = {each.pk: each for each in dispute.evidence.all()}
    steps = []
    for step in dispute.steps.all():
        file = files.get(step.evidence_id)
        url = address(file) if file else ""
        steps.append(_said(dispute, step, file, url, reader=reader))
    if dispute.waits_for:
        steps.append(Said(_waits(dispute, reader), dispute.due_at, "", "", "wait"))
    return steps


def _said(
    dispute: Dispute, step: DisputeStep, file: Evidence | None, url: str, *, reader: str
) -> Said:
    who = _("You") if step.by == reader else step.get_by_display()
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
        url=url,
    )


def _waits(dispute: Dispute, reader: str) -> str:
    if dispute.waits_for == reader:
        return _("It is your turn, until")
    match dispute.waits_for:
        case WaitsFor.BUYER:
            return _("It is the buyer's turn, until")
        case WaitsFor.MERCHANT:
            return _("It is the seller's turn, until")
    return _("Our staff decides, until") if dispute.due_at else _("Our staff decides")
