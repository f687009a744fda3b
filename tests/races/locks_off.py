"""The locks-off twin: the same code, with every row lock turned into a plain read.

All contenders then read before any of them writes, as sixteen workers on a busy day would. What the
database still refuses on its own is refused; the judge counts that as failing too. It must never be
used outside the races.
"""

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from datetime import datetime
from typing import Any
from unittest import mock

from django.db import connection
from django.db.models import QuerySet

from escrow.services import release as releases
from ledger import accounts, selectors

PATIENCE_SECONDS = 5.0
WRITES = re.compile(
    r"\s*(INSERT|UPDATE|DELETE|SELECT ledger_|SELECT .*escrow_release_locked)", re.IGNORECASE
)

_RELEASABLE = """
    SELECT h.id FROM escrow_hold AS h JOIN orders_order AS o ON o.id = h.order_id
    WHERE h.state = 'HELD' AND o.state = 'SHIPPED'
"""
_RELEASE = "SELECT order_id, release_id, entry_id FROM escrow_release_locked(%s::text[], %s, %s)"

nothing: Callable[[], AbstractContextManager[None]] = nullcontext


class Gate:
    """Nobody writes before everybody who is still running has read."""

    def __init__(self, parties: int) -> None:
        self._reading = parties
        self._change = threading.Condition()

    @contextmanager
    def before_writes(self) -> Iterator[None]:
        """Hold this thread's first write back until all others are at theirs, or through."""
        passed = False

        def hold_back(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
            nonlocal passed
            if not passed and WRITES.match(str(sql)):
                passed = True
                self._arrive(wait=True)
            return execute(sql, params, many, context)

        try:
            with connection.execute_wrapper(hold_back):
                yield
        finally:
            if not passed:
                self._arrive(wait=False)

    def _arrive(self, *, wait: bool) -> None:
        with self._change:
            self._reading -= 1
            self._change.notify_all()
            if wait:
                self._change.wait_for(lambda: self._reading <= 0, timeout=PATIENCE_SECONDS)


@contextmanager
def plain_reads() -> Iterator[None]:
    """Switch the locks off: those of Django, those of the reserve account and of what payees are
    owed, and those inside the release function.
    """
    with ExitStack() as patches:
        patches.enter_context(mock.patch.object(QuerySet, "select_for_update", _read_plainly))
        patches.enter_context(mock.patch.object(accounts, "lock_account", _read_account))
        patches.enter_context(mock.patch.object(accounts, "lock_payables", _read_payables))
        patches.enter_context(mock.patch.object(releases, "release_order", _release_order))
        patches.enter_context(
            mock.patch.object(releases, "release_due_orders", _release_due_orders)
        )
        yield


def _read_plainly(self: QuerySet[Any], *args: Any, **kwargs: Any) -> QuerySet[Any]:
    return self.all()


def _read_account(*, address: str, currency: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM ledger_account WHERE address = %s AND currency = %s",
            (address, currency),
        )
        return int(cursor.fetchone()[0])


def _read_payables(*, addresses: Iterable[str], currency: str) -> dict[str, int]:
    accounts.open_accounts(addresses=addresses, currency=currency)
    return {address: selectors.balance(address=address, currency=currency) for address in addresses}


def _release_order(*, order_id: str, confirmed_by: str, at: datetime) -> releases.Released | None:
    """escrow_release_order of escrow/sql/release_orders.sql, without FOR UPDATE."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_RELEASABLE} AND o.id = %s", [order_id])
        holds = [row[0] for row in cursor.fetchall()]
        cursor.execute(_RELEASE, [holds, confirmed_by, at])
        released = cursor.fetchone()
    return releases.Released(*released) if released else None


def _release_due_orders(*, limit: int, at: datetime, platform_id: str | None = None) -> int:
    """escrow_release_due_orders of the same file, without FOR UPDATE."""
    assert platform_id is None
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_RELEASABLE} AND o.confirm_by <= %s ORDER BY o.confirm_by, o.id LIMIT %s",
            [at, limit],
        )
        holds = [row[0] for row in cursor.fetchall()]
        cursor.execute(_RELEASE, [holds, "AUTOMATIC", at])
        return len(cursor.fetchall())
