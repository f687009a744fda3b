"""Sellers and bank accounts over HTTP: each view translates and makes one domain call."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import lookups, pages
from api.idempotency import idempotent
from api.refusals import refuses
from api.v1.answers import merchants as answers
from api.v1.requests import merchants as requests
from merchants import selectors
from merchants import services as merchants
from merchants.models import BankAccount, Merchant, PayeeKind
from payouts.services import bank_accounts, schedules


class MerchantsView(pages.ListView):
    scope = "merchants"
    answer = answers.MerchantDetailAnswer
    filters: ClassVar = {
        "reference": pages.text("reference", "Your own name for the seller."),
        **pages.created(),
    }

    def rows(self) -> QuerySet[Merchant]:
        return selectors.merchants_of(platform_id=self.platform.id)

    def prepare(self, page: list[Merchant]) -> list[Merchant]:
        return _with_onboarding(page)

    @extend_schema(request=requests.MerchantRequest, responses={201: answers.MerchantDetailAnswer})
    @refuses(merchants.create_merchant)
    @idempotent
    def post(self, request: Request) -> Response:
        """Take in a seller."""
        body = self.read(requests.MerchantRequest)
        merchant = merchants.create_merchant(platform=self.platform, at=request.at, **body)
        path = reverse("v1:merchant", args=[merchant.id])
        return Response(self.write(*self.prepare([merchant])), 201, headers={"Location": path})


class MerchantView(pages.ItemView):
    scope = "merchants"
    listing = MerchantsView

    def write(self, found: Any) -> Any:
        return super().write(*_with_onboarding([found]))

    @extend_schema(request=requests.MerchantChangeRequest)
    @refuses(merchants.update_merchant)
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """Change a seller; what is left out stays."""
        body = self.read(requests.MerchantChangeRequest)
        if "reserve_bps" in body or "reserve_days" in body:
            body["reserve"] = body.pop("reserve_bps", None), body.pop("reserve_days", None)
        merchant = merchants.update_merchant(merchant=self.find(id), **body)
        merchant.platform = self.platform
        return Response(self.write(merchant))


def _with_onboarding(page: list[Merchant]) -> list[Merchant]:
    found = selectors.onboarding_of_all(page)
    for merchant in page:
        merchant.onboarding = found[merchant.pk]  # type: ignore[attr-defined]
    return page


class BankAccountsView(pages.ListView):
    scope = "merchants"
    answer = answers.BankAccountAnswer
    filters: ClassVar = {
        "payee": pages.one_of(PayeeKind, "payee", "Whose account it is."),
        "merchant": pages.text("merchant_id", "Id of the seller."),
        "party": pages.text("party_id", "Id of the further party."),
        "currency": pages.text("currency", "ISO 4217 code."),
        **pages.created(),
    }

    def rows(self) -> QuerySet[BankAccount]:
        return selectors.bank_accounts_of(platform_id=self.platform.id)

    @extend_schema(request=requests.BankAccountRequest, responses={201: answers.BankAccountAnswer})
    @refuses(lookups.get_merchant, lookups.get_party, bank_accounts.add_bank_account)
    @idempotent
    def post(self, request: Request) -> Response:
        """Pay a payee into this account: a first one from now on, a changed one after its cool-off.
        Until `effective_at` payouts go on to the account in force, and the change can be canceled.
        """
        body = self.read(requests.BankAccountRequest)
        merchant_id, party_id = body.pop("merchant"), body.pop("party")
        payee: dict[str, Any] = {"platform": self.platform, "merchant": None, "party": None}
        if merchant_id:
            found = lookups.get_merchant(platform=self.platform, merchant_id=merchant_id)
            payee["merchant"] = found
        if party_id:
            payee["party"] = lookups.get_party(platform=self.platform, party_id=party_id)
        account = bank_accounts.add_bank_account(**payee, at=request.at, **body)
        schedules.ensure_schedule(**payee, at=request.at)
        path = reverse("v1:bank-account", args=[account.id])
        return Response(self.write(account), 201, headers={"Location": path})


class BankAccountView(pages.ItemView):
    scope = "merchants"
    listing = BankAccountsView


class BankAccountCancelView(pages.ActionView):
    scope = "merchants"
    listing = BankAccountsView

    @refuses(bank_accounts.cancel_bank_account)
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """Cancel a changed account while it waits; payouts go on to the one in force."""
        bank_accounts.cancel_bank_account(account_id=self.find(id).pk, at=request.at)
        return Response(self.write(self.find(id)))
