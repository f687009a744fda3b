"""Webhooks: endpoints, what was sent to them and how they answered, and the events themselves."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.errors import DomainError
from notifications import selectors
from notifications import services as notifications
from notifications.events import EVENT_TYPES
from notifications.models import DeliveryState, EndpointState, WebhookEndpoint
from portal.access import PortalRequest, Power, member_page
from portal.lists import page_of
from portal.refusals import attempt, sentence

TONES = {
    DeliveryState.PENDING: "info",
    DeliveryState.SENT: "success",
    DeliveryState.FAILED: "danger",
}


class EndpointForm(forms.Form):
    """Where a platform wants to be told, and of what."""

    url = forms.CharField(label=_("URL"), max_length=500, widget=forms.URLInput)
    description = forms.CharField(label=_("Description"), max_length=200, required=False)
    event_types = forms.MultipleChoiceField(
        label=_("Events"),
        choices=[(name, name) for name in EVENT_TYPES],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: all of them, also those that come later."),
    )


@require_safe
@member_page(of="platform")
def list_endpoints(request: PortalRequest) -> HttpResponse:
    """Show endpoints, and the newest deliveries."""
    platform_id = request.member.platform.pk
    endpoints = selectors.list_endpoints(platform_id=platform_id).order_by("-pk")
    chosen = request.GET.get("endpoint", "")[:64]
    deliveries = selectors.list_deliveries(platform_id=platform_id, endpoint_id=chosen or None)
    if request.GET.get("state") == "failed":
        deliveries = deliveries.filter(state=DeliveryState.FAILED)
    return render(
        request,
        "portal/pages/webhooks.html",
        {
            "endpoints": endpoints,
            "listing": page_of(request, deliveries, prepare=_with_tones, by="public_id"),
            "chosen": chosen,
            "failed": request.GET.get("state") == "failed",
        },
    )


def _with_tones(found: list[Any]) -> list[dict[str, Any]]:
    return [{"delivery": each, "tone": TONES[DeliveryState(each.state)]} for each in found]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member_page(of="platform", power=Power.SETUP)
@reauthentication_required
def add_endpoint(request: PortalRequest) -> HttpResponse:
    """Take an endpoint in and show its secret this once."""
    form = EndpointForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            endpoint, secret = notifications.create_endpoint(
                platform=request.member.platform, at=timezone.now(), **form.cleaned_data
            )
        except DomainError as refusal:
            form.add_error(None, sentence(refusal))
        else:
            return _show_once(request, endpoint, secret)
    return render(request, "portal/pages/webhook_new.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(of="platform", power=Power.SETUP)
def change_endpoint(request: PortalRequest, endpoint_id: str) -> HttpResponse:
    """Change an endpoint, switch it off and on, or take it out for ever."""
    endpoint = _own_endpoint(request, endpoint_id)
    started = {name: getattr(endpoint, name) for name in EndpointForm.base_fields}
    form = EndpointForm(request.POST or None, initial=started)
    if request.method == "POST" and form.is_valid():
        try:
            notifications.update_endpoint(
                endpoint_id=endpoint.pk, at=timezone.now(), **form.cleaned_data
            )
        except DomainError as refusal:
            form.add_error(None, sentence(refusal))
        else:
            return redirect("portal:webhooks")
    return render(request, "portal/pages/webhook_new.html", {"form": form, "endpoint": endpoint})


@never_cache
@require_POST
@member_page(of="platform", power=Power.SETUP)
@reauthentication_required
def act_on_endpoint(request: PortalRequest, endpoint_id: str, act: str) -> HttpResponse:
    """Send a test event, switch an endpoint on or off, take it out, or give it another secret."""
    endpoint, now = _own_endpoint(request, endpoint_id), timezone.now()
    if act == "roll":
        made = attempt(
            request,
            lambda: notifications.roll_secret(endpoint_id=endpoint.pk, at=now),
            done=_("The old secret signs as well for 24 hours."),
        )
        return (
            redirect("portal:webhooks") if made is None else _show_once(request, endpoint, made[1])
        )
    deeds = {
        "ping": (
            lambda: notifications.send_test_ping(endpoint_id=endpoint.pk, at=now),
            _("A test event is on its way."),
        ),
        "switch": (
            lambda: notifications.update_endpoint(
                endpoint_id=endpoint.pk,
                enabled=endpoint.state == EndpointState.DISABLED,
                at=now,
            ),
            _("Done."),
        ),
        "delete": (
            lambda: notifications.delete_endpoint(endpoint_id=endpoint.pk, at=now),
            _("Nothing more is sent there. Its log stays."),
        ),
    }
    if act not in deeds:
        raise Http404
    deed, done = deeds[act]
    attempt(request, deed, done=done)
    return redirect("portal:webhooks")


@require_POST
@member_page(of="platform", power=Power.SETUP)
def resend(request: PortalRequest, delivery_id: str) -> HttpResponse:
    """Send one event to its endpoint again."""
    own = selectors.list_deliveries(platform_id=request.member.platform.pk)
    if not own.filter(public_id=delivery_id).exists():
        raise Http404
    attempt(
        request,
        lambda: notifications.resend_delivery(delivery_id=delivery_id, at=timezone.now()),
        done=_("It is sent again in a moment."),
    )
    return redirect("portal:delivery", delivery_id)


@require_safe
@member_page(of="platform")
def show_delivery(request: PortalRequest, delivery_id: str) -> HttpResponse:
    """Show one delivery: what is sent, and every attempt with its answer."""
    platform_id = request.member.platform.pk
    rows = selectors.list_deliveries(platform_id=platform_id)
    delivery = rows.filter(public_id=delivery_id).first()
    if delivery is None:
        raise Http404
    log = selectors.list_attempts(platform_id=platform_id, delivery_id=delivery_id)
    return render(
        request,
        "portal/pages/delivery.html",
        {
            "delivery": delivery,
            "tone": TONES[DeliveryState(delivery.state)],
            "log": log.order_by("-number"),
        },
    )


@require_safe
@member_page(of="platform")
def list_events(request: PortalRequest) -> HttpResponse:
    """Show what happened, newest first, by type or by what it happened to."""
    rows = selectors.list_events(platform_id=request.member.platform.pk)
    kind = request.GET.get("type", "")[:60].replace("\x00", "")
    subject = request.GET.get("subject", "")[:64].replace("\x00", "").strip()
    if kind:
        rows = rows.filter(type=kind)
    if subject:
        rows = rows.filter(subject_id=subject)
    return render(
        request,
        "portal/pages/events.html",
        {
            "listing": page_of(request, rows, by="public_id"),
            "types": sorted(EVENT_TYPES),
            "kind": kind,
            "subject": subject,
        },
    )


def _own_endpoint(request: PortalRequest, endpoint_id: str) -> WebhookEndpoint:
    rows = selectors.list_endpoints(platform_id=request.member.platform.pk)
    endpoint = rows.filter(pk=endpoint_id).first()
    if endpoint is None:
        raise Http404
    return endpoint


def _show_once(request: PortalRequest, endpoint: WebhookEndpoint, secret: str) -> HttpResponse:
    context = {"endpoint": endpoint, "secret": secret}
    return render(request, "portal/pages/webhook_shown.html", context)
