"""Who must have what, computed anew: the oracle of the random lives.

It knows the rules of docs/money.md and nothing of the code, has arithmetic of its own, and must
never ask our database what it is about to check. Amounts are minor units of one currency; the books
are signed, debits positive.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import prod
from typing import Any

from tests.lives.complaints import Complaint
from tests.lives.rates import Rate, part_of

RESERVE, RECEIVABLE = "reserve:sandbox-bank", "channel:sandbox:receivable"
OWED_BACK, UNDERWAY = "refund:sandbox:in_transit", "payout:sandbox-bank:in_transit"
HELD, FEE, TOPUP, LOSS, CHANNEL_FEE = (
    "held", "fee:service", "own:topup", "loss:writeoff", "fee:channel:sandbox",
)  # fmt: skip
SERVICE_FEE_BPS = 60
SHIP_WITHIN, CONFIRM_WITHIN = timedelta(hours=72), timedelta(days=10)
ASK_AFTER = TERM_TO_PAY = timedelta(days=14)  # of a debtor, and how long it then has


class Refused(Exception):
    """What is asked for must be refused, with this code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Freeze:
    """Of an order or a seller, in force. `proposed`: one person would let it go."""

    id: str
    proposed: bool = False


@dataclass
class Sale:
    """One order. `cuts` are what seller, platform and our fee get of all of it, in this order."""

    id: str
    seller: str  # account of what the seller is owed
    amount: int
    cuts: dict[str, int]
    gives: dict[str, int]  # what each gives when all goes back
    payment: str = ""
    guarantee_days: int | None = None  # after which the platform pays for the seller
    state: str = "PAID"
    back: int = 0  # refunded or charged back
    received: Counter[str] = field(default_factory=Counter)  # of the release, less what it gave
    ship_by: datetime | None = None
    confirm_by: datetime | None = None
    confirmed_at: datetime | None = None
    complaint: Complaint | None = None
    complaints: int = 0
    freezes: dict[str, Freeze] = field(default_factory=dict)  # by reason
    paused_at: datetime | None = None  # since when the term to confirm stands still
    decided: bool = False
    _turns: list[str] = field(default_factory=list)

    @property
    def left(self) -> int:
        return self.amount - self.back

    @property
    def frozen(self) -> bool:
        """Whether its money is held and may not move."""
        held = self.state in ("PAID", "SHIPPED")
        return held and (self.complaint is not None or bool(self.freezes))

    def turn_clock(self, *, at: datetime) -> None:
        """The term to confirm stands still as long as the money is frozen for whatever reason."""
        if self.state != "SHIPPED" or self.frozen == (self.paused_at is not None):
            return
        if self.paused_at is None:
            self.paused_at = at
        else:
            assert self.confirm_by is not None
            self.confirm_by, self.paused_at = self.confirm_by + (at - self.paused_at), None

    def given(self, back: int) -> Counter[str]:
        """Who gives how much of what has gone back in all: units in the order of their quotients
        (2k - 1) / 2w, w being what a payee gives in all; earlier payees first on a tie."""
        if back and not self._turns:
            heavy = [(who, weight) for who, weight in self.gives.items() if weight]
            whole = prod(weight for _who, weight in heavy)  # makes whole numbers of the quotients
            turns = sorted(
                ((2 * k - 1) * (whole // weight), place)
                for place, (_who, weight) in enumerate(heavy)
                for k in range(1, weight + 1)
            )
            self._turns = [heavy[place][0] for _quotient, place in turns]
        return Counter(self._turns[:back])

    def shares(self) -> dict[str, int]:
        """Who gets what of the money still held: our fee first, then commission; the rest is the
        seller's."""
        given, left = self.given(self.back), self.left
        kept: dict[str, int] = {}
        for who in reversed(list(self.cuts)[1:]):
            kept[who] = min(self.cuts[who] - given[who], left)
            left -= kept[who]
        return {self.seller: left, **kept}


@dataclass
class Owing:
    """What a payee still owes of a refund."""

    address: str
    amount: int
    guaranteed_at: datetime | None
    ask_at: datetime | None  # when the seller is asked first, which the guarantee waits for


class Oracle:
    """The books by account, the orders by id, and what the next statement of each payee says."""

    def __init__(self, *, platform: str) -> None:
        self.commission = f"platform:{platform}:commission"
        self.books: Counter[str] = Counter()
        self.sales: dict[str, Sale] = {}
        self.rate = Rate()
        self.guarantee_days: int | None = None
        self.statement: Counter[str] = Counter()
        self.waiting: set[str] = set()  # payees with sales that are on no statement yet
        self.owings: list[Owing] = []
        self.payouts: dict[str, dict[str, Any]] = {}
        self.frozen: defaultdict[str, dict[str, Freeze]] = defaultdict(dict)  # by seller, reason
        self.brought, self.taken = 0, 0  # into and out of the system, by anybody

    def post(self, debit: str, credit: str, amount: int) -> None:
        self.books[debit] += amount
        self.books[credit] -= amount

    def owed_to(self, address: str) -> int:
        return -self.books[address]

    # A sale

    def buy(
        self, order_id: str, *, seller: str, goods: int, shipping: int, payment: str, at: datetime
    ) -> None:
        amount, rate = goods + shipping, self.rate
        fee = min(part_of(amount, SERVICE_FEE_BPS), amount)
        commission = min(max(part_of(goods, rate.bps), rate.floor), rate.cap, amount - fee)
        returned = {
            self.commission: part_of(commission, rate.commission_returned),
            FEE: rate.fee_given(amount, fee),
        }
        self.sales[order_id] = Sale(
            order_id,
            seller,
            amount,
            cuts={seller: amount - fee - commission, self.commission: commission, FEE: fee},
            gives={seller: amount - sum(returned.values()), **returned},
            payment=payment,
            guarantee_days=self.guarantee_days,
            ship_by=at + SHIP_WITHIN,
        )
        self.post(RECEIVABLE, HELD, amount)
        self.brought += amount

    def ship(self, sale: Sale, *, at: datetime) -> None:
        self.require(sale, "PAID")
        assert sale.ship_by is not None
        if at > sale.ship_by:  # and it is frozen, or it had been canceled
            raise Refused("shipping_deadline_passed")
        sale.state, sale.confirm_by = "SHIPPED", at + CONFIRM_WITHIN
        sale.turn_clock(at=at)

    def confirm(self, sale: Sale, *, at: datetime) -> None:
        self.require(sale, "SHIPPED")
        if sale.frozen:
            raise Refused("hold_frozen")
        self.release(sale, at=at)

    def release(self, sale: Sale, *, at: datetime) -> None:
        for who, amount in sale.shares().items():
            self.post(HELD, who, amount)
            sale.received[who] += amount
            if who != FEE and amount:
                self.statement[who] += amount
                self.waiting.add(who)
        sale.state, sale.confirmed_at = "CONFIRMED", at

    def cancel(self, sale: Sale) -> None:
        self.require(sale, "PAID")
        if sale.frozen:
            raise Refused("hold_frozen")
        self.give_back(sale, sale.left)

    # Refunds

    def refund(self, sale: Sale, amount: int | None, *, at: datetime) -> None:
        self.require(sale, "PAID", "SHIPPED", "CONFIRMED")
        if sale.complaint is not None or sale.frozen:
            raise Refused("hold_frozen")
        wanted = sale.left if amount is None else amount
        if wanted <= 0:
            raise Refused("refund_invalid")
        if wanted > sale.left:
            raise Refused("refund_too_large")
        if sale.state == "CONFIRMED":
            self.take_back(sale, wanted, at=at)
        else:
            self.give_back(sale, wanted)

    def give_back(self, sale: Sale, amount: int, *, to: str = OWED_BACK) -> None:
        """Held money goes back to the buyer, through us or taken by the channel."""
        self.post(HELD, to, amount)
        sale.back += amount
        if not sale.left:
            sale.state = "CANCELED"

    def take_back(self, sale: Sale, amount: int, *, at: datetime, to: str = OWED_BACK) -> None:
        """Released money goes back: each gives its part, and owes what it does not have.

        Raises: Refused when own funds do not stand in for what is owed, unless it is gone already.
        """
        parts = self._parts(sale, amount)
        there = {who: part if who == FEE else self.owed_to(who) for who, part in parts.items()}
        now = {who: min(part, there[who]) for who, part in parts.items()}
        owing = {who: part - now[who] for who, part in parts.items() if part > now[who]}
        free = max(0, self.own_funds() - now.get(FEE, 0))
        if to == OWED_BACK and sum(owing.values()) > free:
            raise Refused("refund_not_covered")
        for who, part in now.items():
            self.post(who, HELD, part)
            if who != FEE:
                self.statement[who] -= part
        for who, part in owing.items():
            self.post(_receivable(who), HELD, part)
            sure = who == sale.seller and sale.guarantee_days is not None
            begins = at + max(timedelta(days=sale.guarantee_days or 0), TERM_TO_PAY)
            asked_at = min(at + ASK_AFTER, begins - TERM_TO_PAY)
            self.owings.append(Owing(who, part, *((begins, asked_at) if sure else (None, None))))
        sale.received.subtract(parts)
        self.post(HELD, to, amount)
        sale.back += amount

    def _parts(self, sale: Sale, amount: int) -> dict[str, int]:
        before, after = sale.given(sale.back), sale.given(sale.back + amount)
        others = {
            who: min(after[who] - before[who], sale.received[who]) for who in list(sale.cuts)[1:]
        }
        return {sale.seller: amount - sum(others.values()), **others}

    def own_funds(self) -> int:
        """Fees and top-ups, less channel fees and losses, less what is owed to us."""
        receivables = sum(
            amount for who, amount in self.books.items() if who in self._owed_accounts()
        )
        ours = sum(self.books[who] for who in (FEE, TOPUP, CHANNEL_FEE, LOSS))
        return -ours - receivables

    def _owed_accounts(self) -> set[str]:
        return {_receivable(owing.address) for owing in self.owings}

    def refunded(self, amount: int) -> None:
        """The channel has paid the buyer back."""
        self.post(OWED_BACK, RECEIVABLE, amount)
        self.taken += amount

    # Money that comes and goes

    def remit(self, gross: int, fee: int) -> None:
        self.post(RESERVE, RECEIVABLE, gross - fee)
        self.post(CHANNEL_FEE, RECEIVABLE, fee)
        self.taken += fee

    def top_up(self, amount: int) -> None:
        self.post(RESERVE, TOPUP, amount)
        self.brought += amount

    def charge_back(self, parts: dict[str, int], *, at: datetime) -> None:
        """The channel has taken money of a payment back: so much of each order, held or released,
        frozen or not. Raises: Refused when it never had so much."""
        sales = [(self.sales[order_id], part) for order_id, part in parts.items()]
        if any(part > sale.left for sale, part in sales):
            raise Refused("chargeback_mismatch")
        for sale, part in sales:
            if sale.complaint is not None:
                self.close(sale, at=at)
            if sale.state == "CONFIRMED":
                self.take_back(sale, part, at=at, to=RECEIVABLE)
            else:
                self.give_back(sale, part, to=RECEIVABLE)
            self.taken += part

    def close(self, sale: Sale, *, at: datetime) -> None:
        """A complaint is over: the term to confirm goes on where it stopped."""
        sale.complaint = None
        sale.turn_clock(at=at)

    # Debts

    def of(self, address: str) -> list[Owing]:
        return [owing for owing in self.owings if owing.address == address and owing.amount]

    def repay(self, owing: Owing, amount: int) -> None:
        owing.amount -= amount
        self.post(RESERVE, _receivable(owing.address), amount)
        self.brought += amount

    def write_off(self, owing: Owing) -> None:
        self.post(LOSS, _receivable(owing.address), owing.amount)
        owing.amount = 0

    def guarantee(self, *, at: datetime) -> None:
        """The platform's commission pays what it guarantees, as far as it reaches, once the seller
        was asked and had its term."""
        for owing in self.owings:
            if owing.amount and owing.guaranteed_at and owing.ask_at and owing.ask_at < at:
                owing.ask_at = None
                owing.guaranteed_at = max(owing.guaranteed_at, at + TERM_TO_PAY)
        due = [owing for owing in self.owings if owing.amount and owing.guaranteed_at]
        for owing in sorted(due, key=lambda owing: owing.guaranteed_at or at):
            if owing.guaranteed_at is None or owing.guaranteed_at >= at:
                continue
            part = min(self.owed_to(self.commission), owing.amount)
            if part < owing.amount:
                owing.guaranteed_at = at + timedelta(hours=1)
            self._settle(owing, part, paid_by=self.commission)

    def _settle(self, owing: Owing, part: int, *, paid_by: str) -> None:
        owing.amount -= part
        self.post(paid_by, _receivable(owing.address), part)
        self.statement[paid_by] -= part

    # Payouts

    def cut(self, address: str) -> int:
        """Returns: what must be paid out now, 0 for nothing."""
        if address not in self.waiting or self.frozen[address]:
            return 0
        left = self.statement[address]
        for owing in self.of(address):
            part = max(0, min(left, owing.amount))
            left -= part
            self._settle(owing, part, paid_by=address)
        if left < 1:
            return 0
        self.waiting.discard(address)
        self.statement[address] = 0
        self.post(address, UNDERWAY, left)
        return left

    def add_payout(self, payout_id: str, *, address: str, amount: int) -> None:
        self.payouts[payout_id] = {"state": "OPEN", "address": address, "amount": amount}

    def require_sendable(self, payout_id: str) -> None:
        """The bank has heard of a payout only now. Raises: Refused when it must not have."""
        if self.frozen[self.payouts[payout_id]["address"]]:
            raise Refused("payout_frozen")

    def word_of_payout(self, payout_id: str, status: str) -> None:
        """The bank says what became of a payout. Saying it again changes nothing."""
        payout = self.payouts[payout_id]
        if payout["state"] == "OPEN" and status in ("SUCCEEDED", "RETURNED"):
            self.post(UNDERWAY, RESERVE, payout["amount"])
            payout["state"] = "PAID"
            self.taken += payout["amount"]
        if payout["state"] == "OPEN" and status == "FAILED":
            self.post(UNDERWAY, payout["address"], payout["amount"])
            payout["state"] = "FAILED"
        if payout["state"] == "PAID" and status == "RETURNED":
            self.post(RESERVE, payout["address"], payout["amount"])
            payout["state"] = "RETURNED"
            self.taken -= payout["amount"]

    def replace(self, payout_id: str) -> None:
        """A payout that came to nothing is cut again. Raises: Refused."""
        payout = self.payouts[payout_id]
        if payout["state"] not in ("FAILED", "RETURNED") or payout.get("replaced"):
            raise Refused("payout_not_replaceable")
        if self.frozen[payout["address"]]:
            raise Refused("payout_frozen")
        if self.owed_to(payout["address"]) < payout["amount"]:
            raise Refused("insufficient_balance")
        payout["replaced"] = True
        self.post(payout["address"], UNDERWAY, payout["amount"])

    @staticmethod
    def require(sale: Sale, *states: str) -> None:
        if sale.state not in states:
            raise Refused("order_state_conflict")


def _receivable(address: str) -> str:
    return address.rsplit(":", 1)[0] + ":receivable"
