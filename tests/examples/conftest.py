"""Holdfast, the cashier and the shop, running."""

import ipaddress
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from celery import current_app

from api import nudge
from demo.local_sandbox import CHANNEL, open_sandbox
from tests.examples.street import RealClock, Street, free_port, make_market, served
from tests.stage import transactional_db

__all__ = ["transactional_db"]


@pytest.fixture
def street(
    transactional_db: None,
    live_server: Any,
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Street]:
    """Holdfast and the cashier. Nothing happens by itself: see Street.settle."""
    monkeypatch.setattr(nudge, "_ring", lambda task, then=None: None)
    current_app.loader.import_default_modules()
    port = free_port()
    settings.PUBLIC_URL = live_server.url
    settings.WEBHOOK_ALLOWED_NETWORKS = (ipaddress.ip_network("127.0.0.0/8"),)
    settings.CHANNELS = {
        CHANNEL: settings.CHANNELS[CHANNEL] | {"base_url": f"http://127.0.0.1:{port}"}
    }
    platform, key = make_market(datetime.now(UTC))
    with open_sandbox(tmp_path, clock=RealClock()) as sandbox, served(sandbox.channel.app, port):
        street = Street(sandbox, live_server.url, platform, key)
        with closing(street):
            yield street


@pytest.fixture
def shop(street: Street, tmp_path: Path) -> Iterator[Street]:
    """The street with the shop open."""
    with contextmanager(street.open_shop)(tmp_path):
        yield street
