"""Held, released and refunded money over HTTP: reading only. What is done to orders moves it."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import pages
from api.v1.answers import money as answers
from api.views import ApiView
from escrow import selectors as escrow
from escrow.models import Hold, HoldState, Refund, RefundState, Release
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
