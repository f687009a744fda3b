"""The books of a market as plain text, as an accounting textbook prints them; ids are replaced by
names.

It must never leave a posting out: what is not printed is not compared.
"""

from collections import defaultdict
from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from escrow.models import (
    BankRefund,
    DebitRequest,
    Debt,
    Dispute,
    Hold,
    Refund,
    Release,
    Remittance,
    ReserveSlice,
    Surplus,
)
from merchants.models import Merchant, Party, Platform
from orders.models import Order, Payment
from payouts.models import Payout

_POSTINGS = """
    SELECT e.id, e.event_at, e.kind, e.reference, e.subject, e.reverses_id, a.address,
        e.currency, p.amount_minor
    FROM ledger_journalentry AS e JOIN ledger_posting AS p ON p.entry_id = e.id
    JOIN ledger_account AS a ON a.id = p.account_id ORDER BY e.id, p.leg
"""
TITLES = {
    "capture": "Captured",
    "surplus": "Received without need",
    "remittance": "Remitted to the reserve",
    "release": "Released",
    "refund-asked": "Refund asked",
    "surplus-refund-asked": "Refund asked",
    "refund-done": "Refunded",
    "refund-rerouted": "Refund sent by bank",
    "refund-paid": "Refunded by bank",
    "chargeback": "Charged back",
    "clawback": "Taken back",
    "clawback-debt": "Owed",
    "clawback-reserve": "Taken of the rolling reserve",
    "reserve-freed": "Freed of the rolling reserve",
    "debt-netted": "Paid by later sales",
    "debt-repaid": "Paid into the reserve",
    "debt-guaranteed": "Paid by the platform",
    "payout-sent": "Payout cut",
    "payout-paid": "Paid out",
    "topup": "Topped up",
}
WIDTH = 44


@dataclass
class Entry:
    """`what` names the fact; `legs` are accounts and signed minor units, debits positive."""

    at: datetime
    what: str
    currency: str
    legs: list[tuple[str, int]]

    def text(self) -> str:
        debits_first = sorted(self.legs, key=lambda leg: leg[1] < 0)
        return "\n".join([self.what, *(_leg(account, amount) for account, amount in debits_first)])


@dataclass
class Journal:
    """Everything a flow has left behind. `leave_out`: payouts and bank refunds that two persons
    gave up, as if they never were.
    """

    entries: list[Entry]
    balances: list[str]
    states: list[str]

    def text(self, title: str) -> str:
        """The golden form: entries in the order in which they were posted."""
        blocks = [f"{title}\n\nAmounts in CNY. Dr = debit, Cr = credit."]
        for number, entry in enumerate(self.entries, start=1):
            blocks.append(f"{number:>3}  {entry.at:%Y-%m-%d %H:%M:%S}  {entry.text()}")
        blocks.append("\n".join(["Balances", *self.balances]))
        blocks.append("\n".join(["States", *self.states]))
        return "\n\n".join(blocks) + "\n"

    def outcome(self) -> tuple[list[str], list[str], list[str]]:
        """What must be the same whenever and in whatever order it happened."""
        return sorted(entry.text() for entry in self.entries), self.balances, self.states


def read_journal(*, leave_out: Set[str] = frozenset()) -> Journal:
    names = _names(leave_out)
    entries: dict[int, Entry] = {}
    totals: dict[str, int] = defaultdict(int)
    with connection.cursor() as cursor:
        cursor.execute(_POSTINGS)
        rows = cursor.fetchall()
    for entry_id, at, kind, reference, subject, reverses_id, address, currency, amount in rows:
        if not leave_out.isdisjoint([subject, *reference.split(":")]):
            continue
        account = _named(address, names)
        of = f"{names[reference.split(':')[1]]} for " if kind == "capture" else ""
        what = f"{'Reversal: ' if reverses_id else ''}{TITLES[kind]}: {of}{_named(subject, names)}"
        entry = entries.setdefault(entry_id, Entry(at, what, currency, []))
        entry.legs.append((account, amount))
        totals[account] += amount
    balances = [_leg(account, amount) for account, amount in sorted(totals.items())]
    return Journal(list(entries.values()), balances, _states(names, leave_out))


def _leg(account: str, amount: int) -> str:
    if amount < 0:
        return f"     {f'Cr    {account}':<{WIDTH}}{'':>10}{_money(-amount):>11}"
    side = "Dr" if amount else "  "
    return f"     {f'{side}  {account}':<{WIDTH}}{_money(amount):>10}"


