"""Links that sellers and platforms hand to a buyer, and how they are drawn for a phone."""

import io
from datetime import datetime

import segno
from django.utils.safestring import SafeString, mark_safe

from notifications import buyer_links
from orders.models import Order


def buyer_link(order: Order, *, at: datetime) -> str:
    """A link that opens this order's page for its buyer. Whoever has it may confirm receipt.

    Args: at: the real time; the link ends sixty days later.
    """
    return buyer_links.order_url(order.pk, until=at + buyer_links.LIFETIME)


def qr_svg(address: str) -> SafeString:
    """Draw an address for a phone's camera: an inline drawing, in black on white in any theme."""
    drawing = io.BytesIO()
    segno.make(address, error="m").save(
        drawing,
        kind="svg",
        xmldecl=False,
        svgns=True,
        border=3,
        dark="#000",
        light="#fff",
        omitsize=True,
        svgclass="qr",
        lineclass=None,
    )
    # Only squares of segno's: the address itself is not written in the drawing.
    return mark_safe(drawing.getvalue().decode())  # noqa: S308
