"""A door for Holdfast's conformance suite, signed as webhooks are; leave it out of a live shop."""

from typing import Any

from flask import Blueprint, request

from examples.shop.checkout import Checkout
from holdfast import webhooks


def door(checkout: Checkout, secret: str) -> Blueprint:
    pages = Blueprint("conformance", __name__, url_prefix="/conformance")

    @pages.before_request
    def require_signature() -> None:
        webhooks.check_signature(request.get_data(), request.headers, secret)

    @pages.post("/orders")
    def place() -> Any:
        number, cart = request.get_json()["checkout"], {checkout.products[0]["sku"]: 1}
        checkout.place(number, cart, {"name": "Conformance"}, "en")
        return {"order": checkout.store.orders(number)[0]["id"]}

    @pages.get("/orders/<order_id>")
    def tell(order_id: str) -> Any:
        return checkout.store.follow(order_id)

    return pages
