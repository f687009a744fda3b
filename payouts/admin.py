"""The operators' view of settlements, payouts and schedules, and the decisions two persons take.

Each action calls one service, which refuses what it must; no page changes a row by itself.
"""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from escrow import selectors as escrow
from escrow.models import BankRefund, Freeze
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
from merchants.models import ProposalVerb
from merchants.services import proposals
from payouts import admin_rows as rows
from payouts import forms, selectors
from payouts.admin_bank_refunds import BankRefundAdmin
from payouts.admin_freezes import FreezeAdmin
from payouts.models import Payout, PayoutSchedule, PayoutState, Settlement
from payouts.services import approval, cutoff

admin.site.register(Freeze, FreezeAdmin)


def _rails() -> list[str]:
    return list(settings.RAILS)


admin.site.register(BankRefund, BankRefundAdmin)


@admin.register(Settlement)
class SettlementAdmin(ShownAdmin):
    list_display = [
        column(_("Settlement"), lambda row: panels.mono(rows.short(row.pk)), name="id"),
        column(_("Payee"), rows.payee, name="payee"),
        column(_("Lines"), lambda row: row.line_count, name="line_count"),
        amount_column(),
        instant_column(_("Cutoff"), name="cutoff_at"),
    ]
    list_filter = [
        choices_filter("payee", _("Payee")),
        related_filter("platform", _("Platform")),
        dates_filter("cutoff_at", _("Cutoff")),
    ]
    list_select_related = ["platform", "merchant", "party"]

    def found_by(self, term: str) -> Q:
        return Q(pk=term) | Q(merchant_id=term) | Q(party_id=term)

    def heading(self, row: Settlement) -> dict[str, Any]:
        return {
            "kind": _("Settlement"),
            "name": rows.short(row.pk),
            "amount": panels.money(row.amount_minor, row.currency),
        }

    def panels(self, request: HttpRequest, row: Settlement) -> list[Any]:
        found = escrow.list_settled_lines(settlement_id=row.pk)
        lines = panels.Table(
            title=_("Lines"),
            headings=[_("Order"), _("What"), _("Release"), _("Owed since"), _("Amount")],
            numbers=[4],
            rows=[
                [
                    panels.link(
                        "orders_order",
                        line.release.hold.order_id,
                        line.release.hold.order.reference,
                    ),
                    rows.LINE_KINDS[line.kind],
                    panels.link("escrow_release", line.release_id, rows.short(line.release_id)),
                    panels.instant(line.owed_at),
                    panels.money(line.amount_minor, line.currency),
                ]
                for line in found
            ],
            total=[
                _("Total"),
                "",
                "",
                "",
                panels.money(sum(each.amount_minor for each in found), row.currency),
            ],
        )
        facts = panels.Facts(
            title=_("Settlement"),
            facts=[
                (_("Id"), panels.mono(row.pk)),
                (_("Payee"), rows.payee(row)),
                (_("Platform"), row.platform.name),
                (_("Account"), panels.mono(row.address)),
                (_("Lines"), row.line_count),
                (_("Cutoff"), panels.instant(row.cutoff_at)),
            ],
            side=True,
        )
        deducted = rows.deductions(row, escrow.list_settled_deductions(settlement_id=row.pk))
        reserve = rows.reserve(row, selectors.reserve_of(row))
        return [lines, *deducted, *reserve, rows.payouts(row.payouts.order_by("id")), facts]


