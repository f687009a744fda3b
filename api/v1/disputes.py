"""Disputes over HTTP, for platforms: each view translates and makes one domain call."""

from typing import ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import kept, lookups, pages
from api.idempotency import idempotent
from api.refusals import refuses
from api.v1.answers import disputes as answers
from api.v1.answers.disputes import FILE
from api.v1.requests import disputes as requests
from api.views import AnswersJsonAnyway
from escrow import attachments
from escrow import selectors as escrow
from escrow.models import Actor, Dispute, DisputeKind, DisputeState, WaitsFor
from escrow.services.disputes import answering, evidence, opening, returns


class DisputesView(pages.ListView):
    scope = "disputes"
    answer = answers.DisputeAnswer
    filters: ClassVar = {
        "state": pages.one_of(DisputeState, "state", "State of the dispute."),
        "waits_for": pages.one_of(WaitsFor, "waits_for", "Whose move it is."),
        "kind": pages.one_of(DisputeKind, "kind", "Kind of dispute."),
        "order": pages.text("order_id", "Id of the order."),
        "due_before": pages.instant("due_at__lt", "Due before this instant."),
        **pages.created("opened_at"),
    }

    def rows(self) -> QuerySet[Dispute]:
        return escrow.disputes_of(platform_id=self.platform.id)

    @extend_schema(request=requests.DisputeRequest, responses={201: answers.DisputeAnswer})
    @refuses(lookups.get_order, opening.open_dispute)
    @idempotent
    def post(self, request: Request) -> Response:
        """Open a dispute for the buyer. The order's money is frozen until it ends."""
        body = self.read(requests.DisputeRequest)
        order = lookups.get_order(platform=self.platform, order_id=body["order"])
        dispute = opening.open_dispute(
            order_id=order.id,
            by=Actor.PLATFORM,
            reason=body["reason"],
            asked_minor=body.get("asked_minor"),
            text=body["text"],
            line_positions=body["lines"],
            at=request.at,
        )
        path = reverse("v1:dispute", args=[dispute.id])
        return Response(self.write(self.rows().get(pk=dispute.pk)), 201, headers={"Location": path})


class DisputeView(pages.ItemView):
    scope = "disputes"
    listing = DisputesView


class DisputeAnswerView(pages.ActionView):
    scope = "disputes"
    listing = DisputesView

    @extend_schema(request=requests.AnswerRequest)
    @refuses(answering.answer_dispute)
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """The seller answers: accepts, offers something, or contests."""
        body = self.read(requests.AnswerRequest)
        dispute = self.find(id)
        answering.answer_dispute(dispute_id=dispute.id, by=Actor.MERCHANT, at=request.at, **body)
        return Response(self.write(self.find(id)))


class DisputeReturnView(pages.ActionView):
    scope = "disputes"
    listing = DisputesView

    @extend_schema(request=requests.ReturnRequest)
    @refuses(returns.receive_return, returns.refuse_return)
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """The seller says whether goods that were sent back have arrived as they should."""
        body = self.read(requests.ReturnRequest)
        dispute, by = self.find(id), Actor.MERCHANT
        if body["received"]:
            returns.receive_return(dispute_id=dispute.id, by=by, at=request.at)
        else:
            returns.refuse_return(dispute_id=dispute.id, text=body["text"], by=by, at=request.at)
        return Response(self.write(self.find(id)))


class DisputeEvidenceView(pages.ActionView):
    scope = "disputes"
    listing = DisputesView

    @extend_schema(request=requests.EvidenceRequest, responses={201: answers.EvidenceAnswer})
    @refuses(evidence.add_evidence)
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """Add a file to what one side shows. The same file again is the one that is there."""
        body = self.read(requests.EvidenceRequest)
        dispute = self.find(id)
        added = evidence.add_evidence(
            dispute_id=dispute.id, by=Actor.PLATFORM, at=request.at, **body
        )
        return Response(kept.write(answers.EvidenceAnswer, added), 201)


class DisputeFileView(pages.ItemView):
    scope = "disputes"
    listing = DisputesView
    content_negotiation_class = AnswersJsonAnyway

    @extend_schema(responses=FILE)
    @refuses(evidence.read_evidence)
    def get(self, request: Request, id: str, evidence_id: str) -> HttpResponse:  # type: ignore[override]
        """Return the bytes of a file, to be saved and never to be shown as a page."""
        found = evidence.read_evidence(dispute=self.find(id), evidence_id=evidence_id)
        return attachments.attachment(found)
