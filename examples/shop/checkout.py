"""From a cart to orders at Holdfast, one per seller, and one payment for all of them.

Every request has a key made of the cart's own number: pressed twice, or sent again after a lost
answer or a crash, a cart is ordered once.
"""

import json
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from examples.shop.store import Store
from holdfast import Holdfast
from holdfast.models import Payment

PRODUCTS = json.loads((Path(__file__).parent / "products.json").read_text("utf-8"))
SHIPPING_MINOR = 800  # fen per seller


class Checkout:
    def __init__(self, client: Holdfast, store: Store) -> None:
        self.client, self.store = client, store
        self.sellers = {each.reference: each for each in client.merchants.list() if each.active}
        self.products = [each for each in PRODUCTS if each["seller"] in self.sellers]

    def lines(self, cart: dict[str, int]) -> list[dict[str, Any]]:
        """What is in a cart, seller by seller."""
        found = [each | {"quantity": cart.get(each["sku"], 0)} for each in self.products]
        found = [each | {"amount_minor": each["price_minor"] * each["quantity"]} for each in found]
        return sorted((each for each in found if each["quantity"]), key=itemgetter("seller"))

    def place(self, number: str, cart: dict[str, int], buyer: Any, language: str) -> None:
        """Create the orders of a cart."""
        for reference, group in groupby(self.lines(cart), key=itemgetter("seller")):
            seller = self.sellers[reference]
            lines: list[Any] = [
                {name: line[name] for name in ("quantity", "amount_minor", "category")}
                | {"title": line["title"][language]}
                for line in group
            ]
            order = self.client.orders.create(
                reference=f"{number}-{reference}",
                merchant=seller.id,
                currency="CNY",
                lines=lines,
                shipping_minor=SHIPPING_MINOR,
                buyer=buyer,
                idempotency_key=f"order-{number}-{reference}",
            )
            row = (order.id, number, seller.name, json.dumps(lines), order.amount_minor)
            statement = "INSERT OR IGNORE INTO orders VALUES (?, ?, ?, ?, ?, ?, '')"
            self.store.run(statement, *row, order.buyer_token)

    def pay(self, number: str, return_url: str) -> Payment:
        """Return the payment of a cart that is still open, or begin another one."""
        begun = self.store.run("SELECT id FROM payments WHERE number = ? ORDER BY rowid", number)
        if begun:
            payment = self.client.payments.retrieve(begun[-1]["id"])
            if payment.state not in ("FAILED", "EXPIRED"):
                return payment
        payment = self.client.payments.create(
            orders=[order["id"] for order in self.store.orders(number)],
            channel="sandbox",
            return_url=return_url,
            idempotency_key=f"payment-{number}-{len(begun)}",
        )
        self.store.run("INSERT OR IGNORE INTO payments VALUES (?, ?)", payment.id, number)
        return payment

    def ship(self, order_id: str, tracking: str) -> None:
        self.client.orders.ship(order_id, carrier="SF Express", tracking_number=tracking)
        self.store.run("UPDATE orders SET tracking = ? WHERE id = ?", tracking, order_id)
