"""The operators' first page: where the money is, whether the books balance, what waits for people.

It must never count a whole table or write a row.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from api import status
from channels.models import InboundNotification, InboxState
from escrow.models import (
    BankRefund,
    BankRefundState,
    Correction,
    CorrectionState,
    Debt,
    DebtState,
    Dispute,
    Freeze,
    FreezeState,
    Refund,
    RefundState,
    WaitsFor,
)
from ledger import admin_panels as panels
from ledger import selectors as books
from merchants.models import Proposal, ProposalState
from merchants.terms import Terms
from operators import glance
from orders.models import Order
from payouts.models import Payout, PayoutState
from portal.at_once import Part, Question, Rows, read_at_once
from portal.states import STATUSES, TONES

Text = str | Promise
MAX_COUNTED = 1_000
RECENT = 10
PAYABLE = ("merchant_payable", "platform_commission", "party_payable")
IN_TRANSIT = ("payout_in_transit", "refund_in_transit")
EARNED, SPENT = ("service_fee", "own_topup"), ("channel_fee", "loss_writeoff")


@dataclass(frozen=True, slots=True)
class Tile:
    label: Text
    icon: str
    amount: Any
    note: Text
    link: str


@dataclass(frozen=True, slots=True)
class CurrencyTiles:
    """Where one currency's money is, and whether its debits equal its credits."""

    currency: str
    balanced: bool
    debit: Any
    credit: Any
    tiles: list[Tile]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something a person should look at."""

    label: Text
    icon: str
    count: str
    link: str
    tone: str


def add_dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Put the dashboard into the page's context, as far as this person may see it."""
    may, at = request.user.has_perm, timezone.now()
    glances = []
    if may("ledger.view_journalentry"):
        lines = books.trial_balance()
        context["money"] = money_by_currency(lines)
        glances.append(glance.cover(lines))
    parts = [waiting_for_people(may)]
    if may("escrow.view_hold"):
        parts += [glance.held_by_age(at=at), glance.due_today(at=at), glance.stuck(at=at)]
    context["waiting"], *read = read_at_once(parts)
    context["glances"] = glances + read
    if may("orders.view_order"):
        context["recent"] = recent_orders()
    return context


def money_by_currency(trial_balance: Iterable[books.TrialLine]) -> list[CurrencyTiles]:
    """Read the trial balance into a row of tiles per currency."""
    lines = defaultdict(list)
    for line in trial_balance:
        lines[line.currency].append(line)
    return [_tiles(currency, of) for currency, of in sorted(lines.items())]


def _tiles(currency: str, lines: list[books.TrialLine]) -> CurrencyTiles:
    by_class = {line.account_class: line.balance_minor for line in lines}
    debit = sum(line.debit_minor for line in lines)
    credit = sum(line.credit_minor for line in lines)

    def total(*classes: str) -> int:
        return sum(by_class.get(each, 0) for each in classes)

    def tile(label: Text, icon: str, amount_minor: int, note: Text, page: str) -> Tile:
        amount = panels.digits(amount_minor, currency)
        return Tile(label, icon, amount, note, panels.list_url(page))

    return CurrencyTiles(
        currency=currency,
        balanced=debit == credit,
        debit=panels.digits(debit, currency),
        credit=panels.digits(credit, currency),
        tiles=[
            tile(_("Held now"), "lock", total("held"), _("until receipt"), "escrow_hold"),
            tile(
                _("Payable"), "schedule", total(*PAYABLE), _("released"), "payouts_payoutschedule"
            ),
            tile(
                _("In transit"), "sync_alt", total(*IN_TRANSIT), _("on its way"), "payouts_payout"
            ),
            tile(
                _("Reserve"),
                "account_balance",
                total("reserve"),
                _("at the bank"),
                "escrow_remittance",
            ),
            tile(
                _("Own funds"),
                "savings",
                total(*EARNED) - total(*SPENT),
                _own_funds_note(books.own_funds_in(lines), currency),
                "ledger_journalentry",
            ),
        ],
    )


def _own_funds_note(free_minor: int, currency: str) -> Text:
    if free_minor >= 0:
        return _("fees and top-ups")
    lacking = {"amount": panels.digits(-free_minor, currency)}
    return gettext("%(amount)s short for what payees owe: top up") % lacking


def waiting_for_people(may: Callable[[str], bool]) -> Part:
    """List what sweeps cannot settle alone, each with a link to exactly those rows.

    Args: may: tells whether this person has a right; what it may not see is left out.
    """
    queues = [
        queue for queue in (*_decisions(), *_troubles()) if may(_named(queue[3], "{}.view_{}"))
    ]

    def show(answers: Sequence[Rows]) -> list[Waiting]:
        return [
            _waiting(label, icon, tone, len(found), panels.list_url(_named(rows, "{}_{}"), query))
            for (label, icon, tone, rows, query), found in zip(queues, answers, strict=True)
        ]

    return Part([Question(queue[3].order_by()[:MAX_COUNTED], ()) for queue in queues], show)


