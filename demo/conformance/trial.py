"""One trial: the receiver, Holdfast behind its API, and patience while webhooks travel.

It must never look into the books: what it knows of Holdfast it asks over HTTP, as anybody can.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from common.ids import new_id
from demo.conformance.receiver import Known, Receiver, ReceiverFailed

PATIENCE_SECONDS = 40.0
CHANNEL = "sandbox"
API_SECONDS = 30.0


class NotObservable(Exception):
    """From outside it cannot be seen whether the receiver does this; the sentence says why."""


class HoldfastRefused(Exception):
    """Holdfast itself refused a step of the trial; the receiver is not to blame."""


@dataclass
class Trial:
    """What every case is given.

    Args: endpoint_id: the receiver's webhook endpoint. with_door: whether the receiver offers the
        door of the example shop. pause: lets time pass while something is waited for.
        keeps_keys: says whether an order was made with an Idempotency-Key; None: cannot be known.
    """

    api: httpx.Client
    receiver: Receiver
    endpoint_id: str
    with_door: bool
    pause: Callable[[float], None] = time.sleep
    keeps_keys: Callable[[str], bool] | None = None
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    count: int = 0

    def require_door(self) -> None:
        """Raises: NotObservable."""
        if not self.with_door:
            raise NotObservable("the receiver has no door /conformance/orders")

    def checkout(self) -> str:
        """A name for a new checkout."""
        self.count += 1
        return f"conformance-{self.run}-{self.count}"

    def new_order(self) -> str:
        """Return the id of a new, unpaid order; the receiver makes it where it has a door."""
        if self.with_door:
            return self.receiver.place_order(self.checkout())
        merchants = self.get("/v1/merchants")["data"]
        seller = next((each["id"] for each in merchants if each["active"]), None)
        if seller is None:
            raise HoldfastRefused("the platform has no active seller to order from")
        order = {
            "reference": self.checkout(),
            "merchant": seller,
            "currency": "CNY",
            "lines": [{"title": "Conformance", "amount_minor": 10001}],
        }
        return str(self.post("/v1/orders", order)["id"])

    def pay(self, order_id: str) -> None:
        """Pay an order as the buyer would, and wait until Holdfast has the money."""
        payment = self.post("/v1/payments", {"orders": [order_id], "channel": CHANNEL})
        self.post(f"/v1/sandbox/payments/{payment['id']}/pay")
        self.wait_until(lambda: self.status(order_id) == "paid", "Holdfast has not got the money")

    def status(self, order_id: str) -> str:
        """Where Holdfast says an order stands."""
        return str(self.get(f"/v1/orders/{order_id}")["status"])

    def events(self, subject: str) -> list[dict[str, Any]]:
        """The events of a subject as webhooks carry them, oldest first."""
        found = self.get("/v1/events", subject=subject, limit="100")["data"]
        version = self.get(f"/v1/webhook-endpoints/{self.endpoint_id}")["api_version"]
        return [{**event, "api_version": version} for event in reversed(found)]

    def made_up(self, order_id: str, type: str, sequence: int, **more: Any) -> dict[str, Any]:
        """An event that Holdfast never recorded, about a real order."""
        order = self.get(f"/v1/orders/{order_id}")
        facts = {
            "order": order_id,
            "order_reference": order["reference"],
            "merchant": order["merchant"],
            "amount_minor": order["amount_minor"],
            "currency": order["currency"],
            "ship_by": None,
            "confirm_by": None,
            "buyer_email": "",
            "item_titles": [line["title"] for line in order["lines"]],
        }
        return {
            "id": new_id("evt"),
            "type": type,
            "created_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "subject": order_id,
            "sequence": sequence,
            "data": facts,
            "api_version": "2026-11-23",
            **more,
        }

    def known(self, order_id: str) -> Known | None:
        """What the receiver knows of an order; None where it has no door."""
        return self.receiver.know(order_id) if self.with_door else None

    def expect_known(self, order_id: str, state: str) -> None:
        """Wait until the receiver knows that an order is in a state. Raises: ReceiverFailed.

        Without a door: until the receiver has taken every event of the order.
        """
        if not self.with_door:
            self.expect_taken(order_id)
            return
        self.wait_until(
            lambda: self.receiver.know(order_id).state == state,
            lambda: f"it takes the order for {self.receiver.know(order_id).state}, not {state}",
        )

    def expect_taken(self, subject: str) -> None:
        """Wait until the receiver has answered 2xx to every event of a subject.

        Raises: ReceiverFailed.
        """
        self.wait_until(
            lambda: all(state == "SENT" for state in self._deliveries(subject)),
            lambda: f"Holdfast's deliveries are {', '.join(sorted({*self._deliveries(subject)}))}",
        )

    def _deliveries(self, subject: str) -> Iterator[str]:
        for event in self.get("/v1/events", subject=subject, limit="100")["data"]:
            found = self.get("/v1/deliveries", event=event["id"], endpoint=self.endpoint_id)["data"]
            yield found[0]["state"] if found else "not begun"

    def wait_until(self, done: Callable[[], bool], otherwise: str | Callable[[], str]) -> None:
        """Raises: ReceiverFailed with the sentence when it takes too long."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            if time.monotonic() > deadline:
                seen = otherwise if isinstance(otherwise, str) else otherwise()
                raise ReceiverFailed(f"{seen}, after {PATIENCE_SECONDS:.0f} s")
            self.pause(0.25)

    def get(self, path: str, **query: str) -> Any:
        """Read from the API. Raises: HoldfastRefused."""
        return self._read(self.api.get(path, params=query, timeout=API_SECONDS))

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Write to the API. Raises: HoldfastRefused."""
        headers = {"Idempotency-Key": f"conformance-{secrets.token_hex(12)}"}
        answer = self.api.post(path, json=body, headers=headers, timeout=API_SECONDS)
        return self._read(answer)

    def _read(self, answer: httpx.Response) -> Any:
        if answer.status_code >= 400:
            asked = f"{answer.request.method} {answer.request.url.path}"
            raise HoldfastRefused(f"{asked} answered {answer.status_code}: {answer.text[:300]}")
        return answer.json()
