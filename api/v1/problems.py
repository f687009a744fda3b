"""Explains the code of a problem document to who opens its `type`. It must never need a key."""

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from api import errors, refusals
from api.v1.answers.problems import MeaningAnswer
from api.views import ApiView


class ProblemView(ApiView):
    authentication_classes = []
    answer = MeaningAnswer

    def get(self, request: Request, code: str) -> Response:
        """Return what a code means and the HTTP status it comes with."""
        known = catalogue()
        if code not in known:
            raise Http404
        status, meaning = known[code]
        return Response(
            {"code": code, "status": status, "title": errors.title_of(code), "meaning": meaning}
        )


def catalogue() -> dict[str, tuple[int, str]]:
    """Every code the API can answer: its HTTP status and what it means."""
    found = {}
    for refusal in refusals.all_refusals():
        found.setdefault(refusal.code, (refusal.status, refusals.meaning_of(refusal)))
    return found | errors.MEANINGS
