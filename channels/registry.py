"""Which payment channels and bank rails this installation has, by settings.CHANNELS and RAILS.

The only importer of channels.providers. It must never hand out a client whose secret or address is
missing: such a channel is disabled, with the reason.
"""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from channels import contract
from channels.providers import sandbox
from common.errors import DomainError

Client = TypeVar("Client")
Clock = Callable[[], datetime]


class ChannelDisabled(DomainError):
    """Unknown, or without its secret or address; the sentence says which."""

    code = "channel_disabled"
    status = 422


@dataclass(frozen=True, slots=True)
class Listing:
    """One configured channel or rail; `reason` is "" while it is enabled."""

    name: str
    provider: str
    custodian: str
    enabled: bool
    reason: str


# Adding a provider is one module and one line: how to build its client, which settings it needs.
CHANNEL_PROVIDERS: dict[str, tuple[Callable[..., contract.Channel], tuple[str, ...]]] = {
    "sandbox": (sandbox.SandboxChannel, ("base_url", "key_id", "secret", "custodian")),
}
RAIL_PROVIDERS: dict[str, tuple[Callable[..., contract.Rail], tuple[str, ...]]] = {
    "sandbox": (
        sandbox.SandboxRail,
        ("base_url", "key_id", "secret", "custodian", "remembers_references", "finality_seconds"),
    ),
}
# Whose money is made up. They serve platforms in test mode, and no other provider does: its money
# is real, and the clock of a platform in test mode is not.
TEST_PROVIDERS = frozenset({"sandbox"})


def get_channel(name: str) -> contract.Channel:
    """Find the client of a payment channel. Raises: ChannelDisabled."""
    return _CHANNELS.get(name)


def get_rail(name: str) -> contract.Rail:
    """Find the client of a bank rail. Raises: ChannelDisabled."""
    return _RAILS.get(name)


def check_channel(name: str, *, live: bool) -> None:
    """Refuse a payment channel that does not serve such platforms. Raises: ChannelDisabled."""
    _CHANNELS.check(name, live=live)


def check_rail(name: str, *, live: bool) -> None:
    """Refuse a bank rail that does not serve such platforms. Raises: ChannelDisabled."""
    _RAILS.check(name, live=live)


def list_channels() -> list[Listing]:
    """Every configured payment channel by name, enabled or not."""
    return _CHANNELS.listing()


def list_rails() -> list[Listing]:
    """Every configured bank rail by name, enabled or not."""
    return _RAILS.listing()


def first_rail(*, live: bool) -> Listing | None:
    """Return the first enabled bank rail that serves such platforms; None: there is none."""
    for rail in list_rails():
        try:
            check_rail(rail.name, live=live)
        except ChannelDisabled:
            continue
        if rail.enabled:
            return rail
    return None


@contextmanager
def use_transport(
    name: str, transport: httpx.BaseTransport, *, clock: Clock | None = None
) -> Iterator[None]:
    """Plug `transport` under the channel and the rail called `name`, in all threads, for the block.

    For tests and for the simulated clock of a replay: `clock` then stamps the signatures.
    """
    before = _OVERRIDES.get(name)
    _OVERRIDES[name] = {"transport": transport} | ({"clock": clock} if clock else {})
    try:
        yield
    finally:
        if before is None:
            del _OVERRIDES[name]
        else:
            _OVERRIDES[name] = before


_OVERRIDES: dict[str, dict[str, Any]] = {}


class _Clients(Generic[Client]):
    """Builds each client once per process; again when its settings or its override changed."""

    def __init__(
        self, setting: str, providers: Mapping[str, tuple[Callable[..., Client], tuple[str, ...]]]
    ) -> None:
        self._setting, self._providers = setting, providers
        self._built: dict[str, tuple[object, Client]] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> Client:
        found = self._configured().get(name)
        reason = "it is not configured" if found is None else self._trouble(found)
        if found is None or reason:
            raise ChannelDisabled(f"{name} is disabled: {reason}.", name=name)
        override = _OVERRIDES.get(name)
        made_from = (os.getpid(), dict(found), override)  # a forked child must not share sockets
        with self._lock:
            built = self._built.get(name)
            if built is None or built[0] != made_from:
                options = {key: value for key, value in found.items() if key != "provider"}
                build, _needs = self._providers[found["provider"]]
                built = (made_from, build(name=name, **options, **(override or {})))
                self._built[name] = built
        return built[1]

    def check(self, name: str, *, live: bool) -> None:
        found = self._configured().get(name)
        if found is None:
            raise ChannelDisabled(f"{name} is disabled: it is not configured.", name=name)
        test = found.get("provider") in TEST_PROVIDERS
        if test == live:
            served = "in test mode" if test else "with real money"
            raise ChannelDisabled(
                f"{name} is disabled here: it serves platforms {served} only.", name=name
            )

    def listing(self) -> list[Listing]:
        found = []
        for name, configured in sorted(self._configured().items()):
            reason = self._trouble(configured)
            found.append(
                Listing(
                    name=name,
                    provider=str(configured.get("provider", "")),
                    custodian=str(configured.get("custodian", "")),
                    enabled=not reason,
                    reason=reason,
                )
            )
        return found

    def _configured(self) -> Mapping[str, Mapping[str, Any]]:
        configured: Mapping[str, Mapping[str, Any]] = getattr(settings, self._setting, {})
        return configured

    def _trouble(self, configured: Mapping[str, Any]) -> str:
        provider = self._providers.get(configured.get("provider", ""))
        if provider is None:
            return f"there is no provider {configured.get('provider')!r}"
        _build, needs = provider
        for key in needs:
            value = configured.get(key)
            if value is None or not str(value).strip():
                return f"its setting {key} is missing"
        unknown = sorted(configured.keys() - {*needs, "provider"})
        if unknown:
            return f"its provider knows no setting {unknown[0]}"
        if not _is_web_address(str(configured.get("base_url", "https://none"))):
            return "its base_url is not an http or https address"
        return ""


def _is_web_address(value: str) -> bool:
    try:
        address = urlsplit(value)
    except ValueError:
        return False
    return address.scheme in ("http", "https") and bool(address.hostname)


_CHANNELS: _Clients[contract.Channel] = _Clients("CHANNELS", CHANNEL_PROVIDERS)
_RAILS: _Clients[contract.Rail] = _Clients("RAILS", RAIL_PROVIDERS)
