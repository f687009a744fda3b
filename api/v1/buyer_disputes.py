"""The buyer's side of a dispute: no API key, the order's token is the authority.

It must never tell whether an order exists to somebody without its token.
"""

from datetime import datetime

import pghistory
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import kept
from api.refusals import refuses
from api.v1.answers import disputes as answers
from api.v1.answers.disputes import FILE
from api.v1.requests import disputes as requests
from api.views import AnswersJsonAnyway, ApiView
from escrow import attachments
from escrow import selectors as escrow
from escrow.locks import DisputeNotFound
from escrow.models import Actor, Dispute
from escrow.services.disputes import answering, evidence, opening, returns
from merchants import clocks
from orders import selectors
from orders.models import Order

BY = Actor.BUYER


class BuyerView(ApiView):
    """The buyer's own door: no API key, the token is the authority."""

    authentication_classes = []
    answer = answers.DisputeAnswer

    def let_in(self, order_id: str, token: str) -> tuple[Order, datetime]:
        """Check the buyer's token. Returns: the order, and what time it is by its platform's clock.

        Raises: BuyerTokenInvalid.
        """
        order = selectors.get_order_for_buyer(order_id=order_id, token=token)
        pghistory.context(actor=f"buyer:{order.id}")
        return order, clocks.now_of(order.platform, now=self.request.at)

    def show(self, order: Order, status: int = 200) -> Response:
        return Response(kept.write(answers.DisputeAnswer, latest(order)), status)


def latest(order: Order) -> Dispute:
    """Return the dispute of an order a buyer means: the latest. Raises: DisputeNotFound."""
    found = escrow.dispute_of_order(order_id=order.id)
    if found is None:
        raise DisputeNotFound(f"Order {order.id} was never disputed.", order=order.id)
    return found


class OrderDisputeView(BuyerView):
    __doc__ = BuyerView.__doc__

    @extend_schema(request=requests.BuyerComplaintRequest, responses={201: answers.DisputeAnswer})
    @refuses(selectors.get_order_for_buyer, opening.open_dispute)
    def post(self, request: Request, order_id: str) -> Response:
        """The buyer disputes the order. Its money is frozen until the dispute ends."""
        body = self.read(requests.BuyerComplaintRequest)
        order, at = self.let_in(order_id, body["token"])
        opening.open_dispute(
            order_id=order.id,
            by=BY,
            reason=body["reason"],
            asked_minor=body.get("asked_minor"),
            text=body["text"],
            line_positions=body["lines"],
            at=at,
        )
        return self.show(order, 201)


class OrderDisputeViewView(BuyerView):
    __doc__ = BuyerView.__doc__

    @extend_schema(request=requests.TokenRequest)
    @refuses(selectors.get_order_for_buyer, latest)
    def post(self, request: Request, order_id: str) -> Response:
        """Return the order's latest dispute with its timeline. It changes nothing."""
        order, _at = self.let_in(order_id, self.read(requests.TokenRequest)["token"])
        return self.show(order)


class OrderDisputeOfferView(BuyerView):
    __doc__ = BuyerView.__doc__

    @extend_schema(request=requests.OfferReplyRequest)
    @refuses(selectors.get_order_for_buyer, latest, answering.accept_offer, answering.decline_offer)
    def post(self, request: Request, order_id: str) -> Response:
        """The buyer accepts or declines the seller's offer."""
        body = self.read(requests.OfferReplyRequest)
        order, at = self.let_in(order_id, body["token"])
        dispute = latest(order)
        if body["accept"]:
            answering.accept_offer(dispute_id=dispute.id, by=BY, at=at)
        else:
            answering.decline_offer(dispute_id=dispute.id, by=BY, text=body["text"], at=at)
        return self.show(order)


class OrderDisputeWithdrawView(BuyerView):
    __doc__ = BuyerView.__doc__

    @extend_schema(request=requests.WithdrawalRequest)
    @refuses(selectors.get_order_for_buyer, latest, answering.withdraw_dispute)
    def post(self, request: Request, order_id: str) -> Response:
        """The buyer gives the dispute up; the order goes on."""
        body = self.read(requests.WithdrawalRequest)
        order, at = self.let_in(order_id, body["token"])
        dispute = latest(order)
        answering.withdraw_dispute(dispute_id=dispute.id, by=BY, text=body["text"], at=at)
        return self.show(order)


class OrderDisputeSendBackView(BuyerView):
    __doc__ = BuyerView.__doc__

    @extend_schema(request=requests.SendBackRequest)
    @refuses(selectors.get_order_for_buyer, latest, returns.send_back)
    def post(self, request: Request, order_id: str) -> Response:
        """The buyer has sent the goods back."""
        body = self.read(requests.SendBackRequest)
        order, at = self.let_in(order_id, body.pop("token"))
        returns.send_back(dispute_id=latest(order).id, by=BY, at=at, **body)
        return self.show(order)


class OrderDisputeEvidenceView(BuyerView):
    __doc__ = BuyerView.__doc__

    @extend_schema(request=requests.BuyerFileRequest, responses={201: answers.EvidenceAnswer})
    @refuses(selectors.get_order_for_buyer, latest, evidence.add_evidence)
    def post(self, request: Request, order_id: str) -> Response:
        """Add a file to what the buyer shows. The same file again is the one that is there."""
        body = self.read(requests.BuyerFileRequest)
        order, at = self.let_in(order_id, body.pop("token"))
        added = evidence.add_evidence(dispute_id=latest(order).id, side=BY, by=BY, at=at, **body)
        return Response(kept.write(answers.EvidenceAnswer, added), 201)


class OrderDisputeFileView(BuyerView):
    __doc__ = BuyerView.__doc__
    content_negotiation_class = AnswersJsonAnyway

    @extend_schema(request=requests.FileReadRequest, responses=FILE)
    @refuses(selectors.get_order_for_buyer, latest, evidence.read_evidence)
    def post(self, request: Request, order_id: str) -> HttpResponse:
        """Return the bytes of a file of either side. It changes nothing."""
        body = self.read(requests.FileReadRequest)
        order, _at = self.let_in(order_id, body["token"])
        found = evidence.read_evidence(dispute=latest(order), evidence_id=body["evidence"])
        return attachments.attachment(found)
