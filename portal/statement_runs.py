"""The statements of some time in one file: letters in a ZIP, or every line in one table.

It must never show a statement its reader could not open alone.
"""

import io
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from payouts.models import Settlement
from portal import documents, sheets
from portal.access import member_of
from portal.days import midnight
from portal.jobs import File, Outcome, Work
from portal.statements import read_statement

KIND = "statement_run"
PDF = "pdf"
MOST_LETTERS = 500  # a letter takes a third of a second at most; a job has five minutes
MOST_STATEMENTS = 5_000
LONGEST = timedelta(days=366)


class RunForm(forms.Form):
    """Which statements, by the day they were cut, and as what."""

    since = forms.DateField(label=_("From"), widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label=_("Until"), widget=forms.DateInput({"type": "date"}))
    form = forms.ChoiceField(
        label=_("As"),
        choices=[
            (PDF, _("Letters (PDF, in one ZIP)")),
            (sheets.XLSX, _("One table (XLSX)")),
            (sheets.CSV, _("One table (CSV)")),
        ],
    )

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = found.get("since"), found.get("until")
        if since and until and since > until:
            self.add_error("until", _("This is before the first date."))
        elif since and until and until - since > LONGEST:
            self.add_error("until", _("Choose a year at most."))
        return found

    @property
    def wanted(self) -> dict[str, str]:
        """What the job is asked for."""
        said = self.cleaned_data
        return {
            "since": said["since"].isoformat(),
            "until": said["until"].isoformat(),
            "form": said["form"],
        }


def write_statements(work: Work) -> Outcome:
    """Write the statements that were cut in some days of the reader, oldest first."""
    member, wanted = member_of(work.job), work.job.wanted
    with timezone.override(member.zone):
        since, until = (date.fromisoformat(wanted[each]) for each in ("since", "until"))
        rows = member.settlements().filter(
            cutoff_at__gte=midnight(since), cutoff_at__lt=midnight(until + timedelta(days=1))
        )
        total, letters = rows.count(), wanted["form"] == PDF
        fits = min(total, MOST_LETTERS if letters else MOST_STATEMENTS)
        name = f"statements-{since:%Y%m%d}-{until:%Y%m%d}"
        chosen = _told(rows.order_by("pk")[:fits], work, fits)
        file = _write_letters(name, chosen) if letters else _write_lines(name, chosen, work)
    return Outcome(file=file, counts={"statements": fits, "left_out": total - fits})


def _told(rows: QuerySet[Settlement], work: Work, total: int) -> Iterator[Settlement]:
    for number, row in enumerate(rows.prefetch_related("payouts"), start=1):
        yield row
        work.tell(number, total)


def _write_letters(name: str, rows: Iterator[Settlement]) -> File:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for row in rows:
            letter = documents.write_pdf(read_statement(row))
            archive.writestr(letter.name, letter.content)
    return File(f"{name}.zip", "application/zip", packed.getvalue())


def _write_lines(name: str, rows: Iterator[Settlement], work: Work) -> File:
    head = [_("Statement"), _("Payee"), *documents.LINE_HEAD]
    lines = (
        [statement.settlement.pk, documents.payee_of(statement), *line]
        for statement in map(read_statement, rows)
        for line in documents.line_cells(statement)
    )
    return sheets.write_table(form=work.job.wanted["form"], name=name, head=head, rows=lines)
