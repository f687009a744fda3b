"""Orders with everything that hangs on them, and payments."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from holdfast._decode import Answer
from holdfast.models.merchants import Merchant, PartyPart, Remark
from holdfast.models.money import OrderRefund


@dataclass(frozen=True, kw_only=True)
class Line(Answer):
    """One kind of goods."""

    title: str
    category: str
    quantity: int
    amount_minor: int  # of the whole line


@dataclass(frozen=True, kw_only=True)
class Buyer(Answer):
    """Who buys; all may be empty."""

    name: str
    email: str
    time_zone: str  # of dates in mails; empty: the platform's


@dataclass(frozen=True, kw_only=True)
class Deadlines(Answer):
    """What happens by itself, and when. None: not yet."""

    pay_by: datetime | None
    ship_by: datetime | None
    expected_delivery_at: datetime | None
    confirm_by: datetime | None
    paused_at: datetime | None  # the time to confirm stands still, as in a dispute


@dataclass(frozen=True, kw_only=True)
class OrderPayment(Answer):
    """An order's part of a payment."""

    id: str  # of the payment
    channel: str
    state: str  # PENDING, SUCCEEDED, FAILED, EXPIRED or UNKNOWN
    amount_minor: int
    succeeded_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Shipment(Answer):
    """A parcel."""

    id: str
    carrier: str
    tracking_number: str
    shipped_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class SplitLine(Answer):
    """One payee's part of an order."""

    payee: str  # MERCHANT, PLATFORM, TAX, PARTY or SERVICE_FEE
    amount_minor: int
    status: str
    settlement: str | None
    payout: str | None
    payout_state: str | None
    paid_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Terms(Answer):
    """The commission terms frozen when the order was created."""

    commission_minor: int
    tax_minor: int  # on the commission, to the platform too
    parties: tuple[PartyPart, ...]
    channel: str | None  # the payment channel whose rules count
    service_fee_minor: int
    service_fee_bps: int
    seller_minor: int
    commission_returned_bps: int  # to the seller, when it is refunded; 10000: whole
    service_fee_returned_bps: int
    party_returned_bps: int
    channel_fee_bps: int  # what the payment channel keeps, inside the service fee
    channel_fee_returned_bps: int
    reserve_bps: int  # held back of the seller's part at the release
    reserve_days: int  # for so many days
    guarantee_days: int | None  # after which the platform pays what the seller owes
    explanation: tuple[Remark, ...]


@dataclass(frozen=True, kw_only=True)
class OrderSummary(Answer):
    """An order in a list."""

    id: str
    reference: str  # your own order number
    merchant: str | Merchant  # whole when expanded
    status: str
    state: str
    currency: str
    amount_minor: int  # goods and shipping
    refunded_minor: int  # what the buyer gets back so far, arrived or not
    deadlines: Deadlines
    created_at: datetime
    paid_at: datetime | None
    shipped_at: datetime | None
    confirmed_at: datetime | None
    canceled_at: datetime | None
    metadata: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Order(Answer):
    """An order with everything that hangs on it."""

    id: str
    reference: str  # your own order number
    merchant: str
    status: str  # awaiting_payment, paid, shipped, released, paid_out, expired, refunded …
    currency: str
    amount_minor: int  # goods and shipping
    refunded_minor: int  # what the buyer gets back so far, arrived or not
    goods_minor: int
    shipping_minor: int
    lines: tuple[Line, ...]
    delivery: str  # COURIER, PICKUP or VIRTUAL
    buyer: Buyer
    deadlines: Deadlines
    created_at: datetime | None
    paid_at: datetime | None
    shipped_at: datetime | None
    confirmed_at: datetime | None
    confirmed_by: str | None
    canceled_at: datetime | None
    cancel_reason: str | None
    payments: tuple[OrderPayment, ...]
    shipments: tuple[Shipment, ...]
    refunds: tuple[OrderRefund, ...]
    split: tuple[SplitLine, ...]  # sums to amount_minor
    terms: Terms
    metadata: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class CreatedOrder(Order):
    """A new order, with what its buyer confirms receipt with. The token is never answered again."""

    buyer_token: str
    confirm_url: str
    buyer_url: str  # our page for the buyer; whoever has it acts for the buyer


@dataclass(frozen=True, kw_only=True)
class BuyerLink(Answer):
    """A new order of several, with what its buyer confirms receipt with."""

    id: str
    reference: str
    buyer_token: str
    confirm_url: str
    buyer_url: str  # our page for the buyer; whoever has it acts for the buyer


@dataclass(frozen=True, kw_only=True)
class Receipt(Answer):
    """A confirmed receipt."""

    id: str  # of the order
    confirmed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ExtendedReceipt(Answer):
    """More time for the buyer to confirm."""

    id: str  # of the order
    confirm_by: datetime | None


@dataclass(frozen=True, kw_only=True)
class PaymentPart(Answer):
    """Which part of a payment is for which order."""

    order: str
    amount_minor: int


@dataclass(frozen=True, kw_only=True)
class Payment(Answer):
    """One attempt of a buyer to pay one or several orders."""

    id: str
    state: str  # PENDING, SUCCEEDED, FAILED, EXPIRED or UNKNOWN
    next_step: str  # what to do now, in a sentence
    channel: str
    currency: str
    amount_minor: int
    orders: tuple[PaymentPart, ...]
    pay_url: str  # our page: the cashier as a code and a link, other ways to pay, how it stands
    cashier_url: str | None  # where to send the buyer
    return_url: str | None
    created_at: datetime | None
    expires_at: datetime | None
    succeeded_at: datetime | None
    failure_code: str | None
