"""What a platform, its sellers and further parties have where: held, payable, held back, in
transit, paid out.

It must never keep a number of its own: held is what the open holds plan, the rest is the books.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection

from escrow.models import Payee
from merchants.models import Platform
from payouts import sql


@dataclass(frozen=True, slots=True)
class Balance:
    """One payee's money in one currency. Amounts in minor units, >= 0."""

    merchant_id: str | None  # empty: the platform itself, or a further party
    party_id: str | None
    currency: str
    held_minor: int  # planned for it out of money still held
    payable_minor: int  # released to it, on no payout
    reserved_minor: int  # held back of a seller's releases for some days
    in_transit_minor: int  # on a payout that is not known to be paid, approved or not
    paid_out_minor: int  # paid by its bank so far, less what came back

    @property
    def payee(self) -> str:
        """PLATFORM, MERCHANT or PARTY."""
        if self.party_id is not None:
            return str(Payee.PARTY)
        return str(Payee.PLATFORM if self.merchant_id is None else Payee.MERCHANT)


def balances_of(
    *, platform: Platform, merchant_ids: Collection[str] | None = None
) -> list[Balance]:
    """List what a platform, its sellers and its further parties have where, in one snapshot.

    Args: merchant_ids: only these sellers of the platform, and nobody else.
    Returns: by payee, the platform first, then parties and sellers, then by currency; nobody
        without an account or money.
    """
    wanted = None if merchant_ids is None else list(merchant_ids)
    with connection.cursor() as cursor:
        cursor.execute(sql.load("balances"), {"platform": platform.pk, "merchants": wanted})
        return [Balance(*row) for row in cursor.fetchall()]
