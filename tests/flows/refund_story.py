"""Tells one cell of the refund grid as it happens: its entries in plain words, then a closing table
of who got, gave back and kept what, read from the rows and the books.

It must never compute what should have come of it.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Sum

from escrow.models import Debt, DebtStep, HoldShare, Payee, Refund, RefundShare
from merchants.models import Merchant, Party, Platform
from orders.models import Order
from payouts.models import Payout, PayoutState
from tests.flows.journal import Entry

_POSTINGS = """
    SELECT e.id, e.event_at, e.kind, e.subject, e.currency, a.address, p.amount_minor
    FROM ledger_journalentry AS e JOIN ledger_posting AS p ON p.entry_id = e.id
    JOIN ledger_account AS a ON a.id = p.account_id WHERE e.id > %s ORDER BY e.id, p.leg
"""
TITLES = {
    "capture": "The buyer has paid",
    "remittance": "The channel remits",
    "release": "Released",
    "refund-asked": "Refund asked of the channel",
    "refund-done": "The buyer has the refund",
    "clawback": "Payees give back what they have",
    "clawback-debt": "A payee owes what it lacks",
    "debt-netted": "Later sales pay a debt",
    "payout-sent": "Cut for payout",
    "payout-paid": "Paid out",
    "topup": "The operator puts own money in",
}
NAMES = {
    Payee.MERCHANT: "seller",
    Payee.PLATFORM: "commission",
    Payee.TAX: "tax",
    Payee.PARTY: "courier",
    Payee.SERVICE_FEE: "fee",
}
COLUMNS = ("share", "given", "left", "at once", "owed", "paid later")


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one payee's part of the order, in minor units."""

    share: int
    given: int
    owed: int  # of what is given: debts that were made
    paid_later: int  # of what was owed

    @property
    def left(self) -> int:
        return self.share - self.given


@dataclass
class Story:
    """`shares`: the first plan of the order, kept before refunds shrink it."""

    blocks: list[str] = field(default_factory=list)
    shares: Counter[str] = field(default_factory=Counter)
    seen: int = 0
    count: int = 0

    def tell(self) -> None:
        """Write down what has been posted since the last time."""
        names, made = _names(), dict(Debt.objects.values_list("id", "entry_id"))
        entries: dict[tuple[int, int], Entry] = {}
        run = 0  # the entry that begins a run of debts paid by one payee
        for entry_id, at, kind, subject, currency, address, amount in self._new_rows():
            of = f": {names[subject]}" if kind.startswith("payout") else ""
            netted = kind == "debt-netted"
            run = run if netted and run else entry_id
            # Debts of one refund are of one instant, and paid in any order: tell them as made.
            place = (run, made[subject]) if netted else (entry_id, 0)
            run = run if netted else 0
            entry = entries.setdefault(place, Entry(at, TITLES[kind] + of, currency, []))
            entry.legs.append((_named(address, names), amount))
        for _place, entry in sorted(entries.items(), key=lambda each: each[0]):
            self.count += 1
            self.blocks.append(f"{self.count:>3}  {entry.at:%m-%d}  {entry.text()}")

    def leave_out(self, sentence: str) -> None:
        """Say in a sentence what was posted since the last time."""
        self._new_rows()
        self.say(sentence)

    def say(self, sentence: str) -> None:
        self.blocks.append(f"     -- {sentence}")

    def keep_shares(self, order: Order) -> None:
        self.shares = _by_payee(HoldShare.objects.filter(hold__order=order))

    def _new_rows(self) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(_POSTINGS, [self.seen])
            rows = cursor.fetchall()
        self.seen = max((row[0] for row in rows), default=self.seen)
        return rows

    def close(self, order: Order) -> dict[str, Row]:
        """Append the closing table. Returns: its rows."""
        rows = read_rows(order, self.shares)
        lines = ["     " + f"{'':<12}" + "".join(f"{each:>11}" for each in COLUMNS)]
        for payee, row in rows.items():
            now = row.given - row.owed
            cells = (row.share, row.given, row.left, now, row.owed, row.paid_later)
            lines.append("     " + f"{payee:<12}" + "".join(f"{money(each):>11}" for each in cells))
        lines.append(
            "     " + f"{'buyer':<12}{money(order.amount_minor):>11}{money(got(order)):>11}"
        )
        lines += [f"     paid out to the {name}: {money(n)}" for name, n in paid_out().items()]
        self.blocks.append("\n".join(lines))
        return rows


def read_rows(order: Order, shares: Counter[str]) -> dict[str, Row]:
    given = _by_payee(RefundShare.objects.filter(refund__hold__order=order))
    owed = _by_payee(Debt.objects.filter(refund__hold__order=order))
    steps = DebtStep.objects.filter(debt__refund__hold__order=order)
    later = Counter[str]()
    for payee, amount in steps.values_list("debt__payee", "amount_minor"):
        later[NAMES[payee]] += amount
    return {
        name: Row(shares[name], given[name], owed[name], later[name]) for name in NAMES.values()
    }


def _by_payee(rows: Any) -> Counter[str]:
    found = Counter[str]()
    for payee, amount in rows.values_list("payee", "amount_minor"):
        found[NAMES[payee]] += amount
    return found


def got(order: Order) -> int:
    """What the buyer got back, in minor units."""
    done = Refund.objects.filter(hold__order=order, state="SUCCEEDED")
    return done.aggregate(total=Sum("amount_minor"))["total"] or 0


def paid_out() -> dict[str, int]:
    """What seller and platform were paid in all, other sales included."""
    found = {"seller": 0, "platform": 0}
    for payout in Payout.objects.filter(state=PayoutState.PAID):
        found["seller" if payout.merchant_id else "platform"] += payout.amount_minor
    return found


def left_by_the_books(order: Order) -> dict[str, int]:
    """What each account has of this order, by the entries about it alone: credits less debits."""
    names, found = _names(), Counter[str]()
    with connection.cursor() as cursor:
        cursor.execute(_POSTINGS, [0])
        for _id, _at, _kind, subject, _currency, address, amount in cursor.fetchall():
            if subject == order.id:
                found[_named(address, names).split(" ")[0]] -= amount
    return dict(found)


def money(amount_minor: int) -> str:
    sign = "-" if amount_minor < 0 else ""
    return sign + "{}.{:02}".format(*divmod(abs(amount_minor), 100))


def _names() -> dict[str, str]:
    names = {Merchant.objects.get().id: "seller", Platform.objects.get().id: "platform"}
    names |= {party.id: "courier" for party in Party.objects.all()}
    for payout in Payout.objects.all():
        names[payout.id] = f"to the {'seller' if payout.merchant_id else 'platform'}"
    return names


def _named(address: str, names: dict[str, str]) -> str:
    """`merchant:mch_1:payable` reads `seller payable`."""
    words = address.split(":")
    if len(words) == 3 and words[1] in names:
        return f"{names[words[1]]} {words[2]}"
    return " ".join(words).replace("_", " ")
