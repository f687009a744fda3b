"""Tickets that make a confirmed step good once, for the order and the dispute as they stood.

It must never decide whether a step is allowed: the services do.
"""

from django.core.signing import BadSignature, Signer

from common.errors import DomainError
from escrow.models import Dispute
from orders.models import Order

SALT = "holdfast.acts"


class ActStale(DomainError):
    """The page was opened before something happened to the order: look at it again."""

    code = "act_stale"


def ticket(act: str, order: Order, dispute: Dispute | None = None) -> str:
    """Write what the confirming step of an act is good for: this order as it stands now."""
    return Signer(salt=SALT).sign(_standing(act, order, dispute)).rpartition(":")[2]


def require_ticket(sent: str, act: str, order: Order, dispute: Dispute | None = None) -> None:
    """Raises: ActStale when the order or its dispute has moved on since the page was opened.

    Two at once get as far as the service, which lets one of them through.
    """
    try:
        Signer(salt=SALT).unsign(f"{_standing(act, order, dispute)}:{sent}")
    except BadSignature:
        raise ActStale("This page is out of date: look at the order and decide again.") from None


def _standing(act: str, order: Order, dispute: Dispute | None) -> str:
    number = dispute.event_sequence if dispute else 0
    return f"{act} {order.pk} {order.state} {order.event_sequence} {number}"
