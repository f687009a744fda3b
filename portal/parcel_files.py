"""Reads the parcels of a file a seller uploads: CSV or XLSX, as spreadsheet programs write them.

It must never trust a file: its size, its rows and what it unpacks to are bounded, and nothing in it
is run.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import openpyxl

from common.errors import DomainError
from portal.sheets import CSV, DANGEROUS, XLSX

MOST_BYTES = 1024 * 1024
MOST_UNPACKED = 20 * 1024 * 1024  # bytes, of an XLSX file, which is a zip
MOST_ROWS = 2000
MOST_COLUMNS = 50
LONGEST_CELL = 200

REFERENCE, CARRIER, TRACKING = "reference", "carrier", "tracking"
NAMES = {
    REFERENCE: {
        "reference",
        "orderreference",
        "order",
        "ordernumber",
        "orderno",
        "订单号",
        "订单",
        "订单编号",
    },
    CARRIER: {"carrier", "courier", "快递公司", "物流公司", "承运商", "快递"},
    TRACKING: {
        "trackingnumber",
        "tracking",
        "trackingno",
        "运单号",
        "快递单号",
        "物流单号",
        "运单",
    },
}
_SHORTENED = re.compile(r"\d(\.\d+)?E\+\d+", re.IGNORECASE)
_AS_FORMULA = re.compile(r'="(.*)"')


class UploadTooLarge(DomainError):
    code = "upload_too_large"
    status = 413


class UploadUnreadable(DomainError):
    """Neither CSV nor XLSX."""

    code = "upload_unreadable"
    status = 422


class UploadWithoutColumns(DomainError):
    """The first row must name the columns: reference, carrier, tracking number."""

    code = "upload_without_columns"
    status = 422


class UploadTooLong(DomainError):
    code = "upload_too_long"
    status = 422


class UploadEmpty(DomainError):
    code = "upload_empty"
    status = 422


@dataclass(frozen=True, slots=True)
class Row:
    """One parcel as the file says it. `number`: of the row in the file, as its program counts."""

    number: int
    reference: str
    carrier: str
    tracking: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read_parcels(content: bytes) -> list[Row]:
    """Read a file's parcels, in its order; blank rows are left out.

    Raises: UploadTooLarge, UploadUnreadable, UploadWithoutColumns, UploadTooLong, UploadEmpty.
    """
    if len(content) > MOST_BYTES:
        raise UploadTooLarge(f"The file may have {MOST_BYTES} bytes.")
    cells = _xlsx_rows(content) if form_of(content) == XLSX else _csv_rows(content)
    rows = iter(cells)
    columns = _columns(next(rows, []))
    found = []
    for number, row in enumerate(rows, start=2):
        told = {name: row[place] if place < len(row) else "" for name, place in columns.items()}
        if not any(told.values()):
            continue
        if len(found) == MOST_ROWS:
            raise UploadTooLong(f"A file may have {MOST_ROWS} rows.")
        found.append(Row(number=number, **told))
    if not found:
        raise UploadEmpty("The file has no rows below its columns.")
    return found


def form_of(content: bytes) -> str:
    """Say what a file is, by its first bytes alone."""
    return XLSX if content.startswith(b"PK") else CSV


def is_shortened(text: str) -> bool:
    """Whether a spreadsheet program has made a long number into `1.23E+15`: its digits are lost."""
    return _SHORTENED.fullmatch(text) is not None


def _columns(head: list[str]) -> dict[str, int]:
    """Where each column stands."""
    plain = [re.sub(r"[\s_\-]", "", cell).lower() for cell in head]
    found = {
        name: place
        for name, names in NAMES.items()
        for place, cell in reversed(list(enumerate(plain)))
        if cell in names
    }
    if len(found) < len(NAMES):
        raise UploadWithoutColumns("The first row must name reference, carrier, tracking number.")
    return found


def _csv_rows(content: bytes) -> Iterator[list[str]]:
    text = _decoded(content)
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        rows = list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 20_000))
    except csv.Error as error:
        raise UploadUnreadable(f"The file is not CSV: {error}.") from None
    yield from ([_cell(cell) for cell in row[:MOST_COLUMNS]] for row in rows)


def _decoded(content: bytes) -> str:
    """UTF-8, UTF-16 with its mark, or GBK as Chinese spreadsheet programs write (GB 18030 is its
    superset)."""
    encodings = (
        ["utf-16"] if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "gb18030"]
    )
    for encoding in encodings:
        try:
            return content.decode(encoding).replace("\x00", "")
        except UnicodeDecodeError:
            continue
    raise UploadUnreadable("The file is neither UTF-8 nor GBK.")


def _xlsx_rows(content: bytes) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(each.file_size for each in packed.infolist()) > MOST_UNPACKED:
                raise UploadTooLarge("The file unpacks to too much.")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        rows: Iterable[Any] = book.worksheets[0].iter_rows(
            max_row=20_000, max_col=MOST_COLUMNS, values_only=True
        )
        # Read here, for what is wrong inside shows only then.
        cells = [[_cell(cell) for cell in row] for row in rows]
    except DomainError:
        raise
    except Exception as error:  # whatever a broken file makes the reader stumble over
        raise UploadUnreadable("The file is not XLSX.") from error
    yield from cells


def _cell(value: Any) -> str:
    if isinstance(value, float):
        # A number of 16 digits or more has lost some in the file already.
        value = int(value) if value.is_integer() and abs(value) < 10**15 else f"{value:.5E}"
    text = "" if value is None else str(value).replace("\x00", "").strip()
    if wrapped := _AS_FORMULA.fullmatch(text):
        text = wrapped[1]
    if text.startswith("'") and text[1:].startswith(DANGEROUS):
        text = text[1:]  # as our own files write it
    return text[:LONGEST_CELL]
