"""Reading holds, releases and refunds. It must never lock or write."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from escrow.models import Payee, ReleaseLine


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A release line no statement pays yet. `amount_minor` in minor units of `currency`."""

    id: int
    currency: str
    amount_minor: int


def list_unsettled_lines(*, address: str, before: datetime | None = None) -> list[OpenLine]:
    """Return the release lines of a payee that no settlement pays yet, oldest first.

    Args: before: only what was released before this instant.
    """
    lines = ReleaseLine.objects.filter(address=address, settlement_id__isnull=True).exclude(
        payee=Payee.SERVICE_FEE
    )
    if before is not None:
        lines = lines.filter(release__released_at__lt=before)
    return [
        OpenLine(*row) for row in lines.order_by("id").values_list("id", "currency", "amount_minor")
    ]


def list_settled_lines(*, settlement_id: str) -> Sequence[ReleaseLine]:
    """Return the lines of a settlement with their order at hand, oldest first."""
    lines = ReleaseLine.objects.filter(settlement_id=settlement_id).select_related(
        "release__hold__order"
    )
    return list(lines.order_by("id"))
