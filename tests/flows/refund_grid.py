"""The grid of refunds: when x how much x what becomes of the cuts x what the payees still have.

It must never reach around a service: the channel and the bank are spoken for, as in tests/ground.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from channels import contract
from demo.local_sandbox import CHANNEL, RAIL
from escrow.models import Refund
from escrow.services import order_refunds
from escrow.services import refund as refunds
from escrow.services.remittance import record_topup
from ledger import chart
from merchants import services as merchants
from merchants.models import CommissionPlan
from merchants.services import NewPartyShare
from orders.models import Order
from orders.services.creation import NewLine
from payouts.models import PayoutSchedule
from payouts.services import cutoff, sending
from tests import ground, world
from tests.flows.refund_arithmetic import Paper, by_pot, split
from tests.flows.refund_story import Story, money, read_rows

MOMENTS = ("before_release", "after_release", "after_payout")
FEES = {"kept": 0, "returned": 10_000, "shared": 5_000}  # basis points of every cut given back
# What is given back of the channel's fee, 38 basis points of everything, where half of all other
# cuts is. What the payees still have changes nothing about it, so they have it.
CHANNEL_FEES = {"channel_kept": 0, "channel_returned": 10_000, "channel_shared": 3_333}
CHANNEL_FEE, CHANNEL_PARTS = 38, ("full", "three odd partials")
# By 31.49 the rule of ADR 0025 differs from half-up parts and from largest remainders; after 99.98
# less is left than the kept cuts come to.
PARTS: dict[str, tuple[int | None, ...]] = {
    "full": (None,),
    "partial": (3149,),
    "three odd partials": (3149, 6849, 3),
}
GOODS, SHIPPING = 9001, 1000
EARLIER_GOODS = 6001  # of the earlier order whose refund empties the payees' balances
OWN_FUNDS = 20_000


@dataclass
class Cell:
    """One cell as it is lived, with the same order on paper beside it. `sufficient`: the payees
    still have what they are to give."""

    moment: str
    fees: str
    parts: str
    sufficient: bool

    def play(self) -> None:
        self.world, self.story = found_world(self.fees), Story()
        self.paper = self._paper(GOODS)
        self.pots = Counter[str]()  # on paper: what seller, platform and courier are owed
        self.earned = Counter[str]()  # on paper: what all sales came to, less what was given
        if self.moment == "after_release" and not self.sufficient:
            self.earlier = self._sell(EARLIER_GOODS)
            self._pay_out()
            self.story.leave_out(
                f"An earlier sale of {money(EARLIER_GOODS + SHIPPING)} is released and paid out."
            )
        self.order = self._take_order(GOODS)
        self.story.tell()
        self.story.keep_shares(self.order)
        self._bring_to_moment()
        for part in PARTS[self.parts]:
            self._refund(part)
        self._close()

    # Before the refund

    def _bring_to_moment(self) -> None:
        self.world.ship(self.order)
        if self.moment == "before_release":
            return
        self._release(self.order, GOODS)
        self.story.tell()
        if self.moment == "after_payout":
            self._pay_out()
            self.story.tell()
        if self.sufficient:
            for _ in range(2):
                self._sell(GOODS)
            self.story.leave_out("Two other sales of 100.01 each are released, not paid out yet.")
        elif self.moment == "after_release":
            paper = self._paper(EARLIER_GOODS)
            paper.refund_released(paper.amount_minor, pots=self.pots)
            assert not any(paper.owed.values()), "this order has brought enough for the earlier one"
            self.earned.subtract(by_pot(paper.given))
            self._ask(self.earlier, None)
            self.story.leave_out(
                "The earlier sale is refunded whole, out of what this one has brought."
            )

    # The refund

    def _refund(self, part: int | None) -> None:
        amount = self.paper.amount_minor if part is None else part
        if self.moment == "before_release":
            self.paper.refund_held(amount)
            self._ask(self.order, part)
        else:
            owed = self.paper.refund_released(amount, pots=self.pots)
            if owed and not self.world.balance(chart.OWN_TOPUP):
                self._learn_that_own_funds_are_missing(part, sum(owed.values()))
            self._ask(self.order, part)
        rows = read_rows(self.order, self.story.shares)
        given = {name: row.given for name, row in rows.items()}
        paper = {name: self.paper.given[name] for name in rows}
        assert given == paper, (given, paper)
        self.story.tell()

    def _learn_that_own_funds_are_missing(self, part: int | None, lacking: int) -> None:
        refused = ground.refusal(lambda: self._ask(self.order, part))
        assert refused.code == "refund_not_covered"
        assert refused.facts["lacking_minor"] == lacking
        self.story.say(
            f"Refused, nothing is booked: refund_not_covered. {money(lacking)} would be owed, own "
            f"funds are {money(refused.facts['own_funds_minor'])}."
        )
        record_topup(
            custodian=RAIL,
            bank_reference="T1",
            amount_minor=OWN_FUNDS,
            currency="CNY",
            at=self.world.now,
        )

    def _ask(self, order: Order, part: int | None) -> None:
        """Refund, and let the channel pay the buyer."""
        now = self._next_day()
        made = order_refunds.refund_order(
            order_id=order.id, amount_minor=part, reason="broken", at=now
        )
        assert refunds.claim_refund(refund_id=made.id, at=now)
        number = f"SBR{Refund.objects.count()}"
        told = world.answer(
            contract.Status.SUCCEEDED,
            reference=made.id,
            amount_minor=made.amount_minor,
            provider_reference=number,
        )
        refunds.record_refund_answer(refund_id=made.id, answer=told, at=now)

    # After the refund

    def _close(self) -> None:
        self.order.refresh_from_db()
        if self.order.state == "SHIPPED":
            self.world.confirm(self.order)
            self.story.tell()
        if self.moment == "before_release":
            self.earned.update(by_pot(self.paper.shares))
        if not self.sufficient:
            for _ in range(2):
                self._sell(GOODS)
            self.story.leave_out("Two more sales of 100.01 each are released.")
        self.earned.subtract(by_pot(self.paper.given))
        self._pay_out()
        self.story.tell()

    # Sales and payouts

    def _paper(self, goods_minor: int) -> Paper:
        channel = CHANNEL_FEES.get(self.fees)
        return Paper(
            goods_minor,
            SHIPPING,
            Fraction(returned_bps(self.fees), 10_000),
            channel_returned=None if channel is None else Fraction(channel, 10_000),
        )

    def _take_order(self, goods_minor: int) -> Order:
        self._next_day()
        lines = [NewLine(title="Tea", amount_minor=goods_minor, category="tea")]
        order, _token = self.world.create_order(lines=lines, shipping_minor=SHIPPING)
        ground.capture(ground.make_payment(self.world, order))
        self._remit()
        return order

    def _sell(self, goods_minor: int) -> Order:
        order = self._take_order(goods_minor)
        self.world.ship(order)
        self._release(order, goods_minor)
        return order

    def _release(self, order: Order, goods_minor: int) -> None:
        self._next_day()
        self.world.confirm(order)
        brought = by_pot(split(goods_minor, SHIPPING))
        self.pots.update(brought)
        self.earned.update(brought)

    def _remit(self) -> None:
        """The channel pays what it has, less what it refunded."""
        owed = self.world.balance(chart.channel_receivable(CHANNEL))
        if owed > 0:
            ground.remit(self.world, owed)

    def _pay_out(self) -> None:
        """Cut and pay all that seller and platform are owed; the courier's money stays."""
        now = self._next_day()
        PayoutSchedule.objects.update(next_cutoff_at=now, approval_above_minor=None)
        for schedule in PayoutSchedule.objects.order_by("merchant_id"):
            for payout in cutoff.cut_settlements(schedule_id=schedule.pk, at=now):
                assert sending.claim_payout(payout_id=payout.id, at=now)
                told = world.answer(
                    contract.Status.SUCCEEDED,
                    reference=payout.id,
                    amount_minor=payout.amount_minor,
                    provider_reference=f"SBT-{payout.id}",
                )
                sending.record_payout_answer(payout_id=payout.id, answer=told, at=now)
        self.pots.update(seller=-self.pots["seller"], platform=-self.pots["platform"])

    def _next_day(self) -> datetime:
        self.world.sandbox.clock.move_to(self.world.now + timedelta(days=1))
        return self.world.now


