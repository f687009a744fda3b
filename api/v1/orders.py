"""Orders over HTTP: each view translates and makes one domain call.

It must never catch a refusal: api.errors answers them all.
"""

from typing import Any, ClassVar

import pghistory
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import kept, lookups, nudge, pages, status
from api.idempotency import idempotent
from api.refusals import refuses
from api.v1.answers import orders as answers
from api.v1.requests import orders as requests
from api.views import ApiView
from escrow.services import refund as refunds
from escrow.services import release as releases
from merchants import clocks
from merchants import selectors as merchants
from notifications import buyer_links
from orders import parcels, selectors
from orders.models import Order, OrderState
from orders.services import bulk, creation, extensions, lifecycle, shipping


class OrdersView(pages.ListView):
    scope = "orders"
    answer = answers.OrderSummaryAnswer
    expandable = frozenset({"merchant"})
    filters: ClassVar = {
        "state": pages.one_of(OrderState, "state", "State of the order itself."),
        "merchant": pages.text("merchant_id", "Id of the seller."),
        "reference": pages.text("reference", "Your own order number."),
        **pages.created(),
    }

    def rows(self) -> QuerySet[Order]:
        return selectors.orders_of(platform_id=self.platform.id)

    def prepare(self, page: list[Order]) -> list[Order]:
        found, refunded = status.statuses(page), status.refunded(page)
        for order in page:
            order.status = found[order.pk]  # type: ignore[attr-defined]
            order.refunded_minor = refunded.get(order.pk, 0)  # type: ignore[attr-defined]
        return page

    @extend_schema(request=requests.OrderRequest, responses={201: answers.CreatedOrderAnswer})
    @refuses(lookups.get_merchant, creation.create_order)
    @idempotent
    def post(self, request: Request) -> Response:
        """Create an order. The buyer's token is in this answer and never again."""
        body = self.read(requests.OrderRequest)
        merchant = lookups.get_merchant(platform=self.platform, merchant_id=body["merchant"])
        new = _new_order(body)
        order, token = creation.create_order(
            platform=self.platform, merchant=merchant, new=new, at=request.at
        )
        path = reverse("v1:order", args=[order.id])
        picture = status.picture_of_new(order, creation.line_rows(order, new))
        answer = kept.write(answers.OrderAnswer, picture)
        return Response(answer | _confirmation(order, token), 201, headers={"Location": path})


class OrdersBulkView(ApiView):
    scope = "orders"

    @extend_schema(
        operation_id="orders_bulk_create",
        request=requests.BulkRequest,
        responses={201: answers.NewOrderAnswer(many=True)},
    )
    @refuses(bulk.create_orders)
    @idempotent
    def post(self, request: Request) -> Response:
        """Create up to 500 orders: all of them or none. Buyers' tokens are in this answer only."""
        body = self.read(requests.BulkRequest)
        sellers = merchants.merchants_by_id(
            platform_id=self.platform.id, merchant_ids={each["merchant"] for each in body["orders"]}
        )
        made = bulk.create_orders(
            platform=self.platform,
            wanted=[(sellers.get(each["merchant"]), _new_order(each)) for each in body["orders"]],
            at=request.at,
        )
        return Response({"data": [_created(order, token) for order, token in made]}, 201)


class OrderView(ApiView):
    scope = "orders"
    answer = answers.OrderAnswer

    @refuses(lookups.get_order)
    def get(self, request: Request, order_id: str) -> Response:
        """Return an order with its status, split, deadlines, payments, parcels and refunds."""
        return Response(_answer(self, order_id))


class OrderShipView(ApiView):
    scope = "orders"
    answer = answers.OrderAnswer

    @extend_schema(request=requests.ShipmentRequest)
    @refuses(lookups.get_order, lifecycle.ship_order)
    @idempotent
    def post(self, request: Request, order_id: str) -> Response:
        """The seller has handed the goods over."""
        body = self.read(requests.ShipmentRequest)
        order = lookups.get_order(platform=self.platform, order_id=order_id)
        further = [parcels.NewParcel(**each) for each in body.pop("further")]
        lifecycle.ship_order(order_id=order.id, at=request.at, further=further, **body)
        return Response(_answer(self, order_id))


class OrderParcelsView(ApiView):
    scope = "orders"

    @extend_schema(request=requests.ParcelRequest, responses={201: answers.OrderAnswer})
    @refuses(lookups.get_order, shipping.add_parcel)
    @idempotent
    def post(self, request: Request, order_id: str) -> Response:
        """The seller sends a further parcel. Deadlines stay as they are."""
        body = self.read(requests.ParcelRequest)
        order = lookups.get_order(platform=self.platform, order_id=order_id)
        shipping.add_parcel(order_id=order.id, at=request.at, **body)
        return Response(_answer(self, order_id), 201)


class OrderParcelCorrectView(ApiView):
    scope = "orders"
    answer = answers.OrderAnswer

    @extend_schema(request=requests.ParcelRequest)
    @refuses(lookups.get_order, shipping.correct_parcel)
    @idempotent
    def post(self, request: Request, order_id: str, parcel_id: str) -> Response:
        """Mend a parcel's carrier or number, once."""
        body = self.read(requests.ParcelRequest)
        order = lookups.get_order(platform=self.platform, order_id=order_id)
        shipping.correct_parcel(order_id=order.id, shipment_id=parcel_id, at=request.at, **body)
        return Response(_answer(self, order_id))


