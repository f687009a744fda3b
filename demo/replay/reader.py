"""Reads and checks a history in the column names of the Olist data set: orders.csv,
order_items.csv, sellers.csv.

Pure. A row it cannot vouch for is reported with file, line and a sentence, and never repaired or
guessed at; an amount is never a float.

Each line of a file is one row: a field may be quoted, yet cannot hold a line break, so an unclosed
quote spoils its own line and no other. Columns nobody asks for may be there or not. Times are
without a zone and are taken as UTC. A broken row stands for itself: an order keeps its other items,
and is broken itself when none is left.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from common.money import MAX_AMOUNT_MINOR

ORDERS, ITEMS, SELLERS = "orders.csv", "order_items.csv", "sellers.csv"
ORDER_COLUMNS = (
    "order_id", "order_purchase_timestamp", "order_approved_at", "order_delivered_carrier_date",
    "order_delivered_customer_date", "order_estimated_delivery_date",
)  # fmt: skip
ITEM_COLUMNS = ("order_id", "seller_id", "shipping_limit_date", "price", "freight_value")
SELLER_COLUMNS = ("seller_id",)

MAX_ITEMS = 100  # of one seller in one order; the limit of orders.services.creation
MAX_SELLERS = 50  # in one order; the limit of orders.services.payments
MAX_ID = 60  # characters, so that a number behind it still fits an order's reference
FIRST_YEAR, LAST_YEAR = 1971, 2199  # what both sides of a signature can write as seconds since 1970

_AMOUNT = re.compile(r"(-?)([0-9]{1,16}(?:\.[0-9]{1,10})?)")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
Found = TypeVar("Found")


class HistoryUnreadable(Exception):
    """A file is missing or has not the columns it must have: there is nothing that could be
    skipped.
    """


@dataclass(frozen=True, slots=True, order=True)
class Broken:
    """A row that cannot be used."""

    file: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Item:
    """One row of order_items.csv. Amounts in minor units of the history's currency, >= 0."""

    line: int
    order_id: str
    seller_id: str
    title: str
    price_minor: int
    freight_minor: int
    ship_limit_at: datetime


@dataclass(frozen=True, slots=True)
class SourceOrder:
    """One row of orders.csv with its items in the order of their file. An empty instant has never
    come.
    """

    line: int
    order_id: str
    purchased_at: datetime
    approved_at: datetime | None
    handed_over_at: datetime | None
    delivered_at: datetime | None
    estimated_at: datetime | None
    items: list[Item] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class History:
    """What can be used, in the order of the file, and what cannot, by file and line."""

    orders: list[SourceOrder]
    broken: list[Broken]


class _RowBroken(Exception):
    """Its text is the sentence."""


def read_history(directory: Path, *, exponent: int) -> History:
    """Read the three files of a directory.

    Args: exponent: digits after the point of the history's currency.
    Raises: HistoryUnreadable.
    """
    sheets = [
        _Sheet(directory, SELLERS, SELLER_COLUMNS),
        _Sheet(directory, ORDERS, ORDER_COLUMNS),
        _Sheet(directory, ITEMS, ITEM_COLUMNS),
    ]
    sellers, orders, items = sheets
    known_sellers = sellers.index(
        lambda row, _line: row["seller_id"], lambda row: _id(row, "seller_id")
    )
    known_orders = orders.index(_read_order, lambda row: _id(row, "order_id"))
    _read_items(
        items, known_orders, known_sellers, broken_orders=orders.broken_ids, exponent=exponent
    )
    usable = [order for order in known_orders.values() if _is_usable(order, orders)]
    return History(usable, sorted(broken for sheet in sheets for broken in sheet.broken))


