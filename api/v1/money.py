"""Held, released and refunded money over HTTP. What is done to orders moves it, and refunds."""

from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import kept, lookups, nudge, pages
from api.idempotency import idempotent
from api.refusals import refuses
from api.v1.answers import money as answers
from api.v1.requests import refunds as requests
from api.views import ApiView
from escrow import receipts
from escrow import selectors as escrow
from escrow.models import Hold, HoldState, Refund, RefundState, Release
from escrow.services import order_refunds
from payouts import balances


class HoldsView(pages.ListView):
    scope = "orders"
    answer = answers.HoldAnswer
    filters: ClassVar = {
        "state": pages.one_of(HoldState, "state", "State of the hold."),
        "order": pages.text("order_id", "Id of the order."),
        **pages.created("held_at"),
    }

    def rows(self) -> QuerySet[Hold]:
        return escrow.holds_of(platform_id=self.platform.id)


class HoldView(pages.ItemView):
    scope = "orders"
    listing = HoldsView


class ReleasesView(pages.ListView):
    scope = "orders"
    answer = answers.ReleaseAnswer
    filters: ClassVar = {
        "order": pages.text("hold__order_id", "Id of the order."),
        **pages.created("released_at"),
    }

    def rows(self) -> QuerySet[Release]:
        return escrow.releases_of(platform_id=self.platform.id)


class ReleaseView(pages.ItemView):
    scope = "orders"
    listing = ReleasesView


class ReleaseReceiptView(pages.ItemView):
    scope = "orders"
    listing = ReleasesView
    answer = answers.SignedReceiptAnswer  # type: ignore[assignment]

    @refuses(receipts.make_receipt)
    def get(self, request: Request, id: str) -> HttpResponse:  # type: ignore[override]
        """Return the signed receipt of a release: the same bytes each time. Keep them as they are.

        It is verified without us, by a key of `/v1/receipt-keys`.
        """
        return HttpResponse(receipts.make_receipt(self.find(id)), content_type="application/json")


class ReceiptKeysView(ApiView):
    authentication_classes = []

    @extend_schema(responses=answers.ReceiptKeyAnswer(many=True))
    def get(self, request: Request) -> Response:
        """Return the public keys that verify receipts, newest first. Asks for no API key."""
        found: list[Any] = receipts.list_receipt_keys()
        return Response({"data": answers.ReceiptKeyAnswer(found, many=True).data})


class RefundsView(pages.ListView):
    scope = "refunds"
    answer = answers.RefundAnswer
    filters: ClassVar = {
        "state": pages.one_of(RefundState, "state", "State of the refund."),
        "payment": pages.text("payment_id", "Id of the payment."),
        "order": pages.text(("hold__order_id", "surplus__order_id"), "Id of the order."),
        **pages.created(),
    }

    def rows(self) -> QuerySet[Refund]:
        return escrow.refunds_of(platform_id=self.platform.id)

    @extend_schema(request=requests.RefundRequest, responses={201: answers.RefundAnswer})
    @refuses(lookups.get_order, order_refunds.refund_order)
    @idempotent
    def post(self, request: Request) -> Response:
        """Give a buyer money of an order back: all that is left, an amount, or lines.

        Each payee gives its part, by the terms frozen on the order. The channel is asked right
        after; `state` says what became of it.
        """
        body = self.read(requests.RefundRequest)
        order = lookups.get_order(platform=self.platform, order_id=body["order"])
        refund = order_refunds.refund_order(
            order_id=order.id,
            amount_minor=body.get("amount_minor"),
            lines=[order_refunds.LineRefund(**line) for line in body["lines"]],
            reason=body["reason"],
            at=request.at,
        )
        transaction.on_commit(nudge.after_cancellation)
        path = reverse("v1:refund", args=[refund.id])
        answer = kept.write(answers.RefundAnswer, self.rows().get(pk=refund.pk))
        return Response(answer, 201, headers={"Location": path})


class RefundView(pages.ItemView):
    scope = "refunds"
    listing = RefundsView


class BalancesView(ApiView):
    scope = "balances"

    @extend_schema(responses=answers.BalanceAnswer(many=True))
    def get(self, request: Request) -> Response:
        """Return what the platform and each of its sellers have where, per currency."""
        found: list[Any] = balances.balances_of(platform=self.platform)
        return Response({"data": answers.BalanceAnswer(found, many=True).data})
