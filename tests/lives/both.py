"""Both sides of a random life: each step is done here and by the oracle, which says how it must
end, and then the books are compared.

Persons and the channel are played by services; the bank is the sandbox, in whose own book is read
what became of payouts. It must never reach around a service to make a state.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from channels.contract import Status
from common.errors import DomainError
from demo import clockwork
from demo.local_sandbox import RAIL
from escrow.models import Debt, Dispute, Freeze, Hold, Refund, RefundState
from escrow.services import refund as refunds
from escrow.services import remittance as escrow_remittance
from merchants.models import CommissionPlan, CommissionRule, User
from orders.models import Order
from payouts import sweeps as payouts
from payouts.models import Payout, PayoutSchedule
from payouts.services import cutoff
from tests import ground
from tests import world as worlds
from tests.flows.dues import due_sweeps
from tests.lives import disputes
from tests.lives.oracle import HELD, OWED_BACK, RECEIVABLE, RESERVE, UNDERWAY, Oracle, Refused, Sale

US = timedelta(microseconds=1)
ACCOUNTS = (worlds.PAYS, worlds.PAYS, worlds.FAILS, worlds.RETURNS)
OF_SALES = (
    "escrow.cancel_due_shipments",
    "escrow.release_due_confirmations",
    "escrow.lapse_due_disputes",
    "escrow.request_due_debits",
    "escrow.guarantee_due_debts",
)
BALANCES = """
    SELECT a.address, sum(p.amount_minor)::bigint
    FROM ledger_posting AS p JOIN ledger_account AS a ON a.id = p.account_id
    GROUP BY 1 HAVING sum(p.amount_minor) <> 0
