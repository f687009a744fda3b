"""Files that the sides of a dispute show each other: taken in, and handed out to be saved.

It must never say what a file may be: escrow looks at its bytes.
"""

from datetime import datetime

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.functional import Promise

from escrow import attachments
from escrow.models import Dispute
from escrow.services.disputes import evidence
from portal.refusals import attempt


def show_file(
    request: HttpRequest,
    dispute: Dispute,
    file: UploadedFile,
    *,
    side: str,
    by: str,
    at: datetime,
    done: str | Promise,
) -> None:
    """Add a file to what a side shows, and leave a sentence for the next page."""
    name = " ".join((file.name or "").split())
    content = file.read()  # no larger than a body may be: api.middleware

    def add() -> object:
        return evidence.add_evidence(
            dispute_id=dispute.pk, side=side, name=name, content=content, by=by, at=at
        )

    attempt(request, add, done=done)


def hand_out(dispute: Dispute, *, evidence_id: str) -> HttpResponse:
    """Answer with a file of either side, to be saved."""
    try:
        found = evidence.read_evidence(dispute=dispute, evidence_id=evidence_id)
    except evidence.EvidenceNotFound:
        raise Http404 from None
    return attachments.attachment(found)
