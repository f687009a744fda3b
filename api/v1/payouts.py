"""Statements and payouts over HTTP: reading only. Payouts are approved by people, in the admin."""

from typing import Any, ClassVar

from django.db.models import QuerySet

from api import pages
from api.v1.answers import payouts as answers
from escrow import selectors as escrow
from merchants.models import PayeeKind
from payouts import selectors
from payouts.models import Payout, PayoutState, Settlement

PAYEE: dict[str, Any] = {
    "payee": pages.one_of(PayeeKind, "payee", "Whom it is for."),
    "merchant": pages.text("merchant_id", "Id of the seller."),
    "party": pages.text("party_id", "Id of the further party."),
}


class SettlementsView(pages.ListView):
    scope = "payouts"
    answer = answers.SettlementAnswer
    filters: ClassVar = {
        **PAYEE,
        "currency": pages.text("currency", "ISO 4217 code."),
        **pages.created("cutoff_at"),
    }

    def rows(self) -> QuerySet[Settlement]:
        return selectors.settlements_of(platform_id=self.platform.id)


class SettlementView(pages.ItemView):
    scope = "payouts"
    listing = SettlementsView
    answer = answers.SettlementDetailAnswer

    def write(self, found: Any) -> Any:
        found.lines = escrow.list_settled_lines(settlement_id=found.pk)
        found.reserve = selectors.reserve_of(found)
        found.deductions = escrow.list_settled_deductions(settlement_id=found.pk)
        return super().write(found)


class PayoutsView(pages.ListView):
    scope = "payouts"
    answer = answers.PayoutAnswer
    expandable = frozenset({"settlement"})
    filters: ClassVar = {
        "state": pages.one_of(PayoutState, "state", "State of the payout."),
        **PAYEE,
        "settlement": pages.text("settlement_id", "Id of the statement."),
        **pages.created(),
    }

    def rows(self) -> QuerySet[Payout]:
        return selectors.payouts_of(platform_id=self.platform.id)


class PayoutView(pages.ItemView):
    scope = "payouts"
    listing = PayoutsView
    expandable = frozenset({"settlement"})
