"""Lives a planned history through on a simulated clock, into a platform of its own, by the services
and sweeps that serve everybody. It must never write a row of the line by itself, and never look at
what the history says came of it.

Three things happen in turn, by the clock: people do what the history says; the sweep of a deadline
runs right when that deadline passes; and once a week, at the midnight (UTC) that begins a Monday,
the channel remits what it has collected and every sweep that has work runs until none has. Sweeps
may be late, so a week's reminders, refunds, payouts and events wait for that midnight; a deadline
that decides about money does not.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from common.money import share_half_up
from demo import clockwork
from demo.local_sandbox import CHANNEL, RAIL, LocalSandbox
from demo.replay.plan import Cart, Deed, SellerOrder, Step, ends_before, list_steps, pay_term
from escrow import sweeps as escrow_sweeps
from escrow.models import Actor, DisputeReason, SellerAnswer
from escrow.services import release as releases
from escrow.services.disputes import answering, opening
from ledger import services as ledger
from merchants import services as merchants
from merchants.models import Merchant, Platform, kind_of
from orders import sweeps as order_sweeps
from orders.models import OrderState
from orders.services import creation, lifecycle, payments
from payouts import calendar
from payouts.models import Cadence, PayoutSchedule
from payouts.services import bank_accounts

DEADLINE_PASSED = timedelta(
    microseconds=1
)  # a deadline is kept at its very instant, and missed after it
CHECKPOINT_EVERY = timedelta(days=30)  # the clockwork's hourly checkpoint, at the pace of a history
PATIENCE_WEEKS = 10  # after the last deed and deadline, until everything must be paid out
MOST_ROUNDS = 10_000  # of sweeps at one instant: each takes a batch, a large week has many
LATE_BACK_BPS = 2000  # of the amount, half-up: what the buyer of a late order is content with
ONE_DAY = timedelta(days=1)  # until the seller offers it, and again until the buyer accepts
LAST_MOMENT = timedelta(seconds=1)  # before the automatic confirmation of what has not come
_AFTER_PEOPLE, _AT_CUTOFF = len(Deed), len(Deed) + 1
_DISPUTED = "DISPUTED"  # where people have brought an order; to the services it is shipped


class ReplayStuck(Exception):
    """Everything of the history has happened, and something is still due: a fault of ours."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the marketplace of a replay works by. Rates in basis points."""

    currency: str
    commission_bps: int  # of the goods, to the platform
    service_fee_bps: int  # of the whole amount, to us


def create_marketplace(
    *, name: str, slug: str, carts: Sequence[Cart], terms: Terms, at: datetime
) -> tuple[Platform, dict[str, Merchant]]:
    """Take in a platform with its commission, and its sellers, paid out weekly.

    Returns: the platform, and its sellers by the history's seller id.
    """
    platform = merchants.create_platform(
        name=name,
        slug=slug,
        currency=terms.currency,
        time_zone="UTC",
        service_fee_bps=terms.service_fee_bps,
        deadlines=merchants.DeadlinePolicy(pay_seconds=int(pay_term(carts).total_seconds())),
        at=at,
    )
    plan = merchants.create_plan(platform=platform, name="Commission on goods", at=at)
    merchants.add_rule(
        plan=plan, currency=terms.currency, rate_bps=terms.commission_bps, effective_from=at, at=at
    )
    _add_payee(platform, None, number=0, currency=terms.currency, at=at)
    sellers: dict[str, Merchant] = {}
    for seller_id in dict.fromkeys(part.seller_id for cart in carts for part in cart.parts):
        sellers[seller_id] = merchants.create_merchant(
            platform=platform, reference=seller_id, name=f"Seller {seller_id}", at=at
        )
        _add_payee(
            platform, sellers[seller_id], number=len(sellers), currency=terms.currency, at=at
        )
    return platform, sellers


def _add_payee(
    platform: Platform, merchant: Merchant | None, *, number: int, currency: str, at: datetime
) -> None:
    bank_accounts.add_bank_account(
        platform=platform,
        merchant=merchant,
        currency=currency,
        holder_name=(merchant or platform).name[:120],
        bank_code="001",
        account_number=f"6222{number:010d}01",  # the sandbox bank pays every account that ends so
        at=at,
    )
    PayoutSchedule.objects.create(
        platform=platform,
        payee=kind_of(merchant=merchant, party=None),
        merchant=merchant,
        rail=RAIL,
        cadence=Cadence.WEEKLY,
        next_cutoff_at=at,
    )


