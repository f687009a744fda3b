"""Files people take away: a statement as CSV, XLSX and PDF."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typst
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from merchants.models import PayeeKind
from portal import formats, sheets
from portal.jobs import File
from portal.statements import Statement

FONTS = Path(__file__).parent / "fonts"
PDF_LINES = 5_000  # a longer statement is a table, not a letter


LINE_HEAD = (_lazy("Date"), _lazy("What"), _lazy("Order"), _lazy("Amount"), _lazy("Currency"))


def write_csv(statement: Statement) -> File:
    """One line per row."""
    return _write_table(statement, sheets.CSV)


def write_xlsx(statement: Statement) -> File:
    """The same, with amounts as numbers."""
    return _write_table(statement, sheets.XLSX)


def _write_table(statement: Statement, form: str) -> File:
    name = statement.settlement.pk
    return sheets.write_table(form=form, name=name, head=LINE_HEAD, rows=line_cells(statement))


def line_cells(statement: Statement) -> Iterator[list[Any]]:
    """The lines of a statement as cells below LINE_HEAD."""
    currency = statement.settlement.currency
    for line in statement.lines:
        amount = sheets.Amount(line.amount_minor, currency)
        yield [line.at, str(line.what), line.order_reference, amount, currency]


def write_pdf(statement: Statement) -> File:
    """The letter, in the reader's language. Its facts reach typst as data, never as markup."""
    row = statement.settlement
    payout = max(row.payouts.all(), key=lambda each: each.pk, default=None)
    currency = row.currency
    facts = {
        "language": (get_language() or "en")[:2],
        "title": _("Statement"),
        "id": row.pk,
        "issuer": row.platform.name,
        "facts": [
            [_("Payee"), payee_of(statement)],
            [_("Released until"), formats.instant(row.cutoff_at)],
            [_("Paid to"), f"{payout.holder_name} •••• {payout.last_four}" if payout else ""],
            [_("State"), str(payout.get_state_display()) if payout else ""],
        ],
        "headings": [_("Date"), _("What"), _("Order"), _("Amount")],
        "rows": [
            [
                formats.instant(line.at),
                str(line.what),
                line.order_reference,
                formats.money(line.amount_minor, currency),
            ]
            for line in statement.lines[:PDF_LINES]
        ],
        "sums": [
            [_("Released"), formats.money(statement.paid_minor, currency)],
            [_("Taken off"), formats.money(statement.taken_minor, currency)],
            [_("Payout"), formats.money(row.amount_minor, currency)],
        ],
        "reserve": _reserve(statement),
        "page": _("Page"),
    }
    content = typst.compile(
        str(settings.BASE_DIR / "templates" / "portal" / "statement.typ"),
        root=str(settings.BASE_DIR / "templates" / "portal"),
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"facts": json.dumps(facts, ensure_ascii=False)},
    )
    return File(f"{row.pk}.pdf", "application/pdf", content)


def _reserve(statement: Statement) -> list[list[str]]:
    """What is held back besides: nothing of it is in the sums above."""
    found = statement.reserve
    if found is None:
        return []
    rows = (
        (_("Rolling reserve before"), found.opening_minor),
        (_("Held back of these sales"), found.kept_minor),
        (_("Freed"), -found.freed_minor),
        (_("Taken for refunds"), -found.taken_minor),
        (_("Rolling reserve now"), found.closing_minor),
    )
    return [[label, formats.money(a, statement.settlement.currency)] for label, a in rows]


def payee_of(statement: Statement) -> str:
    """Who is paid by it."""
    row = statement.settlement
    named = {PayeeKind.MERCHANT: row.merchant, PayeeKind.PARTY: row.party}.get(row.payee)
    return named.name if named else row.platform.name
