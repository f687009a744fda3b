"""The dispute desk: what waits for whom until when, what both sides said, and the decision of two
persons.

Each action calls one service, which refuses what it must; no page changes a row by itself.
"""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from escrow import forms, selectors
from escrow.attachments import attachment
from escrow.models import Dispute, DisputeState, Evidence, WaitsFor
from escrow.services.disputes import deciding
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
    related_filter,
    state_badge,
    state_column,
)

TONES: dict[str, str] = {
    DisputeState.OPEN: "warning",
    DisputeState.ANSWERED: "info",
    DisputeState.RETURNING: "info",
    DisputeState.RESOLVED: "success",
    DisputeState.WITHDRAWN: "default",
}


class DisputeAdmin(ShownAdmin):
    ordering = ["due_at", "pk"]  # a queue: what is due first; what is over comes last
    list_display = [
        column(_("Order"), lambda row: row.order.reference, name="order"),
        column(_("Seller"), lambda row: row.order.merchant.name, name="merchant"),
        column(_("Kind"), lambda row: row.get_kind_display(), name="kind"),
        state_column(TONES),
        column(
            _("Waits for"), lambda row: row.get_waits_for_display() or panels.NOTHING, name="waits"
        ),
        amount_column(_("Asked"), name="asked_minor"),
        instant_column(_("Due"), name="due_at"),
    ]
    list_filter = [
        choices_filter("waits_for", _("Waits for")),
        choices_filter("state", _("State")),
        choices_filter("kind", _("Kind")),
        related_filter("platform", _("Platform")),
        dates_filter("due_at", _("Due")),
    ]
    list_select_related = ["order__merchant"]
    actions_detail = ["propose", "approve"]

    def found_by(self, term: str) -> Q:
        return Q(pk=term) | Q(order_id=term)

    def has_propose_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._undecided(request, object_id)

    def has_approve_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._undecided(request, object_id, proposed_by__isnull=False, needs_approval=True)

    def _undecided(self, request: HttpRequest, object_id: str | None, **more: Any) -> bool:
        """Offer a decision only where it makes sense; the service decides whether it stands."""
        if not self.has_operate_permission(request):
            return False
        if object_id is None or request.method == "POST":
            return True
        waiting = Dispute.objects.filter(
            pk=object_id, waits_for=WaitsFor.OPERATOR, parked_at__isnull=True
        )
        return waiting.filter(**more).exists()

    def heading(self, dispute: Dispute) -> dict[str, Any]:
        return {
            "kind": _("Dispute"),
            "name": dispute.order.reference,
            "amount": panels.money(dispute.asked_minor, dispute.currency),
            "state": state_badge(dispute, TONES),
        }

    def notices(self, request: HttpRequest, dispute: Dispute) -> list[str]:
        said = []
        if dispute.parked_at and dispute.state not in (
            DisputeState.RESOLVED,
            DisputeState.WITHDRAWN,
        ):
            said.append(
                _now(
                    "It is decided, but the money is frozen, or was released before and its payees"
                    " lack it."
                )
            )
        elif dispute.waits_for == WaitsFor.OPERATOR:
            said.append(_now("One person proposes how this ends; another one approves it."))
            if dispute.proposed_by_id == request.user.pk:
                said.append(own_proposal())
        return said

    def panels(self, request: HttpRequest, dispute: Dispute) -> list[Any]:
        return [
            _timeline(dispute),
            _files(dispute),
            _decision(dispute),
            panels.journal(books.subject_entries(dispute.order_id)),
            _facts(dispute),
            audit_steps(dispute, labels=dict(DisputeState.choices)),
        ]

    def get_urls(self) -> list[Any]:
        read = self.admin_site.admin_view(self.read_file)
        own = path("<str:object_id>/evidence/<str:evidence_id>/", read, name=FILE_PAGE)
        return [own, *super().get_urls()]

    def read_file(self, request: HttpRequest, object_id: str, evidence_id: str) -> HttpResponse:
        """Answer with a file of a dispute, as an attachment."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return attachment(get_object_or_404(Evidence, pk=evidence_id, dispute_id=object_id))

    @action(
        description=_("Propose a decision"),
        permissions=["propose"],
        icon="gavel",
        variant=ActionVariant.PRIMARY,
    )
    def propose(self, request: HttpRequest, object_id: str) -> HttpResponse:
        dispute = _find(object_id)
        return service_page(
            self,
            request,
            title=_now("Propose a decision"),
            form_class=forms.DecisionForm,
            call=deciding.propose_decision,
            arguments={"dispute_id": object_id, "operator": request.user},
            explanation=_now("Both sides read the reason once the decision is carried out."),
            object_id=object_id,
            facts=_asked(dispute),
            platform=dispute.platform,
            passes_reason=True,
        )

    @action(
        description=_("Approve the decision"),
        permissions=["approve"],
        icon="done_all",
        variant=ActionVariant.PRIMARY,
    )
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        dispute = _find(object_id)
        own = dispute.proposed_by_id == request.user.pk
        return service_page(
            self,
            request,
            title=_now("Approve the decision"),
            call=deciding.approve_decision,
            fresh=True,
            arguments={"dispute_id": object_id, "operator": request.user},
            explanation=_now("The money is divided at once."),
            object_id=object_id,
            facts=[*_asked(dispute), *_proposed(dispute)],
            refused=own_proposal() if own else "",
            platform=dispute.platform,
        )


FILE_PAGE = "escrow_dispute_evidence"


def own_proposal() -> str:
    return _now("You proposed this yourself; another operator has to approve it.")


def _find(dispute_id: str) -> Dispute:
    found = Dispute.objects.select_related("platform", "order__merchant", "proposed_by")
    return get_object_or_404(found, pk=dispute_id)


def _money(dispute: Dispute, amount_minor: int | None) -> Any:
    return panels.NOTHING if amount_minor is None else panels.money(amount_minor, dispute.currency)


def _asked(dispute: Dispute) -> list[tuple[Any, Any]]:
    return [
        (_("Order"), dispute.order.reference),
        (_("Seller"), dispute.order.merchant.name),
        (_("Reason"), dispute.get_reason_display()),
        (_("At stake"), _money(dispute, dispute.stake_minor)),
        (_("Asked"), _money(dispute, dispute.asked_minor)),
        (_("Offered"), _money(dispute, dispute.offer_minor)),
    ]


def _proposed(dispute: Dispute) -> list[tuple[Any, Any]]:
    return [
        (_("Proposed by"), dispute.proposed_by or panels.NOTHING),
        (_("To the buyer"), _money(dispute, dispute.proposed_minor)),
        (_("Only when the goods come back"), _("yes") if dispute.proposed_return else _("no")),
        (_("Reason"), dispute.proposed_reason or panels.NOTHING),
    ]


def _decision(dispute: Dispute) -> panels.Facts:
    facts = [
        *_proposed(dispute),
        (_("Approved by"), dispute.approved_by or panels.NOTHING),
        (_("Resolution"), dispute.get_resolution_display() or panels.NOTHING),
        (_("Ended by"), dispute.get_resolved_by_display() or panels.NOTHING),
    ]
    return panels.Facts(title=_("Who decides"), facts=facts)


def _timeline(dispute: Dispute) -> panels.Steps:
    steps = []
    for step in dispute.steps.order_by("position"):
        said = [str(step.get_by_display()), step.text]
        if step.amount_minor is not None:
            said.append(str(panels.digits(step.amount_minor, dispute.currency)))
        note = " · ".join(part for part in said if part)
        steps.append(panels.Step(step.get_kind_display(), step.at, note))
    return panels.Steps(_("Timeline"), steps)


def _files(dispute: Dispute) -> panels.Table:
    return panels.Table(
        title=_("Evidence"),
        headings=[_("File"), _("Side"), _("Type"), _("Bytes"), _("Handed in"), "SHA-256"],
        numbers=[3],
        rows=[
            [
                _file_link(each),
                each.get_side_display(),
                each.get_media_type_display(),
                each.size_bytes,
                panels.instant(each.added_at),
                panels.mono(each.sha256[:16]),
            ]
            for each in selectors.evidence_of(dispute_id=dispute.pk)
        ],
    )


def _file_link(evidence: Evidence) -> Any:
    address = reverse(f"admin:{FILE_PAGE}", args=[evidence.dispute_id, evidence.pk])
    return format_html('<a href="{}">{}</a>', address, evidence.name)


def _facts(dispute: Dispute) -> panels.Facts:
    parcel = f"{dispute.return_carrier} {dispute.return_tracking_number}".strip()
    return panels.Facts(
        title=_("Dispute"),
        facts=[
            (_("Id"), panels.mono(dispute.pk)),
            (_("Order"), panels.link("orders_order", dispute.order_id, dispute.order.reference)),
            *_asked(dispute)[1:],
            (_("Waits for"), dispute.get_waits_for_display() or panels.NOTHING),
            (_("Due"), panels.instant(dispute.due_at)),
            (_("To be decided by"), panels.instant(dispute.decide_by)),
            (_("Opened by"), dispute.get_opened_by_display()),
            (_("Opened"), panels.instant(dispute.opened_at)),
            (_("Answer"), dispute.get_answer_display() or panels.NOTHING),
            (_("Sent back"), parcel or panels.NOTHING),
            (_("Parked at"), panels.instant(dispute.parked_at)),
            (_("Closed"), panels.instant(dispute.closed_at)),
            (_("Refund"), panels.link("escrow_refund", dispute.refund_id, dispute.refund_id)),
            (_("Their reference"), panels.mono(dispute.provider_reference)),
        ],
        side=True,
    )
