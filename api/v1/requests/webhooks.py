"""What callers send about webhook endpoints: the shape of every body."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.fields import InstantField, StrictSerializer, TextField, TruthField, WholeNumberField
from common.ids import MAX_LENGTH
from notifications.events import EVENT_TYPES
from notifications.services.endpoints import LONGEST_OVERLAP, OVERLAP

URL = "https address, port 443 or 8443."
TYPES = "Only these event types; empty: all, also those that come later."
HOUR = 3600


@extend_schema_field({"type": "string", "enum": list(EVENT_TYPES)})
class EventTypeField(TextField):
    """The name of an event type. Unknown ones are refused by the service."""


def _types(**options: object) -> serializers.ListField:
    return serializers.ListField(
        child=EventTypeField(max_length=60),
        required=False,
        max_length=len(EVENT_TYPES),
        help_text=TYPES,
        **options,
    )


class EndpointRequest(StrictSerializer):
    """A new webhook endpoint."""

    url = TextField(max_length=500, help_text=URL)
    description = TextField(
        max_length=200, required=False, allow_blank=True, default="", help_text="Your own note."
    )
    event_types = _types(default=list)


class EndpointChangeRequest(StrictSerializer):
    """What changes about an endpoint; what is left out stays."""

    url = TextField(max_length=500, required=False, help_text=URL)
    description = TextField(
        max_length=200, required=False, allow_blank=True, help_text="Your own note."
    )
    event_types = _types()
    enabled = TruthField(required=False, help_text="false: send nothing more.")


class RollRequest(StrictSerializer):
    """How long the old secret still signs."""

    overlap_hours = WholeNumberField(
        min_value=0,
        max_value=int(LONGEST_OVERLAP.total_seconds()) // HOUR,
        required=False,
        default=int(OVERLAP.total_seconds()) // HOUR,
        help_text="Hours in which the secrets before sign as well; 0 after a leak.",
    )


class ResendRequest(StrictSerializer):
    """Since when an endpoint is told everything again."""

    since = InstantField(help_text="Events recorded at this instant or later.")
    after = TextField(
        max_length=MAX_LENGTH,
        required=False,
        allow_blank=True,
        default="",
        help_text="The `after` of the answer before, for the rest.",
    )
