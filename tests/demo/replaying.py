"""Runs the command and reads what it says, for the tests of the replay."""

import io
import json
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection


def replay(directory: Path, **options: Any) -> tuple[dict[str, Any], str]:
    """Returns: the report, and what was said on standard error."""
    out, err = io.StringIO(), io.StringIO()
    call_command("replay", str(directory), stdout=out, stderr=err, **options)
    return json.loads(out.getvalue()), err.getvalue()


def sums(report: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value for key, value in report.items() if key not in ("seconds", "orders_per_second")
    }


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])
