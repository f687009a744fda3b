"""Why: a history comes from outside; a row misread is money misread, and a row silently dropped is
worse.
"""

from pathlib import Path

import pytest

from demo.replay import reader
from orders.services import creation, payments
from tests.demo.history import (
    ITEMS_HEADER,
    ORDERS_HEADER,
    item,
    order,
    seller,
    write_history,
    write_lines,
)

AMOUNT = "is not an amount such as 12.34."
INSTANT = "is not a date and time such as 2017-11-23 09:40:00."


def read(directory: Path, exponent: int = 2) -> reader.History:
    return reader.read_history(directory, exponent=exponent)


def broken(directory: Path) -> list[str]:
    return [str(each) for each in read(directory).broken]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (item("two", price="-5.00"), "price -5.00 is negative."),
        (item("two", freight="-0.01"), "freight_value -0.01 is negative."),
        (item("two", price="12,50"), "The line has 8 fields, not 7."),
        (item("two", price="abc"), f"price 'abc' {AMOUNT}"),
        (item("two", price=""), f"price '' {AMOUNT}"),
        (item("two", price="1e3"), f"price '1e3' {AMOUNT}"),
        (item("two", price="NaN"), f"price 'NaN' {AMOUNT}"),
        (item("two", price=" 1.00"), f"price ' 1.00' {AMOUNT}"),
        (item("two", price="１.00"), f"price '１.00' {AMOUNT}"),
        (item("two", price="1.005"), "price 1.005 has more than the 2 decimals of its currency."),
        (
            item("two", price="10000000000000.01"),
            f"price 10000000000000.01 is more than {10**15} minor units.",
        ),
        (item("two", price="99999999999999999"), f"price '99999999999999999' {AMOUNT}"),
        (item("two", seller="eva"), "There is no seller eva in sellers.csv."),
        (item("nine"), "There is no order nine in orders.csv."),
        (
            item("two", limit="2017-02-30 10:00:00"),
            f"shipping_limit_date '2017-02-30 10:00:00' {INSTANT}",
        ),
        (item("two", limit="04/03/2017"), f"shipping_limit_date '04/03/2017' {INSTANT}"),
        (item("two", limit=""), f"shipping_limit_date '' {INSTANT}"),
        (
            item("two", limit="0001-01-01 00:00:00"),
            f"shipping_limit_date '0001-01-01 00:00:00' {INSTANT}",
        ),
        (item("two", seller=""), "seller_id must have 1 to 60 plain characters."),
        ("", "The line is empty."),
        ("   ", "The line is empty."),
        ("two,1,p,ana,2017-03-04 11:00:00,1.00", "The line has 6 fields, not 7."),
        (item("one"), "Item '1' of order one is on line 2 already."),
        (
            'two,1,"p,ana,2017-03-04 11:00:00,1.00,1.00',
            "The line is not CSV: unexpected end of data.",
        ),
    ],
)
def test_reader_reports_a_broken_item_with_file_and_line(
    tmp_path: Path, row: str, sentence: str
) -> None:
    write_history(
        tmp_path, orders=[order("one"), order("two")], items=[item("one"), row, item("two", 2)]
    )

    history = read(tmp_path)

    assert [str(each) for each in history.broken] == [f"order_items.csv:3: {sentence}"]
    assert [(each.order_id, len(each.items)) for each in history.orders] == [("one", 1), ("two", 1)]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (order("two", purchased=""), f"order_purchase_timestamp '' {INSTANT}"),
        (order("two", approved="yesterday"), f"order_approved_at 'yesterday' {INSTANT}"),
        (
            order("two", carrier="2017-03-02T09:00:00"),
            f"order_delivered_carrier_date '2017-03-02T09:00:00' {INSTANT}",
        ),
        (
            order("two", delivered="2017-3-5 18:00:00"),
            f"order_delivered_customer_date '2017-3-5 18:00:00' {INSTANT}",
        ),
        (
            order("two", estimated="9999-12-31 23:59:59"),
            f"order_estimated_delivery_date '9999-12-31 23:59:59' {INSTANT}",
        ),
        (order("x" * 61), "order_id must have 1 to 60 plain characters."),
        (order("a\tb"), "order_id must have 1 to 60 plain characters."),
        (order("one"), "one is on line 2 already."),
        ("two", "The line has 1 fields, not 8."),
        ("", "The line is empty."),
    ],
)
def test_reader_reports_a_broken_order_with_file_and_line(
    tmp_path: Path, row: str, sentence: str
) -> None:
    write_history(tmp_path, orders=[order("one"), row], items=[item("one")])

    history = read(tmp_path)

    assert [str(each) for each in history.broken] == [f"orders.csv:3: {sentence}"]
    assert [each.order_id for each in history.orders] == ["one"]


