"""The database and the worlds of these tests: see tests/stage.py and tests/ground.py."""

from tests.ground import market
from tests.stage import books_are_right, forgetful_world, transactional_db, world

__all__ = ["books_are_right", "forgetful_world", "market", "transactional_db", "world"]
