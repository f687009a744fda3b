"""Addresses of the pages for people without an account, and links that open them.

It lies this low so that mails can carry such links. A link is signed, opens one page and ends at an
instant of the real clock. It must never be written down, nor tell whether what it is about exists.
"""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.signing import BadSignature, Signer

SALT = "holdfast.buyer-links"
LIFETIME = timedelta(days=60)  # an order from its payment to the end of a long dispute
PAYING = timedelta(days=1)  # after it has expired, to read what became of it
MARK = "."  # tokens drawn by lot have none


def order_path(order_id: str) -> str:
    """The page of an order's buyer."""
    return f"/o/{order_id}"


def payment_path(payment_id: str) -> str:
    """The page on which somebody pays."""
    return f"/pay/{payment_id}"


def invitation_path(invitation_id: str, round: int) -> str:
    """Where somebody who was invited joins a seller or a platform."""
    return f"/join/{invitation_id}/{round}"


def order_url(order_id: str, *, until: datetime) -> str:
    """A link that opens an order's page for its buyer until an instant. For the buyer alone."""
    return signed_url(order_path(order_id), until=until)


def payment_url(payment_id: str, *, expires_at: datetime) -> str:
    """A link on which a payment can be made, and read for a day after it expires."""
    return signed_url(payment_path(payment_id), until=expires_at + PAYING)


def signed_url(path: str, *, until: datetime) -> str:
    """The whole address of a page, with the right to open it."""
    return f"{settings.PUBLIC_URL}{path}/{sign(path, until=until)}"


def sign(path: str, *, until: datetime) -> str:
    """Write a right to one page: a signature and when it ends, in whole seconds."""
    ends = int(until.timestamp())
    _, _, signature = _signer().sign(f"{path} {ends}").rpartition(":")
    return f"{signature}{MARK}{ends}"


def read(path: str, right: str) -> datetime | None:
    """Return until when a right opens this page; None when it was not signed for it."""
    signature, mark, ends = right.rpartition(MARK)
    if not mark or not (ends.isascii() and ends.isdigit() and len(ends) <= 11):
        return None
    try:
        _signer().unsign(f"{path} {ends}:{signature}")
    except BadSignature:
        return None
    return datetime.fromtimestamp(int(ends), UTC)


def _signer() -> Signer:
    return Signer(salt=SALT)
