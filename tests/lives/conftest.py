"""The database of these tests (tests/stage.py), and the seed of this run, which it says."""

import os
import secrets

import pytest

from tests.stage import transactional_db

__all__ = ["transactional_db"]

os.environ.setdefault("LIVES_SEED", str(secrets.randbelow(10**6)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"lives: again with LIVES_SEED={os.environ['LIVES_SEED']}")
