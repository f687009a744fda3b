"""Posting rules of the rolling reserve, beside those of entries.py. Pure.

What is held back is a leg of the release itself.
"""

from ledger import chart
from ledger.entries import Draft, EntryKind, Leg


def clawback_reserve(
    *, taking_id: str, order_id: str, merchant_id: str, amount_minor: int, currency: str
) -> Draft:
    """A seller has less than it must give back; a slice of its reserve pays. Dr its reserve / Cr
    held."""
    return Draft(
        kind=EntryKind.CLAWBACK_RESERVE,
        reference=f"{EntryKind.CLAWBACK_RESERVE}:{taking_id}",
        subject=order_id,
        currency=currency,
        legs=(
            Leg(chart.merchant_reserve(merchant_id), amount_minor),
            Leg(chart.HELD, -amount_minor),
        ),
    )


def reserve_freed(*, slice_id: str, merchant_id: str, amount_minor: int, currency: str) -> Draft:
    """The days of a slice are over: the seller is owed what is left of it. Dr its reserve / Cr its
    payable."""
    return Draft(
        kind=EntryKind.RESERVE_FREED,
        reference=f"{EntryKind.RESERVE_FREED}:{slice_id}",
        subject=slice_id,
        currency=currency,
        legs=(
            Leg(chart.merchant_reserve(merchant_id), amount_minor),
            Leg(chart.merchant_payable(merchant_id), -amount_minor),
        ),
    )
