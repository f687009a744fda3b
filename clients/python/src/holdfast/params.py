"""What is sent inside bodies, as dictionaries with known members."""

from typing import NotRequired, TypedDict


class OrderLine(TypedDict):
    """One kind of goods of a new order."""

    title: str
    amount_minor: int  # of the whole line, not per piece
    category: NotRequired[str]  # chooses the commission rule
    quantity: NotRequired[int]


class OrderBuyer(TypedDict, total=False):
    """Who buys."""

    name: str
    email: str
    time_zone: str  # of dates in mails to the buyer, such as Asia/Shanghai


class NewOrder(TypedDict):
    """One order of several. Instants are texts here: `ship_by.isoformat()`."""

    reference: str
    merchant: str
    currency: str
    lines: list[OrderLine]
    shipping_minor: NotRequired[int]
    delivery: NotRequired[str]
    buyer: NotRequired[OrderBuyer]
    ship_by: NotRequired[str | None]
    expected_delivery_at: NotRequired[str | None]
    metadata: NotRequired[dict[str, str]]


class LineRefund(TypedDict):
    """What of one line of an order goes back."""

    position: int  # 1, 2, 3 … in the order
    amount_minor: NotRequired[int]  # left out: all that is left of it


class Parcel(TypedDict):
    """A parcel that was handed over."""

    carrier: str
    tracking_number: str


class SaleLine(TypedDict):
    """One line of a sale that is only asked about."""

    amount_minor: int
    category: NotRequired[str]


class PartyShare(TypedDict):
    """What a rule gives a further party of its base."""

    party: str
    rate_bps: NotRequired[int]
    fixed_minor: NotRequired[int]


class Tier(TypedDict):
    """The rate of the whole order once a seller has sold `from_minor` of goods in 30 days."""

    from_minor: int
    rate_bps: int


class DraftRule(TypedDict):
    """A commission rule to be tried out."""

    currency: str
    rate_bps: int
    fixed_minor: NotRequired[int]
    floor_minor: NotRequired[int | None]
    cap_minor: NotRequired[int | None]
    base: NotRequired[str]
    priority: NotRequired[int]
    merchant: NotRequired[str | None]
    category: NotRequired[str]
    channel: NotRequired[str]
    min_order_minor: NotRequired[int | None]
    max_order_minor: NotRequired[int | None]
    tax_bps: NotRequired[int]
    parties: NotRequired[list[PartyShare]]
    tiers: NotRequired[list[Tier]]
