"""What only a platform in test mode has: the switch between its two sides, and a clock it moves."""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from api import clock
from common.errors import DomainError
from merchants import clocks
from merchants.models import Mode
from portal.access import SIDE, PortalRequest, Power, member_page
from portal.refusals import sentence


class StepForm(forms.Form):
    """How far the clock moves, from what it showed: sent twice, it moves once."""

    since = forms.DateTimeField(widget=forms.HiddenInput)
    days = forms.IntegerField(label=_("Days"), min_value=0, max_value=90, initial=1)
    hours = forms.IntegerField(label=_("Hours"), min_value=0, max_value=23, initial=0)

    @property
    def step(self) -> timedelta:
        return timedelta(days=self.cleaned_data["days"], hours=self.cleaned_data["hours"])


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(of="platform", power=Power.SETUP)
def move_clock(request: PortalRequest) -> HttpResponse:
    """Show the platform's own clock and move it ahead; what falls due on the way happens."""
    member = request.member
    if not member.is_test:
        raise Http404
    form, fired = StepForm(request.POST or None, initial={"since": member.at.isoformat()}), None
    if request.method == "POST" and form.is_valid():
        try:
            to = form.cleaned_data["since"] + form.step
            report = clock.advance_to(member.platform.pk, to=to, now=timezone.now())
        except DomainError as refusal:
            form.add_error(None, sentence(refusal))
        else:
            member.platform.refresh_from_db()
            fired = report.fired
    at = clocks.now_of(member.platform, now=timezone.now())
    context = {
        "form": StepForm(initial={"since": at.isoformat()}) if fired is not None else form,
        "fired": fired,
        "at": at,
        "moved": member.platform.clock_offset > timedelta(0),
    }
    return render(request, "portal/pages/clock.html", context)


@require_POST
@member_page(of="platform")
def switch_side(request: PortalRequest) -> HttpResponse:
    """Look at the test side of a live platform, or back."""
    if not request.member.has_two_sides:
        raise Http404
    wanted = Mode.TEST if request.POST.get("side") == Mode.TEST else Mode.LIVE
    request.session[SIDE] = wanted
    messages.success(
        request,
        _now("You are looking at test data: no money moves.")
        if wanted == Mode.TEST
        else _now("You are looking at real money."),
    )
    return redirect("portal:overview")