def test_reader_reports_the_items_of_a_broken_order(tmp_path: Path) -> None:
    write_history(
        tmp_path,
        orders=[order("one"), order("two", purchased="?")],
        items=[item("one"), item("two")],
    )

    assert broken(tmp_path) == [
        "order_items.csv:3: Its order two is broken, see orders.csv:3.",
        f"orders.csv:3: order_purchase_timestamp '?' {INSTANT}",
    ]


def test_reader_reports_an_order_without_items(tmp_path: Path) -> None:
    write_history(tmp_path, orders=[order("one"), order("two")], items=[item("one")])

    assert broken(tmp_path) == ["orders.csv:3: Order two has no usable item in order_items.csv."]


def test_reader_reports_an_order_that_asks_nothing(tmp_path: Path) -> None:
    write_history(tmp_path, orders=[order("one")], items=[item("one", price="0.00", freight="0")])

    assert broken(tmp_path) == [
        "orders.csv:2: Order one asks nothing for what one of its sellers ships."
    ]


def test_reader_reports_an_order_beyond_the_limits_of_the_services(tmp_path: Path) -> None:
    sellers = [f"seller-{number}" for number in range(51)]
    many = [item("many", number, seller=each) for number, each in enumerate(sellers)]
    long = [item("long", number, price="1.00") for number in range(101)]
    dear = [item("dear", number, price="6000000000000.00") for number in (1, 2)]
    write_history(
        tmp_path, orders=[order("many"), order("long"), order("dear")], items=[*many, *long, *dear],
        sellers=["ana", *sellers],
    )  # fmt: skip

    assert broken(tmp_path) == [
        "orders.csv:2: Order many has more than 50 sellers.",
        "orders.csv:3: Order long has more than 100 items of one seller.",
        f"orders.csv:4: Order dear comes to more than {10**15} minor units.",
    ]
    assert (reader.MAX_SELLERS, reader.MAX_ITEMS) == (payments.MAX_ORDERS, creation.MAX_LINES)


def test_reader_reports_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    write_history(tmp_path, orders=[order("one")], items=[item("one")])
    with (tmp_path / "sellers.csv").open("ab") as file:
        file.write(b"eva,01001,S\xe3o Paulo,SP\n")

    assert broken(tmp_path) == ["sellers.csv:4: Byte 12 of the line is not UTF-8."]


@pytest.mark.parametrize(
    "column", ["order_id", "seller_id", "shipping_limit_date", "price", "freight_value"]
)
def test_reader_refuses_a_file_without_a_column(tmp_path: Path, column: str) -> None:
    write_history(tmp_path, orders=[order("one")], items=[item("one")])
    write_lines(
        tmp_path / "order_items.csv", [ITEMS_HEADER.replace(column, "something"), item("one")]
    )

    with pytest.raises(
        reader.HistoryUnreadable, match=f"^order_items.csv:1: The column {column} is missing.$"
    ):
        read(tmp_path)


def test_reader_refuses_a_missing_or_empty_file(tmp_path: Path) -> None:
    write_history(tmp_path, orders=[order("one")], items=[item("one")])
    (tmp_path / "sellers.csv").write_bytes(b"")

    with pytest.raises(
        reader.HistoryUnreadable, match=r"^sellers.csv:1: The column seller_id is missing.$"
    ):
        read(tmp_path)

    (tmp_path / "sellers.csv").unlink()
    with pytest.raises(reader.HistoryUnreadable, match="No such file or directory"):
        read(tmp_path)


def test_reader_takes_bom_windows_lines_and_unasked_columns(tmp_path: Path) -> None:
    write_history(tmp_path, orders=[], items=[item("one")])
    lines = [f"{ORDERS_HEADER},note", f'{order("one")},"a ""quoted"", note"']
    (tmp_path / "orders.csv").write_bytes(("\ufeff" + "\r\n".join(lines)).encode())

    history = read(tmp_path)

    assert history.broken == []
    assert [each.order_id for each in history.orders] == ["one"]


@pytest.mark.parametrize(
    ("exponent", "price", "price_minor"),
    [
        (2, "0.29", 29),
        (2, "58.9", 5890),
        (2, "7", 700),
        (2, "1.2300", 123),
        (0, "1500", 1500),
        (3, "1.005", 1005),
        (2, "9999999999999.99", 999999999999999),
    ],
)
def test_reader_reads_amounts_exactly(
    tmp_path: Path, exponent: int, price: str, price_minor: int
) -> None:
    write_history(tmp_path, orders=[order("one")], items=[item("one", price=price, freight="0")])

    assert read(tmp_path, exponent).orders[0].items[0].price_minor == price_minor


def test_reader_reports_a_duplicate_seller(tmp_path: Path) -> None:
    write_history(tmp_path, orders=[order("one")], items=[item("one")])
    write_lines(tmp_path / "sellers.csv", ["seller_id", "ana", "ana"])

    assert broken(tmp_path) == ["sellers.csv:3: ana is on line 2 already."]
    assert seller("ana").startswith("ana,")
