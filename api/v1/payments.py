"""Payments over HTTP: write the intent down, ask the channel, answer whatever is known then.

It must never take the channel's silence for a failure.
"""

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from api import lookups
from api.v1 import answers, requests
from api.views import ApiView
from orders.services import payments


class PaymentsView(ApiView):
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
        payment = payments.submit_payment(payment_id=payment.id, at=request.at)
        path = reverse("v1:payment", args=[payment.id])
        return Response(answers.PaymentAnswer(payment).data, status=201, headers={"Location": path})


class PaymentView(ApiView):
    def get(self, request: Request, payment_id: str) -> Response:
        """Return a payment."""
        payment = lookups.get_payment(platform=self.platform, payment_id=payment_id)
        return Response(answers.PaymentAnswer(payment).data)
