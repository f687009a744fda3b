"""Changing a draft: its rules, its terms, rules from a file, and the parties rules may name.

It must never change a plan that is in force, nor one that has ended: the service refuses both.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from common.errors import DomainError
from merchants import selectors
from merchants import services as merchants
from merchants.models import CommissionPlan, CommissionRule
from orders.services import plans as plan_services
from portal import plan_forms
from portal.access import Member, PortalRequest, Power, member_page
from portal.pages.plans import own_plan, rules_of
from portal.plan_forms import RuleForm, ShareSet, TermsForm, TierSet, say_refusal
from portal.refusals import SENTENCES, attempt

SELLERS = 200  # suggested while typing
require_GET_POST = require_http_methods(["GET", "HEAD", "POST"])


def draft_page(page: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Hand a page the draft of its address; of another plan of the platform say what it is."""

    @wraps(page)
    def opened(request: PortalRequest, plan_id: str, **keys: str) -> HttpResponse:
        plan = own_plan(request, plan_id)
        if plan.is_draft:
            return page(request, plan, **keys)
        messages.error(request, str(SENTENCES[merchants.PlanNotDraft.code]))
        return redirect("portal:plan", plan.pk)

    return opened


@require_GET_POST
@member_page(of="platform", power=Power.SETUP)
@draft_page
def write_rule(request: PortalRequest, plan: CommissionPlan, rule_id: str = "") -> HttpResponse:
    """Add a rule to a draft, or put another one in the place of one."""
    rule = _own_rule(request, plan, rule_id) if rule_id else None
    more = request.POST.get("more", "")
    editor = _Editor(request.member, plan, rule, request.POST if request.method == "POST" else None)
    if more:
        editor.add_row(more)
    elif request.method == "POST" and editor.is_valid() and editor.save():
        messages.success(request, str(_("The rule is in the draft.")))
        return redirect("portal:plan", plan.pk)
    return render(
        request, "portal/pages/plan_rule.html", {"plan": plan, "rule": rule, **editor.shown}
    )


class _Editor:
    """The form of a rule with its rows of parties and tiers."""

    def __init__(
        self, member: Member, plan: CommissionPlan, rule: CommissionRule | None, sent: Any
    ) -> None:
        self.member, self.plan, self.rule, self.sent = member, plan, rule, sent
        start = {"currency": member.platform.currency, "priority": 0, "base": "GOODS"}
        self.initial = plan_forms.rule_initial(rule) if rule else start
        self.form = RuleForm(sent, initial=self.initial, platform=member.platform)
        currency = (sent.get("currency", "") if sent else self.initial["currency"]).upper()
        self.of_shares = {
            "parties": plan_forms.party_choices(member.platform),
            "currency": currency,
        }
        self.of_tiers = {"currency": currency}
        self.shares = ShareSet(
            sent,
            prefix="parties",
            form_kwargs=self.of_shares,
            initial=plan_forms.share_initial(rule) if rule else None,
        )
        self.tiers = TierSet(
            sent,
            prefix="tiers",
            form_kwargs=self.of_tiers,
            initial=plan_forms.tier_initial(rule) if rule else None,
        )

    def add_row(self, which: str) -> None:
        """Show what was typed, not judged yet, with one row more."""
        typed = {name: self.sent.get(name, "") for name in RuleForm.base_fields}
        self.form = RuleForm(initial=typed, platform=self.member.platform)
        for prefix, made, kwargs in (
            ("parties", ShareSet, self.of_shares),
            ("tiers", TierSet, self.of_tiers),
        ):
            rows = _typed_rows(self.sent, prefix, made)
            formset = made(prefix=prefix, form_kwargs=kwargs, initial=rows)
            formset.extra = 1 if which == prefix else 0
            setattr(self, "shares" if prefix == "parties" else "tiers", formset)

    def is_valid(self) -> bool:
        return all([self.form.is_valid(), self.shares.is_valid(), self.tiers.is_valid()])

    def save(self) -> bool:
        """Write the rule; what is refused becomes an error of the form."""
        values = {
            **self.form.values,
            "parties": [each.value for each in self.shares if each.value],
            "tiers": [each.value for each in self.tiers if each.value],
        }
        at = self.member.at
        try:
            if self.rule is not None:
                merchants.rewrite_rule(plan_id=self.plan.pk, rule_id=self.rule.pk, at=at, **values)
            else:
                merchants.change_draft(
                    plan_id=self.plan.pk,
                    call=lambda plan: merchants.add_rule(
                        plan=plan, effective_from=at, at=at, **values
                    ),
                )
        except DomainError as refusal:
            say_refusal(self.form, refusal)
            return False
        return True

    @property
    def shown(self) -> dict[str, Any]:
        return {
            "form": self.form,
            "shares": self.shares,
            "tiers": self.tiers,
            "categories": sorted(
                {rule.category for rule in rules_of(self.plan, at=self.member.at)} - {""}
            ),
            "sellers": suggested_sellers(self.member),
        }


