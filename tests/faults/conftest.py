"""The database of these tests: see tests/stage.py."""

import logging
from collections.abc import Iterator

import pytest

from tests.stage import transactional_db


@pytest.fixture(autouse=True)
def _quiet_logs() -> Iterator[None]:
    """A sweep that meets the remains of a crash logs, as it should."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


__all__ = ["transactional_db"]
