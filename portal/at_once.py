"""Asks many questions of the database in one query, for a page that must open at once.

It must never be asked for rows without a bound.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, Value
from django.db.models.functions import JSONArray

Rows = list[list[Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """Columns of rows of any model, sliced or grouped. An answer is a list of lists as JSON has
    them: an instant is text."""

    rows: QuerySet[Any]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a page: what it asks, and what it shows once each question has its rows."""

    questions: Sequence[Question]
    show: Callable[[Sequence[Rows]], Any]


def read_at_once(parts: Sequence[Part]) -> list[Any]:
    """Ask everything in one query. Returns: what each part shows."""
    questions = [question for part in parts for question in part.questions]
    asked = [_numbered(number, question) for number, question in enumerate(questions)]
    answers: list[Rows] = [[] for _ in questions]
    for number, row in asked[0].union(*asked[1:], all=True) if asked else ():
        answers[number].append(row)
    rest = iter(answers)
    return [part.show([next(rest) for _ in part.questions]) for part in parts]


def _numbered(number: int, question: Question) -> QuerySet[Any]:
    """The rows with their question's number. Django names columns only before it slices."""
    rows = question.rows
    start, end = rows.query.low_mark, rows.query.high_mark
    whole = rows.all()
    whole.query.clear_limits()
    named = whole.annotate(asked_as=Value(number), told=JSONArray(*question.columns))
    values = named.values_list("asked_as", "told")
    return values[start:end] if rows.query.is_sliced else values
