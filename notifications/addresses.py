"""Which addresses a webhook may go to: rules about URLs and IP addresses, without any network.

It must never resolve a name: what a name leads to is judged again each time it is dialled, by the
same rules (notifications/dialing.py).
"""

import ipaddress
import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import httpx

from common.errors import DomainError
from notifications.models import MAX_URL

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PORTS = (443, 8443)

# What Python's `is_global` of some version takes for public and is not, or must not be dialled.
# Source: IANA registries of special-purpose addresses; RFC 3879 (site-local), RFC 7526 (relays).
NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
        "fec0::/10",
    )
)
UNICAST = IPv6Network("2000::/3")  # Source: RFC 4291, section 2.4, and IANA: all that is given out
NAT64 = IPv6Network("64:ff9b::/96")  # Source: RFC 6052, section 2.1

_VISIBLE = re.compile(r"[!-~]+")
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")  # the last label of an IPv4 address in any of its forms
_LOCAL_ENDINGS = (".localhost", ".local", ".internal", ".home.arpa")


class WebhookUrlRefused(DomainError):
    """We do not send webhooks to such a URL; the sentence says what is wrong with it."""

    code = "webhook_url_refused"
    status = 422


def check_url(url: str, *, allowed: Sequence[Network]) -> None:
    """Check a URL as far as it can be judged without asking anybody what its name leads to.

    Args: allowed: networks of our own that may be reached, by http and any port too.
    Raises: WebhookUrlRefused.
    """
    parsed = _parse(url)
    host = parsed.raw_host.decode("ascii", "replace")
    literal = _literal(host)
    if literal is None:
        _check_name(host, local=bool(allowed))
        only_allowed = not allowed
    else:
        _check_literal(literal, allowed)
        only_allowed = not _lies_in(literal, allowed)
    if only_allowed and not is_usual(parsed):
        raise WebhookUrlRefused(
            f"A webhook URL begins with https:// and uses port {PORTS[0]} or {PORTS[1]}."
        )


def is_usual(url: httpx.URL) -> bool:
    """Say whether a URL may lead anywhere public: https, and a port meant for it."""
    return url.scheme == "https" and (url.port is None or url.port in PORTS)


def may_dial(address: Address, *, allowed: Sequence[Network], public: bool) -> bool:
    """Judge one address of a name's answer: in an allowed network, or public where that will do."""
    return _lies_in(address, allowed) or (public and is_public(address))


def is_public(address: Address) -> bool:
    """Say whether an address, and any address hidden inside it, is one of the public internet."""
    return all(_is_public(each) for each in unwrap(address))


def unwrap(address: Address) -> Sequence[Address]:
    """Return where packets to this address end up: IPv4 hidden in IPv6 is taken out.

    Source: RFC 4291 section 2.5.5.2 (mapped), RFC 3056 (6to4), RFC 4380 (Teredo: server and
        client), RFC 6052 (NAT64).
    """
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in NAT64:
        return (IPv4Address(int(address) & 0xFFFF_FFFF),)
    return (address,)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in UNICAST:
        return False
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not _lies_in(address, NOT_PUBLIC)
    )


def _lies_in(address: Address, networks: Sequence[Network]) -> bool:
    return all(any(each in network for network in networks) for each in unwrap(address))


def _parse(url: str) -> httpx.URL:
    if not 1 <= len(url) <= MAX_URL or not _VISIBLE.fullmatch(url):
        raise WebhookUrlRefused(f"A webhook URL has 1 to {MAX_URL} plain characters, no spaces.")
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise WebhookUrlRefused("This is not a URL.") from None
    if parsed.scheme not in ("http", "https") or not parsed.raw_host:
        raise WebhookUrlRefused("A webhook URL is such as https://shop.example.com/webhooks.")
    if "@" in url.partition("://")[2].partition("/")[0].partition("?")[0]:
        raise WebhookUrlRefused("A webhook URL holds no user name and no password.")
    if "#" in url:
        raise WebhookUrlRefused("A webhook URL has no part after a #.")
    return parsed


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _check_literal(address: Address, allowed: Sequence[Network]) -> None:
    if not may_dial(address, allowed=allowed, public=True):
        raise WebhookUrlRefused("A webhook URL does not lead to a private address.")


def _check_name(host: str, *, local: bool) -> None:
    """Refuse what is no name: an address in a form only the C library reads, such as 127.1."""
    if not _NAME.fullmatch(host) or len(host) > 253 or _NUMBER.fullmatch(host.split(".")[-1]):
        raise WebhookUrlRefused("The host of a webhook URL is a name or a plain IP address.")
    if not local and ("." not in host or host.endswith(_LOCAL_ENDINGS)):
        raise WebhookUrlRefused("A webhook URL does not lead to a name of a private network.")
