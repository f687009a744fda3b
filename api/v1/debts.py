"""Debts over HTTP: reading only. They are paid by later sales, by the debtor's bank, or end by a
decision of two people, in the admin."""

from typing import ClassVar

from django.db.models import QuerySet

from api import pages
from api.v1.answers import debts as answers
from escrow import selectors as escrow
from escrow.models import Debt, DebtState


class DebtsView(pages.ListView):
    scope = "payouts"
    answer = answers.DebtAnswer
    filters: ClassVar = {
        "state": pages.one_of(DebtState, "state", "State of the debt."),
        "merchant": pages.text("merchant_id", "Id of the seller who owes it."),
        "refund": pages.text("refund_id", "Id of the refund that caused it."),
        **pages.created(),
    }

    def rows(self) -> QuerySet[Debt]:
        return escrow.debts_of(platform_id=self.platform.id)


class DebtView(pages.ItemView):
    scope = "payouts"
    listing = DebtsView
