"""The database of these tests: see tests/stage.py."""

from tests.stage import transactional_db

__all__ = ["transactional_db"]