def _names(leave_out: Set[str]) -> dict[str, str]:
    """A readable name for everything that has an id, the same in every run of a flow."""
    names = {platform.id: "platform" for platform in Platform.objects.all()}
    names |= {m.id: m.reference.replace("-", " ") for m in Merchant.objects.all()}
    names |= {party.id: party.reference for party in Party.objects.all()}
    names |= {order.id: f"order {order.reference}" for order in Order.objects.all()}
    for number, payment in enumerate(Payment.objects.order_by("created_at", "id"), start=1):
        names[payment.id] = f"payment {number}"
    for surplus in Surplus.objects.order_by("received_at", "id"):
        names[surplus.id] = f"surplus of {names[surplus.payment_id]} for {names[surplus.order_id]}"
    for number, remittance in enumerate(Remittance.objects.order_by("remitted_at", "id"), start=1):
        names[f"{remittance.channel}:{remittance.provider_reference}"] = f"remittance {number}"
    for debt in Debt.objects.select_related("refund__hold"):
        payee = names[debt.merchant_id or debt.platform_id]
        names[debt.id] = f"debt of {payee} for {names[_order_of(debt)]}"
    for kept in ReserveSlice.objects.select_related("release__hold"):
        names[kept.id] = f"reserve of {names[kept.release.hold.order_id]}"
    count: dict[str, int] = defaultdict(int)
    for payout in Payout.objects.exclude(id__in=leave_out).order_by("created_at", "id"):
        payee = names[payout.merchant_id or payout.party_id or payout.platform_id]
        count[payee] += 1
        names[payout.id] = f"payout {count[payee]} to {payee}"
    return names


def _named(text: str, names: dict[str, str]) -> str:
    if text in names:
        return names[text]
    return ":".join(names.get(part, part) for part in text.split(":"))


def _states(names: dict[str, str], leave_out: Set[str]) -> list[str]:
    lines = [(names[o.id], o.state, o.confirmed_by or o.cancel_reason) for o in Order.objects.all()]
    lines += [(names[p.id], p.state, p.failure_code) for p in Payment.objects.all()]
    lines += [(f"hold of {names[h.order_id]}", h.state, "") for h in Hold.objects.all()]
    lines += [
        (f"release of {names[r.hold.order_id]}", _money(r.amount_minor), "") for r in _releases()
    ]
    for refund in Refund.objects.all():
        of = names[refund.hold.order_id if refund.hold else str(refund.surplus_id)]
        lines.append((f"refund of {of}", refund.state, _money(refund.amount_minor)))
    lines += [(names[d.id], d.state, _money(d.amount_minor)) for d in Debt.objects.all()]
    lines += [_dispute(dispute, names) for dispute in Dispute.objects.all()]
    lines += [_by_bank(found, names) for found in BankRefund.objects.exclude(id__in=leave_out)]
    lines += [
        (f"request of {names[r.debt_id]}", r.state, _money(r.amount_minor))
        for r in DebitRequest.objects.all()
    ]
    for kept in ReserveSlice.objects.all():
        facts = f"{_money(kept.amount_minor)}, {_money(kept.taken_minor)} taken"
        lines.append((names[kept.id], kept.state, facts))
    for payout in Payout.objects.exclude(id__in=leave_out):
        told = [_money(payout.amount_minor), f"to ...{payout.last_four}", payout.failure_code]
        if _origin(payout, leave_out).needs_approval:
            told.append(
                f"approved by {payout.approved_by.username if payout.approved_by else 'nobody'}"
            )
        lines.append((names[payout.id], payout.state, ", ".join(filter(None, told))))
    return [
        f"     {name:<{WIDTH}}{state:<10} {more}".rstrip() for name, state, more in sorted(lines)
    ]


def _order_of(debt: Debt) -> str:
    assert debt.refund.hold is not None
    return debt.refund.hold.order_id


def _dispute(dispute: Dispute, names: dict[str, str]) -> tuple[str, str, str]:
    steps = ", ".join(dispute.steps.order_by("position").values_list("kind", flat=True))
    money = _money(dispute.resolved_minor or 0)
    return f"{dispute.kind.lower()} of {names[dispute.order_id]}", dispute.state, f"{money} {steps}"


def _by_bank(found: BankRefund, names: dict[str, str]) -> tuple[str, str, str]:
    of = found.refund.hold.order_id if found.refund.hold else str(found.refund.surplus_id)
    approver = found.approved_by.username if found.approved_by else "nobody"
    facts = [_money(found.amount_minor), f"to ...{found.last_four}", found.failure_code]
    facts.append(f"approved by {approver}")
    return f"bank refund of {names[of]}", found.state, ", ".join(filter(None, facts))


def _origin(payout: Payout, leave_out: Set[str]) -> Payout:
    """The payout this one stands for: the first of those left out right before it."""
    earlier = list(
        payout.settlement.payouts.filter(created_at__lte=payout.created_at).order_by(
            "-created_at", "-id"
        )
    )
    for before in earlier[earlier.index(payout) + 1 :]:
        if before.id not in leave_out:
            break
        payout = before
    return payout


def _releases() -> Iterable[Release]:
    return Release.objects.select_related("hold")


def _money(amount_minor: int) -> str:
    return "{}.{:02}".format(*divmod(amount_minor, 100))