class OrderExtendView(ApiView):
    scope = "orders"
    answer = answers.OrderAnswer

    @extend_schema(request=requests.ExtensionRequest)
    @refuses(lookups.get_order, extensions.extend_shipping, extensions.extend_confirmation)
    @idempotent
    def post(self, request: Request, order_id: str) -> Response:
        """Give the seller more time to ship, or the buyer more time to confirm: once each."""
        body = self.read(requests.ExtensionRequest)
        order = lookups.get_order(platform=self.platform, order_id=order_id)
        by = extensions.By.PLATFORM
        if "ship_by" in body:
            extensions.extend_shipping(
                order_id=order.id, ship_by=body["ship_by"], by=by, at=request.at
            )
        else:
            extensions.extend_confirmation(order_id=order.id, by=by, at=request.at)
        return Response(_answer(self, order_id))


class OrderCancelView(ApiView):
    scope = "orders"
    answer = answers.OrderAnswer

    @extend_schema(request=requests.CancellationRequest)
    @refuses(lookups.get_order, lifecycle.cancel_unpaid_order, refunds.cancel_paid_order)
    @idempotent
    def post(self, request: Request, order_id: str) -> Response:
        """Cancel an order that is not shipped. Paid money goes back to the buyer whole."""
        body = self.read(requests.CancellationRequest)
        order = lookups.get_order(platform=self.platform, order_id=order_id)
        if order.state == OrderState.CREATED:
            lifecycle.cancel_unpaid_order(order_id=order.id, reason=body["reason"], at=request.at)
        else:
            refunds.cancel_paid_order(order_id=order.id, reason=body["reason"], at=request.at)
            transaction.on_commit(nudge.after_cancellation)
        return Response(_answer(self, order_id))


class OrderConfirmView(ApiView):
    """The buyer's own door: no API key, the token is the authority."""

    authentication_classes = []

    @extend_schema(request=requests.ConfirmationRequest, responses=answers.ReceiptAnswer)
    @refuses(selectors.get_order_for_buyer, releases.confirm_receipt)
    def post(self, request: Request, order_id: str) -> Response:
        """The buyer has the goods: release the money to its payees."""
        body = self.read(requests.ConfirmationRequest)
        order = selectors.get_order_for_buyer(order_id=order_id, token=body["token"])
        pghistory.context(actor=f"buyer:{order.id}")
        at = clocks.now_of(order.platform, now=request.at)
        releases.confirm_receipt(order_id=order.id, at=at)
        nudge.after_confirmation()
        order.refresh_from_db(fields=["confirmed_at"])
        return Response(kept.write(answers.ReceiptAnswer, order))


class OrderExtendReceiptView(ApiView):
    """The buyer's own door, as for confirming: no API key, the token is the authority."""

    authentication_classes = []

    @extend_schema(request=requests.ConfirmationRequest, responses=answers.ExtendedReceiptAnswer)
    @refuses(selectors.get_order_for_buyer, extensions.extend_confirmation)
    def post(self, request: Request, order_id: str) -> Response:
        """The buyer takes more time to confirm receipt, once: as much as the platform grants."""
        body = self.read(requests.ConfirmationRequest)
        order = selectors.get_order_for_buyer(order_id=order_id, token=body["token"])
        pghistory.context(actor=f"buyer:{order.id}")
        at = clocks.now_of(order.platform, now=request.at)
        extended = extensions.extend_confirmation(order_id=order.id, by=extensions.By.BUYER, at=at)
        return Response(answers.ExtendedReceiptAnswer(extended).data)


def _created(order: Order, token: str) -> dict[str, Any]:
    return {"id": order.id, "reference": order.reference} | _confirmation(order, token)


def _confirmation(order: Order, token: str) -> dict[str, Any]:
    return {
        "buyer_token": token,
        "confirm_url": settings.PUBLIC_URL + reverse("v1:order-confirm", args=[order.id]),
        "buyer_url": settings.PUBLIC_URL + buyer_links.order_path(order.id) + f"/{token}",
    }


def _answer(view: ApiView, order_id: str) -> dict[str, Any]:
    order = lookups.get_order(platform=view.platform, order_id=order_id)
    return kept.write(answers.OrderAnswer, status.picture(order))


def _new_order(body: dict[str, Any]) -> creation.NewOrder:
    buyer = body.get("buyer", {})
    return creation.NewOrder(
        reference=body["reference"],
        currency=body["currency"],
        lines=[creation.NewLine(**line) for line in body["lines"]],
        shipping_minor=body["shipping_minor"],
        delivery=body["delivery"],
        buyer_name=buyer.get("name", ""),
        buyer_email=buyer.get("email", ""),
        buyer_time_zone=buyer.get("time_zone", ""),
        ship_by=body.get("ship_by"),
        expected_delivery_at=body.get("expected_delivery_at"),
        metadata=body.get("metadata"),
    )
