"""What of a request that was refused is kept to be read later: its shape, and only such values as
are named here.

It must never keep a value because nobody thought of it: what is on no list is told as its kind and
size alone.
"""

import re
from typing import Any

MOST_ITEMS = 20  # of a list or an object
MOST_DEPTH = 6
MOST_PATH = 200
LONGEST = 64  # characters of a value that is shown
HIDDEN = "…"

# Codes, numbers and references of the platform's own. Never words somebody wrote, nor anything of a
# person, an account or a secret.
# fmt: off
SHOWN = frozenset([
    "answer", "base", "cadence", "category", "channel", "code", "country", "currency", "delivery",
    "enabled", "event_types", "form", "kind", "language", "merchant", "merchant_reference",
    "needs_return", "order", "orders", "party", "payee", "payment", "payout", "plan", "position",
    "priority", "quantity", "rail", "reference", "refund", "release", "remember", "resolution",
    "scopes", "settlement", "ship_calendar", "side", "state", "status",
])
# fmt: on
SHOWN_ENDINGS = ("_minor", "_bps", "_seconds", "_days", "_hours", "_at", "_by", "_from", "_until")
_VALUE = re.compile(r"[\w.:+-]*", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SEGMENT = re.compile(r"[A-Za-z0-9_.-]{0,64}")
_KEY = re.compile(r"sk_[a-z]+_|whsec_")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def shape_of(said: Any, *, name: str = "", depth: int = 0) -> Any:
    """Return a parsed body as it may be kept. Args: name: of the field it is the value of."""
    if isinstance(said, dict):
        if depth == MOST_DEPTH or name == "metadata":
            return _told(said)
        named = [(_plain_name(each), value) for each, value in list(said.items())[:MOST_ITEMS]]
        return {each: shape_of(value, name=each, depth=depth + 1) for each, value in named}
    if isinstance(said, list):
        if depth == MOST_DEPTH:
            return _told(said)
        return [shape_of(each, name=name, depth=depth + 1) for each in said[:MOST_ITEMS]]
    return said if said is None or isinstance(said, bool) or _is_shown(said, name) else _told(said)


def sentence_of(detail: str) -> str:
    """Return what we answered, without the values of the caller that it quotes."""
    return _QUOTED.sub(f"'{HIDDEN}'", detail)


def path_of(path: str) -> str:
    """Return an address as it may be kept: what is no name or id of ours is left out."""
    parts = (part if _is_plain(part) else HIDDEN for part in path.split("/"))
    return "/".join(parts)[:MOST_PATH]


def _is_plain(part: str) -> bool:
    return bool(_SEGMENT.fullmatch(part)) and not _KEY.match(part)


def _is_shown(value: Any, name: str) -> bool:
    if name not in SHOWN and not name.endswith(SHOWN_ENDINGS):
        return False
    text = str(value)
    return len(text) <= LONGEST and bool(_VALUE.fullmatch(text)) and not _KEY.match(text)


def _plain_name(name: str) -> str:
    return name if _NAME.fullmatch(name) else HIDDEN


def _told(value: Any) -> str:
    match value:
        case str():
            return f"{HIDDEN} text, {len(value)} characters"
        case list() | dict():
            return f"{HIDDEN} {len(value)} items"
    return f"{HIDDEN} number"
