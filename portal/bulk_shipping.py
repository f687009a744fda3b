"""Ships many orders by one file: what it would do, then doing it.

It must never ship twice: a parcel that an order has already is counted as known, so the same file,
or a worker that begins again, changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from common.errors import DomainError
from merchants import clocks
from orders.models import MAX_PARCELS, Order, OrderState
from orders.parcels import LONGEST, NewParcel
from orders.services import lifecycle
from portal.access import member_of
from portal.jobs import File, Outcome, Work
from portal.parcel_files import CARRIER, REFERENCE, TRACKING, Row, is_shortened
from portal.refusals import SENTENCES
from portal.sheets import write_table

KIND = "ship_orders"
TELL_EVERY = 20  # orders

COLUMNS: dict[str, str | Promise] = {
    REFERENCE: _("Order reference"),
    CARRIER: _("Carrier"),
    TRACKING: _("Tracking number"),
}
FAULTS: dict[str, str | Promise] = {
    "missing": _("This is empty."),
    "too_long": _("This has more than 64 characters."),
    "shortened": _("The spreadsheet program has cut this number. Format the column as text."),
    "unknown_order": _("You have no order of this reference."),
    "unpaid": _("The buyer has not paid yet. Do not ship."),
    "over": _("The order is canceled or over. Do not ship."),
    "shipped_already": _("The order was shipped already. Add a parcel on its page."),
    "too_late": _("The time to ship is over. Do not ship."),
    "twice": _("The same parcel stands in the file before."),
    "too_many": _("An order has 15 parcels at most."),
    "other_row": _("Another row of this order is wrong. An order is shipped whole."),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row, in which column."""

    row: Row
    column: str
    code: str

    @property
    def where(self) -> str | Promise:
        return COLUMNS[self.column]

    @property
    def sentence(self) -> str | Promise:
        return FAULTS.get(self.code) or SENTENCES.get(self.code, self.code)


@dataclass(slots=True)
class Plan:
    """What a file comes to: orders to ship with their rows, rows that are done already, faults."""

    ships: dict[str, list[Row]] = field(default_factory=dict)  # by order id
    known: list[Row] = field(default_factory=list)
    done_here: list[Row] = field(default_factory=list)  # known, and shipped by this very job
    faults: list[Fault] = field(default_factory=list)

    @property
    def parcels(self) -> int:
        return sum(len(rows) for rows in self.ships.values())


def plan_shipping(
    rows: Iterable[Row],
    *,
    orders: QuerySet[Order],
    at: datetime,
    since: datetime | None = None,
) -> Plan:
    """Look at every row, without changing anything, in a fixed number of queries.

    Args: orders: those the person may ship. at: by the platform's clock. since: when this job
        began, if it did: what was shipped later counts as its own work.
    """
    rows = list(rows)
    wanted = {row.reference for row in rows if row.reference}
    found = {
        order.reference: order
        for order in orders.filter(reference__in=wanted).prefetch_related("shipments")
    }
    plan = Plan()
    by_order: dict[str, list[Row]] = {}
    seen: set[tuple[str, str, str]] = set()
    wrong: set[str] = set()
    for row in rows:
        order = found.get(row.reference)
        fault = _fault_of_text(row) or _fault_of_order(row, order, at=at)
        if fault is None and (row.reference, row.carrier, row.tracking) in seen:
            fault = Fault(row, TRACKING, "twice")
        seen.add((row.reference, row.carrier, row.tracking))
        if fault is not None:
            plan.faults.append(fault)
            wrong.add(row.reference)
            continue
        assert order is not None
        sent = _sent(order, row)
        if sent is None:
            by_order.setdefault(row.reference, []).append(row)
        elif since is not None and sent >= since:
            plan.done_here.append(row)
        else:
            plan.known.append(row)
    for reference, group in by_order.items():
        code = "too_many" if len(group) > MAX_PARCELS else "other_row"
        if reference in wrong or code == "too_many":
            plan.faults += [Fault(row, REFERENCE, code) for row in group]
        else:
            plan.ships[found[reference].pk] = group
    plan.faults.sort(key=lambda fault: fault.row.number)
    return plan


def _fault_of_text(row: Row) -> Fault | None:
    for column in (REFERENCE, CARRIER, TRACKING):
        text = getattr(row, column)
        if not text:
            return Fault(row, column, "missing")
        if len(text) > LONGEST:
            return Fault(row, column, "too_long")
    return Fault(row, TRACKING, "shortened") if is_shortened(row.tracking) else None


def _fault_of_order(row: Row, order: Order | None, *, at: datetime) -> Fault | None:
    if order is None:
        return Fault(row, REFERENCE, "unknown_order")
    if _sent(order, row) is not None:
        return None
    match order.state:
        case OrderState.CREATED:
            return Fault(row, REFERENCE, "unpaid")
        case OrderState.SHIPPED:
            return Fault(row, REFERENCE, "shipped_already")
        case OrderState.PAID:
            late = order.ship_by is not None and at > order.ship_by
            return Fault(row, REFERENCE, "too_late") if late else None
    return Fault(row, REFERENCE, "over")


def _sent(order: Order, row: Row) -> datetime | None:
    """When this very parcel was sent; None when the order has no such."""
    parcel = (row.carrier, row.tracking)
    for each in order.shipments.all():
        if (each.carrier, each.tracking_number) == parcel:
            return each.shipped_at
    return None


def ship_rows(work: Work) -> Outcome:
    """Ship the good rows of a file, order by order, and write down the bad ones."""
    member = member_of(work.job)
    rows = [Row(**each) for each in work.job.wanted["rows"]]
    at = clocks.now_of(member.platform, now=work.at)
    began = work.job.started_at or work.at
    since = clocks.now_of(member.platform, now=began)
    plan = plan_shipping(rows, orders=member.orders(), at=at, since=since)
    shipped = len(plan.done_here)
    work.tell(len(rows) - plan.parcels, len(rows))
    for number, (order_id, group) in enumerate(plan.ships.items(), start=1):
        first, *further = [NewParcel(row.carrier, row.tracking) for row in group]
        try:
            lifecycle.ship_order(
                order_id=order_id,
                carrier=first.carrier,
                tracking_number=first.tracking_number,
                further=further,
                at=at,
            )
            shipped += len(group)
        except DomainError as refusal:
            plan.faults += [Fault(row, REFERENCE, refusal.code) for row in group]
        if number % TELL_EVERY == 0:
            work.tell(len(rows) - plan.parcels + number, len(rows))
    counts = {"shipped": shipped, "known": len(plan.known), "failed": len(plan.faults)}
    errors = fault_file(plan.faults, form=work.job.wanted["form"], at=work.at)
    return Outcome(errors=errors if plan.faults else None, counts=counts)


def fault_file(faults: Iterable[Fault], *, form: str, at: datetime) -> File:
    """The rows that are wrong, to be mended and uploaded again."""
    name = f"not-shipped-{timezone.localtime(at):%Y%m%d-%H%M}"
    head: list[Any] = [_("Row"), *COLUMNS.values(), _("Column"), _("What is wrong")]
    rows = (
        [
            fault.row.number,
            fault.row.reference,
            fault.row.carrier,
            fault.row.tracking,
            fault.where,
            fault.sentence,
        ]
        for fault in faults
    )
    return write_table(form=form, name=name, head=head, rows=rows)
