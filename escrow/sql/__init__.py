"""Escrow's SQL: the fast twin of the release. Loaded by the migrations."""

from pathlib import Path


def load(name: str) -> str:
    """Read `escrow/sql/<name>.sql`."""
    return (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
