"""Both sandbox services inside this process: for tests, crash harnesses and replayed histories.

Clients reach them by httpx.WSGITransport; time passes only when `tick` is called. It must never
open a socket or a thread.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import httpx

from sandbox.bank import create_bank
from sandbox.channel import create_channel
from sandbox.notices import Deliver
from sandbox.wire import Clock

CHANNEL_KEYS = {"key_id": "sandbox-channel-1", "secret": "channel-secret-of-the-tests"}
BANK_KEYS = {"key_id": "sandbox-bank-1", "secret": "bank-secret-of-the-tests"}
CHANNEL_URL, BANK_URL = "http://channel.sandbox", "http://bank.sandbox"


def raise_timeout() -> NoReturn:
    """What a client sees of a service that hangs."""
    raise httpx.ReadTimeout("The sandbox was told to let this request time out.")


class LocalSandbox:
    """`.channel` and `.bank` on one clock, the channel remitting to the bank's reserve account.

    `deliver(url, headers, body) -> status` receives the notifications of both. The folder keeps
    both books: a second one on the same folder goes on where the first stopped.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock,
        deliver: Deliver,
        channel_options: Mapping[str, Any] | None = None,
        bank_options: Mapping[str, Any] | None = None,
        pause: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        shared: dict[str, Any] = {
            "clock": clock,
            "deliver": deliver,
            "hang": raise_timeout,
            "pause": pause,
        }
        bank: dict[str, Any] = {**BANK_KEYS, **shared, **(bank_options or {})}
        self.bank = create_bank(folder / "bank.sqlite3", **bank)
        channel: dict[str, Any] = {
            **CHANNEL_KEYS,
            **shared,
            "base_url": CHANNEL_URL,
            "remit": self.bank.deposit,
        }
        channel |= channel_options or {}
        self.channel = create_channel(folder / "channel.sqlite3", **channel)
        self.channel_transport = httpx.WSGITransport(app=self.channel.app)
        self.bank_transport = httpx.WSGITransport(app=self.bank.app)

    def tick(self, now: datetime) -> int:
        """Let both work off what is due. Returns: how many things happened; 0 means quiet."""
        return self.channel.tick(now) + self.bank.tick(now)
