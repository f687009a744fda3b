"""Both sides of the stateful test: each step is done here and by the oracle, and then everything is
compared.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from common.errors import DomainError
from demo import clockwork
from demo.local_sandbox import CHANNEL
from escrow.models import Refund
from escrow.services import refund as refunds
from escrow.services import release as releases
from orders.models import Order, Payment
from orders.services import lifecycle, payments
from orders.services.creation import NewLine
from payouts.models import Payout
from payouts.services import approval, bank_accounts, cutoff
from sandbox.wire import Refused
from tests import ground
from tests import world as worlds
from tests.properties.oracle import DEAD_PAYOUT, OPEN_PAYMENT, RECEIVABLE, RESERVE, Oracle
from tests.properties.outside import Outside, hand_over, read

LIMIT_MINOR = 9500  # above it the third seller's payouts need a person; one order pays 9491
BALANCES = """
    SELECT a.address, a.currency, sum(p.amount_minor)::bigint
    FROM ledger_posting AS p JOIN ledger_account AS a ON a.id = p.account_id
    GROUP BY 1, 2 HAVING sum(p.amount_minor) <> 0
"""


class Both:
    """Our side (`world`, `outside`) and the oracle's. Things are picked by a number, modulo how
    many there are.
    """

    def __init__(self, world: worlds.World, outside: Outside) -> None:
        self.world, self.outside = world, outside
        at = world.now
        for number, limit in (
            (worlds.PAYS, None),
            (worlds.RETURNS, None),
            (worlds.FAILS, LIMIT_MINOR),
        ):
            merchant = world.add_merchant(account_number=number, approval_above_minor=limit)
            self._add_yen_account(merchant, number)
        worlds.add_payee(world.platform, None, worlds.PAYS, at=at)
        self._add_yen_account(None, worlds.PAYS)
        limits = {f"merchant:{world.merchants[2].id}:payable": LIMIT_MINOR}
        self.oracle = Oracle(platform=world.platform.id, limits=limits)
        self.heard: set[str] = set()
        self.mark, self.seen = 0, ""

    def _add_yen_account(self, merchant: Any, number: str) -> None:
        bank_accounts.add_bank_account(
            platform=self.world.platform,
            merchant=merchant,
            currency="JPY",
            holder_name="Tanaka",
            bank_code="0001",
            account_number=number,
            at=self.world.now,
        )

    # Steps

    def create_order(self, seller: int, goods: int, shipping: int, currency: str) -> None:
        merchant = self.world.merchants[seller % 3]
        order, _token = self.world.create_order(
            merchant,
            currency=currency,
            lines=[NewLine(title="Tea", amount_minor=goods)],
            shipping_minor=shipping,
        )
        self.oracle.create_order(
            order.id,
            merchant=merchant.id,
            goods=goods,
            shipping=shipping,
            currency=currency,
            at=self.world.now,
        )

    def start_payment(self, first: int, second: int | None, *, wrong: bool = False) -> None:
        state = "PAID" if wrong else "CREATED"
        ids = sorted(
            {self._pick_order(each, state) for each in (first, second) if each is not None}
        )
        wanted = self.oracle.start_payment(ids, at=self.world.now)
        made = self._try(wanted, lambda: self._create_payment(ids))
        if made is not None:
            self.oracle.add_payment(made.id, ids)
            payments.submit_payment(payment_id=made.id, at=self.world.now)
            self._hear()

    def _create_payment(self, order_ids: list[str]) -> Payment:
        return payments.create_payment(
            platform_id=self.world.platform.id,
            order_ids=order_ids,
            channel=CHANNEL,
            return_url="",
            at=self.world.now,
        )

    def buyer_pays(self, payment: int, *, again: bool) -> None:
        if not self.oracle.payments:
            return
        try:
            self.world.sandbox.channel.pay(self._pick(self.oracle.payments, payment), again=again)
        except Refused as refused:
            if refused.code not in ("PAYMENT_CLOSED", "NOT_FOUND"):
                raise

    def deliver(self, message: int, *, times: int = 1) -> None:
        if self.outside.mailbox:
            url, body = self.outside.mailbox.pop(message % len(self.outside.mailbox))
            for _ in range(times):
                assert hand_over(url, body, self.world) == 200
                self._hear_message(body)

    def lose(self, message: int) -> None:
        """Lose what a query can still find out; the rest is for reconciliation, a later issue."""
        position = message % len(self.outside.mailbox)
        subject, _event, said = read(self.outside.mailbox[position][1])
        book = self.world.sandbox.channel.book
        if subject == "payment":
            row = book.row(
                "SELECT provider_reference FROM payments WHERE reference = ?", said.reference
            )
            lost = row is not None and row["provider_reference"] == said.provider_reference
        else:
            lost = subject != "remittance" and said.status != "RETURNED"
        if lost:
            del self.outside.mailbox[position]

    def tick(self) -> None:
        self.world.sandbox.tick()

    def remit(self) -> None:
        self.world.remit()

    def ship(self, order: int, *, wrong: bool = False) -> None:
        order_id = self._pick_order(order, "CREATED" if wrong else "PAID")
        ship, at = lifecycle.ship_order, self.world.now
        self._try(
            self.oracle.ship(order_id, at=at),
            lambda: ship(order_id=order_id, carrier="SF", tracking_number="SF1", at=at),
        )

    def confirm(self, order: int, *, wrong: bool = False) -> None:
        order_id = self._pick_order(order, "PAID" if wrong else "SHIPPED")
        confirm = releases.confirm_receipt
        self._try(
            self.oracle.confirm(order_id), lambda: confirm(order_id=order_id, at=self.world.now)
        )

    def cancel(self, order: int, *, paid: bool) -> None:
        order_id = self._pick(self.oracle.orders, order)
        verb: Callable[..., Any] = (
            refunds.cancel_paid_order if paid else lifecycle.cancel_unpaid_order
        )
        wanted = self.oracle.cancel(order_id) if paid else self.oracle.cancel_unpaid(order_id)
        self._try(wanted, lambda: verb(order_id=order_id, reason="PLATFORM", at=self.world.now))

    def move_by(self, seconds: int) -> None:
        self.world.sandbox.clock.move_to(self.world.now + timedelta(seconds=seconds))

    def move_to_deadline(self, order: int, microseconds: int) -> None:
        chosen = self.oracle.orders[self._pick(self.oracle.orders, order)]
        field = {"CREATED": "pay_by", "PAID": "ship_by", "SHIPPED": "confirm_by"}.get(
            chosen["state"]
        )
        if field:
            deadline: datetime = chosen[field]
            self.world.sandbox.clock.move_to(deadline + timedelta(microseconds=microseconds))

    def arm(self, service: str, operation: str, fault: str) -> None:
        getattr(self.world.sandbox, service).faults.add(operation=operation, fault=fault)

    def decide(self, payout: int, *, operator: str, verb: str) -> None:
        payout_id = self._pick(self.oracle.payouts, payout)
        person, at = ground.operator(operator), self.world.now
        if verb == "approve":
            wanted = self.oracle.approve(payout_id, operator)
            self._try(
                wanted, lambda: approval.approve_payout(payout_id=payout_id, operator=person, at=at)
            )
        elif verb == "refuse":
            wanted = self.oracle.refuse(payout_id)
            refuse = approval.refuse_payout
            self._try(
                wanted, lambda: refuse(payout_id=payout_id, operator=person, reason="odd", at=at)
            )
        else:
            self._replace(payout_id, operator)

    def _replace(self, payout_id: str, operator: str) -> None:
        settlement = Payout.objects.get(pk=payout_id).settlement_id
        alike = Payout.objects.filter(settlement=settlement).values_list("pk", flat=True)
        live = any(self.oracle.payouts[each]["state"] not in DEAD_PAYOUT for each in alike)
        person, at = ground.operator(operator), self.world.now
        made = self._try(
            self.oracle.replace(payout_id, live=live),
            lambda: cutoff.replace_payout(payout_id=payout_id, requested_by=person, at=at),
        )
        if made is not None:
            old = self.oracle.payouts[payout_id]
            self.oracle.add_payout(
                made.id,
                payee=old["payee"],
                amount=old["amount"],
                currency=old["currency"],
                asked_by=operator,
            )

    # Sweeps

    def sweep(self, name: str) -> None:
        at = self.world.now
        clockwork.SWEEPS[name](at=at)
        if name == "orders.expire_due_orders":
            self.oracle.expire(at=at)
        elif name == "escrow.cancel_due_shipments":
            self.oracle.cancel_unshipped(at=at)
        elif name == "escrow.release_due_confirmations":
            self.oracle.release_unconfirmed(at=at)
        elif name == "payouts.cut_due_settlements":
            self._match_payouts(self.oracle.cut())
        self._hear()

    def _match_payouts(self, wanted: dict[tuple[str, str], int]) -> None:
        made = Payout.objects.exclude(pk__in=list(self.oracle.payouts)).select_related("settlement")
        found = {(each.settlement.address, each.currency): each for each in made}
        assert {payee: each.amount_minor for payee, each in found.items()} == wanted
        for (address, currency), each in found.items():
            self.oracle.add_payout(
                each.id, payee=address, amount=each.amount_minor, currency=currency
            )

    # What the outside says

    def _hear(self) -> None:
        for about, reference, answer in self.outside.take_words():
            subject, op = about.split(" ")
            self._tell_oracle(subject, reference, answer, op=op)

    def _hear_message(self, body: bytes) -> None:
        subject, event_id, said = read(body)
        if event_id not in self.heard:
            self.heard.add(event_id)
            self._tell_oracle(subject, said.reference, said, op="told")

    def _tell_oracle(self, subject: str, reference: str, answer: Any, *, op: str) -> None:
        if subject == "payment":
            self.oracle.word_of_payment(reference, answer, op=op, at=self.world.now)
        elif subject == "refund":
            self.oracle.word_of_refund(self._refund_key(Refund.objects.get(pk=reference)), answer)
        elif subject == "payout":
            self.oracle.word_of_payout(reference, answer, op=op)
        else:
            self.oracle.word_of_remittance(answer.amount_minor, answer.currency)

    def _refund_key(self, refund: Refund) -> tuple[str, ...]:
        if refund.hold is not None:
            return ("hold", refund.hold.order_id)
        assert refund.surplus is not None
        return ("surplus", refund.surplus.order_id, refund.surplus.provider_reference)

    # Comparing

    def compare(self) -> None:
        """Our rows, our books and the oracle agree, every audit is empty, nothing is paid twice.

        The oracle's side is compared each time, ours read again only when something was written.
        """
        mark = _last_write()
        if mark != self.mark or self.oracle.digest() != self.seen:
            self._compare_rows()
            self.mark, self.seen = mark, self.oracle.digest()
        self._compare_bank()

    def _compare_rows(self) -> None:
        oracle = self.oracle
        facts = ("state", "ship_by", "confirm_by")
        assert {row[0]: row[1:] for row in Order.objects.values_list("id", *facts)} == {
            order_id: tuple(order[fact] for fact in facts)
            for order_id, order in oracle.orders.items()
        }
        assert dict(Payment.objects.values_list("id", "state")) == _states(oracle.payments)
        refunds_of = Refund.objects.select_related("hold", "surplus")
        assert {self._refund_key(refund): refund.state for refund in refunds_of} == _states(
            oracle.refunds
        )
        assert dict(Payout.objects.values_list("id", "state")) == _states(oracle.payouts)
        with connection.cursor() as cursor:
            cursor.execute(BALANCES)
            balances = {
                (address, currency): amount for address, currency, amount in cursor.fetchall()
            }
        assert balances == {account: amount for account, amount in oracle.books.items() if amount}
        assert worlds.audit() == []

    def _compare_bank(self) -> None:
        executed = self.world.sandbox.bank.executions()
        assert all(times <= 1 for times in executed.values()), executed
        for payout_id, payout in self.oracle.payouts.items():
            if payout["state"] in ("PAID", "RETURNED"):
                assert executed[payout_id] == 1
            elif payout["state"] == "FAILED":
                assert not executed.get(payout_id)
        assert all(sums["available"] >= 0 for sums in self.world.sandbox.bank.totals().values())

    def come_to_rest(self) -> None:
        """Let everything that was begun end, and compare our books with those of the channel and
        the bank.
        """
        for service in (self.world.sandbox.channel, self.world.sandbox.bank):
            service.faults.clear()
        for seconds in (0, 61, 301, 1801, 301, 4 * 86_400, 301, 11 * 86_400, 301, 301):
            self.move_by(seconds)
            self.work_off()
        self.compare()
        assert {order["state"] for order in self.oracle.orders.values()} <= {
            "CONFIRMED",
            "CANCELED",
            "EXPIRED",
        }
        assert not any(
            payment["state"] in OPEN_PAYMENT for payment in self.oracle.payments.values()
        )
        assert {refund["state"] for refund in self.oracle.refunds.values()} <= {"SUCCEEDED"}
        assert {payout["state"] for payout in self.oracle.payouts.values()} <= {
            "PENDING",
            "PAID",
            "FAILED",
            "RETURNED",
        }
        for currency, sums in self.world.sandbox.channel.totals().items():
            assert self.oracle.books[RECEIVABLE, currency] == sums["unremitted"]
        for currency, sums in self.world.sandbox.bank.totals().items():
            assert self.oracle.books[RESERVE, currency] == sums["balance"]

    def work_off(self, *, rounds: int = 6) -> None:
        """Everybody does what is due now: channel, mail, sweeps and bank, until nothing is."""
        for _ in range(rounds):
            self.world.sandbox.channel.remittances.cut(self.world.now.timestamp())
            busy = self.world.sandbox.tick()
            while self.outside.mailbox:
                self.deliver(0)
            due = clockwork.next_due_at()
            if due is not None and due <= self.world.now:
                for name in clockwork.SWEEPS:
                    self.sweep(name)
            elif not busy:
                break

    def _pick_order(self, number: int, state: str) -> str:
        """An order in this state, or any when there is none."""
        orders = {
            order_id: order
            for order_id, order in self.oracle.orders.items()
            if order["state"] == state
        }
        return self._pick(orders or self.oracle.orders, number)

    @staticmethod
    def _pick(things: dict[str, Any], number: int) -> str:
        return list(things)[number % len(things) if number >= 0 else number]

    @staticmethod
    def _try(code: str, verb: Callable[[], Any]) -> Any:
        """Do it, and be refused with exactly this code, or not at all when the code is empty."""
        try:
            done = verb()
        except DomainError as refusal:
            if refusal.code != code:
                raise
            return None
        assert not code, f"{code} was expected"
        return done


def _states(things: dict[Any, dict[str, Any]]) -> dict[Any, str]:
    return {key: thing["state"] for key, thing in things.items()}


def _last_write() -> int:
    """A number that moves with every transaction that writes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        return int(cursor.fetchone()[0])
