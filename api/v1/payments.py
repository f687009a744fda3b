"""Payments over HTTP: write the intent down, ask the channel, answer whatever is known then.

It must never take the channel's silence for a failure.
"""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import kept, lookups, pages
from api.idempotency import idempotent
from api.refusals import refuses
from api.v1.answers import payments as answers
from api.v1.requests import payments as requests
from api.views import ApiView
from orders import selectors
from orders.models import Payment, PaymentState
from orders.services import payments


class PaymentsView(pages.ListView):
    scope = "payments"
    answer = answers.PaymentAnswer
    filters: ClassVar = {
        "state": pages.one_of(PaymentState, "state", "State of the payment."),
        "order": pages.text("parts__order_id", "Id of an order it pays."),
        "channel": pages.text("channel", "Payment channel."),
        **pages.created(),
    }

    def rows(self) -> QuerySet[Payment]:
        return selectors.payments_of(platform_id=self.platform.id)

    @extend_schema(request=requests.PaymentRequest, responses={201: answers.PaymentAnswer})
    @refuses(lookups.require_orders, payments.create_payment, payments.submit_payment)
    @idempotent
    def post(self, request: Request) -> Response:
        """Create a payment for one or several orders and ask the channel for its cashier.

        A channel that does not answer is no error: the payment exists and is UNKNOWN until it has.
        """
        body = self.read(requests.PaymentRequest)
        lookups.require_orders(platform=self.platform, order_ids=body["orders"])
        payment = payments.create_payment(
            platform_id=self.platform.id,
            order_ids=body["orders"],
            channel=body["channel"],
            return_url=body["return_url"],
            at=request.at,
        )
        path = reverse("v1:payment", args=[payment.id])
        return Response(
            kept.write(answers.PaymentAnswer, payment), status=201, headers={"Location": path}
        )

    def conclude(self, request: Request, answered: dict[str, Any]) -> dict[str, Any]:
        """Ask the channel, now that the payment is committed."""
        payment = payments.submit_payment(payment_id=answered["id"], at=request.at)
        return kept.write(answers.PaymentAnswer, payment)


class PaymentView(ApiView):
    scope = "payments"
    answer = answers.PaymentAnswer

    @refuses(lookups.get_payment)
    def get(self, request: Request, payment_id: str) -> Response:
        """Return a payment."""
        payment = lookups.get_payment(platform=self.platform, payment_id=payment_id)
        return Response(kept.write(answers.PaymentAnswer, payment))
