"""Events, webhook endpoints and deliveries. Signatures only: see holdfast._operations."""

# mypy: disable-error-code="empty-body"

from collections.abc import Sequence
from datetime import datetime

from holdfast import models
from holdfast._operations import Mode, Resource, delete, get, listing, post


class Events(Resource[Mode]):
    """Everything that happened on your platform."""

    @listing("/v1/events")
    def list(
        self,
        *,
        type: str | None = None,
        subject: str | None = None,
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
    ) -> models.Event:
        """List events, newest first."""
        ...

    @get("/v1/events/{event_id}")
    def retrieve(self, event_id: str) -> models.Event:
        """Read an event."""
        ...


class WebhookEndpoints(Resource[Mode]):
    """Where you are told of events."""

    @listing("/v1/webhook-endpoints")
    def list(
        self,
        *,
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
    ) -> models.WebhookEndpoint:
        """List webhook endpoints, newest first."""
        ...

    @post("/v1/webhook-endpoints")
    def create(
        self,
        *,
        url: str,
        description: str | None = None,
        event_types: Sequence[str] | None = None,
        idempotency_key: str | None = None,
    ) -> models.CreatedWebhookEndpoint:
        """Be told of events at an address. Keep `secret`: it is never answered again."""
        ...

    @get("/v1/webhook-endpoints/{endpoint_id}")
    def retrieve(self, endpoint_id: str) -> models.WebhookEndpoint:
        """Read a webhook endpoint."""
        ...

    @post("/v1/webhook-endpoints/{endpoint_id}")
    def update(
        self,
        endpoint_id: str,
        *,
        url: str | None = None,
        description: str | None = None,
        event_types: Sequence[str] | None = None,
        enabled: bool | None = None,
        idempotency_key: str | None = None,
    ) -> models.WebhookEndpoint:
        """Change an endpoint; what is left out stays."""
        ...

    @delete("/v1/webhook-endpoints/{endpoint_id}")
    def delete(self, endpoint_id: str) -> None:
        """Send nothing more to this address, for ever. The log of its deliveries stays."""
        ...

    @post("/v1/webhook-endpoints/{endpoint_id}/ping")
    def ping(self, endpoint_id: str, *, idempotency_key: str | None = None) -> models.Event:
        """Send a test event to this endpoint alone."""
        ...

    @post("/v1/webhook-endpoints/{endpoint_id}/roll-secret")
    def roll_secret(
        self,
        endpoint_id: str,
        *,
        overlap_hours: int | None = None,
        idempotency_key: str | None = None,
    ) -> models.WebhookSecret:
        """Take a new secret; the old ones sign as well for `overlap_hours`, 24 when left out."""
        ...

    @post("/v1/webhook-endpoints/{endpoint_id}/resend")
    def resend(
        self,
        endpoint_id: str,
        *,
        since: datetime,
        after: str | None = None,
        idempotency_key: str | None = None,
    ) -> models.Resent:
        """Have every event since an instant sent again; at most 5000 per call, see `after`."""
        ...


class Deliveries(Resource[Mode]):
    """Events on their way to endpoints."""

    @listing("/v1/deliveries")
    def list(
        self,
        *,
        state: str | Sequence[str] | None = None,
        endpoint: str | None = None,
        event: str | None = None,
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
        expand: Sequence[str] | None = None,
    ) -> models.Delivery:
        """List deliveries, newest first. `expand=["event"]` writes the event whole."""
        ...

    @get("/v1/deliveries/{delivery_id}")
    def retrieve(
        self, delivery_id: str, *, expand: Sequence[str] | None = None
    ) -> models.DeliveryDetail:
        """Read a delivery with the log of its attempts."""
        ...

    @post("/v1/deliveries/{delivery_id}/resend")
    def resend(self, delivery_id: str, *, idempotency_key: str | None = None) -> models.Delivery:
        """Have one event sent to its endpoint again."""
        ...
