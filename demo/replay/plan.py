"""Turns a history into what has to be lived: carts of seller orders, and who does what when. Pure.

It decides nothing about money or states: it only says what people tried, and the services say what
came of it.

- An order is created when it was purchased, or when it was paid if that is earlier, and paid when
  it was approved. One that was never approved was never paid: nobody ships it, and it expires.
- A seller tries to ship when the parcel was handed over, or at payment if that is later. Every
  seller of an order hands over at the same time: the history knows only one.
- The buyer tries to confirm when the parcel was delivered, once. Before shipping that is refused
  like any other confirmation of goods that are not under way, and the automatic confirmation comes
  in its time.
- Whose parcel is delivered after the instant its order was estimated for, as the two columns say,
  has reason to complain. Where buyers are to dispute what came late (`--dispute-late`), this one
  does so at delivery instead of confirming, or just before the automatic confirmation when the
  parcel has still not come by then.
- Of things at the same instant, people come before deadlines, and pay before ship before confirm.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from demo.replay.reader import Item, SourceOrder

SHORTEST_PAY_TERM = timedelta(minutes=30)
AFTERMATH = timedelta(days=30)  # more than any term that begins with the last deed of the history


class Deed(IntEnum):
    """What somebody tries, in the order in which it happens within one instant."""

    CREATE = 0
    PAY = 1
    SHIP = 2
    CONFIRM = 3


@dataclass(frozen=True, slots=True)
class SellerOrder:
    """What one seller ships of one source order. `lines` are (title, minor units)."""

    reference: str
    seller_id: str
    lines: tuple[tuple[str, int], ...]
    freight_minor: int
    ship_by: datetime
    expected_at: datetime | None

    @property
    def amount_minor(self) -> int:
        """What the buyer pays for it, in minor units."""
        return sum(price_minor for _title, price_minor in self.lines) + self.freight_minor


@dataclass(frozen=True, slots=True)
class Cart:
    """One source order: one payment, one part per seller. An empty instant never comes.

    `late`: delivered after it was estimated.
    """

    order_id: str
    created_at: datetime
    paid_at: datetime | None
    shipped_at: datetime | None
    confirmed_at: datetime | None
    late: bool
    parts: tuple[SellerOrder, ...]


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """Somebody tries something. `part` is the place in the cart; -1 speaks of the whole cart."""

    at: datetime
    deed: Deed
    cart: int
    part: int = -1


def plan_cart(order: SourceOrder) -> Cart:
    """Split a source order by seller, in the order in which its items name them."""
    of_seller: dict[str, list[Item]] = defaultdict(list)
    for item in order.items:
        of_seller[item.seller_id].append(item)
    paid_at = order.approved_at
    parts = enumerate(of_seller.items(), start=1)
    return Cart(
        order_id=order.order_id,
        created_at=min(order.purchased_at, paid_at or order.purchased_at),
        paid_at=paid_at,
        shipped_at=max(order.handed_over_at, paid_at) if order.handed_over_at and paid_at else None,
        confirmed_at=order.delivered_at if paid_at else None,
        late=bool(
            order.delivered_at and order.estimated_at and order.delivered_at > order.estimated_at
        ),
        parts=tuple(
            _plan_part(order, number, seller_id, items) for number, (seller_id, items) in parts
        ),
    )


def _plan_part(
    order: SourceOrder, number: int, seller_id: str, items: Sequence[Item]
) -> SellerOrder:
    return SellerOrder(
        reference=f"{order.order_id}-{number}",
        seller_id=seller_id,
        lines=tuple((item.title, item.price_minor) for item in items),
        freight_minor=sum(item.freight_minor for item in items),
        ship_by=max(item.ship_limit_at for item in items),
        expected_at=order.estimated_at,
    )


def list_steps(carts: Sequence[Cart]) -> list[Step]:
    """Everything that is tried, in the order of time."""
    steps = []
    for number, cart in enumerate(carts):
        steps.append(Step(cart.created_at, Deed.CREATE, number))
        if cart.paid_at:
            steps.append(Step(cart.paid_at, Deed.PAY, number))
        for deed, at in ((Deed.SHIP, cart.shipped_at), (Deed.CONFIRM, cart.confirmed_at)):
            steps.extend(Step(at, deed, number, part) for part in range(len(cart.parts)) if at)
    return sorted(steps)


def pay_term(carts: Sequence[Cart]) -> timedelta:
    """The shortest term that lets everybody pay who paid: this marketplace's `pay_by`."""
    waits = [cart.paid_at - cart.created_at for cart in carts if cart.paid_at]
    return max([SHORTEST_PAY_TERM, *(wait + timedelta(minutes=1) for wait in waits)])


def ends_before(carts: Sequence[Cart]) -> datetime:
    """An instant by which everything of this history is certainly over."""
    instants = [cart.created_at + pay_term(carts) for cart in carts]
    for cart in carts:
        instants += [at for at in (cart.paid_at, cart.shipped_at, cart.confirmed_at) if at]
        instants += [at for part in cart.parts for at in (part.ship_by, part.expected_at) if at]
    return max(instants) + AFTERMATH
