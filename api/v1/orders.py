"""Orders over HTTP: each view translates and makes one domain call.

It must never catch a refusal: api.errors answers them all.
"""

from typing import Any

import pghistory
from django.conf import settings
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from api import lookups, nudge, status
from api.v1 import answers, requests
from api.views import ApiView
from escrow.services import refund as refunds
from escrow.services import release as releases
from orders import selectors
from orders.models import OrderState
from orders.services import creation, lifecycle


class OrdersView(ApiView):
    def post(self, request: Request) -> Response:
        """Create an order. The buyer's token is in this answer and never again."""
        body = self.read(requests.OrderRequest)
        merchant = lookups.get_merchant(platform=self.platform, merchant_id=body["merchant"])
        order, token = creation.create_order(
            platform=self.platform, merchant=merchant, new=_new_order(body), at=request.at
        )
        path = reverse("v1:order", args=[order.id])
        confirmation = {
            "buyer_token": token,
            "confirm_url": settings.PUBLIC_URL + reverse("v1:order-confirm", args=[order.id]),
        }
        return Response(
            _answer(self, order.id) | confirmation, status=201, headers={"Location": path}
        )


class OrderView(ApiView):
    def get(self, request: Request, order_id: str) -> Response:
        """Return an order with its status, split, deadlines, payments, parcels and refunds."""
        return Response(_answer(self, order_id))


class OrderShipView(ApiView):
    def post(self, request: Request, order_id: str) -> Response:
        """The seller has handed the goods over."""
        body = self.read(requests.ShipmentRequest)
        order = lookups.get_order(platform=self.platform, order_id=order_id)
        lifecycle.ship_order(order_id=order.id, at=request.at, **body)
        return Response(_answer(self, order_id))


class OrderCancelView(ApiView):
    def post(self, request: Request, order_id: str) -> Response:
        """Cancel an order that is not shipped. Paid money goes back to the buyer whole."""
        body = self.read(requests.CancellationRequest)
        order = lookups.get_order(platform=self.platform, order_id=order_id)
        if order.state == OrderState.CREATED:
            lifecycle.cancel_unpaid_order(order_id=order.id, reason=body["reason"], at=request.at)
        else:
            refunds.cancel_paid_order(order_id=order.id, reason=body["reason"], at=request.at)
            nudge.after_cancellation()
        return Response(_answer(self, order_id))


class OrderConfirmView(ApiView):
    """The buyer's own door: no API key, the token is the authority."""

    authentication_classes = []

    def post(self, request: Request, order_id: str) -> Response:
        """The buyer has the goods: release the money to its payees."""
        body = self.read(requests.ConfirmationRequest)
        order = selectors.get_order_for_buyer(order_id=order_id, token=body["token"])
        pghistory.context(actor=f"buyer:{order.id}")
        releases.confirm_receipt(order_id=order.id, at=request.at)
        nudge.after_confirmation()
        order.refresh_from_db(fields=["confirmed_at"])
        return Response(answers.ReceiptAnswer(order).data)


def _answer(view: ApiView, order_id: str) -> dict[str, Any]:
    order = lookups.get_order(platform=view.platform, order_id=order_id)
    return answers.OrderAnswer(status.picture(order)).data


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
        ship_by=body.get("ship_by"),
        expected_delivery_at=body.get("expected_delivery_at"),
        metadata=body.get("metadata"),
    )
