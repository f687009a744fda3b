"""The SQL of the balances and of the payouts audit. It must never write."""

from pathlib import Path


def load(name: str) -> str:
    """Read `payouts/sql/<name>.sql`."""
    return (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
