"""The database and the world of these tests: see tests/stage.py."""

from tests.stage import books_are_right, forgetful_world, transactional_db, world

__all__ = ["books_are_right", "forgetful_world", "transactional_db", "world"]
