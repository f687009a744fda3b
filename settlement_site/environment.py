"""Reads and judges the environment for settings.py.

It must never guess: a bad value ends the program.
"""

import base64
import binascii
import fcntl
import ipaddress
import itertools
import json
import os
import re
import secrets
import tempfile
from collections.abc import Mapping, Set
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import dj_database_url
from environs import Env, EnvError

BASE_DIR = Path(__file__).resolve().parent.parent
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

KEY_BYTES = 32  # AES-256, and the seed of an Ed25519 key
KEY_ID = re.compile(r"^[a-z0-9-]{1,16}$")
SINCE = "%Y%m%dT%H%M%SZ"

OF_AN_ACCOUNT = ("account_name", "account_number", "bank_name")
# Where one pays into the sandbox bank's reserve. Nobody's account.
SANDBOX_ACCOUNT = {
    "account_name": "Holdfast customer reserve (sandbox)",
    "account_number": "0000 0000 0000 0001",
    "bank_name": "Sandbox Bank",
    "bank_code": "SANDBOX0",
}


class BadSetting(SystemExit):
    """Stops the start with one sentence that says what to set, and no traceback."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"Holdfast cannot start: {sentence}")


env = Env()
env.read_env(str(BASE_DIR / ".env"), recurse=False)

# Everything this checkout writes while running. HOLDFAST_VAR moves it; a relative path starts at
# the checkout.
VAR_DIR = (BASE_DIR / (os.environ.get("HOLDFAST_VAR") or "var")).resolve()


def text(name: str, default: str) -> str:
    """Read a string; an empty one counts as not set."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool) -> bool:
    """Read a boolean. Raises: BadSetting."""
    try:
        return bool(env.bool(name, default)) if text(name, "") else default
    except EnvError:
        raise BadSetting(f"set {name} to true or false.") from None


def number(name: str, default: int, *, lowest: int, highest: int) -> int:
    """Read a whole number within bounds. Raises: BadSetting."""
    given = text(name, str(default))
    if not re.fullmatch(r"\d{1,9}", given) or not lowest <= int(given) <= highest:
        raise BadSetting(f"set {name} to a whole number from {lowest} to {highest}.")
    return int(given)


def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """Read one of a few words. Raises: BadSetting."""
    given = text(name, default)
    if given not in choices:
        raise BadSetting(f"set {name} to one of {', '.join(choices)}.")
    return given


def url(name: str, default: str, schemes: tuple[str, ...]) -> str:
    """Read a URL of one of the schemes; its value is never repeated, it may hold a password.

    Raises: BadSetting.
    """
    given = text(name, default)
    shape = f"{schemes[0]}://…"
    try:
        parts = urlsplit(given)
        _ = parts.port  # Parsed on demand: a port out of range raises here.
    except ValueError:
        raise BadSetting(f"set {name} to a URL such as {shape}.") from None
    if parts.scheme not in schemes or not (parts.netloc or parts.path.strip("/")):
        raise BadSetting(f"set {name} to a URL such as {shape}.")
    return given


def base_url(name: str, default: str) -> str:
    """Read the http(s) address of a service, without its last slash. Raises: BadSetting."""
    given = url(name, default, ("http", "https"))
    if not urlsplit(given).hostname or urlsplit(given).query:
        raise BadSetting(f"set {name} to an address such as https://pay.example.com.")
    return given.rstrip("/")


def networks(name: str) -> tuple[Network, ...]:
    """Read IP networks, comma separated; none when it is not set. Raises: BadSetting."""
    try:
        return tuple(
            ipaddress.ip_network(part.strip()) for part in filter(None, text(name, "").split(","))
        )
    except ValueError:
        raise BadSetting(f"set {name} to networks such as 10.0.0.0/8,fd00::/8.") from None


def database(name: str) -> dict[str, Any]:
    """Read the URL of a PostgreSQL database into Django's shape. Raises: BadSetting."""
    given = url(name, "", ("postgresql", "postgres"))
    try:
        parsed: dict[str, Any] = {**dj_database_url.parse(given)}
    except ValueError:
        parsed = {}
    if not parsed.get("NAME"):
        raise BadSetting(f"set {name} to postgresql://user:password@host:5432/database.")
    return parsed


def broker_url(given: str) -> str:
    """Say the same address in Celery's words, which differ for a unix socket."""
    parts = urlsplit(given)
    if parts.scheme != "unix":
        return given
    number = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={number}"


def encryption_keys(name: str, made: Mapping[str, str]) -> dict[str, str]:
    """Read `id:base64[,id:base64]`, newest first: the first seals, all of them open.

    Raises: BadSetting.
    """
    keys: dict[str, str] = {}
    for part in _pairs(name, made):
        key_id, _, encoded = part.partition(":")
        if not KEY_ID.match(key_id) or key_id in keys or _decoded_length(encoded) != KEY_BYTES:
            raise BadSetting(
                f"set {name} to key-id:key pairs, each key the base64 of {KEY_BYTES} bytes"
                " and each id its own, of lower-case letters, digits and dashes."
            )
        keys[key_id] = encoded
    if not keys:
        raise BadSetting(
            f"set {name} to key-id:key, the key being the base64 of {KEY_BYTES} random bytes."
        )
    return keys


