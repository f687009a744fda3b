"""The operators' view of the inbox: to read, and to let a message be applied again.

What came from outside is shown as text, never changed and never trusted.
"""

import json
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from channels import services
from channels.contract import Subject
from channels.models import InboundNotification, InboxState
from ledger import admin_panels as panels
from merchants.admin_pages import service_page
from merchants.admin_show import (
    ShownAdmin,
    audit_steps,
    choices_filter,
    column,
    dates_filter,
    instant_column,
    named_filter,
    state_badge,
    state_column,
)

TONES: dict[str, str] = {
    InboxState.RECEIVED: "info",
    InboxState.APPLIED: "success",
    InboxState.ORPHAN: "warning",
    InboxState.FLAGGED: "danger",
}
MAX_SHOWN = 20_000  # characters of a body
SUBJECTS: dict[str, Any] = {
    Subject.PAYMENT: _("Payment"),
    Subject.REFUND: _("Refund"),
    Subject.PAYOUT: _("Payout"),
    Subject.REMITTANCE: _("Remittance"),
}


def _sources() -> list[str]:
    channels = [f"channels/{name}" for name in settings.CHANNELS]
    return channels + [f"rails/{name}" for name in settings.RAILS]


def _subject(row: InboundNotification) -> Any:
    return SUBJECTS.get(row.subject, row.subject)


@admin.register(InboundNotification)
class InboundNotificationAdmin(ShownAdmin):
    list_display = [
        column(_("Source"), lambda row: row.source, name="source"),
        column(_("Subject"), _subject, name="subject"),
        column(_("Our reference"), lambda row: panels.mono(row.reference), name="reference"),
        state_column(TONES),
        column(_("Attempts"), lambda row: row.attempts, name="attempts"),
        instant_column(_("Received at"), name="received_at"),
    ]
    list_filter = [
        choices_filter("state", _("State")),
        named_filter("source", _("Source"), _sources),
        dates_filter("received_at", _("Received at")),
    ]
    actions_detail = ["retry"]

    def get_queryset(self, request: HttpRequest) -> Any:
        found = super().get_queryset(request)
        match = request.resolver_match
        return found if match and "object_id" in match.kwargs else found.defer("body", "answer")

    def found_by(self, term: str) -> Q:
        # The unique index begins with the source.
        return Q(source__in=_sources(), event_id=term) | Q(reference=term)

    def has_retry_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Offer it where it makes sense; what is posted is for the service to decide."""
        if not self.has_operate_permission(request):
            return False
        if object_id is None or request.method == "POST":
            return True
        waiting = InboundNotification.objects.filter(
            pk=object_id, state__in=[InboxState.FLAGGED, InboxState.ORPHAN]
        )
        return waiting.exists()

    def heading(self, row: InboundNotification) -> dict[str, Any]:
        return {"kind": row.source, "name": _subject(row), "state": state_badge(row, TONES)}

    def notices(self, request: HttpRequest, row: InboundNotification) -> list[str]:
        return [row.note] if row.note else []

    def panels(self, request: HttpRequest, row: InboundNotification) -> list[Any]:
        answer = json.dumps(row.answer, indent=2, ensure_ascii=False)
        body = bytes(row.body).decode("utf-8", errors="replace")
        said = panels.Facts(
            title=_("What they say"),
            facts=[(_("Read as"), _pre(answer)), (_("Body"), _pre(body[:MAX_SHOWN]))],
        )
        facts = panels.Facts(
            title=_("Message"),
            facts=[
                (_("Source"), row.source),
                (_("Their event"), panels.mono(row.event_id)),
                (_("Our reference"), panels.mono(row.reference)),
                (_("Received at"), panels.instant(row.received_at)),
                (_("Applied at"), panels.instant(row.applied_at)),
                (_("Tried next"), panels.instant(row.due_at)),
                (_("Attempts"), row.attempts),
                (_("Note"), row.note or panels.NOTHING),
            ],
            side=True,
        )
        return [said, facts, audit_steps(row, labels={InboxState.RECEIVED: _("Apply again")})]

    @action(description=_("Apply again"), permissions=["retry"], icon="replay")
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = get_object_or_404(InboundNotification.objects.defer("body"), pk=object_id)
        return service_page(
            self,
            request,
            title=_now("Apply again"),
            call=services.retry_notification,
            arguments={"notification_id": row.pk},
            explanation=_now("The next sweep applies it; money moves only if it fits our books."),
            object_id=object_id,
            facts=[
                (_("Source"), row.source),
                (_("Our reference"), panels.mono(row.reference)),
                (_("State"), state_badge(row, TONES)),
                (_("Note"), row.note or panels.NOTHING),
            ],
        )


def _pre(text: str) -> Any:
    return format_html('<pre class="hf-pre">{}</pre>', text)
