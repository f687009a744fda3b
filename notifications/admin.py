"""The operators' view of the outbox: to read, and to send again what was given up."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from merchants.admin_pages import ReadOnlyAdmin, service_page
from notifications import services
from notifications.models import Delivery, Event


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
    search_fields = ["recipient", "event__subject_id"]
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
