"""An order's journal as its seller or platform reads it: what moved, in a sentence of amounts.

It must never show an account of somebody else: a leg without words for the reader is left out.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ledger.admin_panels import KINDS
from portal.access import Member

Text = str | Promise

# What a credit of a class means: where the money went. By class of account.
INTO: dict[str, Text] = {
    "held": _("held for this order"),
    "platform_commission": _("commission"),
    "service_fee": _("service fee"),
    "party_payable": _("to further parties"),
    "refund_in_transit": _("on its way to the buyer"),
}
SELLER_INTO: dict[str, Text] = {
    "merchant_payable": _("to you"),
    "merchant_reserve": _("held back of your part"),
}
PLATFORM_INTO: dict[str, Text] = {
    "merchant_payable": _("to the seller"),
    "merchant_reserve": _("held back of the seller's part"),
}
# What a debit means: where it was taken from.
OUT_OF: dict[str, Text] = {"refund_in_transit": _("paid back to the buyer")}
SELLER_OUT_OF: dict[str, Text] = {
    "merchant_payable": _("taken from you"),
    "merchant_reserve": _("taken of what was held back of your part"),
    "merchant_receivable": _("that you owe"),
}
PLATFORM_OUT_OF: dict[str, Text] = {
    "merchant_payable": _("taken from the seller"),
    "merchant_reserve": _("taken of what was held back of the seller's part"),
    "merchant_receivable": _("that the seller owes"),
    "platform_commission": _("taken from the platform"),
    "platform_receivable": _("that the platform owes"),
    "party_payable": _("taken from further parties"),
    "party_receivable": _("that further parties owe"),
    "service_fee": _("given back of the service fee"),
}
TAKEN_BY_BANK = _("taken by the buyer's bank")


@dataclass(frozen=True, slots=True)
class Moved:
    """One leg in words. Minor units of `currency`, positive."""

    amount_minor: int
    currency: str
    words: Text


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the books, as the reader may see it."""

    title: Text
    at: datetime
    reverses: bool
    moved: list[Moved]


def read_journal(entries: Iterable[Any], *, member: Member) -> list[Event]:
    """Say entries to a reader, oldest first; those in which nothing is the reader's are left out.

    Args: entries: journal entries with their postings and accounts at hand.
    """
    found = (_event(entry, member=member) for entry in entries)
    return [event for event in found if event.moved]


def _event(entry: Any, *, member: Member) -> Event:
    into = INTO | (SELLER_INTO if member.is_seller else PLATFORM_INTO)
    out_of = OUT_OF | (SELLER_OUT_OF if member.is_seller else PLATFORM_OUT_OF)
    if entry.kind == "chargeback":
        out_of = {"held": TAKEN_BY_BANK}
    if entry.kind == "refund-rerouted":
        out_of = {}
    moved: Counter[Text] = Counter()
    for posting in sorted(entry.postings.all(), key=lambda each: each.leg):
        known = into if posting.amount_minor < 0 else out_of
        words = known.get(posting.account.account_class_id)
        # Money that only passes through the hold on its way from payees to the buyer.
        passing = words is INTO["held"] and entry.kind != "capture"
        if words is not None and not passing:
            moved[words] += abs(posting.amount_minor)
    return Event(
        title=KINDS.get(entry.kind, entry.kind),
        at=entry.event_at,
        reverses=entry.reverses_id is not None,
        moved=[Moved(amount, entry.currency, words) for words, amount in moved.items()],
    )
