"""What a flow is, and the steps most flows share.

Every step looks at the state first, so a flow may be started again at its beginning at any time and
goes on from where it stands.
"""

from collections.abc import Callable
from dataclasses import dataclass

from orders.models import OrderState
from tests.flows.market import Market
from tests.world import PAYS

Step = Callable[[Market], None]


@dataclass(frozen=True)
class Flow:
    """`accounts`: the bank account of each seller. `party_account`: that of a further party, which
    then has a part of each sale; empty: there is none. `fee_bps`: what the channel keeps of a
    remittance.
    """

    name: str
    title: str
    steps: tuple[Step, ...]
    accounts: tuple[str, ...] = (PAYS,)
    party_account: str = ""
    fee_bps: int = 0
    approval_above_minor: int | None = None

    def play(self, market: Market) -> None:
        """Take every step, also those taken before: they find nothing left to do."""
        for step in self.steps:
            step(market)


def until_paid(market: Market, *names: str) -> None:
    market.wait_until(lambda: all(market.order(name).paid_at is not None for name in names))


def buy(name: str = "A", **amounts: int) -> tuple[Step, ...]:
    """The order is placed and paid."""
    return (
        lambda market: market.place(name, **amounts),
        lambda market: market.begin_payment(name),
        lambda market: (market.pay_at_cashier(name), until_paid(market, name))[0],
    )


def ship(market: Market) -> None:
    market.ship_parcel("A")


def ship_and_confirm(market: Market) -> None:
    market.ship_parcel("A")
    market.confirm_order("A")
    assert market.order("A").state == OrderState.CONFIRMED


def remit(market: Market) -> None:
    market.remit_collected()


def rest(market: Market) -> None:
    market.come_to_rest()
