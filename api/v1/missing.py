"""The answer for every address under /v1 that does not exist.

A machine must never be sent an HTML page.
"""

from typing import Any, NoReturn

from django.http import Http404
from rest_framework.request import Request

from api.views import AnswersJsonAnyway, ApiView


class MissingView(ApiView):
    authentication_classes = []
    content_negotiation_class = AnswersJsonAnyway

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        raise Http404
