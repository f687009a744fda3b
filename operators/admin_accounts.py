"""Bank accounts at the operators' desk: which one is in force, which one waits, and until when.

A number must never be shown. Nobody changes an account alone: one proposes, another one approves.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from merchants import forms
from merchants.admin_pages import ReadOnlyAdmin, service_page
from merchants.admin_show import instant_column, state_column
from merchants.models import BankAccount, BankAccountState
from payouts.services import bank_accounts

TONES: dict[str, str] = {
    BankAccountState.PROPOSED: "warning",
    BankAccountState.WAITING: "warning",
    BankAccountState.IN_FORCE: "success",
    BankAccountState.REPLACED: "default",
    BankAccountState.CANCELED: "default",
}


class BankAccountAdmin(ReadOnlyAdmin):
    list_display = [
        "holder_name",
        "masked",
        "bank_name",
        "currency",
        "platform",
        "payee",
        "merchant",
        "party",
        state_column(TONES),
        instant_column(_("In force from"), name="effective_at"),
    ]
    list_filter = ["state", "payee", "currency", "platform"]
    list_select_related = ["platform", "merchant", "party"]
    search_fields = ["id", "holder_name", "last_four", "merchant__name", "party__name"]
    fields = [
        "id",
        "platform",
        "payee",
        "merchant",
        "party",
        "currency",
        "holder_name",
        "bank_code",
        "bank_name",
        "masked",
        "state",
        "effective_at",
        "created_at",
    ]
    readonly_fields = ["masked"]
    actions_list = ["create"]
    actions_detail = ["cancel"]

    @display(description=_("account number"))
    def masked(self, account: BankAccount) -> str:
        return f"•••• {account.last_four}"

    def has_cancel_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Offer it where something waits; the service decides."""
        if not self.has_operate_permission(request):
            return False
        if object_id is None or request.method == "POST":
            return True
        return BankAccount.objects.filter(pk=object_id, state=BankAccountState.WAITING).exists()

    @action(description=_("Change bank account"), permissions=["create"])
    def create(self, request: HttpRequest) -> HttpResponse:
        return service_page(
            self,
            request,
            title=_("Change bank account"),
            form_class=forms.BankAccountForm,
            call=bank_accounts.propose_bank_account,
            arguments={"proposed_by": request.user},
            passes_reason=True,
            fresh=True,
            explanation=_now(
                "Nothing changes until another person approves it. Then a first account is in "
                "force at once; a changed one when the platform's cool-off is over, and its payee "
                "is told now."
            ),
        )

    @action(description=_("Cancel the change"), permissions=["cancel"], icon="block")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account: Any = get_object_or_404(
            BankAccount.objects.select_related("platform"), pk=object_id
        )
        return service_page(
            self,
            request,
            title=_now("Cancel the change"),
            call=bank_accounts.cancel_bank_account,
            arguments={"account_id": object_id},
            explanation=_now(
                "Payouts go on to the account in force, and the payee is told. No money moves."
            ),
            object_id=object_id,
            platform=account.platform,
        )
