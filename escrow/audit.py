"""What must hold between the orders, what we hold for them, and the books. Read-only, set-based,
first wrong row."""

from collections.abc import Callable

from escrow import sql
from ledger.audit import Violation, first_rows

# Each file in escrow/sql/audit is a query of (row, sentence), one line per wrong row.
CHECKS = (
    "held_by_order",
    "held_without_hold",
    "state_of_order",
    "release_is_booked",
    "line_is_booked",
    "refunds_in_transit",
    "bank_refund_is_booked",
    "refunds_within_capture",
    "shares_of_open_hold",
    "shares_of_refund",
    "shares_of_chargeback",
    "deduction_is_booked",
    "debts_are_receivable",
    "debt_is_its_steps",
    "reserve_is_its_slices",
    "slice_is_booked",
    "dispute_freezes",
    "dispute_is_paid",
    "freeze_holds",
    "frozen_for_a_reason",
)


def run(*, write: Callable[[str], None]) -> list[Violation]:
    """Check the station against the books. Returns: the first wrong row of each failed check."""
    queries = {f"escrow.{name}": sql.load(f"audit/{name}") for name in CHECKS}
    return first_rows(queries, write=write)
