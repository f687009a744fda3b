"""The desk for changes by two persons: what one proposed, another one lets a service do.

It stands above all stations because it calls the services of each; no page changes a row by itself.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from escrow.services import debts
from ledger import admin_panels as panels
from merchants import services as merchants
from merchants.admin_pages import service_page
from merchants.admin_show import (
    ShownAdmin,
    audit_steps,
    choices_filter,
    column,
    dates_filter,
    instant_column,
    related_filter,
    state_badge,
    state_column,
)
from merchants.models import Proposal, ProposalState, ProposalVerb
from merchants.services import proposals
from payouts.services import bank_accounts, schedules

TONES: dict[str, str] = {
    ProposalState.PROPOSED: "warning",
    ProposalState.DONE: "success",
    ProposalState.DROPPED: "default",
}

# Verb -> the service, what it calls its row, and the page of that row.
CALLS: dict[str, tuple[Callable[..., Any], str, str]] = {
    ProposalVerb.REPAYMENT: (debts.record_repayment, "debt_id", "escrow_debt"),
    ProposalVerb.SCHEDULE: (schedules.change_schedule, "schedule_id", "payouts_payoutschedule"),
    ProposalVerb.PLAN_RESERVE: (
        merchants.set_plan_reserve,
        "plan_id",
        "merchants_commissionplan",
    ),
    ProposalVerb.BANK_ACCOUNT: (
        bank_accounts.adopt_bank_account,
        "account_id",
        "merchants_bankaccount",
    ),
    ProposalVerb.COOLOFF: (merchants.set_account_cooloff, "platform_id", "merchants_platform"),
}
# What was kept for a proposal alone goes with it.
UNDOES: dict[str, tuple[Callable[..., Any], str]] = {
    ProposalVerb.BANK_ACCOUNT: (bank_accounts.cancel_bank_account, "account_id"),
}
LABELS = {
    "amount_minor": _("Received (minor units)"),
    "rail": _("Bank"),
    "provider_reference": _("The bank's reference"),
    "cadence": _("Cadence"),
    "weekday": _("Weekday"),
    "minimum_minor": _("Minimum (minor units)"),
    "approval_above_minor": _("Approval above (minor units)"),
    "reserve_bps": _("Held back of each release (basis points)"),
    "reserve_days": _("Held back for (days)"),
    "required_reserve_bps": _("Held back at least (basis points)"),
    "required_reserve_days": _("Held back at least for (days)"),
    "hours": _("A changed bank account waits (hours)"),
}


class ProposalAdmin(ShownAdmin):
    list_display = [
        column(_("What happens"), lambda row: row.get_verb_display(), name="verb"),
        column(_("Platform"), lambda row: row.platform.name, name="platform"),
        state_column(TONES),
        column(_("Reason"), lambda row: row.reason, name="reason"),
        column(_("Proposed by"), lambda row: row.proposed_by, name="proposed_by"),
        instant_column(_("Proposed at"), name="proposed_at"),
    ]
    list_filter = [
        choices_filter("state", _("State")),
        choices_filter("verb", _("What happens")),
        related_filter("platform", _("Platform")),
        dates_filter("proposed_at", _("Proposed at")),
    ]
    list_select_related = ["platform", "proposed_by"]
    actions_detail = ["approve", "drop"]

    def found_by(self, term: str) -> Q:
        return Q(pk=term) | Q(subject=term)

    def has_decide_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Offer a decision only where it makes sense; the service decides whether it stands."""
        if not self.has_operate_permission(request):
            return False
        if object_id is None or request.method == "POST":
            return True
        return Proposal.objects.filter(pk=object_id, state=ProposalState.PROPOSED).exists()

    def heading(self, row: Proposal) -> dict[str, Any]:
        return {
            "kind": _("Proposed change"),
            "name": row.get_verb_display(),
            "state": state_badge(row, TONES),
        }

    def notices(self, request: HttpRequest, row: Proposal) -> list[str]:
        if row.state != ProposalState.PROPOSED:
            return []
        said = [_now("Nothing changes until another person approves it.")]
        if row.proposed_by_id == request.user.pk:
            said.append(own_proposal())
        return said

    def panels(self, request: HttpRequest, row: Proposal) -> list[Any]:
        facts = [
            (_("Id"), panels.mono(row.pk)),
            (_("Platform"), row.platform.name),
            (_("Decided by"), row.decided_by or panels.NOTHING),
            (_("Decided at"), panels.instant(row.decided_at)),
        ]
        return [
            panels.Facts(title=_("What is proposed"), facts=_asked(row)),
            panels.Facts(title=_("Proposed change"), facts=facts, side=True),
            audit_steps(row, labels=dict(ProposalState.choices)),
        ]

    @action(
        description=_("Approve"),
        permissions=["decide"],
        icon="done_all",
        variant=ActionVariant.PRIMARY,
    )
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = _find(object_id)
        service, key, _page = CALLS[row.verb]
        own = row.proposed_by_id == request.user.pk
        return service_page(
            self,
            request,
            title=_now("Approve the change"),
            call=proposals.approve_proposal,
            fresh=True,
            arguments={
                "proposal_id": object_id,
                "approved_by": request.user,
                "call": partial(service, **{key: row.subject}),
            },
            explanation=_now("It is done at once, as it was proposed."),
            object_id=object_id,
            facts=_asked(row),
            refused=own_proposal() if own else "",
            platform=row.platform,
        )

    @action(description=_("Do not do it"), permissions=["decide"], icon="block")
    def drop(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = _find(object_id)
        arguments: dict[str, Any] = {"proposal_id": object_id, "dropped_by": request.user}
        if row.verb in UNDOES:
            undo, key = UNDOES[row.verb]
            arguments["undo"] = partial(undo, **{key: row.subject})
        return service_page(
            self,
            request,
            title=_now("Drop the change"),
            call=proposals.drop_proposal,
            arguments=arguments,
            explanation=_now("The proposal is turned down, or taken back. Nothing moves."),
            object_id=object_id,
            facts=_asked(row),
            platform=row.platform,
        )


def own_proposal() -> str:
    return _now("You proposed it yourself; another operator has to approve it.")


def _find(proposal_id: str) -> Proposal:
    found = Proposal.objects.select_related("platform", "proposed_by", "decided_by")
    return get_object_or_404(found, pk=proposal_id)


def _asked(row: Proposal) -> list[tuple[Any, Any]]:
    _service, _key, page = CALLS[row.verb]
    return [
        (_("What it is about"), panels.link(page, row.subject, row.subject)),
        *((LABELS[name], _shown(value)) for name, value in row.arguments.items()),
        (_("Reason"), row.reason),
        (_("Proposed by"), row.proposed_by),
        (_("Proposed at"), panels.instant(row.proposed_at)),
    ]


def _shown(value: Any) -> Any:
    return panels.NOTHING if value is None else value
