"""A buyer's browser for tests: an order, the link to it, and time that stands.

It must never reach around a service.
"""

import re
from typing import Any

from django.test import Client

from escrow.services import hold as holds
from orders.models import Order
from tests.world import World

Answer = Any


class Buyer:
    """Somebody with a phone, and the token the shop was given at the order's creation."""

    def __init__(self, order: Order, token: str, *, language: str = "en") -> None:
        self.order, self.token = order, token
        self.client = Client(headers={"accept-language": language} if language else {})

    @property
    def path(self) -> str:
        return f"/o/{self.order.pk}"

    def enter(self) -> "Buyer":
        """Follow the link."""
        answer = self.client.get(f"{self.path}/{self.token}")
        assert (answer.status_code, answer["Location"]) == (302, self.path)
        return self

    def get(self, below: str = "") -> Answer:
        return self.client.get(self.path + below)

    def page(self, below: str = "") -> str:
        answer = self.get(below)
        assert answer.status_code == 200
        text: str = answer.content.decode().replace("\xa0", " ")
        return text

    def post(self, below: str, **fields: Any) -> Answer:
        return self.client.post(self.path + below, fields)

    def press(self, below: str, **fields: Any) -> Answer:
        """Open a page that asks once more, and confirm it."""
        shown = self.get(below)
        assert shown.status_code == 200, shown
        return self.post(below, ticket=shown.context["ticket"], **fields)

    def now(self) -> Order:
        """The order as it is in the books."""
        return Order.objects.get(pk=self.order.pk)


def buyer_of(world: World, *, stage: str = "shipped", language: str = "en", **new: Any) -> Buyer:
    """A buyer who came by the link to an order that is unpaid, paid or shipped."""
    order, token = world.create_order(**new)
    if stage != "unpaid":
        payment = world.start_payment(order)
        holds.record_capture(
            payment_id=payment.id,
            provider_reference=f"SBP-{payment.id}",
            amount_minor=payment.amount_minor,
            currency=payment.currency,
            paid_at=world.now,
            at=world.now,
        )
    if stage == "shipped":
        world.ship(order)
    return Buyer(order, token, language=language).enter()


def said(answer: Answer) -> str:
    """What a page says beside the tokens of its forms, which are drawn anew each time."""
    text: str = answer.content.decode()
    return re.sub(r'name="(csrfmiddlewaretoken|next)" value="[^"]*"', "", text)