"""


class Both:
    """Our side (`world`) and the oracle's, and which order is whose life."""

    def __init__(self, world: worlds.World) -> None:
        self.world = world
        for number in ACCOUNTS[1:]:
            world.add_merchant(account_number=number)
        self.oracle = Oracle(platform=world.platform.id)
        self.orders: dict[int, str] = {}
        self.operators: list[User] = [ground.operator(name) for name in ("first", "second")]
        self.plan: CommissionPlan = CommissionPlan.objects.get()
        self.rule_id: str = CommissionRule.objects.get().pk
        self.schedules = {each.address: each.pk for each in PayoutSchedule.objects.all()}
        self.count = 0
        self.verb = ""
        self.happened: Counter[str] = Counter()

    @property
    def now(self) -> datetime:
        return self.world.now

    def sale(self, life: int) -> Sale:
        return self.oracle.sales[self.orders[life]]

    def number(self) -> int:
        self.count += 1
        return self.count

    def note(self, what: str = "") -> None:
        """Count that the present action, or what is named, has really happened."""
        self.happened[what or self.verb] += 1

    def attempt(self, predict: Callable[[], Any], act: Callable[[], Any]) -> Any:
        """Do it on both sides; be refused with exactly the code the oracle says, or not at all."""
        wanted = ""
        try:
            predict()
        except Refused as refused:
            wanted = refused.code
        refused, done = "", None
        try:
            done = act()
        except DomainError as refusal:
            refused = refusal.code
        assert refused == wanted, f"refused with {refused!r}, the oracle says {wanted!r}"
        self.note(f"{self.verb}: {wanted}" if wanted else self.verb)
        return done

    # Time

    def pass_time(self, span: timedelta) -> None:
        """Let the clock run, stopping wherever a deadline of an order or a complaint passes."""
        end = self.now + span
        while (due := self.next_due()) is not None and due <= end:
            self.world.sandbox.clock.move_to(due)
            self._sweep()
        self.world.sandbox.clock.move_to(end)

    def next_due(self) -> datetime | None:
        dues = (due_of(sale) for sale in self.oracle.sales.values())
        return min((due for due in dues if due is not None), default=None)

    def _sweep(self) -> None:
        at = self.now
        for name in due_sweeps(at=at):
            if name in OF_SALES:
                clockwork.SWEEPS[name](at=at)
        for sale in list(self.oracle.sales.values()):
            due = due_of(sale)
            if due is None or due > at:
                continue
            if sale.complaint is not None:
                disputes.lapse(self.oracle, sale, at=at)
            elif sale.state == "PAID":
                self.oracle.cancel(sale)
            else:
                self.oracle.release(sale, at=at)
        self.oracle.guarantee(at=at)

    # Channel and bank

    def channel_answers(self, *, lost: bool = False) -> None:
        """The channel pays the buyers back; `lost`: or its answers get lost on the way."""
        owed = Refund.objects.exclude(state=RefundState.SUCCEEDED).order_by("created_at", "id")
        for refund in owed:
            status = Status.UNKNOWN if lost else Status.SUCCEEDED
            amount = 0 if lost else refund.amount_minor
            refunds.record_refund_answer(
                refund_id=refund.id,
                answer=worlds.answer(status, reference=refund.id, amount_minor=amount),
                at=self.now,
            )
            self.note()
            if not lost:
                self.oracle.refunded(refund.amount_minor)

    def cut(self, address: str) -> None:
        """The payee's cutoff; an instant one comes again after a minute at the earliest."""
        self.pass_time(timedelta(seconds=61))
        wanted = self.oracle.cut(address)
        made = cutoff.cut_settlements(schedule_id=self.schedules[address], at=self.now)
        assert [payout.amount_minor for payout in made] == ([wanted] if wanted else [])
        for payout in made:
            self.note()
            self.oracle.add_payout(payout.id, address=address, amount=wanted)

    def bank_works(self) -> None:
        """Payouts are sent, as far as the reserve covers them, and end as their accounts say."""
        self.pass_time(timedelta(seconds=61))
        known = {row["reference"] for row in self._payouts_at_the_bank()}
        payouts.send_due_payouts(at=self.now)
        for _ in range(2):
            self.world.sandbox.bank.tick(self.now)
        for row in self._payouts_at_the_bank():
            if row["reference"] not in known:
                self.oracle.require_sendable(row["reference"])
                self.note()
            self.oracle.word_of_payout(row["reference"], row["status"])

    def _payouts_at_the_bank(self) -> list[Any]:
        return self.world.sandbox.bank.book.rows("SELECT reference, status FROM payouts")

    def deposit(self, amount_minor: int) -> str:
        """Money reaches the reserve. Returns: the bank's number of it."""
        reference = f"deposit-{self.number()}"
        self.world.sandbox.bank.deposit(
            reference=reference, amount_minor=amount_minor, currency="CNY"
        )
        return reference

    # Comparing

    def compare_books(self) -> None:
        """Every balance is what the oracle says."""
        with connection.cursor() as cursor:
            cursor.execute(BALANCES)
            ours = dict(cursor.fetchall())
        wanted = {who: amount for who, amount in self.oracle.books.items() if amount}
        wrong = {
            who: (ours.get(who, 0), wanted.get(who, 0))
            for who in ours.keys() | wanted.keys()
            if ours.get(who, 0) != wanted.get(who, 0)
        }
        assert not wrong, f"account: (ours, the oracle's): {wrong}"

    def compare(self) -> None:
        """Every balance, row and audit."""
        self.compare_books()
        sales = self.oracle.sales
        assert {row[0]: row[1:] for row in Order.objects.values_list("id", "state")} == {
            id: (sale.state,) for id, sale in sales.items()
        }
        clocks = Order.objects.filter(state="SHIPPED").values_list("id", "confirm_by", "paused_at")
        for id, *clock in clocks:
            sale = sales[id]
            late = sale.frozen and clock[1] is None  # shipped while frozen: stopped at the lift
            wanted = (sale.confirm_by, None if late else sale.paused_at)
            assert _left(*clock) == _left(*wanted), f"term (ours, the oracle's): {clock}, {wanted}"
        here, there = self._frozen_here(), self._frozen_there()
        assert here == there, f"freezes (ours, the oracle's): {here}, {there}"
        held = Hold.objects.values_list("order_id", "refunded_minor", "released_minor")
        assert {row[0]: row[1:] for row in held} == {
            id: (sale.back, sale.left if sale.state == "CONFIRMED" else 0)
            for id, sale in sales.items()
        }
        running = Dispute.objects.exclude(state__in=["RESOLVED", "WITHDRAWN"])
        facts = ("id", "state", "waits_for", "due_at", "parked_minor")
        assert {row[0]: row[1:] for row in running.values_list(*facts)} == {
            each.id: (each.state, each.waits, each.due, each.parked)
            for sale in sales.values()
            if (each := sale.complaint) is not None
        }
        owed = Debt.objects.filter(state="OPEN")
        assert sorted(debt.open_minor for debt in owed) == sorted(
            owing.amount for owing in self.oracle.owings if owing.amount
        )
        assert worlds.audit() == []

    def _frozen_here(self) -> dict[str, tuple[str | None, bool]]:
        rows = Freeze.objects.exclude(state="LIFTED")
        return {
            row.pk: (row.order_id or f"merchant:{row.merchant_id}:payable", row.state == "PROPOSED")
            for row in rows
        }

    def _frozen_there(self) -> dict[str, tuple[str | None, bool]]:
        orders = {id: sale.freezes for id, sale in self.oracle.sales.items()}
        return {
            freeze.id: (whom, freeze.proposed)
            for whom, freezes in (orders | self.oracle.frozen).items()
            for freeze in freezes.values()
        }

    def come_to_rest(self) -> None:
        """Let everything that was begun end: then nothing is underway, and what came in is what
        went out and what is still there."""
        self.compare()
        self.pass_time(timedelta(seconds=1))
        self.top_up(10_000_000)
        while (due := self.next_due()) is not None:
            self.pass_time(due - self.now)
        self.channel_answers()
        for address in self.schedules:
            self.cut(address)
        self.bank_works()
        self.compare()
        books = self.oracle.books
        assert {who: books[who] for who in (HELD, OWED_BACK, UNDERWAY) if books[who]} == {}
        assert sum(books.values()) == 0
        there = books[RESERVE] + books[RECEIVABLE]
        assert there == self.oracle.brought - self.oracle.taken
        assert self.world.sandbox.bank.totals()["CNY"]["balance"] == books[RESERVE]
        assert set(self.world.sandbox.bank.executions().values()) <= {0, 1}
        ends = dict(Payout.objects.values_list("id", "state"))
        assert ends == {id: payout["state"] for id, payout in self.oracle.payouts.items()}

    def top_up(self, amount_minor: int) -> None:
        """The operator puts own money into the reserve."""
        escrow_remittance.record_topup(
            custodian=RAIL,
            bank_reference=self.deposit(amount_minor),
            amount_minor=amount_minor,
            currency="CNY",
            at=self.now,
        )
        self.oracle.top_up(amount_minor)


def _left(confirm_by: datetime | None, paused_at: datetime | None) -> datetime | timedelta | None:
    """The end of a term, or what is left of one that stands still."""
    return confirm_by - paused_at if confirm_by and paused_at else confirm_by


def due_of(sale: Sale) -> datetime | None:
    """When something happens to an order by itself."""
    if sale.complaint is not None:
        return sale.complaint.due + US if sale.complaint.due else None
    if sale.frozen:
        return None
    if sale.state == "PAID" and sale.ship_by is not None:
        return sale.ship_by + US
    return sale.confirm_by if sale.state == "SHIPPED" else None
