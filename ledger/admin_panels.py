"""What a read-only page of the operators' door is made of: facts, tables, journals, steps.

It lies in the lowest app so that every app's admin can use it. It must never write a row, and
never mark text as safe that came from outside.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from common.money import exponent
from ledger.models import JournalEntry

Text = str | Promise
NOTHING = "–"
NONE = _("None.")
JOURNAL = _("Journal")

KINDS: dict[str, Text] = {
    "capture": _("Payment held"),
    "surplus": _("Surplus received"),
    "remittance": _("Channel paid the reserve"),
    "release": _("Released and split"),
    "refund-asked": _("Refund asked"),
    "surplus-refund-asked": _("Surplus sent back"),
    "refund-done": _("Refund done"),
    "refund-rerouted": _("Refund sent to the bank"),
    "refund-paid": _("Refund paid by the bank"),
    "refund-doubled": _("Refund paid twice"),
    "chargeback": _("Charged back"),
    "payout-sent": _("Payout cut"),
    "payout-paid": _("Payout paid"),
    "clawback": _("Taken back from payees"),
    "clawback-reserve": _("Taken of the rolling reserve"),
    "reserve-freed": _("Freed of the rolling reserve"),
    "clawback-debt": _("Owed by a payee"),
    "debt-netted": _("Debt paid by later sales"),
    "debt-repaid": _("Debt paid into the reserve"),
    "debt-guaranteed": _("Debt paid by the platform"),
    "debt-written-off": _("Debt written off"),
    "topup": _("Own funds added"),
    "correction": _("Corrected by hand"),
}

CLASSES: dict[str, Text] = {
    "channel_receivable": _("With the channel"),
    "reserve": _("Reserve"),
    "merchant_receivable": _("Owed by the seller"),
    "platform_receivable": _("Owed by the platform"),
    "party_receivable": _("Owed by a further party"),
    "held": _("Held"),
    "merchant_payable": _("Payable to the seller"),
    "merchant_reserve": _("Held back of the seller"),
    "platform_commission": _("Payable to the platform"),
    "party_payable": _("Payable to a further party"),
    "payout_in_transit": _("Payouts in transit"),
    "refund_in_transit": _("Refunds in transit"),
    "surplus": _("Surplus"),
    "unidentified": _("Unidentified"),
    "service_fee": _("Service fee"),
    "channel_fee": _("Channel fee"),
    "own_topup": _("Own funds"),
    "loss_writeoff": _("Losses"),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """A list of labels and values."""

    template: ClassVar[str] = "admin/panels/facts.html"
    title: Text
    facts: Sequence[tuple[Text, Any]]
    side: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings. `numbers`: which columns, counted from 0, are amounts."""

    template: ClassVar[str] = "admin/panels/table.html"
    title: Text
    headings: Sequence[Text]
    rows: Sequence[Sequence[Any]]
    numbers: Sequence[int] = ()
    total: Sequence[Any] = ()
    empty: Text = NONE
    side: bool = False

    @property
    def cells(self) -> list[list[tuple[Text, Any, bool]]]:
        """The rows, each cell with its heading (for phones) and whether it is an amount."""
        return [self._labeled(row) for row in self.rows]

    @property
    def last(self) -> list[tuple[Text, Any, bool]]:
        return self._labeled(self.total)

    @property
    def heads(self) -> list[tuple[Text, bool]]:
        return [(text, number in self.numbers) for number, text in enumerate(self.headings)]

    def _labeled(self, row: Sequence[Any]) -> list[tuple[Text, Any, bool]]:
        together = enumerate(zip(self.headings, row, strict=True)) if row else ()
        return [(text, cell, number in self.numbers) for number, (text, cell) in together]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to an order or a payout, or will. Without `at` it has no date yet."""

    title: Text
    at: datetime | None = None
    note: Any = ""
    tone: str = "done"  # done, wait, bad

    @property
    def when(self) -> str:
        return instant(self.at) if self.at else ""


@dataclass(frozen=True, slots=True)
class Steps:
    """A timeline, oldest first."""

    template: ClassVar[str] = "admin/panels/steps.html"
    title: Text
    steps: Sequence[Step]
    side: bool = True


@dataclass(frozen=True, slots=True)
class Remarks:
    """Sentences, shown when asked for."""

    template: ClassVar[str] = "admin/panels/remarks.html"
    title: Text
    sentences: Sequence[str]
    side: bool = False


@dataclass(frozen=True, slots=True)
class Journal:
    """Journal entries as an accountant reads them: one line per leg, debits and credits apart."""

    template: ClassVar[str] = "admin/panels/journal.html"
    title: Text
    entries: Sequence["JournalBlock"]
    side: bool = False


@dataclass(frozen=True, slots=True)
class JournalLine:
    account: SafeString
    account_class: Text
    debit: SafeString | str
    credit: SafeString | str


@dataclass(frozen=True, slots=True)
class JournalBlock:
    title: Text
    link: SafeString
    when: str
    reference: str
    reverses: bool
    lines: Sequence[JournalLine] = field(default_factory=list)


def journal(entries: Iterable[JournalEntry], *, title: Text = JOURNAL) -> Journal:
    """Lay out entries, which have their postings and accounts at hand."""
    return Journal(title=title, entries=[_block(entry) for entry in entries])


def _block(entry: JournalEntry) -> JournalBlock:
    postings = sorted(entry.postings.all(), key=lambda posting: posting.leg)
    return JournalBlock(
        title=KINDS.get(entry.kind, entry.kind),
        link=link("ledger_journalentry", entry.pk, f"#{entry.pk}"),
        when=instant(entry.event_at),
        reference=entry.reference,
        reverses=entry.reverses_id is not None,
        lines=[
            JournalLine(
                account=link("ledger_account", posting.account_id, posting.account.address),
                account_class=CLASSES.get(posting.account.account_class_id, ""),
                debit=_side(posting.amount_minor, entry.currency),
                credit=_side(-posting.amount_minor, entry.currency),
            )
            for posting in postings
        ],
    )


def _side(amount_minor: int, currency: str) -> SafeString | str:
    return money(amount_minor, currency) if amount_minor > 0 else ""


def money(amount_minor: int | None, currency: str) -> SafeString | str:
    """Show an amount with grouped digits and its currency: `1,280.00 CNY`."""
    if amount_minor is None:
        return NOTHING
    return format_html(
        '<span class="hf-money">{} <small>{}</small></span>',
        digits(amount_minor, currency),
        currency,
    )


def digits(amount_minor: int, currency: str) -> str:
    """Write an amount, or a sum of many, without its currency: `1,280.00`."""
    places = exponent(currency)
    whole, rest = divmod(abs(amount_minor), 10**places)
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{whole:,}.{rest:0{places}d}" if places else f"{sign}{whole:,}"


def percent(rate_bps: int) -> str:
    """Write basis points as a percentage: 550 is `5.50 %`."""
    return f"{rate_bps // 100}.{rate_bps % 100:02d} %"


def instant(at: datetime | None) -> str:
    """Write an instant the same way in every language: `2026-11-23 14:05`."""
    return localtime(at).strftime("%Y-%m-%d %H:%M") if at else NOTHING


def link(page: str, key: Any, text: Any) -> SafeString:
    """Link to a row's own page. `page` is app and model, such as `orders_order`."""
    if key in (None, ""):
        return SafeString(NOTHING)
    return format_html('<a class="hf-link" href="{}">{}</a>', row_url(page, key), text)


def row_url(page: str, key: Any) -> str:
    return reverse(f"admin:{page}_change", args=(key,))


def list_url(page: str, query: str = "") -> str:
    """The address of a list, filtered by a query string such as `state__exact=FAILED`."""
    url = reverse(f"admin:{page}_changelist")
    return f"{url}?{query}" if query else url


def badge(text: Any, tone: str = "default") -> SafeString:
    """Show a state. `tone` is default, info, warning, success or danger."""
    return format_html('<span class="hf-badge hf-{}">{}</span>', tone, text)


def mono(text: Any) -> SafeString | str:
    """Show an id or a reference."""
    return format_html('<code class="hf-mono">{}</code>', text) if text else NOTHING
