"""A statement as people read it: what a payout is made of, line by line, and what was taken off.

The figures are the settlement's own; nothing is computed here but the sums it must agree with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from escrow import selectors as escrow
from escrow.models import Deduction, ReleaseLine
from escrow.reserve_statement import ReserveStatement
from payouts import selectors as payouts
from payouts.models import Settlement


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line. `amount_minor` in minor units of the statement's currency, negative when taken."""

    at: datetime
    what: str | Promise
    order_id: str
    order_reference: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Statement:
    """The lines of a settlement, oldest first; their sum is the settlement's amount."""

    settlement: Settlement
    lines: Sequence[StatementLine]
    reserve: ReserveStatement | None  # what is held back besides, of a seller that has one

    @property
    def paid_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines if line.amount_minor > 0)

    @property
    def taken_minor(self) -> int:
        """Zero or negative."""
        return sum(line.amount_minor for line in self.lines if line.amount_minor < 0)


def read_statement(settlement: Settlement) -> Statement:
    """Read a statement whole."""
    released = escrow.list_settled_lines(settlement_id=settlement.pk)
    taken = escrow.list_settled_deductions(settlement_id=settlement.pk)
    lines = [*map(_released, released), *map(_taken, taken)]
    reserve = payouts.reserve_of(settlement)
    statement = Statement(settlement, sorted(lines, key=lambda line: line.at), reserve)
    assert statement.paid_minor + statement.taken_minor == settlement.amount_minor, settlement.pk
    return statement


def _released(line: ReleaseLine) -> StatementLine:
    order = line.release.hold.order
    what = _("Sale released") if line.kind == "SALE" else _("Freed of the rolling reserve")
    return StatementLine(line.owed_at, what, order.pk, order.reference, line.amount_minor)


def _taken(row: Deduction) -> StatementLine:
    if row.dispute_id is not None:
        order, what = row.dispute.order, _("Taken for a chargeback")
    else:
        order, what = row.refund.hold.order, _("Taken for a refund")
    if row.step_id is not None:
        what = _("Taken for an amount owed")
    return StatementLine(row.taken_at, what, order.pk, order.reference, -row.amount_minor)