def _typed_rows(sent: Any, prefix: str, made: Any) -> list[dict[str, str]]:
    """The rows of a form set as they were typed, without the empty ones at the end."""
    try:
        total = min(int(sent.get(f"{prefix}-TOTAL_FORMS", 0)), made.max_num)
    except ValueError:
        total = 0
    return [
        {name: sent.get(f"{prefix}-{row}-{name}", "") for name in made.form.base_fields}
        for row in range(total)
    ]


@require_POST
@member_page(of="platform", power=Power.SETUP)
@draft_page
def end_rule(request: PortalRequest, plan: CommissionPlan, rule_id: str) -> HttpResponse:
    """Take a rule out of a draft."""
    at = request.member.at
    rule = _own_rule(request, plan, rule_id)
    attempt(
        request,
        lambda: merchants.change_draft(
            plan_id=plan.pk,
            call=lambda _plan: merchants.end_rule(rule_id=rule.pk, effective_to=at, at=at),
        ),
        done=_("The rule is taken out of the draft."),
    )
    return redirect("portal:plan", plan.pk)


@require_GET_POST
@member_page(of="platform", power=Power.SETUP)
@draft_page
def change_terms(request: PortalRequest, plan: CommissionPlan) -> HttpResponse:
    """Change a draft's name and what its orders freeze of refunds, guarantee and reserve."""
    at = request.member.at
    form = TermsForm(request.POST or None, initial=plan_forms.terms_initial(plan))
    if request.method == "POST" and form.is_valid():
        changes: Any = form.cleaned_data

        def change(draft: CommissionPlan) -> CommissionPlan:
            return plan_services.change_plan(plan_id=draft.pk, changes=changes, at=at)

        if _saved(form, lambda: merchants.change_draft(plan_id=plan.pk, call=change)):
            messages.success(request, str(_("The terms of the draft are changed.")))
            return redirect("portal:plan", plan.pk)
    return render(request, "portal/pages/plan_terms.html", {"plan": plan, "form": form})


@require_GET_POST
@member_page(of="platform")
def list_parties(request: PortalRequest) -> HttpResponse:
    """Show the further parties that rules may name, and take one in."""
    member = request.member
    form = plan_forms.PartyForm(request.POST or None)
    if request.method == "POST" and not member.may(Power.SETUP):
        raise PermissionDenied
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        if _saved(
            form,
            lambda: merchants.create_party(platform=member.platform, at=member.at, **said),
        ):
            messages.success(request, str(_("Rules of your drafts can name it now.")))
            return redirect("portal:parties")
    parties = selectors.parties_of(platform_id=member.platform.pk).order_by("name", "pk")
    context = {"form": form, "parties": parties[:SELLERS]}
    return render(request, "portal/pages/parties.html", context)


def _saved(form: forms.Form, deed: Callable[[], Any]) -> bool:
    try:
        deed()
    except DomainError as refusal:
        say_refusal(form, refusal)
        return False
    return True


def _own_rule(request: PortalRequest, plan: CommissionPlan, rule_id: str) -> CommissionRule:
    rows = selectors.open_rules(plan_id=plan.pk, at=request.member.at)
    rule = rows.filter(pk=rule_id).select_related("merchant").first()
    if rule is None:
        raise Http404
    return rule


def suggested_sellers(member: Member) -> list[tuple[str, str]]:
    """References and names of sellers, to choose from while typing."""
    rows = selectors.merchants_of(platform_id=member.platform.pk).order_by("name", "pk")
    return list(rows.values_list("reference", "name")[:SELLERS])
