"""Orders, ledger and payouts through random lives, against an oracle of plain dicts (H4).

15 lives of 25 steps by default; HYPOTHESIS_PROFILE=campaign lives 10,000.
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from demo import clockwork
from tests.properties import marketplace
from tests.properties.outside import open_outside

PICK = st.integers(0, 99)
RARELY = st.sampled_from([False, False, False, True])
SPANS = [1, 30, 61, 301, 1801, 86_400, 3 * 86_400 + 1, 11 * 86_400]
FAULTS = (
    [
        ("channel", operation, fault)
        for operation in ("create_payment", "query_payment", "refund", "query_refund")
        for fault in ("timeout_before", "timeout_after", "error_after")
    ]
    + [
        ("bank", operation, fault)
        for operation in ("payout", "query_payout")
        for fault in ("timeout_before", "timeout_after", "torn")
    ]
    + [("channel", "create_payment", "refuse"), ("bank", "payout", "refuse")]
)


class Marketplace(RuleBasedStateMachine):
    """The rules only choose; `marketplace.py` acts on both sides and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        folder = Path(self.open.enter_context(tempfile.TemporaryDirectory()))
        world, outside = self.open.enter_context(open_outside(folder))
        self.both = marketplace.Both(world, outside)

    @initialize(
        sellers=st.lists(PICK, min_size=1, max_size=3),
        shipped=st.booleans(),
        started=st.integers(0, 2),
    )
    def some_orders_are_underway(self, sellers: list[int], shipped: bool, started: int) -> None:
        """A life starts in the middle, or 25 steps would not get far."""
        for seller in sellers:
            self.buy_one(seller)
        if shipped:
            self.both.ship(0)
        if started:
            self.both.create_order(0, 5000, 1, "CNY")
        for _ in range(started):
            self.both.start_payment(-1, None)

    def buy_one(self, seller: int) -> None:
        self.both.create_order(seller, 9001, 1000, "CNY")
        self.both.start_payment(-1, None)
        self.both.buyer_pays(-1, again=False)
        self.both.tick()
        self.both.deliver(-1)

    @rule(
        seller=PICK,
        goods=st.one_of(st.integers(1, 5), st.integers(1, 20_000)),
        shipping=st.integers(0, 1000),
        currency=st.sampled_from(["CNY", "CNY", "JPY"]),
    )
    def create_order(self, seller: int, goods: int, shipping: int, currency: str) -> None:
        self.both.create_order(seller, goods, shipping, currency)

    @rule(first=PICK, second=st.none() | PICK, wrong=RARELY)
    def start_payment(self, first: int, second: int | None, wrong: bool) -> None:
        self.both.start_payment(first, second, wrong=wrong)

    @precondition(lambda self: self.both.oracle.payments)
    @rule(payment=PICK, again=st.booleans())
    def buyer_pays(self, payment: int, again: bool) -> None:
        self.both.buyer_pays(payment, again=again)

    @rule(seller=PICK)
    def buy_at_once(self, seller: int) -> None:
        self.buy_one(seller)

    @precondition(lambda self: self.both.outside.mailbox)
    @rule(message=PICK, times=st.sampled_from([1, 1, 1, 2]))
    def deliver(self, message: int, times: int) -> None:
        self.both.deliver(message, times=times)

    @precondition(lambda self: self.both.outside.mailbox)
    @rule(message=PICK)
    def lose(self, message: int) -> None:
        self.both.lose(message)

    @rule()
    def let_the_sandbox_work(self) -> None:
        self.both.tick()

    @rule()
    def remit(self) -> None:
        self.both.remit()

    @rule(order=PICK, wrong=RARELY)
    def ship(self, order: int, wrong: bool) -> None:
        self.both.ship(order, wrong=wrong)

    @rule(order=PICK, wrong=RARELY)
    def confirm(self, order: int, wrong: bool) -> None:
        self.both.confirm(order, wrong=wrong)

    @rule(order=PICK)
    def ship_and_confirm(self, order: int) -> None:
        self.both.ship(order)
        self.both.confirm(order)

    @rule(rounds=st.integers(1, 3))
    def everybody_works(self, rounds: int) -> None:
        self.both.work_off(rounds=rounds)

    @rule(order=PICK, paid=st.booleans())
    def cancel(self, order: int, paid: bool) -> None:
        self.both.cancel(order, paid=paid)

    @rule(seconds=st.sampled_from(SPANS))
    def time_passes(self, seconds: int) -> None:
        self.both.move_by(seconds)

    @rule(order=PICK, microseconds=st.sampled_from([-1_000_000, -1, 0, 1, 1_000_000]))
    def a_deadline_comes(self, order: int, microseconds: int) -> None:
        self.both.move_to_deadline(order, microseconds)

    @rule(names=st.lists(st.sampled_from(sorted(clockwork.SWEEPS)), min_size=1, max_size=4))
    def some_sweeps_run(self, names: list[str]) -> None:
        for name in names:
            self.both.sweep(name)

    @rule(times=st.integers(1, 2))
    def all_sweeps_run(self, times: int) -> None:
        for name in list(clockwork.SWEEPS) * times:
            self.both.sweep(name)

    @rule(fault=st.sampled_from(FAULTS))
    def something_will_fail(self, fault: tuple[str, str, str]) -> None:
        self.both.arm(*fault)

    @precondition(lambda self: self.both.oracle.payouts)
    @rule(
        payout=PICK,
        operator=st.sampled_from(["ann", "ben"]),
        verb=st.sampled_from(["approve", "refuse", "replace"]),
    )
    def person_decides(self, payout: int, operator: str, verb: str) -> None:
        self.both.decide(payout, operator=operator, verb=verb)

    @invariant()
    def both_sides_agree(self) -> None:
        self.both.compare()

    def teardown(self) -> None:
        try:
            self.both.come_to_rest()
        finally:
            self.open.close()


def test_marketplace_lives_as_the_oracle_says(transactional_db: None) -> None:
    whole = settings().max_examples
    lives = whole if settings.get_current_profile_name() == "campaign" else 15
    run_state_machine_as_test(Marketplace, settings=settings(max_examples=lives))
