"""The pages of the shop, and the address Holdfast tells its events to."""

import json
import secrets
from pathlib import Path
from typing import Any

from flask import Flask, abort, redirect, render_template, request, session, url_for

from examples.shop.checkout import SHIPPING_MINOR, Checkout
from examples.shop.conformance import door
from examples.shop.store import Store
from holdfast import Holdfast, HoldfastError, webhooks

WORDS = json.loads((Path(__file__).parent / "words.json").read_text("utf-8"))


def create_app(client: Holdfast, store: Store, url: str, secret: str) -> Flask:
    """Make the shop. Args: url: where buyers reach it. secret: what webhooks are signed with."""
    app, checkout = Flask(__name__), Checkout(client, store)
    app.secret_key = secrets.token_hex(32)
    app.config.update(SESSION_COOKIE_SAMESITE="Lax", MAX_CONTENT_LENGTH=256 * 1024)
    app.add_template_filter(lambda fen: f"¥{fen // 100:,}.{fen % 100:02d}", "yuan")
    app.register_blueprint(door(checkout, secret))
    add_pages(app, checkout, url)

    @app.post("/webhooks/holdfast")
    def receive_event() -> Any:
        store.keep_event(webhooks.verify(request.get_data(), request.headers, secret))
        return "", 204

    @app.errorhandler(webhooks.WebhookError)
    def refuse(error: webhooks.WebhookError) -> Any:
        return {"refused": str(error)}, 400

    @app.errorhandler(HoldfastError)
    def tell_trouble(error: HoldfastError) -> Any:
        return render_template("trouble.html", error=error), 502

    @app.context_processor
    def shared() -> dict[str, Any]:
        if request.args.get("lang") in WORDS:
            session["language"] = request.args["lang"]
        pieces = sum(session.get("cart", {}).values())
        return {"words": WORDS[language()], "language": language(), "pieces": pieces}

    return app


def language() -> str:
    return session.get("language") or request.accept_languages.best_match(WORDS) or "en"


def add_pages(app: Flask, checkout: Checkout, url: str) -> None:
    def known(number: str) -> list[dict[str, Any]]:
        return checkout.store.orders(number) or abort(404)

    @app.get("/")
    def show_products() -> str:
        return render_template("products.html", checkout=checkout)

    @app.get("/cart")
    def show_cart() -> str:
        lines = checkout.lines(session.get("cart", {}))
        shipping = SHIPPING_MINOR * len({line["seller"] for line in lines})
        return render_template("cart.html", lines=lines, shipping=shipping)

    @app.post("/cart")
    def change_cart() -> Any:
        sku, cart = request.form.get("sku", ""), session.get("cart", {})
        quantity = request.form.get("quantity", cart.get(sku, 0) + 1, type=int)
        session["cart"] = cart | {sku: max(0, min(quantity, 9))}
        session["number"] = secrets.token_hex(8)  # another cart is another order
        return redirect(url_for("show_cart"), 303)

    @app.post("/checkout")
    def order() -> Any:
        if not checkout.lines(session.get("cart", {})):
            return redirect(url_for("show_cart"), 303)
        buyer = {name: request.form.get(name, "").strip()[:100] for name in ("name", "email")}
        checkout.place(session["number"], session["cart"], buyer, language())
        return pay(session["number"])

    @app.post("/orders/<number>/pay")
    def pay(number: str) -> Any:
        page = url_for("show_order", number=known(number)[0]["number"])
        payment = checkout.pay(number, url + page)
        session.pop("cart", None)
        return redirect((payment.state == "PENDING" and payment.cashier_url) or page, 303)

    @app.get("/orders/<number>")
    def show_order(number: str) -> str:
        return render_template("order.html", number=number, orders=known(number))

    @app.post("/orders/<number>/<order_id>/<step>")
    def go_on(number: str, order_id: str, step: str) -> Any:
        """What the seller or the buyer does next. A real shop has a login for each."""
        [order] = [each for each in known(number) if each["id"] == order_id] or abort(404)
        if step == "ship":
            checkout.ship(order_id, f"SF{secrets.randbelow(10**10):010d}")
        elif step == "confirm":
            checkout.client.orders.confirm(order_id, token=order["buyer_token"])
        elif step == "cancel":
            checkout.client.orders.cancel(order_id)
        return redirect(url_for("show_order", number=number), 303)
