"""Explains the code of a problem document to who opens its `type`. It must never need a key."""

from collections.abc import Iterator
from inspect import getdoc

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from api import errors
from api.views import ApiView
from common.errors import DomainError


class ProblemView(ApiView):
    authentication_classes = []

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
    for refusal in _refusals(DomainError):
        meaning = (refusal.__doc__ and getdoc(refusal)) or f"{errors.title_of(refusal.code)}."
        found.setdefault(refusal.code, (refusal.status, meaning))
    return found | errors.MEANINGS


def _refusals(base: type[DomainError]) -> Iterator[type[DomainError]]:
    for refusal in base.__subclasses__():
        yield refusal
        yield from _refusals(refusal)
