"""Writes small histories in the columns of the Olist data set. It must never compute what a replay
should say.
"""

from collections.abc import Sequence
from pathlib import Path

ORDERS_HEADER = (
    "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date,"
    "order_delivered_customer_date,order_estimated_delivery_date"
)
ITEMS_HEADER = "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value"
SELLERS_HEADER = "seller_id,seller_zip_code_prefix,seller_city,seller_state"


def order(
    order_id: str,
    purchased: str = "2017-03-01 10:00:00",
    approved: str = "2017-03-01 11:00:00",
    carrier: str = "2017-03-02 09:00:00",
    delivered: str = "2017-03-05 18:00:00",
    estimated: str = "2017-03-20 00:00:00",
) -> str:
    return f"{order_id},customer,delivered,{purchased},{approved},{carrier},{delivered},{estimated}"


def item(
    order_id: str,
    number: int = 1,
    seller: str = "ana",
    price: str = "100.05",
    freight: str = "10.00",
    limit: str = "2017-03-04 11:00:00",
) -> str:
    return f"{order_id},{number},product-{number},{seller},{limit},{price},{freight}"


def seller(seller_id: str) -> str:
    return f'{seller_id},01001,"sao paulo, centro",SP'


def write_history(
    directory: Path,
    *,
    orders: Sequence[str],
    items: Sequence[str],
    sellers: Sequence[str] = ("ana", "bia"),
) -> Path:
    """Write the three files. Line 1 of each is its header."""
    write_lines(directory / "orders.csv", [ORDERS_HEADER, *orders])
    write_lines(directory / "order_items.csv", [ITEMS_HEADER, *items])
    write_lines(directory / "sellers.csv", [SELLERS_HEADER, *map(seller, sellers)])
    return directory


def write_lines(path: Path, lines: Sequence[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def write_small(directory: Path) -> Path:
    """Every rule once, in BRL; at the side what 10 % of goods and 0.6 % of the amount come to."""
    return write_history(
        directory,
        orders=[
            order("plain"),
            order("cart"),
            order("automatic", delivered="", estimated=""),
            order("too-late-to-confirm", delivered="2017-03-23 00:00:01"),
            order(
                "expected-soon", delivered="2017-03-13 00:00:00", estimated="2017-03-08 00:00:00"
            ),
            order("late", carrier="2017-03-04 11:00:01"),
            order("just-in-time", carrier="2017-03-04 11:00:00"),
            order("never-shipped", carrier="", delivered=""),
            order("never-paid", approved="", carrier="", delivered=""),
            order("shipped-before-paid", carrier="2017-03-01 10:30:00"),
            order("confirmed-before-shipped", delivered="2017-03-02 08:59:59"),
            order("all-at-once", "2017-03-01 10:00:00", *["2017-03-01 10:00:00"] * 4),
            order("paid-before-purchased", approved="2017-03-01 09:59:59"),
        ],
        items=[
            item("plain"),  # commission 1000.5 -> 1001, fee 66.03 -> 66
            item(
                "cart", 1, "ana", "10.05", "1.00"
            ),  # kept, 1105: commission 100.5 -> 101, fee 6.63 -> 7
            item(
                "cart", 2, "bia", "20.00", "2.00", limit="2017-03-01 23:00:00"
            ),  # late, 3310 with the next
            item("cart", 3, "bia", "10.00", "1.10", limit="2017-03-02 08:59:59"),
            item("automatic", price="2.00", freight="0.50"),  # 250: commission 20, fee 1.5 -> 2
            item(
                "too-late-to-confirm", price="0.04", freight="0.00"
            ),  # 4: commission 0.4 -> 0, fee 0.024 -> 0
            item(
                "expected-soon", price="0.05", freight="0"
            ),  # 5: commission 0.5 -> 1, fee 0.03 -> 0
            item("late", price="33.33", freight="0.00"),
            item("just-in-time", price="1.00", freight="9.00"),  # 1000: commission 10, fee 6
            item("never-shipped", price="0.00", freight="7.77"),
            item("never-paid", price="500.00"),
            item(
                "shipped-before-paid", price="1.00", freight="0.00"
            ),  # 100: commission 10, fee 0.6 -> 1
            item("confirmed-before-shipped", price="1.00", freight="0.00"),  # the same
            item("all-at-once", price="1.00", freight="0.00"),  # the same
            item("paid-before-purchased", price="1.00", freight="0.00"),  # the same
        ],
    )
