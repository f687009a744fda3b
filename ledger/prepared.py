"""A cursor for the few statements that are asked for all day: read and planned by the server once
per connection, not at each call, and without the ORM's making of the statement.

Use it for statements that begin with SELECT: before others pghistory puts one of its own, to say
who acts, and two statements cannot be prepared as one. A function that writes is told by
`who_acts`.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pghistory
import psycopg
from django.db import connection, models
from django.db.backends.utils import CursorWrapper

M = TypeVar("M", bound=models.Model)


def prepared_cursor() -> CursorWrapper:
    """Return a cursor on Django's connection that sends parameters apart from the statement.

    `prepare_threshold` of settings.DATABASES makes the server keep every statement it sends.
    """
    connection.ensure_connection()
    wrapped = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    # (Their type asks for a cursor of Django's; what they wrap is the driver's.)
    return wrapped(psycopg.Cursor(connection.connection))  # type: ignore[arg-type]


def columns(model: type[models.Model], table: str) -> str:
    """Name all columns of a model, as `row_of` expects them, for a statement that calls its table
    `table`."""
    return ", ".join(f'{table}."{field.column}"' for field in model._meta.concrete_fields)


def row_of(model: type[M], found: Sequence[Any]) -> M:
    """Make a model's row of what a statement found in its `columns`."""
    fields = model._meta.concrete_fields
    values = [
        field.from_db_value(value, None, connection) if hasattr(field, "from_db_value") else value
        for field, value in zip(fields, found, strict=True)
    ]
    return model.from_db(connection.alias, [field.attname for field in fields], values)


def as_json(rows: Iterable[models.Model]) -> str:
    """Write unsaved rows as a JSON array of their columns, for jsonb_populate_recordset."""
    return json.dumps([_columns_of(row) for row in rows], default=_as_text)


def _as_text(value: Any) -> str:
    """Write an instant or a span as PostgreSQL reads it."""
    if isinstance(value, timedelta):
        return f"{value // timedelta(microseconds=1)} microseconds"
    return datetime.isoformat(value)


def _columns_of(row: models.Model) -> dict[str | None, Any]:
    return {field.column: getattr(row, field.attname) for field in row._meta.concrete_fields}


def who_acts() -> tuple[str, str]:
    """What pghistory would have put before the statement (it has no public way to ask).

    Returns: the context's id and its facts as JSON, or two empty texts.
    """
    context = getattr(pghistory.runtime._tracker, "value", None)
    if context is None:
        return "", ""
    return str(context.id), json.dumps(context.metadata, cls=pghistory.config.json_encoder())
