"""What the sandbox channel and the sandbox bank have in common: gate, faults, notices, control
endpoints.

It must never know what is paid or refunded; that is each service's own.
"""

import ipaddress
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

from sandbox import book as books
from sandbox.faults import NOTICE_FAULTS, PAY_FAULTS, REQUEST_FAULTS, Faults
from sandbox.notices import RETRY_SECONDS, Deliver, Notices
from sandbox.wire import Clock, Fields, Gate, Refused

MAX_BODY_BYTES = 64 * 1024


class Service:
    tables: str
    operations: tuple[str, ...]
    subjects: tuple[str, ...]

    def __init__(
        self,
        book_path: str | Path,
        *,
        key_id: str,
        secret: str,
        clock: Clock,
        deliver: Deliver,
        hang: Callable[[], None],
        pause: Callable[[float], None] = time.sleep,
        retry_seconds: tuple[int, ...] = RETRY_SECONDS,
    ) -> None:
        self.clock = clock
        self._gate = Gate(key_id=key_id, secret=secret, clock=clock)
        self.book = books.Book(book_path, self.tables)
        known = dict.fromkeys(self.operations, REQUEST_FAULTS) | {"pay": PAY_FAULTS}
        known |= dict.fromkeys(
            ["notify", *(f"notify_{one}" for one in self.subjects)], NOTICE_FAULTS
        )
        self.faults = Faults(self.book, operations=known, hang=hang, pause=pause)
        self.notices = Notices(
            self.book,
            self.faults,
            key_id=key_id,
            secret=secret,
            deliver=deliver,
            retry_seconds=retry_seconds,
        )
        self._tick_lock = threading.Lock()
        self.app = self._make_app()

    def tick(self, now: datetime) -> int:
        """Work off everything due at `now`. Returns: how many things happened; 0 means quiet."""
        with self._tick_lock:
            return self.settle_due(now) + self.notices.deliver_due(now)

    def settle_due(self, now: datetime) -> int:
        raise NotImplementedError

    def totals(self) -> dict[str, dict[str, Any]]:
        raise NotImplementedError

    def dump(self) -> dict[str, Any]:
        """The whole book: `totals` per currency and every row of every table under `rows`."""
        tables = self.book.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        rows = {one["name"]: self.book.rows(f"SELECT * FROM {one['name']}") for one in tables}  # noqa: S608
        return {"totals": self.totals(), "rows": rows}

    def route(
        self, method: str, rule: str, view: Callable[..., Any], *, operation: str = ""
    ) -> None:
        """Register `view`, behind the faults of `operation` when it names one."""

        def answer(**parts: str) -> Response:
            if not operation:
                return self.app.make_response(view(**parts))
            return self.faults.around(operation, lambda: self.app.make_response(view(**parts)))

        self.app.add_url_rule(rule, f"{method} {rule}".replace(".", "_"), answer, methods=[method])

    def _make_app(self) -> Flask:
        app = Flask("sandbox", static_folder=None)
        app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
        app.config["PROPAGATE_EXCEPTIONS"] = True  # lets an injected `hang` reach the caller
        app.before_request(self._admit)
        app.register_error_handler(Refused, _refusal)
        self.app = app
        self.route("GET", "/healthz", lambda: {"ok": True})
        self.route("GET", "/sandbox/book", self.dump)
        self.route("GET", "/sandbox/faults", self._list_faults)
        self.route("POST", "/sandbox/faults", self._add_fault)
        self.route("DELETE", "/sandbox/faults", self._clear_faults)
        return app

    def _admit(self) -> None:
        if request.path.startswith("/v1/"):
            self._gate.check(request)
        elif request.path.startswith("/sandbox/") and not _is_local():
            raise Refused(403, "LOOPBACK_ONLY", "Control endpoints answer on this machine only.")

    def _list_faults(self) -> dict[str, Any]:
        return {"faults": self.book.rows("SELECT * FROM faults WHERE times > 0 ORDER BY id")}

    def _add_fault(self) -> tuple[dict[str, Any], int]:
        fields = Fields(request)
        times = fields.amount("times") if "times" in (request.get_json(force=True) or {}) else 1
        self.faults.add(operation=fields.text("operation"), fault=fields.text("fault"), times=times)
        return self._list_faults(), 201

    def _clear_faults(self) -> dict[str, Any]:
        self.faults.clear()
        return self._list_faults()


def _is_local() -> bool:
    if request.headers.get("X-Forwarded-For") or request.headers.get("Forwarded"):
        return False  # behind a proxy everybody looks local
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _refusal(refused: Exception) -> tuple[dict[str, str], int]:
    assert isinstance(refused, Refused)
    return {"code": refused.code, "message": refused.message}, refused.status
