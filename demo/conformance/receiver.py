"""The receiver that is tried: what is sent to it, rightly signed and wrongly, and what it knows.

It must never send the receiver a secret, nor take more from it than a status and a small answer.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from notifications import webhooks

TIMEOUT_SECONDS = (
    20.0  # a little longer than Holdfast itself waits, to see by how much it is missed
)
MOST_ANSWERED = 64 * 1024


class ReceiverFailed(Exception):
    """The receiver did not do what it should; the sentence says what was seen instead."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the receiver answered, and after how many seconds."""

    status: int
    seconds: float

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        return 400 <= self.status < 500


@dataclass(frozen=True, slots=True)
class Known:
    """What the receiver knows of an order: its state in Holdfast's word, and how many events it
    has counted for it; None: it does not count.
    """

    state: str
    events: int | None


@dataclass
class Receiver:
    """A receiver: where it listens, and the keys webhooks to it are signed with."""

    base_url: str
    webhook_url: str
    keys: Sequence[bytes]
    http: httpx.Client
    replies: list[Reply] = field(default_factory=list)

    def tell(
        self,
        event: Mapping[str, Any],
        *,
        keys: Sequence[bytes] | None = None,
        at: datetime | None = None,
        instead: bytes | None = None,
    ) -> Reply:
        """Send an event as Holdfast would.

        Args: keys: sign with these. at: sign as of then. instead: send this in place of the body
            that was signed.
        """
        body = webhooks.encode(event)
        headers = self._headers(str(event["id"]), body, keys=keys, at=at)
        return self.post(body if instead is None else instead, headers)

    def post(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send exactly this. Raises: ReceiverFailed when no answer comes."""
        began = time.monotonic()
        status, _answer = self._ask("POST", self.webhook_url, body, headers)
        reply = Reply(status, time.monotonic() - began)
        self.replies.append(reply)
        return reply

    def has_door(self) -> bool:
        """Whether the receiver offers the door `/conformance/orders` of the example shop."""
        try:
            self.know("ord_none")
        except ReceiverFailed:
            return False
        return True

    def know(self, order_id: str) -> Known:
        """Ask through the door what is known of an order. Raises: ReceiverFailed."""
        found = self._through_door("GET", f"/conformance/orders/{order_id}", b"")
        events = found.get("events")
        return Known(str(found.get("state", "")), events if isinstance(events, int) else None)

    def place_order(self, checkout: str) -> str:
        """Have the receiver order something at Holdfast, as its checkout does.

        Args: checkout: a name; the same name is the same checkout.
        Returns: the order's id. Raises: ReceiverFailed.
        """
        body = webhooks.encode({"checkout": checkout})
        found = self._through_door("POST", "/conformance/orders", body)
        if not isinstance(found.get("order"), str):
            raise ReceiverFailed("the door named no order")
        return str(found["order"])

    def _through_door(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        headers = self._headers("conformance", body)
        status, answer = self._ask(method, self.base_url + path, body, headers)
        if not 200 <= status < 300:
            raise ReceiverFailed(f"{method} {path} answered {status}")
        try:
            found = json.loads(answer)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ReceiverFailed(f"{method} {path} answered no JSON object")
        return found

    def _headers(
        self,
        event_id: str,
        body: bytes,
        *,
        keys: Sequence[bytes] | None = None,
        at: datetime | None = None,
    ) -> dict[str, str]:
        signed = webhooks.sign(
            keys=self.keys if keys is None else keys,
            event_id=event_id,
            at=at or datetime.now(UTC),
            body=body,
        )
        return {"Content-Type": "application/json", **signed}

    def _ask(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        try:
            answer = self.http.request(
                method, url, content=body, headers=dict(headers), timeout=TIMEOUT_SECONDS
            )
        except httpx.RequestError as trouble:
            raise ReceiverFailed(f"no answer: {type(trouble).__name__}") from trouble
        return answer.status_code, answer.content[:MOST_ANSWERED]
