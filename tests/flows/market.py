"""A world that can be left and entered again: what every person of a flow does, each looking at
the state first.

Nothing a flow needs is kept in memory, so that a crashed flow goes on in another process from
where the database is. It must never decide about money: persons press buttons, and the buttons are
our services.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Manager

from demo import clockwork
from demo.local_sandbox import CHANNEL, RAIL, LocalSandbox
from escrow.models import BankOutcome, BankRefund, BankRefundState, RefundState, Remittance
from escrow.services import bank_refunds as refund_routes
from ledger import entries
from ledger import selectors as books
from ledger import services as ledger
from merchants import services as merchants
from merchants.models import BankAccount, CommissionPlan, Merchant, Platform, User
from orders.models import Order, OrderState, Payment
from orders.services.creation import NewLine
from payouts.models import NOT_PAID_CODE, Outcome, Payout, PayoutState
from payouts.services import approval, bank_accounts, bank_refunds, cutoff
from tests.flows.dues import due_sweeps
from tests.world import PAYS, World, add_payee, make_platform

MOST_STOPS = 100  # of the clock while one thing is waited for; who needs more asks in circles
DEAD = (PayoutState.FAILED, PayoutState.RETURNED)


class Stuck(AssertionError):
    """What a flow waits for does not come."""


class Look:
    """Around what the test itself reads to see where a flow stands: no program of ours, so nothing
    to crash.
    """

    depth = 0

    def __enter__(self) -> None:
        Look.depth += 1

    def __exit__(self, *_: object) -> None:
        Look.depth -= 1


class Market(World):
    """The world of one flow. `forgetful`: its bank executes whatever it is sent, as often as it is
    sent.
    """

    forgetful: bool = False
    on_pause: Callable[[], None] = staticmethod(
        lambda: None
    )  # called where the program has done one thing

    # Time

    def next_due_at(self) -> datetime | None:
        """When somebody has something to do next, we or the channel or the bank; None when nobody
        has.
        """
        with Look():
            ours = clockwork.next_due_at()
        theirs = next_sandbox_due(self.sandbox)
        return min((due for due in (ours, theirs) if due is not None), default=None)

    def settle(self) -> None:
        """Do everything that is due now, here and in the sandbox, one thing after the other.

        What is done next depends on the books alone, so whoever comes back to a market goes on in
        the same way.
        """
        for _ in range(MOST_STOPS):
            self.on_pause()
            done = self._ring() or self.sandbox.tick()
            if self.forgetful and not done:
                done = self.resolve_parked_payouts() or self.resolve_parked_bank_refunds()
            if not done:
                return
        raise Stuck("the sweeps do not come to rest")

    def _ring(self) -> int:
        """Ring the first bell behind which somebody waits."""
        with Look():
            due = due_sweeps(at=self.now)
        if due:
            clockwork.SWEEPS[due[0]](at=self.now)
        return len(due)

    def wait_until(self, done: Callable[[], bool], *, days: int = 20) -> None:
        """Let the clock run until `done`. Raises: Stuck when there is nothing more to wait for."""
        end = self.now + timedelta(days=days)
        self.settle()
        for _ in range(MOST_STOPS):
            if self.sees(done):
                return
            due = self.next_due_at()
            if due is None or due > end:
                raise Stuck(f"waited in vain, next due {due}")
            self.sandbox.clock.move_to(due)
            self.settle()
        raise Stuck(f"waited in vain through {MOST_STOPS} stops")

    def sees(self, condition: Callable[[], bool]) -> bool:
        with Look():
            return condition()

    def come_back(self, *, minutes: int = 10) -> None:
        """After a crash: some time has passed, leases and windows end, what was under way is taken
        up again.
        """
        self.sandbox.clock.move_to(self.now + timedelta(seconds=90))
        end = self.now + timedelta(minutes=minutes)
        self.settle()
        while (due := self.next_due_at()) is not None and due <= end:
            self.sandbox.clock.move_to(due)
            self.settle()
        self.sandbox.clock.move_to(end)

    def come_to_rest(self) -> None:
        """Let everything happen that will happen by itself."""
        self.wait_until(lambda: self.next_due_at() is None)

    # What there is

    def order(self, name: str) -> Order:
        with Look():
            return Order.objects.get(platform=self.platform, reference=name)

    def payment(self, name: str, number: int = 1) -> Payment:
        """The order's payments are numbered from 1 in the order in which they were started."""
        return self.payments_of(name)[number - 1]

    def payments_of(self, name: str) -> list[Payment]:
        of_order = Payment.objects.filter(parts__order__reference=name, platform=self.platform)
        with Look():
            return list(of_order.order_by("created_at", "id"))

    # Shopping platform, buyer, seller

    def place(
        self, name: str, *, seller: int = 1, goods_minor: int = 9001, shipping_minor: int = 1000
    ) -> None:
        placed = Order.objects.filter(platform=self.platform, reference=name)
        if not self.sees(placed.exists):
            lines = [NewLine(title="Tea", amount_minor=goods_minor, category="tea")]
            self.create_order(
                self.merchants[seller - 1],
                reference=name,
                lines=lines,
                shipping_minor=shipping_minor,
            )

    def begin_payment(self, *names: str, number: int = 1) -> None:
        if len(self.payments_of(names[0])) < number:
            self.start_payment(*(self.order(name) for name in names))
        self.wait_until(lambda: self.payment(names[0], number).cashier_url != "")

    def pay_at_cashier(self, name: str, *, number: int = 1, times: int = 1) -> None:
        """The buyer presses the button, `times` times in all."""
        payment = self.payment(name, number)
        sql = "SELECT count(*) AS n FROM captures WHERE payment_reference = ?"
        while (done := self.sandbox.channel.book.row(sql, payment.id)["n"]) < times:
            self.sandbox.channel.pay(payment.id, again=done > 0)
        self.settle()

    def ship_parcel(self, name: str) -> None:
        if self.order(name).state == OrderState.PAID:
            self.ship(self.order(name))
        self.settle()

    def confirm_order(self, name: str) -> None:
        if self.order(name).state == OrderState.SHIPPED:
            self.confirm(self.order(name))
        self.settle()

    # Channel and operators

    def remit_collected(self, number: int = 1) -> None:
        """The channel pays out what it has collected, for the `number`th time."""
        if self.sandbox.channel.book.row("SELECT count(*) AS n FROM remittances")["n"] < number:
            self.sandbox.channel.remittances.cut(self.now.timestamp())
        self.wait_until(lambda: Remittance.objects.count() >= number)

    def top_up(self, amount_minor: int, *, reference: str = "topup-1") -> None:
        """The operator puts own money into the reserve, then books it."""
        self.sandbox.bank.deposit(reference=reference, amount_minor=amount_minor, currency="CNY")
        draft = entries.topup(
            topup_id=reference, custodian=RAIL, amount_minor=amount_minor, currency="CNY"
        )
        if not self.sees(books.subject_entries(reference).exists):
            with transaction.atomic(durable=True):
                ledger.post(draft=draft, at=self.now)
        self.settle()

    def approve_payouts(self) -> None:
        """The second operator approves what waits for approval."""
        with Look():
            pending = list(
                Payout.objects.filter(state=PayoutState.PENDING).order_by("created_at", "id")
            )
        for payout in pending:
            approval.approve_payout(
                payout_id=payout.id, operator=self.operator("second"), at=self.now
            )
        self.settle()

    def change_account(self, seller: int) -> None:
        """The seller gives another account, one that can be paid."""
        merchant = self.merchants[seller - 1]
        found = BankAccount.objects.filter(merchant=merchant, state="IN_FORCE")
        if not self.sees(found.filter(last_four=PAYS[-4:]).exists):
            bank_accounts.add_bank_account(
                platform=self.platform,
                merchant=merchant,
                currency="CNY",
                holder_name=merchant.name,
                bank_code="102100099996",
                account_number=PAYS,
                at=self.now,
            )

    def replace_payout(self, seller: int) -> None:
        """The first operator has the seller's money paid again, the second approves."""
        payouts = Payout.objects.filter(merchant=self.merchants[seller - 1])
        with Look():
            last = payouts.latest("created_at", "id")
        if last.state in DEAD:
            cutoff.replace_payout(
                payout_id=last.id, requested_by=self.operator("first"), at=self.now
            )
        self.approve_payouts()

    def resolve_parked_payouts(self) -> int:
        """Two operators read in the bank's own book what became of payouts nobody knows about.

        Returns: how many there were to decide or to pay again.
        """
        first, second = self.operator("first"), self.operator("second")
        with Look():
            parked = list(Payout.objects.filter(parked_at__isnull=False))
        for payout in parked:
            paid = self.sandbox.bank.executions().get(payout.id, 0) > 0
            outcome = Outcome.PAID if paid else Outcome.NOT_PAID
            if payout.claimed_outcome != outcome:
                approval.claim_outcome(
                    payout_id=payout.id,
                    outcome=outcome,
                    evidence="line 7",
                    operator=first,
                    at=self.now,
                )
            approval.confirm_outcome(
                payout_id=payout.id, outcome=outcome, operator=second, at=self.now
            )
        return len(parked) + self._pay_again(first, second)

    def _pay_again(self, first: User, second: User) -> int:
        """Have paid again what two persons found not paid."""
        with Look():
            given_up = Payout.objects.filter(failure_code=NOT_PAID_CODE).order_by(
                "created_at", "id"
            )
            stranded = [
                payout for payout in given_up if payout == _last_of(payout.settlement.payouts)
            ]
        for payout in stranded:
            cutoff.replace_payout(payout_id=payout.id, requested_by=first, at=self.now)
        with Look():
            settlements = set(given_up.values_list("settlement_id", flat=True))
            waiting = list(
                Payout.objects.filter(state=PayoutState.PENDING, settlement__in=settlements)
            )
        for payout in waiting:
            approval.approve_payout(payout_id=payout.id, operator=second, at=self.now)
        return len(waiting)

    def resolve_parked_bank_refunds(self) -> int:
        """Two operators do for refunds on their way by the bank what they do for payouts.

        Returns: how many there were to decide or to pay again.
        """
        first, second = self.operator("first"), self.operator("second")
        with Look():
            parked = list(BankRefund.objects.filter(parked_at__isnull=False))
        for found in parked:
            paid = self.sandbox.bank.executions().get(found.id, 0) > 0
            outcome = BankOutcome.PAID if paid else BankOutcome.NOT_PAID
            said = {"bank_refund_id": found.id, "outcome": outcome, "at": self.now}
            if found.claimed_outcome != outcome:
                bank_refunds.claim_bank_outcome(evidence="line 7", operator=first, **said)
            bank_refunds.confirm_bank_outcome(operator=second, **said)
        return len(parked) + self._refund_again(first, second)

    def _refund_again(self, first: User, second: User) -> int:
        """Have sent to the same account again what two persons found not paid."""
        rows = BankRefund.objects.select_related("refund")
        given_up = rows.filter(failure_code=NOT_PAID_CODE)
        with Look():
            refused = given_up.filter(refund__state=RefundState.FAILED).order_by("id")
            stranded = [found for found in refused if found == _last_of(found.refund.bank_refunds)]
        for found in stranded:
            refund_routes.propose_bank_refund(
                refund_id=found.refund_id,
                rail=found.rail,
                holder_name=found.holder_name,
                bank_code=found.bank_code,
                account_number=refund_routes.read_account_number(bank_refund=found),
                reason=found.reason,
                operator=first,
                at=self.now,
            )
        with Look():
            of = given_up.values("refund_id")
            waiting = list(rows.filter(state=BankRefundState.PROPOSED, refund__in=of))
        for found in waiting:
            refund_routes.approve_bank_refund(bank_refund_id=found.id, operator=second, at=self.now)
        return len(waiting)

    def operator(self, name: str) -> User:
        with Look():
            return User.objects.get(username=name)


