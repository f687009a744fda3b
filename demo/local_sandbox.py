"""The sandbox channel and bank inside this process, on a simulated clock: for the replay and for
tests.

They are the same services that run on their own ports in the demo; only the wire is
short-circuited.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from api import inbound
from channels import registry
from channels import services as inbox
from channels.models import InboxState
from common.errors import DomainError
from sandbox import local
from sandbox.bank import SandboxBank
from sandbox.channel import SandboxChannel

CHANNEL = "sandbox"
RAIL = "sandbox-bank"


@dataclass
class Clock:
    """A clock that stands still until it is told the time."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def move_to(self, at: datetime) -> datetime:
        """Move on to `at`, never back. Returns: the time it is now."""
        self.now = max(self.now, at)
        return self.now


@dataclass
class LocalSandbox:
    """Both services and the clock they share. `channel` and `bank` keep their own books: our
    oracle."""

    clock: Clock
    channel: SandboxChannel
    bank: SandboxBank

    def tick(self) -> int:
        """Let both services do what is due. Returns: how many things happened."""
        return self.channel.tick(self.clock.now) + self.bank.tick(self.clock.now)


@contextmanager
def open_sandbox(
    directory: Path,
    *,
    clock: Clock,
    remembers_references: bool = True,
    fee_bps: int = 0,
    deliver: Callable[[str, Mapping[str, str], bytes], int] | None = None,
) -> Iterator[LocalSandbox]:
    """Run the sandbox in `directory` and plug it under the channel and the rail of this process.

    Args: deliver: how notifications reach us; by default straight into the inbox.
    """
    tell = deliver or (lambda url, headers, body: deliver_here(url, headers, body, at=clock.now))
    both = local.LocalSandbox(
        directory,
        clock=clock,
        deliver=tell,
        channel_options={
            **_keys(settings.CHANNELS[CHANNEL]),
            "base_url": settings.CHANNELS[CHANNEL]["base_url"],
            "fee_bps": fee_bps,
            "remittance_notify_url": f"{settings.PUBLIC_URL}/v1/inbound/channels/{CHANNEL}",
        },
        bank_options={
            **_keys(settings.RAILS[RAIL]),
            "remembers_references": remembers_references,
            "incoming_notify_url": f"{settings.PUBLIC_URL}/v1/inbound/rails/{RAIL}",
        },
    )
    with (
        registry.use_transport(CHANNEL, both.channel_transport, clock=clock),
        registry.use_transport(RAIL, both.bank_transport, clock=clock),
    ):
        yield LocalSandbox(clock=clock, channel=both.channel, bank=both.bank)


def _keys(configured: Mapping[str, str]) -> dict[str, str]:
    return {name: configured[name] for name in ("key_id", "secret")}


def deliver_here(url: str, headers: Mapping[str, str], body: bytes, *, at: datetime) -> int:
    """Take a notification as the door would. Returns: the HTTP status the door answers."""
    kind, name = urlsplit(url).path.removeprefix("/v1/inbound/").split("/")
    notifier = registry.get_channel(name) if kind == "channels" else registry.get_rail(name)
    try:
        row, _new = inbox.receive_notification(
            source=f"{kind}/{name}", notifier=notifier, headers=headers, body=body, at=at
        )
    except DomainError as refusal:
        return refusal.status
    if row.state == InboxState.RECEIVED:
        inbound.apply_notification(notification_id=row.pk, at=at)
    return 200
