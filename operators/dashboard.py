"""The operators' first page: where the money is, whether the books balance, what waits for people.

It must never count a whole table or write a row.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from api import status
from channels.models import InboundNotification, InboxState
from escrow.models import (
    BankRefund,
    BankRefundState,
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
from merchants.terms import Terms
from orders import selectors
from orders.models import Order
from payouts.models import Payout, PayoutState
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
    may = request.user.has_perm
    if may("ledger.view_journalentry"):
        context["money"] = money_by_currency()
    if may("payouts.view_payout"):
        context["waiting"] = waiting_for_people()
    if may("orders.view_order"):
        context["recent"] = recent_orders()
    return context


def money_by_currency() -> list[CurrencyTiles]:
    """Read the trial balance into a row of tiles per currency."""
    lines = defaultdict(list)
    for line in books.trial_balance():
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


def waiting_for_people() -> list[Waiting]:
    """List what sweeps cannot settle alone, each with a link to exactly those rows."""
    return [*_waiting_decisions(), *_waiting_refunds_and_messages()]


def _waiting_decisions() -> list[Waiting]:
    pending = Payout.objects.filter(state=PayoutState.PENDING)
    unknown = Payout.objects.filter(Q(state=PayoutState.UNKNOWN) | Q(parked_at__isnull=False))
    return [
        _waiting(
            _("Payouts waiting for approval"),
            "how_to_reg",
            pending,
            panels.list_url("payouts_payout", "state__exact=PENDING"),
            "warning",
        ),
        _waiting(
            _("Payouts unknown or parked"),
            "help",
            unknown,
            panels.list_url("payouts_payout", "state__exact=UNKNOWN"),
            "danger",
        ),
        _waiting(
            _("Disputes to be decided"),
            "gavel",
            Dispute.objects.filter(waits_for=WaitsFor.OPERATOR),
            panels.list_url("escrow_dispute", "waits_for__exact=OPERATOR"),
            "warning",
        ),
        _waiting(
            _("Freezes proposed to be lifted"),
            "ac_unit",
            Freeze.objects.filter(state=FreezeState.PROPOSED),
            panels.list_url("escrow_freeze", "state__exact=PROPOSED"),
            "warning",
        ),
    ]


def _waiting_refunds_and_messages() -> list[Waiting]:
    failed = Refund.objects.filter(state=RefundState.FAILED)
    flagged = InboundNotification.objects.filter(state=InboxState.FLAGGED)
    inbox = "channels_inboundnotification"
    return [
        _waiting(
            _("Refunds failed"),
            "undo",
            failed,
            panels.list_url("escrow_refund", "state__exact=FAILED"),
            "danger",
        ),
        _waiting(
            _("Bank refunds waiting for approval"),
            "how_to_reg",
            BankRefund.objects.filter(state=BankRefundState.PROPOSED),
            panels.list_url("escrow_bankrefund", "state__exact=PROPOSED"),
            "warning",
        ),
        _waiting(
            _("Write-offs to be decided"),
            "money_off",
            Debt.objects.filter(state=DebtState.OPEN, proposed_by__isnull=False),
            panels.list_url("escrow_debt", "proposed_by__isempty=0&state__exact=OPEN"),
            "warning",
        ),
        _waiting(
            _("Refunds paid twice"),
            "price_change",
            BankRefund.objects.filter(state=BankRefundState.PAID, doubled_entry__isnull=False),
            panels.list_url("escrow_bankrefund", "doubled_entry__isempty=0&state__exact=PAID"),
            "danger",
        ),
        _waiting(
            _("Flagged notifications"),
            "flag",
            flagged,
            panels.list_url(inbox, "state__exact=FLAGGED"),
            "danger",
        ),
    ]


def _waiting(label: Text, icon: str, rows: QuerySet[Any], link: str, tone: str) -> Waiting:
    count = rows.order_by()[:MAX_COUNTED].count()
    shown = f"{MAX_COUNTED}+" if count == MAX_COUNTED else str(count)
    return Waiting(label, icon, shown, link, tone if count else "success")


def recent_orders() -> panels.Table:
    """The newest orders, and how each one's money is split."""
    orders = list(Order.objects.select_related("merchant").order_by("-pk")[:RECENT])
    found = status.statuses(orders)
    channels = selectors.channels_paid(order_ids=[order.pk for order in orders])
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
        rows=[_order_row(order, found[order.pk], channels.get(order.pk)) for order in orders],
        empty=_("No orders yet."),
    )


def _order_row(order: Order, composed: status.Status, channel: str | None) -> list[Any]:
    terms = Terms.from_json(order.terms).under(channel)
    parts = (terms.commission_minor, terms.service_fee_minor, terms.seller_minor)
    return [
        panels.link("orders_order", order.pk, order.reference),
        order.merchant.name,
        panels.badge(STATUSES[composed], TONES.get(composed, "default")),
        *(panels.digits(amount_minor, order.currency) for amount_minor in parts),
        panels.money(order.amount_minor, order.currency),
    ]
