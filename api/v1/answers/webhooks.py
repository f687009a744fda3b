"""What is answered about events, webhook endpoints and deliveries."""

from rest_framework import serializers

from api.v1.answers.fields import Answer, Related, code, instant, later, text, whole


class EventAnswer(Answer):
    """Something that happened; the same object a webhook carries."""

    id = text("Id of the event, evt_…; the webhook-id of its deliveries.", source="public_id")
    type = text("What happened, such as order.paid.")
    subject = text("Id of what it happened to: an order, payment, ….", source="subject_id")
    sequence = whole("1, 2, 3 … per subject: a gap is an event not received yet.")
    created_at = instant("When.")
    data = serializers.DictField(read_only=True, help_text="The facts, by the event's type.")


class EndpointAnswer(Answer):
    """Where you are told of events."""

    id = text("Id of the endpoint, whe_….")
    url = text("Where events are sent.")
    description = text("Your own note; may be empty.")
    event_types = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="Only these types; empty: all."
    )
    api_version = text("Version its events are written in.")
    state = text("ENABLED or DISABLED.")
    disabled_reason = code("Why it is disabled.")
    disabled_at = later("When it was disabled.")
    failing_since = later("The first failure since the last success.")
    created_at = instant("When you created it.")


class CreatedEndpointAnswer(EndpointAnswer):
    """A new endpoint with its secret, which is never answered again."""

    secret = text("Verify signatures with it; whsec_….")


class SecretAnswer(Answer):
    """A new secret. Those before it sign as well until the overlap is over."""

    endpoint = text("Id of the endpoint.", source="endpoint_id")
    secret = text("Verify signatures with it; whsec_…. Never answered again.")


class AttemptAnswer(Answer):
    number = whole("1, 2, 3 … per delivery.")
    at = instant("When it began.")
    duration_ms = whole("How long it took, in milliseconds.")
    status_code = whole("HTTP status of the answer; null: none.", allow_null=True)
    error = code("What went wrong.")
    answer = text("The first kibibyte of the answer; may be empty.")


class DeliveryAnswer(Answer):
    """One event on its way to one endpoint."""

    id = text("Id of the delivery, dlv_….", source="public_id")
    event = Related(
        whole=EventAnswer, attribute="event", named_by="event.public_id", help_text="The event."
    )
    endpoint = text("Id of the endpoint.", source="recipient")
    state = text("PENDING, SENT or FAILED.")
    attempts = whole("How often it was tried.")
    next_attempt_at = instant("When it is tried next, while PENDING.")
    created_at = instant("Since when it waits.")
    sent_at = later("When the endpoint had it.")


class DeliveryDetailAnswer(DeliveryAnswer):
    """A delivery with the log of its attempts."""

    log = AttemptAnswer(many=True, help_text="Every attempt, oldest first.")


class ResentAnswer(Answer):
    """How much is sent again."""

    deliveries = whole("How many deliveries were asked for.")
    after = code("Send this as `after` for the rest.")
