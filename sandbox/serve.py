"""Serves one sandbox service: a threaded HTTP server and one background thread that ticks.

It must never swallow SIGTERM: the server stops, the tick in progress ends, the command returns.
"""

import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
from werkzeug.serving import make_server

from sandbox.service import Service
from sandbox.wire import signed_headers

TICK_SECONDS = 0.2
HANG_SECONDS = 60.0  # longer than any client's timeout
log = logging.getLogger(__name__)


def now_utc() -> datetime:
    return datetime.now(tz=UTC)


def hang() -> None:
    """Keep the caller waiting longer than it will, then drop the connection."""
    time.sleep(HANG_SECONDS)
    raise ConnectionAbortedError("The sandbox was told to let this request time out.")


class Http:
    """Outgoing HTTP of a served sandbox: notifications, and deposits at the bank."""

    def __init__(self) -> None:
        self._client = httpx.Client(timeout=10.0, follow_redirects=False, trust_env=False)

    def deliver(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        return self._client.post(url, headers=dict(headers), content=body).status_code

    def remit_to(self, bank_url: str, *, key_id: str, secret: str) -> Callable[..., None]:
        """Make the `remit` callable that deposits at a sandbox bank over HTTP."""
        url = httpx.URL(f"{bank_url.rstrip('/')}/v1/deposits")

        def remit(*, reference: str, amount_minor: int, currency: str) -> None:
            fields = {"reference": reference, "amount_minor": amount_minor, "currency": currency}
            asked = self._client.build_request("POST", url, json=fields)
            asked.headers.update(
                signed_headers(
                    key_id=key_id,
                    secret=secret,
                    at=now_utc(),
                    body=asked.content,
                    method="POST",
                    path=url.path,
                )
            )
            self._client.send(asked).raise_for_status()

        return remit


class CannotServe(Exception):
    """The sentence says what is missing or taken."""


def keys_of(configured: Mapping[str, Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    """Find the settings both sides share. Raises: CannotServe without a key id or a secret."""
    found = configured.get(name, {})
    if not found.get("key_id") or not found.get("secret"):
        raise CannotServe(f"The settings give {name} no key_id and secret; it never runs unsigned.")
    return found


def bind(host: str, port: int | None, base_url: str) -> socket.socket:
    """Take the port now, that of `base_url` when None. Raises: CannotServe."""
    wanted = (urlsplit(base_url).port or 0) if port is None else port
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, wanted))
        bound.listen(128)
    except OSError as error:
        bound.close()
        raise CannotServe(f"Port {wanted} on {host} cannot be used: {error.strerror}.") from None
    return bound


def address_of(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(service: Service, bound: socket.socket) -> None:
    """Answer and tick until SIGTERM or SIGINT, then stop cleanly. Runs in the main thread."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    host, port = bound.getsockname()[:2]
    server = make_server(host, port, service.app, threaded=True, fd=bound.fileno())
    stopping = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        stopping.set()
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    ticker = threading.Thread(target=_tick_until, args=(service, stopping), daemon=True)
    ticker.start()
    try:
        server.serve_forever(poll_interval=0.1)
    finally:
        stopping.set()
        ticker.join(timeout=15)
        server.server_close()


def _tick_until(service: Service, stopping: threading.Event) -> None:
    while not stopping.wait(TICK_SECONDS):
        try:
            service.tick(now_utc())
        except Exception:  # a broken tick must not end all later ones
            log.exception("The sandbox tick failed; the next one tries again.")