def returned_bps(fees: str) -> int:
    """Of every cut but the channel's fee."""
    return FEES["shared" if fees in CHANNEL_FEES else fees]


def found_world(fees: str) -> world.World:
    """One seller, and a plan with a commission, a tax on it, a courier, and a refund policy."""
    opened = ground.open_world()
    at, platform = opened.now, opened.platform
    world.add_payee(platform, None, world.PAYS, at=at)
    plan = CommissionPlan.objects.get()
    courier = merchants.create_party(platform=platform, reference="courier", name="Courier", at=at)
    merchants.add_rule(
        plan=plan,
        priority=1,
        currency="CNY",
        rate_bps=500,
        floor_minor=100,
        cap_minor=5000,
        tax_bps=600,
        parties=[NewPartyShare(party_id=courier.pk, rate_bps=150)],
        effective_from=at,
        at=at,
    )
    merchants.set_refund_policy(
        plan_id=plan.pk,
        commission_returned_bps=returned_bps(fees),
        service_fee_returned_bps=returned_bps(fees),
        party_returned_bps=returned_bps(fees),
        channel_fee_bps=CHANNEL_FEE if fees in CHANNEL_FEES else 0,
        channel_fee_returned_bps=CHANNEL_FEES.get(fees, 10_000),
        at=at,
    )
    return opened


def list_cells(moment: str, fees: str) -> Sequence[Cell]:
    """The cells of one file. While the money is held, payees have nothing yet to be short of."""
    if fees in CHANNEL_FEES:
        return [Cell(moment, fees, parts, True) for parts in CHANNEL_PARTS]
    enough = (True,) if moment == "before_release" else (True, False)
    return [Cell(moment, fees, parts, sufficient) for parts in PARTS for sufficient in enough]