@dataclass
class Replay:
    """One run. `live` may be called once.

    `dispute_late`: the buyer of an order that is delivered late disputes it, the seller offers
    `LATE_BACK_BPS` of it, the buyer accepts, and the rest is released.
    """

    sandbox: LocalSandbox
    platform: Platform
    sellers: dict[str, Merchant]
    carts: Sequence[Cart]
    advance: Callable[[], None] = lambda: None  # called after each step of the plan
    dispute_late: bool = False
    late_shipments_refused: int = 0
    _agenda: list[tuple[datetime, int, int, Callable[[], None]]] = field(default_factory=list)
    _orders: dict[tuple[int, int], str] = field(default_factory=dict)  # (cart, part) -> order id
    _states: dict[str, str] = field(
        default_factory=dict
    )  # order id -> where people have brought it
    _count: int = 0
    _cutoff_at: datetime | None = None
    _checkpoint_at: datetime | None = None

    def live(self) -> None:
        """Live everything through, until all is settled and paid out. Raises: ReplayStuck."""
        for step in list_steps(self.carts):
            self._plan(step.at, step.deed, lambda step=step: self._take(step))  # type: ignore[misc]
        while self._agenda:
            at, _rank, _count, act = heapq.heappop(self._agenda)
            self.sandbox.clock.move_to(at)
            act()
        self._settle()

    @property
    def _now(self) -> datetime:
        return self.sandbox.clock.now

    def _plan(self, at: datetime, rank: int, act: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._agenda, (at, rank, self._count, act))

    # What people do

    def _take(self, step: Step) -> None:
        cart = self.carts[step.cart]
        if step.deed is Deed.CREATE:
            self._create(step.cart, cart)
        elif step.deed is Deed.PAY:
            self._pay([self._orders[step.cart, part] for part in range(len(cart.parts))], cart)
        elif step.deed is Deed.SHIP:
            self._ship(self._orders[step.cart, step.part], cart, cart.parts[step.part])
        elif self._complains(cart, cart.parts[step.part]):
            self._dispute(self._orders[step.cart, step.part], cart, cart.parts[step.part])
        else:
            self._confirm(self._orders[step.cart, step.part])
        self._expect_cutoff()
        self.advance()

    def _create(self, number: int, cart: Cart) -> None:
        for position, part in enumerate(cart.parts):
            order, _token = creation.create_order(
                platform=self.platform,
                merchant=self.sellers[part.seller_id],
                new=_new_order(cart, part, self.platform),
                at=self._now,
            )
            self._orders[number, position] = order.id
            self._watch(
                order.id,
                OrderState.CREATED,
                order.pay_by + DEADLINE_PASSED,
                order_sweeps.expire_due_orders,
            )

    def _pay(self, order_ids: list[str], cart: Cart) -> None:
        payment = payments.create_payment(
            platform_id=self.platform.id,
            order_ids=order_ids,
            channel=CHANNEL,
            return_url="",
            at=self._now,
        )
        payments.submit_payment(payment_id=payment.id, at=self._now)
        self.sandbox.channel.pay(payment.id)
        self.sandbox.tick()
        for order_id, part in zip(order_ids, cart.parts, strict=True):
            self._watch(
                order_id,
                OrderState.PAID,
                part.ship_by + DEADLINE_PASSED,
                escrow_sweeps.cancel_due_shipments,
            )

    def _ship(self, order_id: str, cart: Cart, part: SellerOrder) -> None:
        try:
            order = lifecycle.ship_order(
                order_id=order_id, carrier="Carrier", tracking_number=order_id, at=self._now
            )
        except (lifecycle.ShippingTooLate, lifecycle.OrderStateConflict):
            self.late_shipments_refused += 1
        else:
            assert order.confirm_by is not None
            self._watch(
                order_id,
                OrderState.SHIPPED,
                order.confirm_by,
                escrow_sweeps.release_due_confirmations,
            )
            if self._complains(cart, part):
                last = max(self._now, order.confirm_by - LAST_MOMENT)
                self._plan(last, Deed.CONFIRM, lambda: self._dispute(order_id, cart, part))

    def _confirm(self, order_id: str) -> None:
        try:
            releases.confirm_receipt(order_id=order_id, at=self._now)
        except lifecycle.OrderStateConflict:
            return  # refunded, confirmed by itself already, or not even shipped
        self._states[order_id] = OrderState.CONFIRMED

    def _complains(self, cart: Cart, part: SellerOrder) -> bool:
        """Whether the buyer disputes this: it comes late, and a fifth of it is worth something."""
        return self.dispute_late and cart.late and _fifth_of(part) > 0

    def _dispute(self, order_id: str, cart: Cart, part: SellerOrder) -> None:
        if self._states[order_id] != OrderState.SHIPPED:
            return  # disputed already, refunded, or not even shipped
        came = cart.confirmed_at is not None and cart.confirmed_at <= self._now
        dispute = opening.open_dispute(
            order_id=order_id,
            by=Actor.BUYER,
            reason=DisputeReason.OTHER if came else DisputeReason.NOT_RECEIVED,
            text="It came late." if came else "It is late.",
            at=self._now,
        )
        self._states[order_id] = _DISPUTED
        self._plan(self._now + ONE_DAY, Deed.CONFIRM, lambda: self._offer(dispute.id, part))

    def _offer(self, dispute_id: str, part: SellerOrder) -> None:
        answering.answer_dispute(
            dispute_id=dispute_id,
            answer=SellerAnswer.OFFER,
            by=Actor.MERCHANT,
            offer_minor=_fifth_of(part),
            at=self._now,
        )
        self._plan(self._now + ONE_DAY, Deed.CONFIRM, lambda: self._accept(dispute_id))

    def _accept(self, dispute_id: str) -> None:
        answering.accept_offer(dispute_id=dispute_id, by=Actor.BUYER, at=self._now)
        self._expect_cutoff()

    # What falls due

    def _watch(self, order_id: str, state: str, due_at: datetime, sweep: clockwork.Sweep) -> None:
        """Run a sweep when an order's deadline comes and nobody has moved the order on before."""
        self._states[order_id] = state

        def act() -> None:
            if self._states[order_id] == state:
                sweep(at=self._now)
                self._expect_cutoff()

        self._plan(due_at, _AFTER_PEOPLE, act)

    def _expect_cutoff(self) -> None:
        """Something has happened, so the coming Monday has something to do."""
        cutoff_at = _next_cutoff(self._now)
        if self._cutoff_at != cutoff_at:
            self._cutoff_at = cutoff_at
            self._plan(cutoff_at, _AT_CUTOFF, self._end_week)

    def _end_week(self) -> None:
        self.sandbox.channel.remittances.cut(self._now.timestamp())
        for _ in range(MOST_ROUNDS):
            if not self.sandbox.tick() + clockwork.run_due_sweeps(at=self._now):
                break
        if self._checkpoint_at is None or self._now >= self._checkpoint_at + CHECKPOINT_EVERY:
            self._checkpoint_at = self._now
            ledger.checkpoint_hot_accounts(at=self._now)

    def _settle(self) -> None:
        """After the last deed and deadline: go on, week by week, until nothing of this history is
        due.
        """
        until = ends_before(self.carts)
        for _ in range(PATIENCE_WEEKS):
            due = clockwork.next_due_at()
            if due is None or due > until:
                return
            self.sandbox.clock.move_to(_next_cutoff(max(due, self._now)))
            self._end_week()
        raise ReplayStuck(
            f"Everything is over, and something is still due at {clockwork.next_due_at()}."
        )


def _fifth_of(part: SellerOrder) -> int:
    """Minor units, rounded half-up."""
    return share_half_up(part.amount_minor, LATE_BACK_BPS)


def _next_cutoff(after: datetime) -> datetime:
    return calendar.next_cutoff(cadence=calendar.WEEKLY, weekday=0, time_zone="UTC", after=after)


def _new_order(cart: Cart, part: SellerOrder, platform: Platform) -> creation.NewOrder:
    return creation.NewOrder(
        reference=part.reference,
        currency=platform.currency,
        lines=[
            creation.NewLine(title=title, amount_minor=price_minor)
            for title, price_minor in part.lines
        ],
        shipping_minor=part.freight_minor,
        ship_by=part.ship_by,
        expected_delivery_at=part.expected_at,
        metadata={"source_order": cart.order_id, "source_seller": part.seller_id},
    )
