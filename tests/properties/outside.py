"""The outside world of the stateful test: it listens to every word between us and the sandbox, and
carries the mail.

Messages wait in `mailbox` until a rule delivers, repeats, reorders or loses them.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from django.conf import settings
from django.utils.dateparse import parse_datetime

from channels.providers.sandbox import SandboxChannel, SandboxRail
from demo.local_sandbox import CHANNEL, RAIL, Clock, deliver_here, open_sandbox
from sandbox.wire import signed_headers
from tests import stage
from tests import world as worlds

CALLS: list[tuple[type, str, str]] = [
    (SandboxChannel, "create_payment", "payment create"),
    (SandboxChannel, "query_payment", "payment query"),
    (SandboxChannel, "close_payment", "payment close"),
    (SandboxChannel, "create_refund", "refund send"),
    (SandboxChannel, "query_refund", "refund query"),
    (SandboxRail, "send_payout", "payout send"),
    (SandboxRail, "query_payout", "payout query"),
]


@dataclass
class Outside:
    """What was said (`words`: about what, which one, the answer) and what is still in the mail."""

    words: list[tuple[str, str, Any]] = field(default_factory=list)
    mailbox: list[tuple[str, bytes]] = field(default_factory=list)

    def post_box(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        self.mailbox.append((url, body))
        return 200

    def take_words(self) -> list[tuple[str, str, Any]]:
        taken, self.words = self.words, []
        return taken

    def listen(self, patches: ExitStack) -> None:
        for owner, name, about in CALLS:
            patches.enter_context(
                mock.patch.object(owner, name, self._overheard(getattr(owner, name), about))
            )

    def _overheard(self, ask: Any, about: str) -> Any:
        def asked(client: Any, request: Any = None, *, reference: str = "") -> Any:
            answer = (
                ask(client, request) if request is not None else ask(client, reference=reference)
            )
            self.words.append((about, reference or request.reference, answer))
            return answer

        return asked


@contextmanager
def open_outside(folder: Path) -> Iterator[tuple[worlds.World, Outside]]:
    """An empty database, a platform that is paid out, and the sandbox behind a mailbox."""
    stage.empty_database()
    outside, clock = Outside(), Clock(worlds.START)
    with ExitStack() as patches:
        local = patches.enter_context(open_sandbox(folder, clock=clock, deliver=outside.post_box))
        outside.listen(patches)
        yield worlds.World(local, worlds.make_platform(at=worlds.START)), outside


def read(body: bytes) -> tuple[str, str, SimpleNamespace]:
    """What a message says. Returns: its subject, its event id, the answer."""
    said = json.loads(body)
    said["event_at"] = parse_datetime(said["event_at"])
    return said["subject"], said["event_id"], SimpleNamespace(**said)


def hand_over(url: str, body: bytes, world: worlds.World) -> int:
    """Deliver a message, signed now, however old it is. Returns: the door's answer."""
    keys = settings.CHANNELS[CHANNEL] if "/channels/" in url else settings.RAILS[RAIL]
    headers = signed_headers(key_id=keys["key_id"], secret=keys["secret"], at=world.now, body=body)
    return deliver_here(url, headers, body, at=world.now)
