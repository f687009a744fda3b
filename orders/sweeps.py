"""The due work of station 1. Each sweep takes `at`, may run twice or late, and one bad row never
stops the rest.

`platform_id`: only that platform, by its own clock; None: all that live by the real one.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from orders import selectors
from orders.claims import claim_due
from orders.services import payments

log = logging.getLogger(__name__)
BATCH = 500


def run_each(ids: list[str], verb: Callable[[str], object], *, sweep: str) -> int:
    """Call `verb` for every id; log and go on when one fails. Returns: how many went through."""
    done = 0
    for row_id in ids:
        try:
            verb(row_id)
            done += 1
        except Exception:  # one row must not stop the sweep; it stays due and is tried again
            log.exception("sweep %s failed for %s", sweep, row_id)
    return done


def expire_due_orders(*, at: datetime, platform_id: str | None = None) -> int:
    """Expire orders not paid by `pay_by`."""
    due = claim_due(
        selectors.unpaid_orders(), field="pay_by", at=at, limit=BATCH, platform_id=platform_id
    )
    return run_each(
        due,
        lambda order_id: payments.expire_order(order_id=order_id, at=at),
        sweep="expire_due_orders",
    )
