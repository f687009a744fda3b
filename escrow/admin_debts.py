"""The desk for debts: who owes what since when, how each got smaller, and its end by two persons.

Each action calls one service, which refuses what it must; no page changes a row by itself.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from escrow import ageing, forms
from escrow.models import DebitRequestState, Debt, DebtState, DebtStep, Payee
from escrow.services import debit_requests, debts
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
    related_filter,
    state_badge,
    state_column,
)
from merchants.models import ProposalVerb
from merchants.services import proposals

TONES: dict[str, str] = {
    DebtState.OPEN: "warning",
    DebtState.SETTLED: "success",
    DebtState.WRITTEN_OFF: "danger",
}
AGES = dict(
    zip((band.name for band in ageing.BANDS), ("info", "warning", "warning", "danger"), strict=True)
)


class AgeFilter(admin.SimpleListFilter):
    """Open debts of one band of age."""

    title = _("Age in days")
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(band.name, band.name) for band in ageing.BANDS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Debt]) -> QuerySet[Debt]:
        chosen = [band for band in ageing.BANDS if band.name == self.value()]
        return chosen[0].within(queryset, now=timezone.now()) if chosen else queryset


class DebtAdmin(ShownAdmin):
    list_display = [
        column(_("Debt"), lambda debt: panels.mono(f"dbt_…{debt.pk[-8:]}"), name="id"),
        column(_("Who owes"), lambda debt: debtor(debt), name="debtor"),
        state_column(TONES),
        amount_column(_("Owed at first")),
        amount_column(_("Still owed"), name="open_minor"),
        column(_("Age in days"), lambda debt: _age(debt), name="age"),
        instant_column(_("Owed since"), name="created_at"),
    ]
    list_filter = [
        AgeFilter,
        choices_filter("state", _("State")),
        empty_filter("proposed_by", _("Write-off proposed")),
        choices_filter("payee", _("Payee")),
        related_filter("platform", _("Platform")),
        dates_filter("created_at", _("Owed since")),
    ]
    list_select_related = ["platform", "merchant"]
    list_before_template = "admin/ageing.html"
    actions_detail = ["ask", "repay", "propose", "write_off", "keep"]

    def found_by(self, term: str) -> Q:
        return Q(pk=term) | Q(refund_id=term) | Q(dispute_id=term) | Q(merchant_id=term)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**(extra_context or {}), "panel": _ages()}
        page: HttpResponse = super().changelist_view(request, context)
        return page

    def has_repay_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._open(request, object_id)

    def has_ask_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        if not self._open(request, object_id, payee=Payee.MERCHANT):
            return False
        if object_id is None or request.method == "POST":
            return True
        asked = Debt.objects.filter(pk=object_id, requests__state=DebitRequestState.OPEN)
        return not asked.exists()

    def has_propose_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._open(request, object_id, proposed_by__isnull=True)

    def has_decide_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._open(request, object_id, proposed_by__isnull=False)

    def _open(self, request: HttpRequest, object_id: str | None, **more: Any) -> bool:
        """Offer a decision only where it makes sense; the service decides whether it stands."""
        if not self.has_operate_permission(request):
            return False
        if object_id is None or request.method == "POST":
            return True
        return Debt.objects.filter(pk=object_id, state=DebtState.OPEN, **more).exists()

    def heading(self, debt: Debt) -> dict[str, Any]:
        return {
            "kind": _("Debt"),
            "name": debtor(debt),
            "amount": panels.money(debt.open_minor, debt.currency),
            "state": state_badge(debt, TONES),
        }

    def notices(self, request: HttpRequest, debt: Debt) -> list[str]:
        if debt.state != DebtState.OPEN or debt.proposed_by_id is None:
            return []
        said = [_now("Somebody proposes to write this debt off; another person decides.")]
        if debt.proposed_by_id == request.user.pk:
            said.append(own_proposal())
        return said

    def panels(self, request: HttpRequest, debt: Debt) -> list[Any]:
        entries = [*books.entries_of([debt.entry_id]), *books.subject_entries(debt.pk)]
        return [
            _steps(debt),
            *([_asked(debt)] if debt.debit_request else []),
            *([_proposal(debt)] if debt.proposed_by_id else []),
            panels.journal(entries),
            _facts(debt),
            audit_steps(debt, labels=dict(DebtState.choices)),
        ]

    @action(description=_("Ask the seller to pay"), permissions=["ask"], icon="request_quote")
    def ask(self, request: HttpRequest, object_id: str) -> HttpResponse:
        debt = _find(object_id)
        return service_page(
            self,
            request,
            title=_now("Ask the seller to pay"),
            call=debit_requests.request_debit,
            arguments={"debt_id": object_id, "asked_by": request.user},
            explanation=_now("The seller gets a mail with the amount, the reference and the date."),
            object_id=object_id,
            facts=_owed(debt),
            platform=debt.platform,
        )

    @action(
        description=_("Record a payment"),
        permissions=["repay"],
        icon="payments",
        variant=ActionVariant.PRIMARY,
    )
    def repay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        debt = _find(object_id)
        return service_page(
            self,
            request,
            title=_now("Record a payment of the debtor"),
            form_class=forms.RepaymentForm,
            call=proposals.propose_change,
            arguments={
                "verb": ProposalVerb.REPAYMENT,
                "subject": object_id,
                "platform": debt.platform,
                "proposed_by": request.user,
            },
            explanation=_now(
                "Only what the reserve's bank statement shows as received. Nothing is booked until"
                " another person approves it."
            ),
            passes_reason=True,
            object_id=object_id,
            facts=_owed(debt),
            initial={"amount_minor": debt.open_minor},
            platform=debt.platform,
        )

    @action(description=_("Propose to write it off"), permissions=["propose"], icon="money_off")
    def propose(self, request: HttpRequest, object_id: str) -> HttpResponse:
        debt = _find(object_id)
        return service_page(
            self,
            request,
            title=_now("Propose to write the debt off"),
            call=debts.propose_write_off,
            arguments={"debt_id": object_id, "proposed_by": request.user},
            explanation=_now("Nothing moves until another person agrees."),
            object_id=object_id,
            facts=_owed(debt),
            platform=debt.platform,
            passes_reason=True,
        )

    @action(
        description=_("Write it off"),
        permissions=["decide"],
        icon="done_all",
        variant=ActionVariant.DANGER,
    )
    def write_off(self, request: HttpRequest, object_id: str) -> HttpResponse:
        explanation = _now("What is still owed becomes a loss of the operator. It is for ever.")
        return self._decide(request, object_id, _now("Write the debt off"), explanation, True)

    @action(description=_("Let it stand"), permissions=["decide"], icon="undo")
    def keep(self, request: HttpRequest, object_id: str) -> HttpResponse:
        explanation = _now("The proposal is dropped; the debt stays open.")
        return self._decide(request, object_id, _now("Let the debt stand"), explanation, False)

    def _decide(
        self, request: HttpRequest, object_id: str, title: str, explanation: str, approve: bool
    ) -> HttpResponse:
        debt = _find(object_id)
        own = debt.proposed_by_id == request.user.pk
        return service_page(
            self,
            request,
            title=title,
            call=debts.decide_write_off,
            fresh=True,
            arguments={"debt_id": object_id, "decided_by": request.user, "approve": approve},
            explanation=explanation,
            object_id=object_id,
            facts=[*_owed(debt), *_proposed(debt)],
            refused=own_proposal() if own else "",
            platform=debt.platform,
        )


def own_proposal() -> str:
    return _now("You proposed this yourself; another operator has to decide.")


def debtor(debt: Debt) -> Any:
    """Who owes: the seller, a further party, or the platform itself."""
    if debt.merchant is not None:
        return debt.merchant.name
    if debt.payee == Payee.PARTY:
        return f"{debt.get_payee_display()} {debt.address.split(':')[1][-8:]}"
    return debt.platform.name


def _find(debt_id: str) -> Debt:
    found = Debt.objects.select_related("platform", "merchant", "proposed_by")
    return get_object_or_404(found, pk=debt_id)


def _age(debt: Debt) -> Any:
    days = ageing.age_days(debt, now=timezone.now())
    if debt.state != DebtState.OPEN:
        return days
    band = ageing.band_of(days).name
    return panels.badge(f"{days} ({band})", AGES[band])


def _ages() -> panels.Table:
    return panels.Table(
        title=_("Still owed, by age in days"),
        headings=[_("Currency"), *(band.name for band in ageing.BANDS), _("Total")],
        numbers=range(1, len(ageing.BANDS) + 2),
        rows=[
            [currency, *(panels.digits(each, currency) for each in (*owed, sum(owed)))]
            for currency, owed in ageing.open_by_band(now=timezone.now()).items()
        ],
        empty=_("Nobody owes anything."),
    )


def _owed(debt: Debt) -> list[tuple[Any, Any]]:
    return [
        (_("Who owes"), debtor(debt)),
        (_("Owed at first"), panels.money(debt.amount_minor, debt.currency)),
        (_("Still owed"), panels.money(debt.open_minor, debt.currency)),
        (_("Age in days"), _age(debt)),
    ]


def _proposed(debt: Debt) -> list[tuple[Any, Any]]:
    return [
        (_("Proposed by"), debt.proposed_by or panels.NOTHING),
        (_("Proposed at"), panels.instant(debt.proposed_at)),
        (_("Reason"), debt.proposed_reason or panels.NOTHING),
    ]


def _proposal(debt: Debt) -> panels.Facts:
    return panels.Facts(title=_("Proposal to write it off"), facts=_proposed(debt))


def _asked(debt: Debt) -> panels.Facts:
    request = debt.debit_request
    return panels.Facts(
        title=_("Request to the seller"),
        facts=[
            (_("Id"), panels.mono(request.pk)),
            (_("State"), request.get_state_display()),
            (_("Payment reference"), panels.mono(request.payment_reference)),
            (_("Asked for"), panels.money(request.amount_minor, request.currency)),
            (_("Pays into"), request.custodian),
            (_("Asked at"), panels.instant(request.created_at)),
            (_("Asked by"), request.asked_by or panels.NOTHING),
            (_("Due at"), panels.instant(request.due_at)),
            (_("Reminded at"), panels.instant(request.reminded_at)),
            (_("Closed"), panels.instant(request.closed_at)),
        ],
    )


def _steps(debt: Debt) -> panels.Table:
    found = debt.steps.select_related("deduction", "requested_by", "approved_by").order_by("id")
    return panels.Table(
        title=_("How it got smaller"),
        headings=[_("Step"), _("When"), _("Settlement"), _("Who and why"), _("Amount")],
        numbers=[4],
        rows=[
            [
                step.get_kind_display(),
                panels.instant(step.happened_at),
                _settlement(step),
                _who(step),
                panels.money(step.amount_minor, debt.currency),
            ]
            for step in found
        ],
        total=[
            _("Paid or written off"),
            "",
            "",
            "",
            panels.money(debt.settled_minor, debt.currency),
        ],
        empty=_("Nothing yet."),
    )


def _settlement(step: DebtStep) -> Any:
    taken = getattr(step, "deduction", None)  # there is none of a payment or a write-off
    found = taken.settlement_id if taken else None
    return panels.link("payouts_settlement", found, f"set_…{found[-8:]}" if found else "")


def _who(step: DebtStep) -> str:
    said = [step.requested_by, step.approved_by, step.reason, step.provider_reference]
    return " · ".join(str(each) for each in said if each) or panels.NOTHING


def _facts(debt: Debt) -> panels.Facts:
    return panels.Facts(
        title=_("Debt"),
        facts=[
            (_("Id"), panels.mono(debt.pk)),
            *_owed(debt),
            (_("Payee"), debt.get_payee_display()),
            (_("Platform"), debt.platform.name),
            (_("Account"), panels.mono(debt.address)),
            (_("Refund"), panels.link("escrow_refund", debt.refund_id, debt.refund_id)),
            (_("Dispute"), panels.link("escrow_dispute", debt.dispute_id, debt.dispute_id)),
            (_("Owed since"), panels.instant(debt.created_at)),
            (_("Platform pays from"), panels.instant(debt.guaranteed_at)),
            (_("Closed"), panels.instant(debt.closed_at)),
        ],
        side=True,
    )
