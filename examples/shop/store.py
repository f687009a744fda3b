"""The shop's own book, in SQLite (book.sql): what was ordered, and every event Holdfast has told.

A state is what the event with the highest sequence says: in any order, however often they come.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from holdfast.models import WebhookEvent

TABLES = Path(__file__).with_name("book.sql").read_text("utf-8")
# A refund's own events say more of an order than the order's. `events` counts all.
LATEST = """SELECT coalesce(state, 'awaiting_payment') AS state, facts, count(*) OVER () AS events
    FROM events LEFT JOIN states USING (type) WHERE order_id = ?
    ORDER BY states.state IS NULL, subject = order_id, sequence DESC LIMIT 1"""


class Store:
    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Run one statement on a connection of its own. Returns: the rows of a query."""
        with closing(sqlite3.connect(self.path, timeout=10)) as book, book:
            book.executescript(TABLES)
            book.row_factory = sqlite3.Row
            return [dict(row) for row in book.execute(statement, values)]

    def keep_event(self, event: WebhookEvent) -> None:
        """Keep an event: once, however often it is told."""
        row = (event.id, event.data.get("order") or "", event.subject, event.sequence, event.type)
        statement = "INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?)"
        self.run(statement, *row, json.dumps(event.data))

    def follow(self, order_id: str) -> dict[str, Any]:
        """Where an order stands, by which facts, and how many events have told of it."""
        untold = {"state": "awaiting_payment", "events": 0, "facts": "{}"}
        [last] = self.run(LATEST, order_id) or [untold]
        return last | {"facts": json.loads(last["facts"])}

    def orders(self, number: str) -> list[dict[str, Any]]:
        """What was ordered together, and where each order stands."""
        rows = self.run("SELECT * FROM orders WHERE number = ? ORDER BY id", number)
        return [row | {"lines": json.loads(row["lines"])} | self.follow(row["id"]) for row in rows]
