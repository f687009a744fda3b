"""One way to write a JSON value as bytes, so that a hash or a signature over it means the value.

It must never write a fraction: there is no agreed way to write one.
"""

import hashlib
import json
from typing import Any


def canonical(value: Any) -> bytes:
    """Write texts, whole numbers, truths, nulls, lists and objects: sorted names, no spaces, UTF-8.

    Args: value: names of objects are ASCII; whole numbers lie within ±2^53.
    Raises: TypeError for anything else.
    Source: RFC 8785 (JSON Canonicalization Scheme), of which this is the part we need.
    """
    _check(value)
    written = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return written.encode()


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical form, in lower-case hex. Raises: TypeError."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _check(value: Any) -> None:
    match value:
        case dict():
            for name, each in value.items():
                if not isinstance(name, str) or not name.isascii():
                    raise TypeError(f"{name!r} is no ASCII name.")
                _check(each)
        case list():
            for each in value:
                _check(each)
        case None | bool() | str():
            pass
        case int() if abs(value) <= 2**53:
            pass
        case _:
            raise TypeError(f"{value!r} has no canonical form.")
