"""Files people take away: a statement as CSV, XLSX and PDF.

A cell never becomes a formula: what begins like one gets a quote before it.
"""

import csv
import io
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import typst
import xlsxwriter
from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from common.money import exponent
from merchants.models import PayeeKind
from portal import formats
from portal.statements import Statement

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00")
FONTS = Path(__file__).parent / "fonts"
PDF_LINES = 5_000  # a longer statement is a table, not a letter

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


def answer_file(content: bytes, *, kind: str, name: str) -> HttpResponse:
    """Hand a file out to be kept. Args: kind: csv, xlsx or pdf."""
    answer = HttpResponse(content, content_type=TYPES[kind])
    answer["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def cell(text: str) -> str:
    """Make a text safe to open in a spreadsheet program. Source: OWASP, CSV injection."""
    return f"'{text}" if text.startswith(FORMULA) else text


def write_csv(statement: Statement) -> bytes:
    """One line per row. With a byte order mark: spreadsheet programs take it for UTF-8."""
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\r\n")  # Source: RFC 4180
    rows.writerow(_headings())
    rows.writerows(_rows(statement))
    return file.getvalue().encode("utf-8-sig")


def write_xlsx(statement: Statement) -> bytes:
    """The same, with amounts as numbers."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet(_("Statement"))
        bold = book.add_format({"bold": True})
        places = exponent(statement.settlement.currency)
        amount = book.add_format({"num_format": f"#,##0.{'0' * places}" if places else "#,##0"})
        sheet.write_row(0, 0, _headings(), bold)
        for number, line in enumerate(statement.lines, start=1):
            sheet.write_string(number, 0, _local(line.at))
            sheet.write_string(number, 1, str(line.what))
            sheet.write_string(number, 2, line.order_reference)
            sheet.write_number(number, 3, float(Decimal(line.amount_minor).scaleb(-places)), amount)
            sheet.write_string(number, 4, statement.settlement.currency)
        sheet.set_column(0, 0, 18)
        sheet.set_column(1, 2, 26)
        sheet.set_column(3, 3, 16)
        sheet.freeze_panes(1, 0)
    return file.getvalue()


def write_pdf(statement: Statement) -> bytes:
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
            [_("Payee"), _payee(statement)],
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
    return typst.compile(
        str(settings.BASE_DIR / "templates" / "portal" / "statement.typ"),
        root=str(settings.BASE_DIR / "templates" / "portal"),
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"facts": json.dumps(facts, ensure_ascii=False)},
    )


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


def _headings() -> list[str]:
    return [_("Date"), _("What"), _("Order"), _("Amount"), _("Currency")]


def _rows(statement: Statement) -> list[list[str]]:
    currency = statement.settlement.currency
    return [
        [
            _local(line.at),
            cell(str(line.what)),
            cell(line.order_reference),
            _digits(line.amount_minor, exponent(currency)),
            currency,
        ]
        for line in statement.lines
    ]


def _digits(amount_minor: int, places: int) -> str:
    """Plain digits with a point, for programs."""
    whole, rest = divmod(abs(amount_minor), 10**places)
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{whole}.{rest:0{places}d}" if places else f"{sign}{whole}"


def _local(at: datetime) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M")


def _payee(statement: Statement) -> str:
    row = statement.settlement
    named = {PayeeKind.MERCHANT: row.merchant, PayeeKind.PARTY: row.party}.get(row.payee)
    return named.name if named else row.platform.name
