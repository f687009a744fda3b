"""Bank accounts: where payouts go, which change waits, and giving another account.

A number is typed in and never shown again. The portal may not decide when an account is in force:
merchants/services/bank_accounts.py does.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.errors import DomainError
from ledger.usecases import door
from merchants import selectors
from merchants.models import BankAccount, BankAccountState, Merchant, Party
from payouts.services import bank_accounts, schedules
from portal.access import Member, PortalRequest, Power, member_page
from portal.refusals import attempt, sentence

SHOWN = 100  # accounts of a payee, and of further parties, the newest first
TONES: dict[str, str] = {
    BankAccountState.WAITING: "warning",
    BankAccountState.IN_FORCE: "success",
    BankAccountState.REPLACED: "default",
    BankAccountState.CANCELED: "default",
}


@dataclass
class Place:
    """Where a payee is paid in one currency: the account in force, the change that waits, and what
    was there before."""

    currency: str
    in_force: BankAccount | None = None
    waiting: BankAccount | None = None
    earlier: list[BankAccount] = field(default_factory=list)


class AccountForm(forms.Form):
    """An account a payee gives. The number is typed twice: a wrong digit pays a stranger."""

    currency = forms.CharField(
        label=_("Currency"), min_length=3, max_length=3, help_text=_("Three letters, such as CNY.")
    )
    holder_name = forms.CharField(
        label=_("Account holder"), max_length=120, help_text=_("As the bank knows the holder.")
    )
    bank_name = forms.CharField(label=_("Bank"), max_length=120, required=False)
    bank_code = forms.CharField(
        label=_("Bank code"),
        max_length=20,
        help_text=_("The CNAPS code, the BIC, or what your bank names as its code."),
    )
    account_number = forms.CharField(
        label=_("Account number"),
        max_length=50,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    again = forms.CharField(
        label=_("Account number once more"),
        max_length=50,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()

    def clean_again(self) -> str:
        again = str(self.cleaned_data["again"])
        number = str(self.cleaned_data.get("account_number", ""))
        if selectors.compact_number(again) != selectors.compact_number(number):
            raise forms.ValidationError(_now("The two numbers differ."))
        return again


@require_safe
@member_page()
def list_accounts(request: PortalRequest) -> HttpResponse:
    """Show the reader's accounts by currency; to platform staff also those of further parties."""
    member = request.member
    accounts = member.accounts()
    own = accounts.filter(party=None, merchant=member.merchant).order_by("-pk")[:SHOWN]
    parties: list[BankAccount] = []
    if not member.is_seller:
        standing = [BankAccountState.WAITING, BankAccountState.IN_FORCE]
        found = accounts.filter(merchant=None, party__isnull=False, state__in=standing)
        parties = list(found.order_by("-pk")[:SHOWN])
    return render(
        request,
        "portal/pages/accounts.html",
        {"places": places_of(own), "parties": parties, "tones": TONES, **_waits(member)},
    )


def places_of(accounts: Iterable[BankAccount]) -> list[Place]:
    """Sort a payee's accounts, the newest first, by currency and by what they are."""
    places: dict[str, Place] = {}
    for account in accounts:
        place = places.setdefault(account.currency, Place(account.currency))
        if account.state == BankAccountState.IN_FORCE:
            place.in_force = account
        elif account.state == BankAccountState.WAITING:
            place.waiting = account
        else:
            place.earlier.append(account)
    return [places[currency] for currency in sorted(places)]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member_page(power=Power.MONEY)
@reauthentication_required
def add_account(request: PortalRequest, payee: str = "") -> HttpResponse:
    """Give an account: the first of its currency is in force at once, a changed one later."""
    member = request.member
    merchant, party = _payee(member, payee)
    initial = {"currency": request.GET.get("currency", "")[:3] or member.platform.currency}
    form = AccountForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = {name: value for name, value in form.cleaned_data.items() if name != "again"}
        try:
            with door():
                account = bank_accounts.add_bank_account(
                    platform=member.platform,
                    merchant=merchant,
                    party=party,
                    at=member.at,
                    **given,
                )
                schedules.ensure_schedule(
                    platform=member.platform, merchant=merchant, party=party, at=member.at
                )
        except DomainError as refusal:
            form.add_error(None, sentence(refusal))
        else:
            messages.success(request, _said(account))
            return _back(member, account)
    known = member.accounts().filter(
        merchant=merchant, party=party, state=BankAccountState.IN_FORCE
    )
    return render(
        request,
        "portal/pages/account_new.html",
        {"form": form, "payee": merchant or party, "known": list(known), **_waits(member)},
    )


@require_POST
@member_page(power=Power.MONEY)
def cancel_account(request: PortalRequest, account_id: str) -> HttpResponse:
    """Cancel a change while it waits. Nobody has to prove again who they are: money stays where
    it goes now, and whoever sees a change that is not theirs must be quick."""
    member = request.member
    account = member.accounts().filter(pk=account_id).first()
    if account is None:
        raise Http404
    attempt(
        request,
        lambda: bank_accounts.cancel_bank_account(account_id=account.pk, at=member.at),
        done=_("The change is canceled. Payouts go on to the account in force."),
    )
    return _back(member, account)


def _payee(member: Member, payee: str) -> tuple[Merchant | None, Party | None]:
    """Whose account it is: the reader's own, or one of the payees of the reader's platform."""
    if not payee:
        return member.merchant, None
    if member.is_seller:
        raise Http404
    platform_id = member.platform.pk
    merchant = selectors.merchants_of(platform_id=platform_id).filter(pk=payee).first()
    party = selectors.parties_of(platform_id=platform_id).filter(pk=payee).first()
    if merchant is None and party is None:
        raise Http404
    return merchant, party


def _said(account: BankAccount) -> str:
    if account.state == BankAccountState.WAITING:
        return _now("The change waits for its cool-off. Until then payouts go where they go now.")
    return _now("Payouts go to this account from now on.")


def _waits(member: Member) -> dict[str, Any]:
    hours = int(member.platform.account_cooloff.total_seconds()) // 3600
    return {"cooloff_hours": hours}


def _back(member: Member, account: BankAccount) -> HttpResponse:
    if account.merchant_id is not None and not member.is_seller:
        return redirect("portal:seller", account.merchant_id)
    return redirect("portal:accounts")
