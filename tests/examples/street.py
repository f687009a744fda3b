"""A street with a running Holdfast, the sandbox's cashier and the example shop, each on a port of
its own and each talked to over HTTP only.

It must never sleep: time passes when `settle` is called, and then everything that is due is done.
"""

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from celery import current_app
from django.conf import settings
from werkzeug.serving import make_server

from demo.local_sandbox import Clock, LocalSandbox
from examples.shop.__main__ import take_secret
from examples.shop.app import create_app
from examples.shop.store import Store
from holdfast import Holdfast
from merchants import services as merchants
from merchants.models import Platform
from tests.world import PAYS, add_payee, make_platform

SELLERS = {"longjing": "龙井茶庄 Longjing Tea House", "bamboo": "竹里 Bamboo Goods"}
SWEEPS = [name for name, every, _queue in settings.CLOCKWORK if every < timedelta(hours=1)]


class RealClock(Clock):
    """The sandbox's clock when nothing is simulated."""

    def __init__(self) -> None:
        pass

    @property
    def now(self) -> datetime:  # type: ignore[override]
        return datetime.now(UTC)


@dataclass
class Street:
    """Everything that runs."""

    sandbox: LocalSandbox
    holdfast_url: str
    platform: Platform
    key: str
    shop_port: int = 0
    shop_url: str = ""
    book: Path = Path()
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=30))

    def __post_init__(self) -> None:
        self.client = Holdfast(self.key, self.holdfast_url)

    def close(self) -> None:
        """Close all connections: each keeps one of the server's, and that one of the database's."""
        self.http.close()
        self.client.close()

    def settle(self) -> None:
        """Do everything that is due now, at Holdfast and in the sandbox, until nothing is."""
        for _ in range(50):
            done = self.sandbox.tick()
            done += sum(current_app.tasks[name]() for name in SWEEPS)
            if not done:
                return
        raise AssertionError("the sweeps do not come to rest")

    def open_shop(self, folder: Path, make: Callable[..., Any] = create_app) -> Iterator[None]:
        """Open the shop, or a copy of it that `make` makes."""
        port = self.shop_port = self.shop_port or free_port()  # a shop that comes back is found
        self.shop_url, self.book = f"http://127.0.0.1:{port}", folder / "shop.sqlite3"
        secret = take_secret(self.client, self.shop_url)
        app = make(self.client, Store(self.book), self.shop_url, secret)
        with served(app, port):
            yield


def free_port() -> int:
    """Ask the kernel for a port: other workers of the tests look for one at the same time."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_market(at: datetime) -> tuple[Platform, str]:
    """A platform with the sellers whose goods the shop has. Returns: it and its key."""
    platform = make_platform(at=at)
    for reference, name in SELLERS.items():
        merchant = merchants.create_merchant(
            platform=platform, reference=reference, name=name, at=at
        )
        add_payee(platform, merchant, PAYS, at=at)
    _row, key = merchants.create_api_key(platform=platform, name="shop", at=at)
    return platform, key


@contextlib.contextmanager
def served(app: Any, port: int) -> Iterator[None]:
    """Serve a WSGI application on a port of this machine."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