class _Sheet:
    """One file: its rows, and what was wrong with them."""

    def __init__(self, directory: Path, name: str, columns: Sequence[str]) -> None:
        self.name, self.broken = name, list[Broken]()
        self.broken_ids: dict[str, int] = {}
        try:
            lines = (directory / name).read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
        except OSError as error:
            raise HistoryUnreadable(
                f"{directory / name} cannot be read: {error.strerror}."
            ) from None
        if not lines[-1]:
            lines.pop()
        self._lines = lines
        try:
            self._columns = _fields(lines[0]) if lines else []
        except _RowBroken as broken:
            raise HistoryUnreadable(f"{name}:1: {broken}") from None
        for column in columns:
            if self._columns.count(column) != 1:
                fault = "is missing" if column not in self._columns else "is there more than once"
                raise HistoryUnreadable(f"{name}:1: The column {column} {fault}.")

    def report(self, line: int, sentence: str) -> None:
        self.broken.append(Broken(self.name, line, sentence))

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Each line with as many fields as there are columns, with its number."""
        for number, raw in enumerate(self._lines[1:], start=2):
            try:
                fields = _fields(raw)
                if len(fields) != len(self._columns):
                    wanted = len(self._columns)
                    raise _RowBroken(f"The line has {len(fields)} fields, not {wanted}.")
            except _RowBroken as broken:
                self.report(number, str(broken))
            else:
                yield number, dict(zip(self._columns, fields, strict=True))

    def index(
        self, read: Callable[[dict[str, str], int], Found], key: Callable[[Mapping[str, str]], str]
    ) -> dict[str, Found]:
        """Read every row; of two with one id the first counts."""
        found: dict[str, Found] = {}
        first_line: dict[str, int] = {}
        for line, row in self.rows():
            try:
                row_id = key(row)
                if row_id in first_line:
                    raise _RowBroken(f"{row_id} is on line {first_line[row_id]} already.")
                first_line[row_id] = line
                found[row_id] = read(row, line)
            except _RowBroken as broken:
                self.report(line, str(broken))
        self.broken_ids = {
            row_id: line for row_id, line in first_line.items() if row_id not in found
        }
        return found


def _fields(raw: bytes) -> list[str]:
    try:
        text = raw.removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError as error:
        raise _RowBroken(f"Byte {error.start + 1} of the line is not UTF-8.") from None
    if not text.strip():
        raise _RowBroken("The line is empty.")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise _RowBroken(f"The line is not CSV: {error}.") from None


def _read_order(row: dict[str, str], line: int) -> SourceOrder:
    return SourceOrder(
        line=line,
        order_id=row["order_id"],
        purchased_at=_instant(row, "order_purchase_timestamp"),
        approved_at=_instant_or_none(row, "order_approved_at"),
        handed_over_at=_instant_or_none(row, "order_delivered_carrier_date"),
        delivered_at=_instant_or_none(row, "order_delivered_customer_date"),
        estimated_at=_instant_or_none(row, "order_estimated_delivery_date"),
    )


def _read_items(
    sheet: _Sheet,
    orders: Mapping[str, SourceOrder],
    sellers: Mapping[str, str],
    *,
    broken_orders: Mapping[str, int],
    exponent: int,
) -> None:
    first_line: dict[tuple[str, str], int] = {}
    for line, row in sheet.rows():
        try:
            item = _read_item(row, line, exponent=exponent)
            if item.order_id in broken_orders:
                broken_line = broken_orders[item.order_id]
                raise _RowBroken(
                    f"Its order {item.order_id} is broken, see {ORDERS}:{broken_line}."
                )
            if item.order_id not in orders:
                raise _RowBroken(f"There is no order {item.order_id} in {ORDERS}.")
            if item.seller_id not in sellers:
                raise _RowBroken(f"There is no seller {item.seller_id} in {SELLERS}.")
            number = row.get("order_item_id")
            if number is not None and first_line.setdefault((item.order_id, number), line) != line:
                earlier = first_line[item.order_id, number]
                raise _RowBroken(
                    f"Item {number!r} of order {item.order_id} is on line {earlier} already."
                )
        except _RowBroken as broken:
            sheet.report(line, str(broken))
        else:
            orders[item.order_id].items.append(item)


def _read_item(row: Mapping[str, str], line: int, *, exponent: int) -> Item:
    return Item(
        line=line,
        order_id=_id(row, "order_id"),
        seller_id=_id(row, "seller_id"),
        title=_title(row),
        price_minor=_minor(row, "price", exponent=exponent),
        freight_minor=_minor(row, "freight_value", exponent=exponent),
        ship_limit_at=_instant(row, "shipping_limit_date"),
    )


def _is_usable(order: SourceOrder, sheet: _Sheet) -> bool:
    """Check what only shows when all items of an order are there."""
    of_seller: dict[str, list[Item]] = defaultdict(list)
    for item in order.items:
        of_seller[item.seller_id].append(item)
    amounts = [
        sum(item.price_minor + item.freight_minor for item in items) for items in of_seller.values()
    ]
    fault = ""
    if not order.items:
        fault = f"Order {order.order_id} has no usable item in {ITEMS}."
    elif min(amounts) == 0:
        fault = f"Order {order.order_id} asks nothing for what one of its sellers ships."
    elif sum(amounts) > MAX_AMOUNT_MINOR:
        fault = f"Order {order.order_id} comes to more than {MAX_AMOUNT_MINOR} minor units."
    elif len(of_seller) > MAX_SELLERS:
        fault = f"Order {order.order_id} has more than {MAX_SELLERS} sellers."
    elif max(map(len, of_seller.values())) > MAX_ITEMS:
        fault = f"Order {order.order_id} has more than {MAX_ITEMS} items of one seller."
    if fault:
        sheet.report(order.line, fault)
    return not fault


def _id(row: Mapping[str, str], column: str) -> str:
    value = row[column]
    if not value.strip() or len(value) > MAX_ID or not value.isprintable():
        raise _RowBroken(f"{column} must have 1 to {MAX_ID} plain characters.")
    return value


def _title(row: Mapping[str, str]) -> str:
    product = "".join(one for one in row.get("product_id", "") if one.isprintable()).strip()
    return f"Product {product}"[:200] if product else "Product"


def _minor(row: Mapping[str, str], column: str, *, exponent: int) -> int:
    """Read an amount exactly, in minor units."""
    value = row[column]
    shape = _AMOUNT.fullmatch(value)
    if shape is None:
        raise _RowBroken(f"{column} {value[:40]!r} is not an amount such as 12.34.")
    sign, digits = shape.groups()
    if sign:
        raise _RowBroken(f"{column} {value} is negative.")
    amount_minor = Decimal(digits).scaleb(exponent)
    if amount_minor != amount_minor.to_integral_value():
        raise _RowBroken(f"{column} {value} has more than the {exponent} decimals of its currency.")
    if amount_minor > MAX_AMOUNT_MINOR:
        raise _RowBroken(f"{column} {value} is more than {MAX_AMOUNT_MINOR} minor units.")
    return int(amount_minor)


def _instant(row: Mapping[str, str], column: str) -> datetime:
    value = row[column]
    try:
        found = datetime.fromisoformat(value) if _INSTANT.fullmatch(value) else None
    except ValueError:
        found = None
    if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise _RowBroken(
            f"{column} {value[:40]!r} is not a date and time such as 2017-11-23 09:40:00."
        )
    return found.replace(tzinfo=UTC)


def _instant_or_none(row: Mapping[str, str], column: str) -> datetime | None:
    return _instant(row, column) if row[column] else None
