"""The desk for entries by hand: one person proposes one, another one lets it be booked.

Each action calls one service, which refuses what it must; no page changes a row by itself.
"""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from escrow import forms
from escrow.models import Correction, CorrectionState
from escrow.services import corrections
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
    instant_column,
    state_badge,
    state_column,
)

TONES: dict[str, str] = {
    CorrectionState.PROPOSED: "warning",
    CorrectionState.POSTED: "success",
    CorrectionState.DROPPED: "default",
}


class CorrectionAdmin(ShownAdmin):
    list_display = [
        column(_("Manual entry"), lambda row: panels.mono(f"cor_…{row.pk[-8:]}"), name="id"),
        column(_("Debit"), lambda row: panels.mono(row.debit_address), name="debit"),
        column(_("Credit"), lambda row: panels.mono(row.credit_address), name="credit"),
        state_column(TONES),
        amount_column(),
        column(_("Proposed by"), lambda row: row.proposed_by, name="proposed_by"),
        instant_column(_("Proposed at"), name="proposed_at"),
    ]
    list_filter = [
        choices_filter("state", _("State")),
        dates_filter("proposed_at", _("Proposed at")),
    ]
    list_select_related = ["proposed_by"]
    actions_list = ["create"]
    actions_detail = ["approve", "drop"]

    def found_by(self, term: str) -> Q:
        return Q(pk=term) | Q(entry__reference=term)

    def has_decide_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Offer a decision only where it makes sense; the service decides whether it stands."""
        if not self.has_operate_permission(request):
            return False
        if object_id is None or request.method == "POST":
            return True
        return Correction.objects.filter(pk=object_id, state=CorrectionState.PROPOSED).exists()

    def heading(self, row: Correction) -> dict[str, Any]:
        return {
            "kind": _("Manual entry"),
            "name": row.reason,
            "amount": panels.money(row.amount_minor, row.currency),
            "state": state_badge(row, TONES),
        }

    def notices(self, request: HttpRequest, row: Correction) -> list[str]:
        if row.state != CorrectionState.PROPOSED:
            return []
        said = [_now("Nothing is booked until another person approves it.")]
        if row.proposed_by_id == request.user.pk:
            said.append(own_proposal())
        return said

    def panels(self, request: HttpRequest, row: Correction) -> list[Any]:
        return [
            panels.Facts(title=_("What is to be booked"), facts=_legs(row)),
            panels.Facts(title=_("Why"), facts=_why(row)),
            *([panels.journal(books.entries_of([row.entry_id]))] if row.entry_id else []),
            _facts(row),
            audit_steps(row, labels=dict(CorrectionState.choices)),
        ]

    @action(description=_("Propose a manual entry"), permissions=["create"], icon="edit_note")
    def create(self, request: HttpRequest) -> HttpResponse:
        return service_page(
            self,
            request,
            title=_now("Propose a manual entry"),
            form_class=forms.CorrectionForm,
            call=corrections.propose_correction,
            arguments={"proposed_by": request.user},
            explanation=_now(
                "For what the bank or a channel did that nothing else books. It cannot touch the"
                " money of buyers, sellers or platforms. Nothing is booked until another person"
                " approves it."
            ),
            passes_reason=True,
        )

    @action(
        description=_("Book it"),
        permissions=["decide"],
        icon="done_all",
        variant=ActionVariant.PRIMARY,
    )
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = _find(object_id)
        own = row.proposed_by_id == request.user.pk
        return service_page(
            self,
            request,
            title=_now("Book the manual entry"),
            call=corrections.approve_correction,
            fresh=True,
            arguments={"correction_id": object_id, "approved_by": request.user},
            explanation=_now("Read the evidence first. What is booked is never changed again."),
            object_id=object_id,
            facts=[*_legs(row), *_why(row)],
            refused=own_proposal() if own else "",
        )

    @action(description=_("Do not book it"), permissions=["decide"], icon="block")
    def drop(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = _find(object_id)
        return service_page(
            self,
            request,
            title=_now("Do not book the manual entry"),
            call=corrections.drop_correction,
            arguments={"correction_id": object_id, "dropped_by": request.user},
            explanation=_now("The proposal is turned down, or taken back. Nothing moves."),
            object_id=object_id,
            facts=[*_legs(row), *_why(row)],
        )


def own_proposal() -> str:
    return _now("You proposed it yourself; another operator has to approve it.")


def _find(correction_id: str) -> Correction:
    return get_object_or_404(Correction.objects.select_related("proposed_by"), pk=correction_id)


def _legs(row: Correction) -> list[tuple[Any, Any]]:
    return [
        (_("Debit"), panels.mono(row.debit_address)),
        (_("Credit"), panels.mono(row.credit_address)),
        (_("Amount"), panels.money(row.amount_minor, row.currency)),
    ]


def _why(row: Correction) -> list[tuple[Any, Any]]:
    return [
        (_("Reason"), row.reason),
        (_("Evidence"), row.evidence),
        (_("Proposed by"), row.proposed_by),
        (_("Proposed at"), panels.instant(row.proposed_at)),
    ]


def _facts(row: Correction) -> panels.Facts:
    return panels.Facts(
        title=_("Manual entry"),
        facts=[
            (_("Id"), panels.mono(row.pk)),
            (_("State"), state_badge(row, TONES)),
            (_("Decided by"), row.decided_by or panels.NOTHING),
            (_("Decided at"), panels.instant(row.decided_at)),
        ],
        side=True,
    )
