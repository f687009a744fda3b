"""What an API key can be allowed to do: reading and writing, per kind of thing. Pure.

It must never name a scope that no view asks for.
"""

KINDS = (
    "orders",
    "payments",
    "refunds",
    "disputes",
    "merchants",
    "commission",
    "balances",
    "payouts",
    "webhooks",
    "events",
    "sandbox",
)
SCOPES: tuple[str, ...] = tuple(f"{kind}:{verb}" for kind in KINDS for verb in ("read", "write"))


def all_scopes() -> list[str]:
    """What a key is allowed unless somebody says less."""
    return list(SCOPES)
