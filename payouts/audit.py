"""What must hold between settlements, payouts and the books. Read-only, set-based, first wrong
row."""

from collections.abc import Callable

from ledger.audit import Violation, first_rows
from payouts import sql

# Each file in payouts/sql/audit is a query of (row, sentence), one line per wrong row.
CHECKS = (
    "settlement_is_its_lines",
    "line_of_missing_settlement",
    "payout_is_its_settlement",
    "paid_to_its_payee",
    "one_live_payout",
    "in_transit",
    "state_is_booked",
    "payable_is_unpaid",
    "frozen_payout_waits",
    "frozen_seller_waits",
)


def run(*, write: Callable[[str], None]) -> list[Violation]:
    """Check the station against the books. Returns: the first wrong row of each failed check."""
    queries = {f"payouts.{name}": sql.load(f"audit/{name}") for name in CHECKS}
    return first_rows(queries, write=write)