def signing_keys(name: str, made: Mapping[str, str]) -> tuple[tuple[str, datetime, str], ...]:
    """Read `id@since:base64[,id:base64]`, newest first, each in force until the next one is.

    Returns: id, since when it signs, base64 of the private key; the oldest signs since ever when
        it says nothing.
    Raises: BadSetting.
    """
    keys: list[tuple[str, datetime, str]] = []
    for part in _pairs(name, made):
        named, _, encoded = part.partition(":")
        key_id, _, since = named.partition("@")
        known = {key for key, _, _ in keys}
        if not KEY_ID.match(key_id) or key_id in known or _decoded_length(encoded) != KEY_BYTES:
            raise BadSetting(
                f"set {name} to key-id:key pairs, each key the base64 of {KEY_BYTES} bytes"
                " and each id its own, of lower-case letters, digits and dashes."
            )
        keys.append((key_id, _since(name, since), encoded))
    if not keys:
        raise BadSetting(
            f"set {name} to key-id:key, the key being the base64 of {KEY_BYTES} random bytes."
        )
    if any(newer[1] <= older[1] for newer, older in itertools.pairwise(keys)):
        raise BadSetting(
            f"set {name} with the newest key first, each later one as id@20270101T000000Z:key."
        )
    return tuple(keys)


def reserve_accounts(name: str, *, custodians: Set[str]) -> dict[str, dict[str, str]]:
    """Read JSON of custodian -> account_name, account_number, bank_name and perhaps bank_code. The
    sandbox bank's is known.

    Args: custodians: whose accounts are needed.
    Raises: BadSetting.
    """
    try:
        given: Any = json.loads(text(name, "{}"))
    except ValueError:
        given = None
    if not isinstance(given, dict) or not all(_is_account(each) for each in given.values()):
        raise BadSetting(
            f"set {name} to JSON such as"
            ' {"custodian": {"account_name": "…", "account_number": "…", "bank_name": "…"}}.'
        )
    found = {"sandbox-bank": SANDBOX_ACCOUNT} | given
    missing = sorted(custodians - found.keys())
    if missing:
        raise BadSetting(f"set {name} to the reserve account at {missing[0]} too.")
    return found


def _is_account(given: Any) -> bool:
    if not isinstance(given, dict) or not given.keys() <= {*OF_AN_ACCOUNT, "bank_code"}:
        return False
    words = all(isinstance(each, str) and len(each) <= 140 for each in given.values())
    return words and all(given.get(field, "").strip() for field in OF_AN_ACCOUNT)


def _since(name: str, written: str) -> datetime:
    try:
        found = datetime.strptime(written, SINCE) if written else datetime(1970, 1, 1)  # noqa: DTZ001, DTZ007
    except ValueError:
        raise BadSetting(f"set {name} with instants such as k2@20270101T000000Z:key.") from None
    return found.replace(tzinfo=UTC)


def _pairs(name: str, made: Mapping[str, str]) -> list[str]:
    given = text(name, made.get(name, ""))
    return [part for part in re.split(r"[,\s]+", given) if part]


def _decoded_length(encoded: str) -> int:
    try:
        return len(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError):
        return 0


def made_secrets() -> dict[str, str]:
    """Read var/secrets.json, making on first use what it lacks.

    Only for embedded mode: production sets its own.
    """
    path = VAR_DIR / "secrets.json"
    try:
        made: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        if _wanted_secrets().keys() - made.keys():
            made = _complete_secrets(path)
    except (OSError, ValueError) as refusal:
        raise BadSetting(
            f"{path} cannot be read or made ({type(refusal).__name__});"
            " set HOLDFAST_VAR to a directory of yours."
        ) from None
    return {name: str(value) for name, value in made.items()}


def _wanted_secrets() -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FIELD_ENCRYPTION_KEYS": _made_key(),
        "RECEIPT_SIGNING_KEYS": _made_key(),
        "SANDBOX_CHANNEL_SECRET": secrets.token_urlsafe(32),
        "SANDBOX_BANK_SECRET": secrets.token_urlsafe(32),
    }


def _made_key() -> str:
    return "k1:" + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _complete_secrets(path: Path) -> dict[str, Any]:
    """Write what the file lacks. Of two programs starting at once, the second reads the first's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        made = _wanted_secrets() | known
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".secrets-")  # mode 0600
        with os.fdopen(descriptor, "w") as file:
            json.dump(made, file, indent=2)
        os.replace(draft, path)
    finally:
        os.close(folder)  # and with it the lock
    return made
