"""The sellers of a platform: who they are, what they still need, and where their money is."""

from typing import Any

from django import forms
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from common.errors import DomainError
from merchants import selectors
from merchants import services as merchants
from merchants.models import Language, Merchant
from merchants.selectors import OnboardingStatus, Requirement, onboarding_of, onboarding_of_all
from payouts import balances
from portal.access import PortalRequest, Power, member_page
from portal.lists import page_of
from portal.pages.accounts import SHOWN, places_of
from portal.pages.orders import with_status
from portal.refusals import sentence

RECENT = 5
STATUSES = {
    OnboardingStatus.READY: (_("Ready"), "success"),
    OnboardingStatus.PENDING: (_("Something is missing"), "warning"),
    OnboardingStatus.SUSPENDED: (_("Suspended"), "danger"),
}
MISSING = {
    Requirement.ACTIVE: _("Suspended: takes no new orders"),
    Requirement.EMAIL: _("E-mail address"),
    Requirement.BANK_ACCOUNT: _("Bank account"),
}


class SellerForm(forms.Form):
    """A new seller."""

    reference = forms.CharField(
        label=_("Your own reference"), max_length=64, help_text=_("Such as its number in the shop.")
    )
    name = forms.CharField(label=_("Name"), max_length=120)
    email = forms.EmailField(
        label=_("E-mail"), required=False, help_text=_("It is told of payments and dates there.")
    )
    language = forms.ChoiceField(label=_("Language"), choices=Language.choices)


@require_safe
@member_page(of="platform")
def list_sellers(request: PortalRequest) -> HttpResponse:
    """Show sellers, newest first, each with what it still needs."""
    rows = selectors.merchants_of(platform_id=request.member.platform.pk)
    words = request.GET.get("seller", "").replace("\x00", "").strip()[:120]
    if words:
        rows = rows.filter(Q(pk=words) | Q(reference=words) | Q(name__icontains=words))
    listing = page_of(request, rows, prepare=_with_onboarding)
    return render(request, "portal/pages/sellers.html", {"listing": listing, "words": words})


def _with_onboarding(sellers: list[Merchant]) -> list[dict[str, Any]]:
    found = onboarding_of_all(sellers)
    return [{"seller": seller, **_shown(found[seller.pk])} for seller in sellers]


def _shown(onboarding: Any) -> dict[str, Any]:
    label, tone = STATUSES[onboarding.status]
    missing = [MISSING[requirement] for requirement in onboarding.missing]
    return {"label": label, "tone": tone, "missing": missing}


@require_safe
@member_page(of="platform")
def show_seller(request: PortalRequest, merchant_id: str) -> HttpResponse:
    """Show one seller: balances, bank accounts, and its newest orders."""
    member = request.member
    seller = selectors.merchants_of(platform_id=member.platform.pk).filter(pk=merchant_id).first()
    if seller is None:
        raise Http404
    accounts = member.accounts().filter(merchant=seller).order_by("-pk")[:SHOWN]
    recent = list(member.orders().filter(merchant=seller).order_by("-pk")[:RECENT])
    return render(
        request,
        "portal/pages/seller.html",
        {
            "seller": seller,
            **_shown(onboarding_of(seller)),
            "balances": balances.balances_of(platform=member.platform, merchant_ids=[seller.pk]),
            "places": places_of(accounts),
            "recent": with_status(recent),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(of="platform", power=Power.SETUP)
def add_seller(request: PortalRequest) -> HttpResponse:
    """Take a seller in."""
    form = SellerForm(request.POST or None, initial={"language": request.member.platform.language})
    if request.method == "POST" and form.is_valid():
        try:
            seller = merchants.create_merchant(
                platform=request.member.platform, at=request.member.at, **form.cleaned_data
            )
        except DomainError as refusal:
            form.add_error(None, sentence(refusal))
        else:
            return redirect("portal:seller", seller.pk)
    return render(request, "portal/pages/seller_new.html", {"form": form})
