"""Orders and payments. Signatures only: see holdfast._operations."""

# mypy: disable-error-code="empty-body"

from collections.abc import Mapping, Sequence
from datetime import datetime

from holdfast import models
from holdfast._operations import Mode, Resource, get, listing, post
from holdfast.params import NewOrder, OrderBuyer, OrderLine, Parcel


class Orders(Resource[Mode]):
    """What buyers buy, one order per seller."""

    @listing("/v1/orders")
    def list(
        self,
        *,
        state: str | Sequence[str] | None = None,
        merchant: str | None = None,
        reference: str | None = None,
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
        expand: Sequence[str] | None = None,
    ) -> models.OrderSummary:
        """List orders, newest first. `expand=["merchant"]` writes the seller whole."""
        ...

    @post("/v1/orders")
    def create(
        self,
        *,
        reference: str,
        merchant: str,
        currency: str,
        lines: Sequence[OrderLine],
        shipping_minor: int | None = None,
        delivery: str | None = None,
        buyer: OrderBuyer | None = None,
        ship_by: datetime | None = None,
        expected_delivery_at: datetime | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> models.CreatedOrder:
        """Create an order. Keep `buyer_token` of the answer: it is never answered again."""
        ...

    @post("/v1/orders/bulk", under="data")
    def create_many(
        self, *, orders: Sequence[NewOrder], idempotency_key: str | None = None
    ) -> tuple[models.BuyerLink, ...]:
        """Create up to 500 orders: all of them, or none."""
        ...

    @get("/v1/orders/{order_id}")
    def retrieve(self, order_id: str) -> models.Order:
        """Read an order with its status, split, deadlines, payments, parcels and refunds."""
        ...

    @post("/v1/orders/{order_id}/ship")
    def ship(
        self,
        order_id: str,
        *,
        carrier: str | None = None,
        tracking_number: str | None = None,
        further: Sequence[Parcel] | None = None,
        idempotency_key: str | None = None,
    ) -> models.Order:
        """The seller has handed the goods over. `further`: parcels besides the first.

        Carrier and number are needed unless the order's delivery is PICKUP or VIRTUAL.
        """
        ...

    @post("/v1/orders/{order_id}/parcels")
    def add_parcel(
        self,
        order_id: str,
        *,
        carrier: str,
        tracking_number: str,
        idempotency_key: str | None = None,
    ) -> models.Order:
        """The seller sends a further parcel. Deadlines stay as they are."""
        ...

    @post("/v1/orders/{order_id}/parcels/{parcel_id}/correct")
    def correct_parcel(
        self,
        order_id: str,
        parcel_id: str,
        *,
        carrier: str,
        tracking_number: str,
        idempotency_key: str | None = None,
    ) -> models.Order:
        """Mend a parcel's carrier or number, once."""
        ...

    @post("/v1/orders/{order_id}/extend")
    def extend(
        self,
        order_id: str,
        *,
        ship_by: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> models.Order:
        """Give the seller until `ship_by`, or the buyer of a shipped order more time: once each."""
        ...

    @post("/v1/orders/{order_id}/cancel")
    def cancel(
        self, order_id: str, *, reason: str | None = None, idempotency_key: str | None = None
    ) -> models.Order:
        """Cancel an order that is not shipped. Paid money goes back to the buyer whole."""
        ...

    @post("/v1/orders/{order_id}/confirm", keyless=True)
    def confirm(
        self, order_id: str, *, token: str, idempotency_key: str | None = None
    ) -> models.Receipt:
        """The buyer has the goods: release the money. `token`: the order's `buyer_token`.

        The token is the authority, your key is not sent. A second confirmation is a `Conflict`, so
        after a `ConnectionFailed` read the order first.
        """
        ...

    @post("/v1/orders/{order_id}/extend-receipt", keyless=True)
    def extend_receipt(
        self, order_id: str, *, token: str, idempotency_key: str | None = None
    ) -> models.ExtendedReceipt:
        """The buyer takes more time to confirm, once. As for `confirm`, the token is the authority.

        A second extension is a `Conflict`, so after a `ConnectionFailed` read the order first.
        """
        ...


class Payments(Resource[Mode]):
    """Attempts of buyers to pay."""

    @listing("/v1/payments")
    def list(
        self,
        *,
        state: str | Sequence[str] | None = None,
        order: str | None = None,
        channel: str | None = None,
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
    ) -> models.Payment:
        """List payments, newest first."""
        ...

    @post("/v1/payments")
    def create(
        self,
        *,
        orders: Sequence[str],
        channel: str,
        return_url: str | None = None,
        idempotency_key: str | None = None,
    ) -> models.Payment:
        """Ask for a payment of one or several orders; send the buyer to its `cashier_url`."""
        ...

    @get("/v1/payments/{payment_id}")
    def retrieve(self, payment_id: str) -> models.Payment:
        """Read a payment."""
        ...
