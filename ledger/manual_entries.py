"""The posting rule for what two persons book by hand. Pure; kept apart because `ledger/entries.py`
is full."""

from ledger.entries import Draft, EntryKind, Leg


def correction(
    *, correction_id: str, debit_address: str, credit_address: str, amount_minor: int, currency: str
) -> Draft:
    """Two persons book by hand what no other entry says. Dr one account / Cr another one."""
    return Draft(
        kind=EntryKind.CORRECTION,
        reference=f"{EntryKind.CORRECTION}:{correction_id}",
        subject=correction_id,
        currency=currency,
        legs=(Leg(debit_address, amount_minor), Leg(credit_address, -amount_minor)),
    )
