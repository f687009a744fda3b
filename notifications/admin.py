"""The operators' view of the outbox: to read, and to send again what was given up.

A signing secret must never be shown.
"""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from merchants.admin_pages import ReadOnlyAdmin, service_page
from notifications import services
from notifications.models import (
    Delivery,
    DeliveryAttempt,
    Event,
    MailChoice,
    WebhookEndpoint,
    WebhookSecret,
)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = [
        "public_id",
        "type",
        "platform",
        "subject_id",
        "sequence",
        "created_at",
        "relayed_at",
        "attempts",
    ]
    list_filter = ["type", "platform"]
    list_select_related = ["platform"]
    search_fields = ["public_id", "subject_id"]
    show_full_result_count = False


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = [
        "public_id",
        "event",
        "channel",
        "recipient",
        "audience",
        "state",
        "attempts",
        "sent_at",
        "last_error",
    ]
    list_filter = ["state", "channel", "audience"]
    list_select_related = ["event"]
    search_fields = ["public_id", "recipient", "event__subject_id"]
    show_full_result_count = False
    actions_detail = ["retry"]

    @action(description=_("Send again"), permissions=["operate"])
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return service_page(
            self,
            request,
            title=_("Send again"),
            call=services.retry_delivery,
            arguments={"delivery_id": int(object_id)},
        )


@admin.register(MailChoice)
class MailChoiceAdmin(ReadOnlyAdmin):
    list_display = ["user", "kind", "wanted", "changed_at"]
    list_filter = ["kind", "wanted"]
    list_select_related = ["user"]
    search_fields = ["user__username", "user__email"]


@admin.register(DeliveryAttempt)
class DeliveryAttemptAdmin(ReadOnlyAdmin):
    list_display = ["delivery", "number", "at", "duration_ms", "status_code", "error"]
    list_filter = ["error"]
    list_select_related = ["delivery"]
    search_fields = ["delivery__public_id", "delivery__recipient"]
    show_full_result_count = False


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    list_display = [
        "id",
        "platform",
        "host",
        "state",
        "disabled_reason",
        "failing_since",
        "created_at",
    ]
    list_filter = ["state", "disabled_reason", "platform"]
    list_select_related = ["platform"]
    search_fields = ["id", "url", "description"]

    @display(description=_("host"))
    def host(self, endpoint: WebhookEndpoint) -> str:
        # The rest of the address may hold what only its receiver should know.
        return endpoint.url.partition("://")[2].partition("/")[0].partition("?")[0]


@admin.register(WebhookSecret)
class WebhookSecretAdmin(ReadOnlyAdmin):
    list_display = ["id", "endpoint", "created_at", "expires_at"]
    list_select_related = ["endpoint"]
    search_fields = ["id", "endpoint__id"]
    fields = ["id", "endpoint", "created_at", "expires_at"]
