"""Events, webhook endpoints and deliveries over HTTP.

Endpoints and deliveries live by the real clock, `request.now`; events by the platform's own.
"""

from datetime import timedelta
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import kept, pages
from api.idempotency import idempotent
from api.refusals import refuses
from api.v1.answers import webhooks as answers
from api.v1.requests import webhooks as requests
from notifications import selectors
from notifications import services as notifications
from notifications.models import Delivery, DeliveryState, Event, WebhookEndpoint


class EventsView(pages.ListView):
    scope = "events"
    answer = answers.EventAnswer
    order_by = "public_id"
    filters: ClassVar = {
        "type": pages.text("type", "What happened, such as order.paid."),
        "subject": pages.text("subject_id", "Id of what it happened to."),
        **pages.created(),
    }

    def rows(self) -> QuerySet[Event]:
        return selectors.list_events(platform_id=self.platform.id)


class EventView(pages.ItemView):
    scope = "events"
    listing = EventsView


class EndpointsView(pages.ListView):
    scope = "webhooks"
    answer = answers.EndpointAnswer
    filters: ClassVar = {**pages.created()}

    def rows(self) -> QuerySet[WebhookEndpoint]:
        return selectors.list_endpoints(platform_id=self.platform.id)

    @extend_schema(request=requests.EndpointRequest, responses={201: answers.CreatedEndpointAnswer})
    @refuses(notifications.create_endpoint)
    @idempotent
    def post(self, request: Request) -> Response:
        """Be told of events at an address. The secret is in this answer and never again."""
        body = self.read(requests.EndpointRequest)
        endpoint, endpoint.secret = notifications.create_endpoint(  # type: ignore[attr-defined]
            platform=self.platform, at=request.now, api_version=request.auth.api_version, **body
        )
        path = reverse("v1:webhook-endpoint", args=[endpoint.id])
        answer = kept.write(answers.CreatedEndpointAnswer, endpoint)
        return Response(answer, 201, headers={"Location": path})


class EndpointView(pages.ItemView):
    scope = "webhooks"
    listing = EndpointsView

    @extend_schema(request=requests.EndpointChangeRequest)
    @refuses(notifications.update_endpoint)
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """Change an endpoint; what is left out stays."""
        body = self.read(requests.EndpointChangeRequest)
        endpoint = self.find(id)
        return Response(
            self.write(
                notifications.update_endpoint(endpoint_id=endpoint.pk, at=request.now, **body)
            )
        )

    @refuses(notifications.delete_endpoint)
    def delete(self, request: Request, id: str) -> Response:
        """Send nothing more to this address, for ever. Its log of deliveries stays."""
        notifications.delete_endpoint(endpoint_id=self.find(id).pk, at=request.now)
        return Response(status=204)


class PingView(pages.ActionView):
    scope = "webhooks"
    listing = EndpointsView

    @extend_schema(responses={201: answers.EventAnswer})
    @refuses(notifications.send_test_ping)
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """Send a test event to this endpoint alone."""
        event = notifications.send_test_ping(endpoint_id=self.find(id).pk, at=request.now)
        return Response(kept.write(answers.EventAnswer, event), 201)


class RollSecretView(pages.ActionView):
    scope = "webhooks"
    listing = EndpointsView

    @extend_schema(request=requests.RollRequest, responses={201: answers.SecretAnswer})
    @refuses(notifications.roll_secret)
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """Give the endpoint a new secret; the old ones sign as well for a while."""
        body = self.read(requests.RollRequest)
        row, row.secret = notifications.roll_secret(
            endpoint_id=self.find(id).pk,
            at=request.now,
            overlap=timedelta(hours=body["overlap_hours"]),
        )
        return Response(kept.write(answers.SecretAnswer, row), 201)


class ResendView(pages.ActionView):
    scope = "webhooks"
    listing = EndpointsView

    @extend_schema(request=requests.ResendRequest, responses=answers.ResentAnswer)
    @refuses(notifications.resend_since)
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """Send the endpoint every event since an instant again; at most 5000 per call."""
        body = self.read(requests.ResendRequest)
        self._require_event(body["after"])
        resent = notifications.resend_since(endpoint_id=self.find(id).pk, at=request.now, **body)
        return Response(kept.write(answers.ResentAnswer, resent))

    def _require_event(self, after: str) -> None:
        """Check that the event to go on after is the platform's. Raises: ResourceNotFound."""
        own = selectors.list_events(platform_id=self.platform.id)
        if after and not own.filter(public_id=after).exists():
            raise pages.ResourceNotFound(
                f"There is nothing with the id {after} here.", id=after, field="after"
            )


class DeliveriesView(pages.ListView):
    scope = "webhooks"
    answer = answers.DeliveryAnswer
    order_by = "public_id"
    expandable = frozenset({"event"})
    filters: ClassVar = {
        "state": pages.one_of(DeliveryState, "state", "State of the delivery."),
        "endpoint": pages.text("recipient", "Id of the endpoint."),
        "event": pages.text("event__public_id", "Id of the event."),
        **pages.created(),
    }

    def rows(self) -> QuerySet[Delivery]:
        return selectors.list_deliveries(platform_id=self.platform.id)


class DeliveryView(pages.ItemView):
    scope = "webhooks"
    listing = DeliveriesView
    answer = answers.DeliveryDetailAnswer
    expandable = frozenset({"event"})

    def write(self, found: Any) -> Any:
        attempts = selectors.list_attempts(
            platform_id=self.platform.id, delivery_id=found.public_id
        )
        found.log = attempts.order_by("number")
        return super().write(found)


class DeliveryResendView(pages.ActionView):
    scope = "webhooks"
    listing = DeliveriesView

    @extend_schema(responses=answers.DeliveryAnswer)
    @refuses(notifications.resend_delivery)
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """Send one event to its endpoint again."""
        delivery = notifications.resend_delivery(
            delivery_id=self.find(id).public_id, at=request.now
        )
        return Response(kept.write(answers.DeliveryAnswer, delivery))
