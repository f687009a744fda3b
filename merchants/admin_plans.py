"""The operators' pages about a whole plan: rules from a CSV file, and what changed when.

They must never save a model: the import is a service, the history only reads.
"""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pghistory
from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.forms import model_to_dict
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from ledger import admin_panels as panels
from merchants import differences, rule_texts, selectors, services
from merchants.admin_pages import ServiceForm, operator, service_page
from merchants.forms import GuaranteeForm, ReserveForm
from merchants.models import CommissionPlan, ProposalVerb
from merchants.refund_policy import REFUND_FIELDS
from merchants.rules import Rule
from merchants.services import proposals, rule_import

CHANGES = {
    differences.Change.ADDED: (_("Added"), "success"),
    differences.Change.ENDED: (_("Ended"), "danger"),
    differences.Change.REPLACED: (_("Replaced"), "info"),
}
RESERVE_FIELDS = ("reserve_bps", "reserve_days", "required_reserve_bps", "required_reserve_days")
OTHER_FIELDS = (*REFUND_FIELDS, "guarantee_days", *RESERVE_FIELDS)


class ImportForm(ServiceForm):
    """The file, or its text once it was checked."""

    file = forms.FileField(label=_("CSV file"), required=False)
    text = forms.CharField(
        label=_("Rules as CSV"),
        required=False,
        max_length=rule_import.MAX_CHARACTERS,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false"}),
        help_text=", ".join(rule_import.COLUMNS),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        file = cleaned.get("file")
        if file is not None:
            try:
                cleaned["text"] = file.read().decode("utf-8")
            except UnicodeDecodeError:
                raise forms.ValidationError(_("The file is not UTF-8 text.")) from None
        return cleaned


class HistoryForm(forms.Form):
    """Two instants, in the address."""

    since = forms.DateTimeField(
        label=_("From"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    until = forms.DateTimeField(
        label=_("To"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )


def import_page(admin: ModelAdmin, request: HttpRequest, plan_id: str) -> HttpResponse:
    """Check a file, show what it would add or what is wrong, and add it when confirmed."""
    plan = get_object_or_404(CommissionPlan, pk=plan_id)
    form = ImportForm(request.POST or None, request.FILES or None)
    shown: list[Any] = []
    ready = False
    if form.is_valid():
        text, reason = form.cleaned_data["text"], form.cleaned_data["reason"]
        with pghistory.context(actor=operator(request), reason=reason):
            tried = services.import_rules(plan=plan, text=text, dry_run=True, at=timezone.now())
            if "errors" in request.POST:
                return _errors_file(tried)
            if "apply" in request.POST and not tried.errors:
                done = services.import_rules(plan=plan, text=text, dry_run=False, at=timezone.now())
                messages.success(request, _now("Rules added: %(n)s.") % {"n": len(done.rules)})
                return HttpResponseRedirect(_page_of(admin, plan))
        ready = not tried.errors
        form = ImportForm(initial={"text": text, "reason": reason})
        shown = [_errors(tried) if tried.errors else _preview(tried)]
    context = {"form": form, "shown": shown, "ready": ready, "multipart": True}
    return _page(admin, request, plan, _("Import rules"), context)


def reserve_page(admin: ModelAdmin, request: HttpRequest, plan_id: str) -> HttpResponse:
    """Propose what is held back of each release; another person lets it be so."""
    plan = get_object_or_404(CommissionPlan, pk=plan_id)
    return service_page(
        admin,
        request,
        title=_("Set reserve"),
        form_class=ReserveForm,
        call=proposals.propose_change,
        arguments={
            "verb": ProposalVerb.PLAN_RESERVE,
            "subject": plan.pk,
            "platform": plan.platform,
            "proposed_by": request.user,
        },
        passes_reason=True,
        initial=model_to_dict(plan, fields=RESERVE_FIELDS),
        explanation=_now("Nothing changes until another person approves it."),
        object_id=plan.pk,
    )


def guarantee_page(admin: ModelAdmin, request: HttpRequest, plan_id: str) -> HttpResponse:
    """Say after how many days the platform pays its sellers' debts."""
    plan = get_object_or_404(CommissionPlan, pk=plan_id)
    return service_page(
        admin,
        request,
        title=_("Set guarantee"),
        form_class=GuaranteeForm,
        call=services.set_guarantee,
        arguments={"plan_id": plan.pk},
        initial={"days": plan.guarantee_days},
        explanation=_now("Orders created before keep their frozen terms."),
        object_id=plan.pk,
    )


def history_page(admin: ModelAdmin, request: HttpRequest, plan_id: str) -> HttpResponse:
    """Show what changed in a plan between two instants."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    plan = get_object_or_404(CommissionPlan, pk=plan_id)
    now = timezone.now()
    initial = {"since": now - timedelta(days=30), "until": now}
    form = HistoryForm(request.GET if "since" in request.GET else None, initial=initial)
    asked = form.cleaned_data if form.is_valid() else initial
    shown = [
        _rule_changes(plan, since=asked["since"], until=asked["until"]),
        _plan_changes(plan, since=asked["since"], until=asked["until"]),
    ]
    return _page(admin, request, plan, _("What changed"), {"form": form, "shown": shown})


def _page(
    admin: ModelAdmin, request: HttpRequest, plan: CommissionPlan, title: Any, more: dict[str, Any]
) -> HttpResponse:
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": title,
        "plan": plan,
        "back_url": _page_of(admin, plan),
        **more,
    }
    page = TemplateResponse(request, "admin/plan_page.html", context)
    page["Cache-Control"] = "no-store"
    return page


def _page_of(admin: ModelAdmin, plan: CommissionPlan) -> str:
    return reverse(f"{admin.admin_site.name}:merchants_commissionplan_change", args=(plan.pk,))


def _errors_file(tried: rule_import.RuleImport) -> HttpResponse:
    answer = HttpResponse(
        rule_import.errors_as_csv(tried.errors), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = 'attachment; filename="errors.csv"'
    return answer


def _errors(tried: rule_import.RuleImport) -> panels.Table:
    return panels.Table(
        title=_("Errors: nothing will be added"),
        headings=[_("Line"), _("Column"), _("What is wrong")],
        rows=[[each.line, each.column or panels.NOTHING, each.sentence] for each in tried.errors],
    )


def _preview(tried: rule_import.RuleImport) -> panels.Table:
    found = [selectors.snapshot(rule) for rule in tried.rules]
    return panels.Table(
        title=_("Rules that will be added"),
        headings=[_("Matches"), _("Takes"), _("From"), _("To")],
        rows=[
            [
                _match(rule),
                "; ".join(
                    f"{each.name} {_shown(each.new)}"
                    for each in differences.differences(old=(), new=[rule])[0].values
                ),
                panels.instant(rule.effective_from),
                panels.instant(rule.effective_to),
            ]
            for rule in found
        ],
    )


def _rule_changes(plan: CommissionPlan, *, since: datetime, until: datetime) -> panels.Table:
    found = differences.differences(
        old=selectors.list_rules_in_force(plan_id=plan.pk, at=since),
        new=selectors.list_rules_in_force(plan_id=plan.pk, at=until),
    )
    return panels.Table(
        title=_("Rules"),
        headings=[_("Change"), _("Matches"), _("Value"), _("Old"), _("New")],
        rows=[
            [
                panels.badge(*CHANGES[each.change]),
                _match(each.rule),
                value.name,
                _shown(value.old),
                _shown(value.new),
            ]
            for each in found
            for value in each.values
        ],
        empty=_("Nothing changed."),
    )


def _plan_changes(plan: CommissionPlan, *, since: datetime, until: datetime) -> panels.Table:
    """From the audit rows: who changed refund policy or reserve, and whether it is in force."""
    rows = []
    kept = list(plan.audit.order_by("pgh_id"))  # type: ignore[attr-defined]
    for before, after in pairwise(kept):
        if not since < after.pgh_created_at <= until:
            continue
        facts = after.pgh_context or {}
        who = " · ".join(filter(None, (facts.get("actor"), facts.get("reason"))))
        rows += [
            [panels.instant(after.pgh_created_at), who, name, _shown(old), _shown(new)]
            for name in ("active", "name", *OTHER_FIELDS)
            if (old := getattr(before, name)) != (new := getattr(after, name))
        ]
    return panels.Table(
        title=_("Plan"),
        headings=[_("When"), _("Who and why"), _("Value"), _("Old"), _("New")],
        rows=rows,
        empty=_("Nothing changed."),
    )


def _match(rule: Rule) -> str:
    return ", ".join(
        f"{name} {value}"
        for name in differences.MATCH
        if (value := getattr(rule, name)) not in (None, "")
    )


def _shown(value: Any) -> str:
    if value in (None, ()):
        return panels.NOTHING
    if isinstance(value, tuple):
        shares = hasattr(value[0], "party_id")
        return rule_texts.write_shares(value) if shares else rule_texts.write_tiers(value)
    return str(value)
