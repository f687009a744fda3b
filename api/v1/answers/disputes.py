"""What is answered about disputes: both sides read the same, and nothing of what operators
weigh."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers

from api.fields import AmountField
from api.v1.answers.fields import Answer, amount, code, instant, later, truth, whole
from api.v1.answers.fields import text as word
from escrow import attachments
from escrow.models import Dispute

# The bytes of a file, for the description.
FILE: Any = {(200, attachments.MEDIA_TYPE): OpenApiTypes.BINARY}


def amount_or_none(help_text: str) -> AmountField:
    return AmountField(help_text=f"{help_text} null: none.", read_only=True, allow_null=True)


class EvidenceAnswer(Answer):
    """A file one side shows."""

    id = word("Id of the file, evi_….")
    side = word("BUYER or MERCHANT.")
    name = word("What its owner calls it.")
    media_type = word("What it is, by its content.")
    size_bytes = whole("Its size in bytes.")
    sha256 = word("SHA-256 of its bytes, in hex.")
    added_at = instant("When it was added.")


class DisputeStepAnswer(Answer):
    """One thing that happened."""

    position = whole("1, 2, 3 … as it happened.")
    kind = word("What happened.")
    by = word("BUYER, MERCHANT, PLATFORM, OPERATOR, DEADLINE or CHANNEL.")
    at = instant("When.")
    text = word("What was said; may be empty.")
    amount_minor = amount_or_none("What it gives the buyer, in minor units.")
    evidence = code("Id of the file it speaks of.", source="evidence_id")
    sha256 = code("SHA-256 of that file.")
    due_at = later("The next deadline, as it was then.")


class DisputeAnswer(Answer):
    """A dispute with its timeline."""

    id = word("Id of the dispute, dsp_….")
    order = word("Id of the order.", source="order_id")
    kind = word("COMPLAINT or CHARGEBACK.")
    state = word("OPEN, ANSWERED, RETURNING, RESOLVED or WITHDRAWN.")
    waits_for = code("Whose move it is: MERCHANT, BUYER or OPERATOR.")
    due_at = later("Until when; silence after it means what the documentation says.")
    reason = word("Why.")
    opened_by = word("BUYER, PLATFORM or CHANNEL.")
    opened_at = instant("When it was opened.")
    text = word("What happened, in the buyer's words; may be empty.")
    lines = serializers.SerializerMethodField(
        help_text="Which lines it is about, 1 for the first; empty: the whole order."
    )
    currency = word("ISO 4217 code of all amounts.")
    stake_minor = amount("What of the order was not given back when it was opened, minor units.")
    asked_minor = amount("What the buyer wants back, in minor units.")
    answer = code("ACCEPT, OFFER or CONTEST.")
    answered_at = later("When the seller answered.")
    unanswered_at = later("When the seller had let the time pass.")
    offer_minor = amount_or_none("What the buyer would get by the offer, in minor units.")
    needs_return = truth("The buyer gets it when the goods have come back.")
    return_carrier = code("Who carries the goods back.")
    return_tracking_number = code("The carrier's number.")
    sent_back_at = later("When they were sent back.")
    resolution = code("FULL, PARTIAL or NONE.")
    resolved_minor = amount_or_none("What the buyer gets, in minor units.")
    resolved_by = code("Who ended it.")
    closed_at = later("When it ended.")
    parked_at = later("Since when it waits for money that is frozen or was released before.")
    refund = code("Id of the refund, ref_….", source="refund_id")
    evidence = EvidenceAnswer(many=True, source="evidence.all", help_text="Files, oldest first.")
    timeline = DisputeStepAnswer(many=True, source="steps.all", help_text="All of it, in order.")

    def get_lines(self, dispute: Dispute) -> tuple[int, ...]:
        return tuple(each.line.position for each in dispute.lines.all())
