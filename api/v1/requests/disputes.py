"""What callers send about disputes: the shape of every body."""

from rest_framework import serializers

from api.fields import (
    AmountField,
    FileField,
    StrictSerializer,
    TextField,
    TruthField,
    WholeNumberField,
)
from api.v1.requests.orders import ConfirmationRequest
from common.ids import MAX_LENGTH
from escrow.models import MAX_TEXT, Actor, DisputeReason, SellerAnswer
from escrow.services.disputes.evidence import MAX_NAME
from orders.services.creation import MAX_LINES

REASONS = [each for each in DisputeReason.values if each != DisputeReason.CHARGEBACK]


def said(help_text: str) -> TextField:
    """Words of one side, which may be left out."""
    return TextField(
        max_length=MAX_TEXT, required=False, allow_blank=True, default="", help_text=help_text
    )


class ComplaintRequest(StrictSerializer):
    """What is wrong with the goods, and what the buyer wants."""

    reason = serializers.ChoiceField(choices=REASONS, help_text=f"{', '.join(REASONS)}.")
    asked_minor = AmountField(
        min_value=1,
        required=False,
        help_text="What the buyer wants back, in minor units of the order's currency. Left out: "
        "all that was not given back.",
    )
    lines = serializers.ListField(
        child=WholeNumberField(min_value=1, max_value=MAX_LINES),
        required=False,
        default=list,
        max_length=MAX_LINES,
        help_text="Which lines it is about: 1 is the first. Left out: the whole order.",
    )
    text = said("What happened, in the buyer's words.")


class DisputeRequest(ComplaintRequest):
    """A dispute that a platform opens for its buyer."""

    order = TextField(max_length=MAX_LENGTH, help_text="Id of the order, ord_….")


class AnswerRequest(StrictSerializer):
    """What the seller says to a dispute."""

    answer = serializers.ChoiceField(
        choices=SellerAnswer.choices,
        help_text="ACCEPT gives what is asked, OFFER something else, CONTEST nothing.",
    )
    offer_minor = AmountField(
        min_value=1,
        required=False,
        help_text="With OFFER: what the buyer would get, in minor units, up to what is asked.",
    )
    needs_return = TruthField(
        required=False,
        default=False,
        help_text="With OFFER: the buyer gets it when the goods have come back.",
    )
    text = said("The seller's words.")


class ReturnRequest(StrictSerializer):
    """Whether goods that were sent back have arrived as they should."""

    received = TruthField(help_text="true: the buyer gets what was agreed. false: we decide.")
    text = said("What is wrong with them.")


class FileRequest(StrictSerializer):
    """A file."""

    name = TextField(max_length=MAX_NAME, help_text="What you call it: shown, and nothing else.")
    content = FileField(
        help_text="The file in base64: a PDF, PNG, JPEG or WEBP file or plain text in UTF-8, 5 MiB "
        "at most, told by its content."
    )


class EvidenceRequest(FileRequest):
    """A file one side shows."""

    side = serializers.ChoiceField(
        choices=[Actor.MERCHANT.value, Actor.BUYER.value],
        required=False,
        default=Actor.MERCHANT.value,
        help_text="Whose evidence it is: MERCHANT or BUYER.",
    )


class TokenRequest(ConfirmationRequest):
    """The buyer's authority."""


class BuyerComplaintRequest(TokenRequest, ComplaintRequest):
    """A dispute that the buyer opens."""


class OfferReplyRequest(TokenRequest):
    """The buyer's answer to an offer."""

    accept = TruthField(help_text="true: the offer is taken. false: we decide.")
    text = said("The buyer's words.")


class WithdrawalRequest(TokenRequest):
    """The buyer gives the dispute up."""

    text = said("Why.")


class SendBackRequest(TokenRequest):
    """The parcel the goods go back in."""

    carrier = TextField(max_length=64, help_text="Who carries the parcel.")
    tracking_number = TextField(max_length=64, help_text="The carrier's number of the parcel.")


class BuyerFileRequest(TokenRequest, FileRequest):
    """A file the buyer shows."""


class FileReadRequest(TokenRequest):
    """Which file of the dispute the buyer wants to read."""

    evidence = TextField(max_length=MAX_LENGTH, help_text="Id of the file, evi_….")
