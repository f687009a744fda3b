"""Rules of a draft from a CSV file, looked at before they are added, and a plan's rules as one.

It must never add some of a file.
"""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from merchants import rule_texts, selectors
from merchants import services as merchants
from merchants.models import CommissionPlan
from merchants.rules import Rule
from merchants.services import rule_import
from portal import plan_words
from portal.access import PortalRequest, Power, member_page
from portal.pages.jobs import attachment
from portal.pages.plan_edit import draft_page
from portal.pages.plans import own_plan, rules_of
from portal.refusals import SENTENCES, attempt
from portal.sheets import CSV, write_table

SHOWN = 100  # errors on the page
EXAMPLE = "currency,rate_bps,category,cap_minor\nCNY,550,tea,5000\nCNY,800,,"
WRONG: dict[str, str | Promise] = {
    "file_too_long": _("The file is too long: 500 rules at most."),
    "file_empty": _("The file has no rules."),
    "csv_unreadable": _("This is no CSV that can be read."),
    "cells_miscounted": _("The line has not as many cells as the first one."),
    "cell_missing": _("This cell is needed."),
    "cell_unreadable": _("This cannot be read. Numbers are whole, dates have an offset."),
    "merchant_unknown": _("You have no such seller."),
    "column_unknown": _("There is no such column."),
    "column_missing": _("This column is needed."),
    "column_twice": _("This column is there twice."),
    "commission_rule_overlap": _("Another rule or line is for the same sales."),
}


class ImportForm(forms.Form):
    """The file, or its text once it was checked."""

    file = forms.FileField(label=_("CSV file"), required=False)
    text = forms.CharField(
        label=_("Or write the lines here"),
        required=False,
        max_length=rule_import.MAX_CHARACTERS,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "mono"}),
    )

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if file := said.get("file"):
            try:
                content = file.read(rule_import.MAX_CHARACTERS * 4 + 1)
                said["text"] = content.decode("utf-8").replace("\x00", "\ufffd")
            except UnicodeDecodeError:
                self.add_error("file", gettext("The file is not UTF-8 text."))
        elif not said.get("text") and "text" not in self.errors:
            self.add_error("file", gettext("Choose a file first."))
        return said


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(of="platform", power=Power.SETUP)
@draft_page
def import_rules(request: PortalRequest, plan: CommissionPlan) -> HttpResponse:
    """Check a file and show what it would add or what is wrong; on the person's word, add it."""
    member = request.member
    form = ImportForm(request.POST or None, request.FILES or None)
    shown: dict[str, Any] = {}
    if form.is_valid():
        text = form.cleaned_data["text"]
        tried = merchants.import_rules(plan=plan, text=text, dry_run=True, at=member.at)
        if "errors" in request.POST and tried.errors:
            return _errors_file(tried)
        if "apply" in request.POST and not tried.errors and _added(request, plan, text):
            return redirect("portal:plan", plan.pk)
        rules = [selectors.snapshot(rule) for rule in tried.rules]
        names = plan_words.seller_names(member.platform.pk, rules)
        shown = {
            "text": text,
            "ready": not tried.errors,
            "found": plan_words.rule_rows(rules, names, at=member.at),
            "errors": [(each, _sentence(each)) for each in tried.errors[:SHOWN]],
            "error_count": len(tried.errors),
        }
        form = ImportForm(initial={"text": text})
    help_words = {"columns": rule_import.COLUMNS, "example": EXAMPLE}
    context = {"plan": plan, "form": form, **help_words, **shown}
    return render(request, "portal/pages/plan_import.html", context)


def _added(request: PortalRequest, plan: CommissionPlan, text: str) -> bool:
    found = attempt(
        request,
        lambda: merchants.change_draft(
            plan_id=plan.pk,
            call=lambda draft: merchants.import_rules(
                plan=draft, text=text, dry_run=False, at=request.member.at
            ),
        ),
        done=_("The rules of the file are in the draft."),
    )
    return found is not None


def _sentence(error: rule_import.RowError) -> str:
    return str(WRONG.get(error.code) or SENTENCES.get(error.code) or error.sentence)


def _errors_file(tried: rule_import.RuleImport) -> HttpResponse:
    head = (_("Line"), _("Column"), _("What is wrong"))
    rows = [[each.line, each.column, _sentence(each)] for each in tried.errors]
    return attachment(write_table(form=CSV, name="errors", head=head, rows=rows))


@require_safe
@member_page(of="platform")
def hand_out_rules(request: PortalRequest, plan_id: str) -> HttpResponse:
    """Hand out the rules of a plan as the file `import_rules` reads."""
    plan = own_plan(request, plan_id)
    rows = [_cells(rule) for rule in rules_of(plan, at=request.member.at)]
    return attachment(write_table(form=CSV, name="rules", head=rule_import.COLUMNS, rows=rows))


def _cells(rule: Rule) -> list[Any]:
    written = {
        "merchant": rule.merchant_id,
        "base": rule.base.value,
        "parties": rule_texts.write_shares(rule.parties),
        "tiers": rule_texts.write_tiers(rule.tiers),
        "effective_from": None,
        "effective_to": rule.effective_to.isoformat() if rule.effective_to else None,
    }
    return [
        written[name] if name in written else getattr(rule, name) for name in rule_import.COLUMNS
    ]
