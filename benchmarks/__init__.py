"""Measurements, each a ratio to something measured in the same run. Nothing in the product
imports this."""

from datetime import UTC, datetime

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
