"""Prefixed, sortable ids for everything people and APIs see. Never a secret: use `secrets` for
those."""

import secrets
import time

PREFIX_SEPARATOR = "_"
MAX_LENGTH = 40


def new_id(prefix: str) -> str:
    """Make an id such as `ord_0199c1f2a3b45f0c9e...`: 48 bits of milliseconds, then 80 random
    bits, in hex.

    The SQL function `holdfast_new_id` (ledger migration) makes the same shape.

    Source: layout of RFC 9562 version 7, without the version and variant bits.
    """
    milliseconds = time.time_ns() // 1_000_000
    return f"{prefix}{PREFIX_SEPARATOR}{milliseconds:012x}{secrets.token_hex(10)}"
