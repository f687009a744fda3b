"""The books' SQL, one file per subject, loaded by the migrations and the audit.

It holds what the database refuses, and must never hold a decision about money that Python makes.
"""

from pathlib import Path


def load(name: str) -> str:
    """Read `ledger/sql/<name>.sql`."""
    return (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
