"""Where channels and banks tell us things: the raw message is kept first, then acted on (rule R10).

Once a message is kept the answer must never be anything but 200: the sweep tries again.
"""

import logging

import pghistory
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import inbound, lookups
from api.views import AnswersJsonAnyway, ApiView
from channels import services as inbox
from channels.models import InboundNotification

log = logging.getLogger(__name__)


class InboundView(ApiView):
    """A source's own door: no API key, its signature over the raw bytes is the authority."""

    authentication_classes = []
    parser_classes = []
    content_negotiation_class = AnswersJsonAnyway
    kind = ""  # "channels" or "rails"

    @extend_schema(exclude=True)
    def post(self, request: Request, name: str) -> Response:
        """Keep a notification and act on it. The same one again is answered the same."""
        source = f"{self.kind}/{name}"
        notifier = lookups.get_notifier(kind=self.kind, name=name)
        pghistory.context(actor=f"notification:{source}")
        row, _new = inbox.receive_notification(
            source=source,
            notifier=notifier,
            headers=request.headers,
            body=request.body,
            at=request.at,
        )
        self._act(row)
        return Response({"received": True})

    def _act(self, row: InboundNotification) -> None:
        try:
            inbound.apply_notification(notification_id=row.pk, at=self.request.at)
        except Exception:  # it is kept: the sweep tries again, and the sender need not know
            log.exception("notification %s could not be applied at once", row.pk)
