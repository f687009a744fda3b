"""Files that the two sides of a dispute show: taken in by what they are, not by what they are
called."""

import hashlib
from datetime import datetime

from common.errors import DomainError
from escrow import filetypes
from escrow.locks import lock_dispute
from escrow.models import (
    CLOSED,
    MAX_FILE_BYTES,
    MAX_FILES_PER_SIDE,
    Actor,
    Dispute,
    Evidence,
    StepKind,
)
from escrow.services.disputes.rules import conflict
from escrow.services.disputes.timeline import record_step
from ledger.usecases import use_case

MAX_NAME = 120


class EvidenceTooLarge(DomainError):
    """A file has 5 MiB at most."""

    code = "evidence_too_large"
    status = 422


class EvidenceTypeRefused(DomainError):
    """Evidence is a PDF, PNG, JPEG or WEBP file, or plain text in UTF-8, by its content."""

    code = "evidence_type_refused"
    status = 422


class TooMuchEvidence(DomainError):
    """Each side may show ten files."""

    code = "too_much_evidence"


class EvidenceNotFound(DomainError):
    code = "evidence_not_found"
    status = 404


@use_case()
def add_evidence(
    *, dispute_id: str, side: str, name: str, content: bytes, by: str, at: datetime
) -> Evidence:
    """One side shows a file, while the dispute is open.

    Args: side: Actor.BUYER or Actor.MERCHANT. name: what its owner calls it, one line; shown, never
        used as a file's name. content: 1 byte to 5 MiB. by: who hands it in.
    Raises: DisputeNotFound, DisputeStateConflict, EvidenceTooLarge, EvidenceTypeRefused,
        TooMuchEvidence.
    Idempotent: by (dispute, side, content): the same bytes again are the file that is there.
    Locks: the order, the dispute.
    """
    assert side in (Actor.BUYER, Actor.MERCHANT), side
    dispute = lock_dispute(dispute_id)
    if dispute.state in CLOSED:
        raise conflict(dispute)
    media_type = _check(content)
    sha256 = hashlib.sha256(content).hexdigest()
    shown = Evidence.objects.filter(dispute=dispute, side=side)
    known = shown.defer("content").filter(sha256=sha256).first()
    if known is not None:
        return known
    if shown.count() >= MAX_FILES_PER_SIDE:
        raise TooMuchEvidence(f"Each side may show {MAX_FILES_PER_SIDE} files.")
    evidence = Evidence.objects.create(
        dispute=dispute,
        side=side,
        name=name[:MAX_NAME],
        media_type=media_type,
        size_bytes=len(content),
        sha256=sha256,
        content=content,
        added_at=at,
    )
    record_step(dispute, StepKind.EVIDENCE, by=by, at=at, text=evidence.name, evidence=evidence)
    return evidence


def _check(content: bytes) -> str:
    if len(content) > MAX_FILE_BYTES:
        raise EvidenceTooLarge(f"A file has {MAX_FILE_BYTES} bytes at most.", field="content")
    media_type = filetypes.find_type(content)
    if media_type is None:
        raise EvidenceTypeRefused(
            "Send a PDF, PNG, JPEG or WEBP file, or plain text in UTF-8.", field="content"
        )
    return media_type


def read_evidence(*, dispute: Dispute, evidence_id: str) -> Evidence:
    """Return a file of a dispute with its bytes. Raises: EvidenceNotFound."""
    found = Evidence.objects.filter(dispute=dispute, pk=evidence_id).first()
    if found is None:
        raise EvidenceNotFound(f"There is no file {evidence_id} here.", evidence=evidence_id)
    return found