@admin.register(Payout)
class PayoutAdmin(ShownAdmin):
    list_display = [
        column(_("Payout"), lambda payout: panels.mono(rows.short(payout.pk)), name="id"),
        column(_("Payee"), rows.payee, name="payee"),
        state_column(rows.TONES),
        amount_column(),
        column(_("To account"), lambda payout: f"•••• {payout.last_four}", name="last_four"),
        instant_column(_("Created"), name="created_at"),
    ]
    list_filter = [
        choices_filter("state", _("State")),
        choices_filter("payee", _("Payee")),
        empty_filter("parked_at", _("Parked at")),
        named_filter("rail", _("Rail"), _rails),
        related_filter("platform", _("Platform")),
        dates_filter("created_at", _("Created")),
    ]
    list_select_related = ["platform", "merchant", "party"]
    actions_detail = ["approve", "refuse", "freeze", "replace", "claim", "confirm"]

    def found_by(self, term: str) -> Q:
        return Q(pk=term) | Q(settlement_id=term) | Q(merchant_id=term) | Q(party_id=term)

    def has_decide_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._in_state(request, object_id, PayoutState.PENDING)

    def has_freeze_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        may = request.user.has_perm("escrow.add_freeze")
        unsent = (PayoutState.PENDING, PayoutState.APPROVED)
        return may and self._stands(request, object_id, *unsent)

    def has_replace_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._in_state(request, object_id, PayoutState.FAILED, PayoutState.RETURNED)

    def has_claim_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._in_state(request, object_id, PayoutState.UNKNOWN)

    def has_confirm_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._in_state(request, object_id, PayoutState.UNKNOWN)

    def _in_state(self, request: HttpRequest, object_id: str | None, *states: str) -> bool:
        may = self.has_operate_permission(request)
        return may and self._stands(request, object_id, *states)

    def _stands(self, request: HttpRequest, object_id: str | None, *states: str) -> bool:
        """Offer a decision only where it makes sense; the service decides whether it stands.

        A decision that is posted is let through to the service, which says why it refuses.
        """
        if object_id is None or request.method == "POST":
            return True
        return Payout.objects.filter(pk=object_id, state__in=states).exists()

    def heading(self, payout: Payout) -> dict[str, Any]:
        return {
            "kind": _("Payout"),
            "name": rows.payee(payout),
            "amount": panels.money(payout.amount_minor, payout.currency),
            "state": state_badge(payout, rows.TONES),
        }

    def notices(self, request: HttpRequest, payout: Payout) -> list[str]:
        said = []
        if selectors.frozen_payouts().filter(pk=payout.pk).exists():
            said.append(_now("This payout or its seller is frozen: it does not go to the bank."))
        if payout.state == PayoutState.PENDING:
            said.append(_now("This payout waits for the approval of a second person."))
            if payout.requested_by_id == request.user.pk:
                said.append(rows.own_request())
        if payout.state == PayoutState.UNKNOWN and payout.parked_at:
            said.append(
                _now(
                    "The bank gives no answer about this payout. One person says what became of it,"
                    " with evidence; another one confirms it."
                )
            )
            if payout.claimed_by_id == request.user.pk:
                said.append(rows.own_claim())
        return said

    def panels(self, request: HttpRequest, payout: Payout) -> list[Any]:
        others = payout.settlement.payouts.exclude(pk=payout.pk).order_by("id")
        return [
            rows.decision(payout),
            panels.journal(books.subject_entries(payout.pk)),
            *([rows.payouts(others)] if others else []),
            rows.payout_facts(payout),
            audit_steps(payout, labels=dict(PayoutState.choices)),
        ]

    @action(
        description=_("Approve"),
        permissions=["decide"],
        icon="check",
        variant=ActionVariant.PRIMARY,
    )
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        payout = _find(object_id)
        own = payout.requested_by_id == request.user.pk
        return service_page(
            self,
            request,
            title=_now("Approve payout"),
            call=approval.approve_payout,
            fresh=True,
            arguments={"payout_id": object_id, "operator": request.user},
            explanation=_now("The money goes to the bank at once."),
            object_id=object_id,
            facts=rows.asked(payout),
            refused=rows.own_request() if own else "",
            platform=payout.platform,
        )

    @action(
        description=_("Refuse"), permissions=["decide"], icon="block", variant=ActionVariant.DANGER
    )
    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        payout = _find(object_id)
        return service_page(
            self,
            request,
            title=_now("Refuse payout"),
            call=approval.refuse_payout,
            arguments={"payout_id": object_id, "operator": request.user},
            explanation=_now("The money goes back to what we owe the payee. Say why."),
            object_id=object_id,
            facts=rows.asked(payout),
            platform=payout.platform,
            passes_reason=True,
        )

    @action(description=_("Freeze"), permissions=["freeze"], icon="lock")
    def freeze(self, request: HttpRequest, object_id: str) -> HttpResponse:
        page = reverse("admin:escrow_freeze_freeze_payout")
        return HttpResponseRedirect(f"{page}?{urlencode({'payout_id': object_id})}")

    @action(description=_("Replace"), permissions=["replace"], icon="replay")
    def replace(self, request: HttpRequest, object_id: str) -> HttpResponse:
        payout = _find(object_id)
        return service_page(
            self,
            request,
            title=_now("Replace payout"),
            call=cutoff.replace_payout,
            arguments={"payout_id": object_id, "requested_by": request.user},
            explanation=_now(
                "The same settlement is paid again, to the payee's present bank account."
                " Another person has to approve it."
            ),
            object_id=object_id,
            facts=rows.asked(payout),
            platform=payout.platform,
        )

    @action(description=_("Say what became of it"), permissions=["claim"], icon="fact_check")
    def claim(self, request: HttpRequest, object_id: str) -> HttpResponse:
        payout = _find(object_id)
        return service_page(
            self,
            request,
            title=_now("Say what became of it"),
            form_class=forms.ClaimForm,
            call=approval.claim_outcome,
            arguments={"payout_id": object_id, "operator": request.user},
            explanation=_now("Nothing moves until a second person confirms it."),
            object_id=object_id,
            facts=rows.asked(payout),
            platform=payout.platform,
        )

    @action(
        description=_("Confirm the outcome"),
        permissions=["confirm"],
        icon="done_all",
        variant=ActionVariant.PRIMARY,
    )
    def confirm(self, request: HttpRequest, object_id: str) -> HttpResponse:
        payout = _find(object_id)
        own = payout.claimed_by_id == request.user.pk
        return service_page(
            self,
            request,
            title=_now("Confirm the outcome"),
            form_class=forms.ConfirmForm,
            call=approval.confirm_outcome,
            fresh=True,
            arguments={"payout_id": object_id, "operator": request.user},
            explanation=_now("Read the evidence first; then it is booked."),
            object_id=object_id,
            facts=[*rows.asked(payout), *rows.claimed(payout)],
            refused=rows.own_claim() if own else "",
            platform=payout.platform,
        )


