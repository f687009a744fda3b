"""The book is the oracle of crash tests: forks and kill -9 must not shake it."""

import os
import signal

import pytest

from sandbox.book import Book, insert

TABLES = "CREATE TABLE IF NOT EXISTS notes (amount_minor INTEGER NOT NULL);"


@pytest.fixture
def book(tmp_path):
    found = Book(tmp_path / "books" / "one.sqlite3", TABLES)
    with found.write() as write:
        insert(write, "notes", amount_minor=10001)
    return found


def in_child(act):
    """Run `act` in a forked child that ends by SIGKILL."""
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    _child, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


def test_write_is_kept_when_the_child_dies_after_it(book):
    def act():
        with book.write() as write:
            insert(write, "notes", amount_minor=7)

    in_child(act)

    assert book.total("notes", "1 = 1") == 10008


def test_write_is_undone_when_the_child_dies_inside_it(book):
    def act():
        with book.write() as write:
            insert(write, "notes", amount_minor=7)
            os.kill(os.getpid(), signal.SIGKILL)

    in_child(act)

    assert book.total("notes", "1 = 1") == 10001


def test_write_is_undone_when_it_raises(book):
    def act():
        with book.write() as write:
            insert(write, "notes", amount_minor=7)
            raise LookupError("on purpose")

    with pytest.raises(LookupError):
        act()

    assert book.total("notes", "1 = 1") == 10001


def test_book_opens_again_after_closing(book):
    book.close()
    book.close()

    assert book.row("SELECT * FROM notes") == {"amount_minor": 10001}
