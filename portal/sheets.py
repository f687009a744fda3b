"""Tables written for spreadsheet programs, row by row: CSV or XLSX.

It must never write a cell that such a program would take for a formula.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from tempfile import TemporaryFile
from typing import IO, Any

import xlsxwriter
from django.utils import timezone
from django.utils.functional import Promise

from common.money import exponent
from portal.jobs import File

CSV, XLSX = "csv", "xlsx"
FORMS = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# Source: OWASP, CSV injection.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
BOM = "\ufeff"  # without it spreadsheet programs read Chinese as something else


@dataclass(frozen=True, slots=True)
class Amount:
    """Money in a cell: a number with the currency's digits. Minor units of `currency`."""

    amount_minor: int
    currency: str

    @property
    def major(self) -> Decimal:
        return Decimal(self.amount_minor).scaleb(-exponent(self.currency))


def write_table(
    *, form: str, name: str, head: Iterable[str | Promise], rows: Iterable[Iterable[Any]]
) -> File:
    """Write a table. Args: form: csv or xlsx. name: without the ending. rows: cells are texts,
    numbers, instants (in the present time zone), amounts, or nothing."""
    with TemporaryFile() as file:
        write = _write_csv if form == CSV else _write_xlsx
        write(file, [str(each) for each in head], rows)
        file.seek(0)
        return File(f"{name}.{form}", FORMS[form], file.read())


def neutral(text: str) -> str:
    """Let no program take a text for a formula."""
    return f"'{text}" if text.startswith(DANGEROUS) else text


def _write_csv(file: IO[bytes], head: list[str], rows: Iterable[Iterable[Any]]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    text.write(BOM)
    sheet = csv.writer(text)
    sheet.writerow(head)
    for row in rows:
        sheet.writerow([_written(cell) for cell in row])
    text.detach()


def _written(cell: Any) -> Any:
    if isinstance(cell, Amount):
        return f"{cell.major:f}"
    if isinstance(cell, datetime):
        return f"{timezone.localtime(cell):%Y-%m-%d %H:%M:%S}"
    return "" if cell is None else cell if isinstance(cell, int) else neutral(str(cell))


def _write_xlsx(file: IO[bytes], head: list[str], rows: Iterable[Iterable[Any]]) -> None:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(file, options)
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    bold = book.add_format({"bold": True})
    date = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for column, text in enumerate(head):
        sheet.set_column(column, column, max(12, 2 * len(text)))
        sheet.write_string(0, column, text, bold)
    for number, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            if isinstance(cell, Amount):
                sheet.write_number(number, column, cell.major)
            elif isinstance(cell, datetime):
                local = timezone.localtime(cell).replace(tzinfo=None)
                sheet.write_datetime(number, column, local, date)
            elif isinstance(cell, int):
                sheet.write_number(number, column, cell)
            elif cell is not None:
                sheet.write_string(number, column, neutral(str(cell)))
    book.close()