def _find(payout_id: str) -> Payout:
    found = Payout.objects.select_related(
        "platform", "merchant", "party", "requested_by", "claimed_by"
    )
    return get_object_or_404(found, pk=payout_id)


@admin.register(PayoutSchedule)
class PayoutScheduleAdmin(ShownAdmin):
    list_display = [
        column(_("Payee"), rows.payee, name="payee"),
        column(_("Platform"), lambda row: row.platform.name, name="platform"),
        column(_("Cadence"), lambda row: row.get_cadence_display(), name="cadence"),
        column(_("Minimum"), lambda row: rows.amount(row, row.minimum_minor), name="minimum"),
        column(
            _("Approval above"),
            lambda row: rows.amount(row, row.approval_above_minor),
            name="limit",
        ),
        instant_column(_("Next cutoff"), name="next_cutoff_at"),
    ]
    list_filter = [
        choices_filter("cadence", _("Cadence")),
        related_filter("platform", _("Platform")),
    ]
    list_select_related = ["platform", "merchant", "party"]
    actions_detail = ["edit"]

    def found_by(self, term: str) -> Q:
        return Q(merchant_id=term) | Q(party_id=term) | Q(platform_id=term)

    def heading(self, row: PayoutSchedule) -> dict[str, Any]:
        return {"kind": _("Payout schedule"), "name": rows.payee(row)}

    def panels(self, request: HttpRequest, row: PayoutSchedule) -> list[Any]:
        facts = panels.Facts(
            title=_("Payout schedule"),
            facts=[
                (_("Payee"), rows.payee(row)),
                (_("Platform"), row.platform.name),
                (_("Rail"), row.rail),
                (_("Cadence"), row.get_cadence_display()),
                (_("Weekday"), rows.weekday(row)),
                (_("Minimum"), rows.amount(row, row.minimum_minor)),
                (_("Approval above"), rows.amount(row, row.approval_above_minor)),
                (_("Next cutoff"), panels.instant(row.next_cutoff_at)),
            ],
        )
        return [facts, rows.changes(row)]

    @action(description=_("Change"), permissions=["operate"], icon="edit")
    def edit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = get_object_or_404(PayoutSchedule.objects.select_related("platform"), pk=object_id)
        fields = ("cadence", "weekday", "minimum_minor", "approval_above_minor")
        return service_page(
            self,
            request,
            title=_now("Change payout schedule"),
            form_class=forms.ScheduleForm,
            call=proposals.propose_change,
            arguments={
                "verb": ProposalVerb.SCHEDULE,
                "subject": str(row.pk),
                "platform": row.platform,
                "proposed_by": request.user,
            },
            explanation=_now(
                "It counts from the next cutoff on; payouts already cut stay. Nothing changes until"
                " another person approves it."
            ),
            passes_reason=True,
            object_id=object_id,
            facts=[(_("Payee"), rows.payee(row))],
            initial={name: getattr(row, name) for name in fields},
            platform=row.platform,
        )
