"""Proof that the books are right, from the rows alone: the second line behind the triggers.

Every check is one set-based statement over all rows, and names the first row that breaks the rule.
It must never change or repair anything, and never take a stored balance for true.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection

from ledger import seeding, sql

Write = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: which check, the first row that breaks it, and a sentence for a person."""

    check: str
    row: str
    sentence: str


# Name of the check -> its file in ledger/sql/audit: a query of (rank, row, sentence), one line per
# wrong row.
CHECKS: tuple[tuple[str, str], ...] = (
    ("every entry sums to zero and has its declared legs", "entries_whole"),
    ("every posting is to an account of the entry's currency", "posting_accounts"),
    ("every account is of its class", "accounts_in_class"),
    ("every posting has a route", "routes"),
    ("every reversal is an exact mirror", "reversals"),
    ("every currency sums to zero", "currency_totals"),
    ("guarded balances equal their postings", "guarded_balances"),
    ("hot checkpoints equal their postings", "hot_checkpoints"),
    ("no customers' account is below zero", "customers_not_below_zero"),
    ("no order's held money is below zero", "held_not_below_zero"),
    ("assets less customers' money are our own funds", "own_funds"),
)


def run(*, write: Write) -> list[Violation]:
    """Check the whole books.

    Args: write: takes one line of progress per check.
    Returns: at most one violation per check, naming its first wrong row; empty if all is right.
    """
    found = [_chart_as_written(), *(_run_check(name, file) for name, file in CHECKS)]
    violations = []
    for name, violation in zip(
        ("chart and routes are those of the code", *dict(CHECKS)), found, strict=True
    ):
        write(f"{'ok   ' if violation is None else 'WRONG'} {name}")
        if violation is not None:
            violations.append(violation)
    return violations


def _run_check(name: str, file: str) -> Violation | None:
    wrong_rows = sql.load(f"audit/{file}")
    query = f"""
        SELECT row, sentence, count(*) OVER () FROM ({wrong_rows}) AS wrong ORDER BY rank LIMIT 1
    """  # noqa: S608  (the file is ours)
    with connection.cursor() as cursor:
        cursor.execute(query)
        wrong = cursor.fetchone()
    if wrong is None:
        return None
    row, sentence, rows = wrong
    more = f" ({rows - 1} more rows like it.)" if rows > 1 else ""
    return Violation(name, str(row), f"{sentence}.{more}")


def _chart_as_written() -> Violation | None:
    """The tables the triggers decide by must be the lists of the code, no more and no less."""
    name = "chart and routes are those of the code"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT code, pattern, kind, side, guarded, customers, meaning FROM ledger_accountclass"
        )
        classes = set(cursor.fetchall())
        cursor.execute("SELECT kind, account_class_id, side FROM ledger_route")
        routes = set(cursor.fetchall())
    for table, stored, written in (
        ("account class", classes, set(seeding.class_rows())),
        ("route", routes, set(seeding.route_rows())),
    ):
        different = sorted(stored ^ written)
        if different:
            where = "the database" if different[0] in stored else "the code"
            return Violation(name, f"{table} {different[0]}", f"Only {where} has this {table}.")
    return None


def first_rows(checks: dict[str, str], *, write: Write) -> list[Violation]:
    """Run the checks of a station.

    Args: checks: name -> query of (row, sentence), one line per wrong row, in a stable order.
    """
    violations = []
    for name, query in checks.items():
        with connection.cursor() as cursor:
            cursor.execute(query)
            wrong = cursor.fetchone()
        write(f"{'ok   ' if wrong is None else 'WRONG'} {name}")
        if wrong is not None:
            violations.append(Violation(name, str(wrong[0]), f"{wrong[1]}."))
    return violations
