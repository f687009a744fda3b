"""What all views share: who asks, strict reading, one handler. It must never know a resource."""

from collections.abc import Sequence
from typing import Any, ClassVar

import pghistory
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from rest_framework import exceptions, serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api import access, errors, kept
from api.authentication import ApiKeyAuthentication
from api.parsers import StrictJSONParser
from merchants import clocks
from merchants.models import Platform


class ApiView(APIView):
    """A view of the API, for holders of a key unless it says otherwise.

    The clock is read once per request: `request.now` is the real time, `request.at` what time it
    is on the platform's own clock. Sentences are English whatever Accept-Language says.
    """

    authentication_classes: Sequence[Any] = [ApiKeyAuthentication]
    permission_classes: Sequence[Any] = []
    throttle_classes: Sequence[Any] = [access.KeyRate]
    parser_classes: Sequence[Any] = [StrictJSONParser]
    renderer_classes: Sequence[Any] = [JSONRenderer]
    http_method_names: ClassVar[list[str]] = ["get", "post", "delete", "head"]
    query_parameters: frozenset[str] = frozenset()  # those the view knows
    expandable: ClassVar[frozenset[str]] = frozenset()  # relations `expand` may ask for
    scope: ClassVar[str] = ""  # what a key must be allowed; empty for doors without a key
    conclude = None  # see api.idempotency

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with (
            translation.override("en"),
            pghistory.context(actor="anonymous", request=getattr(request, "request_id", "")),
        ):
            return super().dispatch(request, *args, **kwargs)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        found = super().initialize_request(request, *args, **kwargs)
        found.now = found.at = timezone.now()
        return found

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method not in self.allowed_methods:
            raise exceptions.MethodNotAllowed(request.method)
        for name in request.query_params:
            if name not in self.query_parameters:
                raise errors.QueryParameterUnknown(
                    f"There is no query parameter {name!r} here.", parameter=name
                )
        access.require_version(request)
        super().initial(request, *args, **kwargs)
        if request.auth is not None:
            access.require_scope(request.auth, self.scope, reads=request.method in SAFE_METHODS)
            request.at = clocks.now_of(self.platform, now=request.at)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Cache-Control"] = "no-store"  # answers carry tokens and people's addresses
        final[access.VERSION_HEADER] = access.version_of(request)
        if final.status_code >= 400:
            # For the log of requests: what was read so far, without reading any more.
            request._request.refused_body = getattr(request, "_full_data", None)
        return final

    def get_exception_handler(self) -> Any:
        return errors.answer_exception

    @property
    def platform(self) -> Platform:
        """The platform whose key was shown."""
        return self.request.auth.platform

    @property
    def expand(self) -> frozenset[str]:
        """The relations to be answered whole. Raises: ExpansionUnknown."""
        sent = self.request.query_params.getlist("expand")
        wanted = frozenset(name for each in sent for name in each.split(","))
        if wanted - self.expandable:
            raise errors.ExpansionUnknown(
                f"`expand` may name {', '.join(sorted(self.expandable)) or 'nothing'} here.",
                parameter="expand",
            )
        return wanted

    def read(self, serializer: type[serializers.Serializer]) -> dict[str, Any]:
        """Return the validated body. Raises: ValidationError, ParseError."""
        return kept.read(serializer, self.request.data, at=self.request.at)


class AnswersJsonAnyway(BaseContentNegotiation):
    """For callers whose Accept header means nothing, such as a bank's notification sender."""

    def select_parser(self, request: Request, parsers: Sequence[Any]) -> Any:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Sequence[Any], format_suffix: str | None = None
    ) -> Any:
        return renderers[0], renderers[0].media_type