def _named(rows: QuerySet[Any], pattern: str) -> str:
    return pattern.format(rows.model._meta.app_label, rows.model._meta.model_name)


# Label, icon, tone, rows, the query string of the list that shows exactly these rows.
Queue = tuple[Text, str, str, QuerySet[Any], str]


def _decisions() -> list[Queue]:
    """What one person proposed and another one has to decide."""
    return [
        (
            _("Payouts waiting for approval"),
            "how_to_reg",
            "warning",
            Payout.objects.filter(state=PayoutState.PENDING),
            "state__exact=PENDING",
        ),
        (
            _("Disputes to be decided"),
            "gavel",
            "warning",
            Dispute.objects.filter(waits_for=WaitsFor.OPERATOR),
            "waits_for__exact=OPERATOR",
        ),
        (
            _("Freezes proposed to be lifted"),
            "ac_unit",
            "warning",
            Freeze.objects.filter(state=FreezeState.PROPOSED),
            "state__exact=PROPOSED",
        ),
        (
            _("Bank refunds waiting for approval"),
            "how_to_reg",
            "warning",
            BankRefund.objects.filter(state=BankRefundState.PROPOSED),
            "state__exact=PROPOSED",
        ),
        (
            _("Write-offs to be decided"),
            "money_off",
            "warning",
            Debt.objects.filter(state=DebtState.OPEN, proposed_by__isnull=False),
            "proposed_by__isempty=0&state__exact=OPEN",
        ),
        (
            _("Manual entries waiting for approval"),
            "edit_note",
            "warning",
            Correction.objects.filter(state=CorrectionState.PROPOSED),
            "state__exact=PROPOSED",
        ),
        (
            _("Proposed changes"),
            "rule",
            "warning",
            Proposal.objects.filter(state=ProposalState.PROPOSED),
            "state__exact=PROPOSED",
        ),
    ]


def _troubles() -> list[Queue]:
    """What went wrong and does not mend itself."""
    return [
        (
            _("Payouts unknown or parked"),
            "help",
            "danger",
            Payout.objects.filter(Q(state=PayoutState.UNKNOWN) | Q(parked_at__isnull=False)),
            "state__exact=UNKNOWN",
        ),
        (
            _("Bank refunds unknown"),
            "help",
            "danger",
            BankRefund.objects.filter(state=BankRefundState.UNKNOWN),
            "state__exact=UNKNOWN",
        ),
        (
            _("Refunds unknown"),
            "help",
            "danger",
            Refund.objects.filter(state=RefundState.UNKNOWN),
            "state__exact=UNKNOWN",
        ),
        (
            _("Refunds failed"),
            "undo",
            "danger",
            Refund.objects.filter(state=RefundState.FAILED),
            "state__exact=FAILED",
        ),
        (
            _("Refunds paid twice"),
            "price_change",
            "danger",
            BankRefund.objects.filter(state=BankRefundState.PAID, doubled_entry__isnull=False),
            "doubled_entry__isempty=0&state__exact=PAID",
        ),
        (
            _("Flagged notifications"),
            "flag",
            "danger",
            InboundNotification.objects.filter(state=InboxState.FLAGGED),
            "state__exact=FLAGGED",
        ),
    ]


def _waiting(label: Text, icon: str, tone: str, count: int, link: str) -> Waiting:
    shown = f"{MAX_COUNTED}+" if count == MAX_COUNTED else str(count)
    return Waiting(label, icon, shown, link, tone if count else "success")


def recent_orders() -> panels.Table:
    """The newest orders, and how each one's money is split."""
    newest = Order.objects.select_related("merchant", "hold__payment").order_by("-pk")
    orders = list(newest[:RECENT])
    found = status.statuses(orders)
    return panels.Table(
        title=_("Recent orders and their split"),
        headings=[
            _("Order"),
            _("Seller"),
            _("State"),
            _("Commission"),
            _("Service fee"),
            _("To the seller"),
            _("Amount"),
        ],
        numbers=[3, 4, 5, 6],
        rows=[_order_row(order, found[order.pk]) for order in orders],
        empty=_("No orders yet."),
    )


def _order_row(order: Order, composed: status.Status) -> list[Any]:
    hold = getattr(order, "hold", None)
    terms = Terms.from_json(order.terms).under(hold.payment.channel if hold else None)
    parts = (terms.commission_minor, terms.service_fee_minor, terms.seller_minor)
    return [
        panels.link("orders_order", order.pk, order.reference),
        order.merchant.name,
        panels.badge(STATUSES[composed], TONES.get(composed, "default")),
        *(panels.digits(amount_minor, order.currency) for amount_minor in parts),
        panels.money(order.amount_minor, order.currency),
    ]
