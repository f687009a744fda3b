"""The operators' view of refunds that go by the bank: a second person lets each go, and two persons
say what became of one the bank gives no answer for.

Each action calls one service, which refuses what it must; no page changes a row by itself.
"""

from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from escrow.models import BankRefund, BankRefundState
from escrow.services import bank_refunds as escrow
from ledger import admin_panels as panels
from ledger import selectors as books
from merchants.admin_pages import service_page
from merchants.admin_show import (
    ShownAdmin,
    amount_column,
    audit_steps,
    choices_filter,
    column,
    dates_filter,
    empty_filter,
    instant_column,
    named_filter,
    related_filter,
    state_badge,
    state_column,
)
from payouts import admin_rows as rows
from payouts import forms
from payouts.services import bank_refunds

TONES: dict[str, str] = {
    BankRefundState.PROPOSED: "warning",
    BankRefundState.APPROVED: "info",
    BankRefundState.SENDING: "info",
    BankRefundState.UNKNOWN: "warning",
    BankRefundState.PAID: "success",
    BankRefundState.FAILED: "danger",
    BankRefundState.RETURNED: "danger",
    BankRefundState.DROPPED: "default",
}


class BankRefundAdmin(ShownAdmin):
    list_display = [
        column(_("Bank refund"), lambda row: panels.mono(rows.short(row.pk)), name="id"),
        column(_("Refund"), lambda row: panels.mono(rows.short(row.refund_id)), name="refund"),
        column(_("To account"), lambda row: f"{row.holder_name} •••• {row.last_four}", name="to"),
        state_column(TONES),
        amount_column(),
        column(_("Paid twice"), lambda row: _twice(row), name="twice"),
        instant_column(_("Proposed at"), name="created_at"),
    ]
    list_filter = [
        choices_filter("state", _("State")),
        empty_filter("parked_at", _("Parked at")),
        empty_filter("doubled_entry", _("Paid twice")),
        named_filter("rail", _("Rail"), lambda: list(settings.RAILS)),
        related_filter("platform", _("Platform")),
        dates_filter("created_at", _("Proposed at")),
    ]
    actions_detail = ["approve", "drop", "claim", "confirm"]

    def found_by(self, term: str) -> Q:
        return Q(pk=term) | Q(refund_id=term)

    def has_approve_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._in(request, object_id, state=BankRefundState.PROPOSED)

    def has_drop_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        unsent = (BankRefundState.PROPOSED, BankRefundState.APPROVED)
        return self._in(request, object_id, state__in=unsent)

    def has_parked_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._in(request, object_id, state=BankRefundState.UNKNOWN, parked_at__isnull=False)

    def _in(self, request: HttpRequest, object_id: str | None, **phase: Any) -> bool:
        """Offer a decision only where it makes sense; the service decides whether it stands."""
        if not self.has_operate_permission(request):
            return False
        if object_id is None or request.method == "POST":
            return True
        return BankRefund.objects.filter(pk=object_id, **phase).exists()

    def heading(self, row: BankRefund) -> dict[str, Any]:
        return {
            "kind": _("Bank refund"),
            "name": row.holder_name,
            "amount": panels.money(row.amount_minor, row.currency),
            "state": state_badge(row, TONES),
        }

    def notices(self, request: HttpRequest, row: BankRefund) -> list[str]:
        said = []
        if row.state == BankRefundState.PROPOSED:
            said.append(_now("Another person has to approve that this account is paid."))
            if row.proposed_by_id == request.user.pk:
                said.append(own_proposal())
        if row.parked_at:
            said.append(
                _now(
                    "The bank gives no answer. One person says what became of it, with evidence;"
                    " another one confirms it."
                )
            )
        if row.doubled_entry_id and row.state == BankRefundState.PAID:
            said.append(
                _now("The buyer has been paid twice, by the channel and by the bank: our loss.")
            )
        elif row.doubled_entry_id and row.state in BankRefund.OPEN:
            said.append(
                _now("The channel has paid after all. If the bank pays too, it is our loss.")
            )
        return said

    def panels(self, request: HttpRequest, row: BankRefund) -> list[Any]:
        entries = [row.moved_entry_id, row.paid_entry_id, row.doubled_entry_id]
        return [
            panels.Facts(title=_("Who decides"), facts=_decided(row)),
            panels.journal(books.entries_of(entries)),
            _facts(row),
            audit_steps(row, labels=dict(BankRefundState.choices)),
        ]

    @action(
        description=_("Approve"),
        permissions=["approve"],
        icon="check",
        variant=ActionVariant.PRIMARY,
    )
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        own = _find(object_id).proposed_by_id == request.user.pk
        return self._ask(
            request,
            object_id,
            title=_now("Approve the bank refund"),
            call=escrow.approve_bank_refund,
            fresh=True,
            explanation=_now("The money goes to this account at once. Check whose it is."),
            refused=own_proposal() if own else "",
        )

    @action(
        description=_("Give it up"),
        permissions=["drop"],
        icon="block",
        variant=ActionVariant.DANGER,
    )
    def drop(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(
            request,
            object_id,
            title=_now("Give the bank refund up"),
            call=_drop,
            explanation=_now("The refund stays refused; another account can be proposed."),
            passes_reason=True,
        )

    @action(description=_("Say what became of it"), permissions=["parked"], icon="fact_check")
    def claim(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(
            request,
            object_id,
            title=_now("Say what became of it"),
            call=bank_refunds.claim_bank_outcome,
            explanation=_now("Nothing moves until a second person confirms it."),
            form_class=forms.ClaimForm,
        )

    @action(
        description=_("Confirm the outcome"),
        permissions=["parked"],
        icon="done_all",
        variant=ActionVariant.PRIMARY,
    )
    def confirm(self, request: HttpRequest, object_id: str) -> HttpResponse:
        own = _find(object_id).claimed_by_id == request.user.pk
        return self._ask(
            request,
            object_id,
            title=_now("Confirm the outcome"),
            call=bank_refunds.confirm_bank_outcome,
            fresh=True,
            explanation=_now("Paid: the books follow. Not paid: the refund is owed again."),
            form_class=forms.ConfirmForm,
            refused=rows.own_claim() if own else "",
        )

    def _ask(self, request: HttpRequest, object_id: str, **page: Any) -> HttpResponse:
        row = _find(object_id)
        return service_page(
            self,
            request,
            arguments={"bank_refund_id": object_id, "operator": request.user},
            object_id=object_id,
            facts=_decided(row),
            platform=row.platform,
            **page,
        )


def own_proposal() -> str:
    return _now("You proposed this yourself; another operator has to approve it.")


def _drop(*, operator: Any, **arguments: Any) -> BankRefund:
    """Whoever it is may give it up; the audit row names the person."""
    return escrow.drop_bank_refund(**arguments)


def _find(bank_refund_id: str) -> BankRefund:
    people = ("proposed_by", "approved_by", "claimed_by", "outcome_confirmed_by")
    found = BankRefund.objects.select_related("platform", "refund", *people)
    return get_object_or_404(found, pk=bank_refund_id)


def _twice(row: BankRefund) -> Any:
    if row.doubled_entry_id is None or row.state in (
        BankRefundState.FAILED,
        BankRefundState.RETURNED,
    ):
        return panels.NOTHING
    return panels.badge(_("yes"), "danger")


def _decided(row: BankRefund) -> list[tuple[Any, Any]]:
    return [
        (_("Amount"), panels.money(row.amount_minor, row.currency)),
        (_("To account"), f"{row.holder_name} · {row.bank_code} · •••• {row.last_four}"),
        (_("Reason"), row.reason),
        (_("Proposed by"), row.proposed_by),
        (_("Approved by"), row.approved_by or panels.NOTHING),
        *(
            [
                (_("First person"), row.claimed_by),
                (_("Says"), row.get_claimed_outcome_display()),
                (_("Evidence"), row.evidence),
                (_("Second person"), row.outcome_confirmed_by or panels.NOTHING),
            ]
            if row.claimed_outcome
            else []
        ),
    ]


def _facts(row: BankRefund) -> panels.Facts:
    return panels.Facts(
        title=_("Bank refund"),
        facts=[
            (_("Id"), panels.mono(row.pk)),
            (_("Refund"), panels.link("escrow_refund", row.refund_id, rows.short(row.refund_id))),
            (_("Rail"), row.rail),
            (_("Their reference"), panels.mono(row.provider_reference)),
            (_("Proposed at"), panels.instant(row.created_at)),
            (_("Approved at"), panels.instant(row.approved_at)),
            (_("Sent at"), panels.instant(row.last_sent_at)),
            (_("Paid at"), panels.instant(row.paid_at)),
            (_("Returned at"), panels.instant(row.returned_at)),
            (_("Parked at"), panels.instant(row.parked_at)),
            (_("Attempts"), row.attempts),
            (_("Failure"), row.failure_code or panels.NOTHING),
            (_("Their words"), row.failure_message or panels.NOTHING),
        ],
        side=True,
    )