def _last_of(rows: Manager[Any]) -> Any:
    return rows.latest("created_at", "id")


def next_sandbox_due(sandbox: LocalSandbox) -> datetime | None:
    """When the channel or the bank has something to do next."""
    tables = {
        sandbox.channel: ("notices", "refunds", "remittances"),
        sandbox.bank: ("notices", "payouts"),
    }
    dues = [
        service.book.row(f"SELECT min(due_at) AS due FROM {table}")["due"]
        for service, names in tables.items()
        for table in names
    ]
    known = [due for due in dues if due is not None]
    if not known:
        return None
    due = datetime.fromtimestamp(min(known), tz=UTC)
    return due if due.timestamp() >= min(known) else due + timedelta(microseconds=1)


def found_market(
    sandbox: LocalSandbox,
    *,
    accounts: tuple[str, ...],
    approval_above_minor: int | None,
    party_account: str = "",
) -> Market:
    """Make the platform, one seller per account number, two operators, and perhaps a party."""
    at = sandbox.clock.now
    platform = make_platform(at=at)
    add_payee(platform, None, PAYS, at=at)
    market = Market(sandbox, platform)
    for number in accounts:
        market.add_merchant(account_number=number, approval_above_minor=approval_above_minor)
    if party_account:
        _add_party(platform, party_account, at=at)
    for name in ("first", "second"):
        User.objects.create(username=name, email=f"{name}@example.com", is_staff=True)
    return market


def _add_party(platform: Platform, account_number: str, *, at: datetime) -> None:
    """A carrier that gets 2.5 % and 7 fen of each sale; the commission is taxed at 6 %."""
    party = merchants.create_party(platform=platform, reference="carrier", name="Carrier", at=at)
    merchants.add_rule(
        plan=CommissionPlan.objects.get(),
        currency="CNY",
        rate_bps=500,
        priority=1,
        tax_bps=600,
        parties=[merchants.NewPartyShare(party_id=party.pk, rate_bps=250, fixed_minor=7)],
        effective_from=at,
        at=at,
    )
    add_payee(platform, None, account_number, party=party, at=at)


def enter_market(sandbox: LocalSandbox) -> Market:
    """Come back to the market that is in the database."""
    platform = Platform.objects.get()
    sellers = list(Merchant.objects.filter(platform=platform).order_by("reference"))
    return Market(sandbox, platform, sellers)


__all__ = ["CHANNEL", "RAIL", "Market", "Stuck", "enter_market", "found_market"]
