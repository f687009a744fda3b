"""Signed notifications: written with the fact they tell, retried until somebody says 2xx.

Delivery never happens inside a write to the book.
"""

import json
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sandbox import book as books
from sandbox.faults import Faults
from sandbox.wire import signed_headers

# Seconds between attempts, 24 h 4 min in all, modeled on WeChat Pay v3 payment notifications.
RETRY_SECONDS = (15, 15, 30, 180, 600, 1200, *[1800] * 3, 3600, *[10800] * 3, *[21600] * 2)
REORDER_SECONDS, LATE_SECONDS = 5, 30
Deliver = Callable[[str, Mapping[str, str], bytes], int]  # url, headers, body -> HTTP status


class Notices:
    def __init__(
        self,
        book: books.Book,
        faults: Faults,
        *,
        key_id: str,
        secret: str,
        deliver: Deliver,
        retry_seconds: tuple[int, ...],
    ) -> None:
        self._book, self._faults, self._deliver = book, faults, deliver
        self._key_id, self._secret, self._retry_seconds = key_id, secret, retry_seconds

    def queue(
        self, write: sqlite3.Connection, *, url: str, subject: str, at: float, **fields: Any
    ) -> None:
        """Write a notification in the same write as its fact; no address, no notification."""
        if not url:
            return
        event_id = f"evt_{secrets.token_hex(12)}"
        body = json.dumps({"event_id": event_id, "subject": subject, **fields})
        books.insert(
            write, "notices", event_id=event_id, subject=subject, url=url, body=body, due_at=at
        )

    def deliver_due(self, now: datetime) -> int:
        """Attempt every notification that is due once. Returns: how many were attempted."""
        sql = "SELECT * FROM notices WHERE due_at <= ? ORDER BY due_at, id"
        due = self._book.rows(sql, now.timestamp())
        for notice in due:
            self._attempt(notice, now)
        return len(due)

    def _attempt(self, notice: books.Row, now: datetime) -> None:
        fault = self._faults.take(f"notify_{notice['subject']}", "notify")
        if fault in ("reorder", "slow"):
            later = REORDER_SECONDS if fault == "reorder" else LATE_SECONDS
            self._mark(notice, due_at=now.timestamp() + later)
        elif fault == "drop":
            self._mark(notice, outcome="LOST")
        elif self._tell(notice, fault, now) and fault != "timeout_after":
            self._mark(notice, outcome="ACKNOWLEDGED", attempts=notice["attempts"] + 1)
        else:
            self._retry(notice, now)

    def _tell(self, notice: books.Row, fault: str, now: datetime) -> bool:
        body = notice["body"]
        if fault == "wrong_amount":
            fields = json.loads(body)
            body = json.dumps({**fields, "amount_minor": fields["amount_minor"] + 1})
        if fault == "torn":
            body = body[: len(body) // 2]
        acknowledged = self._send(notice["url"], body, now, wrongly=fault == "sign_wrongly")
        if fault in ("send_twice", "send_twice_new_id"):
            if fault == "send_twice_new_id":
                body = json.dumps({**json.loads(body), "event_id": f"evt_{secrets.token_hex(12)}"})
            acknowledged = self._send(notice["url"], body, now) and acknowledged
        return acknowledged

    def _retry(self, notice: books.Row, now: datetime) -> None:
        attempts = notice["attempts"] + 1
        if attempts > len(self._retry_seconds):
            self._mark(notice, outcome="GIVEN_UP", attempts=attempts)
        else:
            due_at = now.timestamp() + self._retry_seconds[attempts - 1]
            self._mark(notice, due_at=due_at, attempts=attempts)

    def _send(self, url: str, body: str, now: datetime, *, wrongly: bool = False) -> bool:
        secret = self._secret + "x" if wrongly else self._secret
        raw = body.encode()
        headers = signed_headers(key_id=self._key_id, secret=secret, at=now, body=raw)
        try:
            return 200 <= self._deliver(url, headers, raw) < 300
        except Exception:  # whatever happens on the way means: not acknowledged
            return False

    def _mark(
        self,
        notice: books.Row,
        *,
        outcome: str = "DUE",
        due_at: float | None = None,
        attempts: int | None = None,
    ) -> None:
        attempts = notice["attempts"] if attempts is None else attempts
        with self._book.write() as write:
            write.execute(
                "UPDATE notices SET outcome = ?, due_at = ?, attempts = ? WHERE id = ?",
                (outcome, due_at, attempts, notice["id"]),
            )
