"""A cursor for the few statements that move money: read and planned by the server once per
connection, not at each call.

Use it for statements that begin with SELECT: before others pghistory puts one of its own, to say
who acts, and two statements cannot be prepared as one.
"""

import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper


def prepared_cursor() -> CursorWrapper:
    """Return a cursor on Django's connection that sends parameters apart from the statement.

    `prepare_threshold` of settings.DATABASES makes the server keep every statement it sends.
    """
    connection.ensure_connection()
    # (Its type asks for a cursor of Django's; what it wraps is the driver's.)
    return connection.make_cursor(psycopg.Cursor(connection.connection))  # type: ignore[arg-type]
