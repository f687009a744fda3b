"""The people of a seller or a platform: who they are, and for owners inviting and deciding.

It must never decide who may do what: merchants/services/people.py does.
"""

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
from merchants import services as merchants
from merchants.models import Language, Role, User
from notifications import services as notifications
from portal import people
from portal.access import PortalRequest, Power, member_page
from portal.lists import page_of
from portal.refusals import attempt, sentence


class InviteForm(forms.Form):
    """Who is to be invited, and as what."""

    email = forms.EmailField(label=_("E-mail"), max_length=254)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, widget=forms.RadioSelect)
    language = forms.ChoiceField(
        label=_("Language"),
        choices=Language.choices,
        help_text=_("Of the invitation, and of the pages when they first sign in."),
    )


@require_safe
@member_page()
def list_people(request: PortalRequest) -> HttpResponse:
    """Show everybody, newest first, and the invitations nobody has used yet."""
    member = request.member
    waiting = member.invitations().filter(accepted_at=None, withdrawn_at=None)
    return render(
        request,
        "portal/pages/people.html",
        {
            "listing": page_of(request, member.people(), prepare=people.rows_of),
            "invitations": list(waiting.select_related("invited_by").order_by("-pk")),
            "now": timezone.now(),
        },
    )


@require_safe
@member_page()
def show_person(request: PortalRequest, person_id: int) -> HttpResponse:
    """Show one person: what they may do, and what was changed about them by whom."""
    person = _own_person(request, person_id)
    (row,) = people.rows_of([person])
    return render(
        request,
        "portal/pages/person.html",
        {
            "person": person,
            "row": row,
            "itself": person.pk == request.member.user.pk,
            "changes": people.changes_of(person, member=request.member),
            "roles": _roles(person.role),
        },
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member_page(power=Power.PEOPLE)
@reauthentication_required
def invite(request: PortalRequest) -> HttpResponse:
    """Ask somebody to join, by a mail with a link."""
    form = InviteForm(request.POST or None, initial={"language": request.member.user.language})
    if request.method == "POST" and form.is_valid():
        try:
            notifications.invite_person(
                invited_by=request.member.user, at=timezone.now(), **form.cleaned_data
            )
        except DomainError as refusal:
            form.add_error(None, sentence(refusal))
        else:
            return redirect("portal:people")
    chosen = form.data.get("role", "") if form.is_bound else Role.VIEWER
    return render(
        request, "portal/pages/person_invite.html", {"form": form, "roles": _roles(chosen)}
    )


@require_POST
@member_page(power=Power.PEOPLE)
@reauthentication_required
def change_role(request: PortalRequest, person_id: int) -> HttpResponse:
    """Give somebody another role."""
    _own_person(request, person_id)
    attempt(
        request,
        lambda: merchants.change_role(
            person_id=person_id,
            role=request.POST.get("role", ""),
            by=request.member.user,
            at=timezone.now(),
        ),
        done=_("The new role holds from now on."),
    )
    return redirect("portal:person", person_id)


@require_POST
@member_page(power=Power.PEOPLE)
@reauthentication_required
def switch(request: PortalRequest, person_id: int) -> HttpResponse:
    """Switch somebody off or on again, as the button said: `to` is off or on."""
    _own_person(request, person_id)
    by = request.member.user
    if request.POST.get("to") == "on":
        attempt(
            request,
            lambda: merchants.switch_on(person_id=person_id, by=by),
            done=_("They can sign in again."),
        )
    else:
        attempt(
            request,
            lambda: merchants.switch_off(person_id=person_id, by=by, at=timezone.now()),
            done=_("They are signed out everywhere and cannot sign in any more."),
        )
    return redirect("portal:person", person_id)


@require_POST
@member_page(power=Power.PEOPLE)
@reauthentication_required
def act_on_invitation(request: PortalRequest, invitation_id: str, act: str) -> HttpResponse:
    """Send an invitation again, or withdraw it."""
    if not request.member.invitations().filter(pk=invitation_id).exists():
        raise Http404
    words = {"invitation_id": invitation_id, "by": request.member.user, "at": timezone.now()}
    if act == "resend":
        done = _("Sent again. Links sent before do not work any more.")
        attempt(request, lambda: notifications.resend_invitation(**words), done=done)
    elif act == "withdraw":
        done = _("Withdrawn: the link does not work any more.")
        attempt(request, lambda: merchants.withdraw_invitation(**words), done=done)
    else:
        raise Http404
    return redirect("portal:people")


def _own_person(request: PortalRequest, person_id: int) -> User:
    person = request.member.people().filter(pk=person_id).first()
    if person is None:
        raise Http404
    return person


def _roles(chosen: str) -> list[dict[str, Any]]:
    """The roles to choose from, each with what it may do."""
    return [
        {"value": role.value, "label": role.label, "may": words, "chosen": role.value == chosen}
        for role, words in ((Role(each), words) for each, words in people.ROLE_WORDS.items())
    ]
