"""Disputes, their timelines and the files shown in them."""

from dataclasses import dataclass
from datetime import datetime

from holdfast._decode import Answer


@dataclass(frozen=True, kw_only=True)
class Evidence(Answer):
    """A file one side shows."""

    id: str
    side: str  # BUYER or MERCHANT
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    added_at: datetime


@dataclass(frozen=True, kw_only=True)
class DisputeStep(Answer):
    """One thing that happened in a dispute."""

    position: int
    kind: str
    by: str  # BUYER, MERCHANT, PLATFORM, OPERATOR, DEADLINE or CHANNEL
    at: datetime
    text: str
    amount_minor: int | None
    evidence: str | None
    sha256: str | None
    due_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Dispute(Answer):
    """What a buyer, or the buyer's bank, holds against a sale."""

    id: str
    order: str
    kind: str  # COMPLAINT or CHARGEBACK
    state: str  # OPEN, ANSWERED, RETURNING, RESOLVED or WITHDRAWN
    waits_for: str | None  # MERCHANT, BUYER or OPERATOR
    due_at: datetime | None
    reason: str
    opened_by: str
    opened_at: datetime
    text: str
    lines: tuple[int, ...]  # empty: the whole order
    currency: str
    stake_minor: int
    asked_minor: int
    answer: str | None  # ACCEPT, OFFER or CONTEST
    answered_at: datetime | None
    unanswered_at: datetime | None
    offer_minor: int | None
    needs_return: bool
    return_carrier: str | None
    return_tracking_number: str | None
    sent_back_at: datetime | None
    resolution: str | None  # FULL, PARTIAL or NONE
    resolved_minor: int | None
    resolved_by: str | None
    closed_at: datetime | None
    parked_at: datetime | None
    refund: str | None
    evidence: tuple[Evidence, ...]
    timeline: tuple[DisputeStep, ...]
