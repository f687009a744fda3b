"""What an operator wants to know at a glance: cover, age of held money, what is due, what is stuck.

Every question is answered by the partial index a sweep uses, and counts end at a limit. It must
never count a whole table or write a row.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple

from django.db.models import Case, F, IntegerField, Q, QuerySet, Sum, When
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from channels.models import InboundNotification
from escrow import selectors as escrow
from escrow.models import CLOSED, Dispute, Hold, HoldState
from ledger import admin_panels as panels
from ledger import chart
from ledger import selectors as books
from notifications.models import Channel, Delivery, DeliveryState, Event
from orders import selectors as orders
from orders.claims import by_clock
from orders.models import Order, OrderState
from payouts import selectors as payouts
from portal.at_once import Part, Question, Rows

MAX_COUNTED = 1_000
DAY = timedelta(days=1)
LATE = timedelta(minutes=10)  # sweeps run every few seconds
AGES = (DAY, 7 * DAY, 30 * DAY)  # where each band of age ends
LEFT = F("amount_minor") - F("released_minor") - F("refunded_minor")
OPEN_HOLDS = (HoldState.HELD, HoldState.FROZEN)


def cover(lines: Iterable[books.TrialLine]) -> panels.Table:
    """Set what lies in the reserve, and is owed to it, against what customers are owed."""
    by_currency: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for line in lines:
        of = by_currency[line.currency]
        known = chart.BY_CODE[line.account_class]
        if known.customers:
            of["customers"] += line.balance_minor
        elif line.account_class in chart.RECEIVABLES:
            of["payees"] += line.balance_minor
        else:
            of[line.account_class] += line.balance_minor
    return panels.Table(
        title=_("The reserve against what is owed"),
        headings=[
            _("Currency"),
            _("In the reserve"),
            _("Still with channels"),
            _("Owed by payees"),
            _("Owed to customers"),
            _("Cover"),
        ],
        numbers=range(1, 6),
        rows=[_cover_row(currency, of) for currency, of in sorted(by_currency.items())],
        empty=_("No money has moved."),
    )


def _cover_row(currency: str, of: dict[str, int]) -> list[Any]:
    assets = [of["reserve"], of["channel_receivable"], of["payees"]]
    # What payees owe may never come: it covers nothing.
    left = of["reserve"] + of["channel_receivable"] - of["customers"]
    said = panels.digits(left, currency)
    return [
        currency,
        *(panels.digits(each, currency) for each in assets),
        panels.digits(of["customers"], currency),
        panels.badge(f"+{said}" if left >= 0 else said, "success" if left >= 0 else "danger"),
    ]


def held_by_age(*, at: datetime) -> Part:
    """Sum what is held by how long it has been, in whole days, per currency."""

    def show(answers: Sequence[Rows]) -> panels.Table:
        found: dict[str, list[int]] = defaultdict(lambda: [0] * (len(AGES) + 1))
        for currency, age, amount_minor in chain.from_iterable(answers):
            found[currency][age] += amount_minor
        return panels.Table(
            title=_("Held, by age in days"),
            headings=[_("Currency"), "0", "1-6", "7-29", "30+", _("Total")],
            numbers=range(1, 6),
            rows=[
                [currency, *(panels.digits(each, currency) for each in (*held, sum(held)))]
                for currency, held in sorted(found.items())
            ],
            empty=_("Nothing is held."),
        )

    ways = _orders_with_money()
    return Part([Question(_aged(way, at), ("currency", "age", "left")) for way in ways], show)


def _orders_with_money() -> list[QuerySet[Order]]:
    """The orders with an open hold: those that wait to be shipped or confirmed, whose partial
    indexes hold no closed order, and those that stand still; never all orders there ever were."""
    disputed = Dispute.objects.exclude(state__in=CLOSED).values("order_id")
    frozen = escrow.freezes_in_force().filter(order__isnull=False).values("order_id")
    shipped = Order.objects.filter(state=OrderState.SHIPPED)
    return [
        Order.objects.filter(state=OrderState.PAID),
        shipped.filter(paused_at__isnull=True),
        shipped.filter(Q(pk__in=disputed) | Q(pk__in=frozen), paused_at__isnull=False),
    ]


def _aged(way: QuerySet[Order], at: datetime) -> QuerySet[Any]:
    """What is held of these orders by currency and band of age."""
    held = Hold.objects.filter(order__in=way, state__in=OPEN_HOLDS).order_by()
    return held.annotate(age=_age(at)).values("currency", "age").annotate(left=Sum(LEFT))


def _age(at: datetime) -> Case:
    """Which band of age a hold is in: 0 for the youngest."""
    bands = [When(held_at__gt=at - age, then=band) for band, age in enumerate(AGES)]
    return Case(*bands, default=len(AGES), output_field=IntegerField())


class Due(NamedTuple):
    """Rows a sweep takes at an instant."""

    label: Any
    rows: QuerySet[Any]
    field: str
    by_platform_clock: bool = True

    def between(self, since: datetime | None, until: datetime) -> QuerySet[Any]:
        """The rows due in a time, by the real clock, oldest first."""
        rows = by_clock(self.rows, None) if self.by_platform_clock else self.rows
        if since is not None:
            rows = rows.filter(**{f"{self.field}__gte": since})
        return rows.filter(**{f"{self.field}__lt": until}).order_by(self.field, "pk")


def due_today(*, at: datetime) -> Part:
    """Count and sum what happens by itself within 24 hours."""
    coming = (
        Due(_("Released"), escrow.unconfirmed_orders(), "confirm_by"),
        Due(_("Canceled and refunded"), escrow.unshipped_orders(), "ship_by"),
        Due(_("Not paid, expired"), orders.unpaid_orders(), "pay_by"),
        Due(_("Sent to the bank"), payouts.unsent_payouts(), "due_at"),
        Due(_("Freed of the rolling reserve"), escrow.held_slices(), "due_at"),
    )

    def show(answers: Sequence[Rows]) -> panels.Table:
        return panels.Table(
            title=_("Due within 24 hours"),
            headings=[_("What happens"), _("How many"), _("Amount")],
            numbers=[1, 2],
            rows=[
                [due.label, _counted(len(found)), _summed(found)]
                for due, found in zip(coming, answers, strict=True)
            ],
        )

    columns = ("currency", "amount_minor")
    rows = (due.between(at, at + DAY)[:MAX_COUNTED] for due in coming)
    return Part([Question(each, columns) for each in rows], show)


def _counted(count: int) -> str:
    return f"{MAX_COUNTED}+" if count == MAX_COUNTED else str(count)


def _summed(found: Rows) -> Any:
    """The amounts by currency; of what was counted only in part nothing is said."""
    if len(found) == MAX_COUNTED:
        return panels.NOTHING
    sums: dict[str, int] = defaultdict(int)
    for currency, amount_minor in found:
        sums[currency] += amount_minor
    said = [f"{panels.digits(sums[each], each)} {each}" for each in sorted(sums)]
    return ", ".join(said) or panels.NOTHING


def sweeps() -> list[Due]:
    """Every kind of row a sweep takes, with the column that says when."""
    mails = Delivery.objects.filter(state=DeliveryState.PENDING, channel=Channel.EMAIL)
    return [
        Due(_("Unpaid orders to expire"), orders.unpaid_orders(), "pay_by"),
        Due(_("Unshipped orders to cancel"), escrow.unshipped_orders(), "ship_by"),
        Due(_("Orders to release"), escrow.unconfirmed_orders(), "confirm_by"),
        Due(_("Disputes whose time is over"), escrow.open_disputes(), "due_at"),
        Due(_("Payments to ask about"), escrow.watched_payments(), "due_at"),
        Due(_("Refunds to ask for"), escrow.unsent_refunds(), "due_at"),
        Due(_("Refunds to ask about"), escrow.open_refunds(), "due_at"),
        Due(_("Bank refunds to send"), escrow.unsent_bank_refunds(), "due_at"),
        Due(_("Bank refunds to ask about"), escrow.open_bank_refunds(), "due_at"),
        Due(_("Reserve to free"), escrow.held_slices(), "due_at"),
        Due(_("Debts a platform pays"), escrow.guaranteed_debts(), "guaranteed_at"),
        Due(_("Sellers to ask to pay"), escrow.unrequested_debts(), "request_at"),
        Due(_("Settlements to cut"), payouts.due_schedules(), "due_at"),
        Due(_("Payouts to send"), payouts.unsent_payouts(), "due_at"),
        Due(_("Payouts to ask about"), payouts.open_payouts(), "due_at"),
        Due(
            _("Messages to apply"),
            InboundNotification.objects.all(),
            "due_at",
            by_platform_clock=False,
        ),
        Due(_("Mails to send"), mails, "next_attempt_at", by_platform_clock=False),
        Due(_("Events to pass on"), Event.objects.filter(relayed_at=None), "next_attempt_at"),
    ]


def stuck(*, at: datetime) -> Part:
    """Name the sweeps that left rows lying longer than they may, with how many and since when.

    A sweep that fails for one row leaves that one behind; one that does not run leaves all.
    """
    all_sweeps = sweeps()

    def show(answers: Sequence[Rows]) -> panels.Table:
        return panels.Table(
            title=_("Overdue"),
            headings=[_("What waits"), _("How many"), _("Since")],
            numbers=[1],
            rows=[
                _overdue(due, found)
                for due, found in zip(all_sweeps, answers, strict=True)
                if found
            ],
            empty=_now("Every sweep is on time."),
        )

    return Part(
        [Question(due.between(None, at - LATE)[:MAX_COUNTED], (due.field,)) for due in all_sweeps],
        show,
    )


def _overdue(due: Due, found: Rows) -> list[Any]:
    since = panels.instant(datetime.fromisoformat(found[0][0]))
    return [due.label, panels.badge(_counted(len(found)), "danger"), since]
