"""What a freeze stops at this station: a frozen payout, and every payout of a frozen seller, is
neither approved nor sent, and nothing new is cut (docs/adr/0036).

It must never decide without the lock of whoever is frozen: a sweep may be sending at this moment.
"""

from datetime import datetime

from common.errors import DomainError
from escrow import selectors
from escrow.locks import lock_seller
from escrow.models import Freeze
from escrow.services import freezes
from ledger.usecases import use_case
from merchants.models import User
from payouts.locks import lock_payout
from payouts.models import Payout, PayoutState


class PayoutFrozen(DomainError):
    """The payout, or its seller, is frozen: nothing goes to the bank until that is lifted."""

    code = "payout_frozen"


@use_case()
def freeze_payout(
    *, payout_id: str, kind: str, reason: str, operator: User, at: datetime
) -> Freeze:
    """Freeze a payout that the bank has not heard of: it is neither approved nor sent nor refused
    until the freeze is lifted.

    Money: none; it stays in transit.
    Raises: PayoutNotFound, FreezeTooLate, FrozenAlready, FreezeReasonMissing.
    Idempotent: by (payout, kind, reason) while it is in force. Locks: the payout.
    """
    payout = lock_payout(payout_id)
    if payout.state not in (PayoutState.PENDING, PayoutState.APPROVED):
        raise freezes.FreezeTooLate(
            f"Payout {payout.id} is {payout.state}; the bank may have paid it.",
            payout=payout.id,
            state=payout.state,
        )
    return freezes.write_freeze(
        platform_id=payout.platform_id,
        kind=kind,
        reason=reason,
        operator=operator,
        at=at,
        payout_id=payout.id,
    )


def is_frozen(payout: Payout) -> bool:
    """Step: whether a payout that the caller has locked may not go to the bank now. Locks: the
    seller."""
    return is_payout_frozen(payout) or is_seller_frozen(payout.merchant_id)


def is_payout_frozen(payout: Payout) -> bool:
    """Step: whether the payout itself is frozen; the caller has locked it."""
    return selectors.freezes_in_force().filter(payout_id=payout.pk).exists()


def is_seller_frozen(merchant_id: str | None) -> bool:
    """Step: whether a seller is frozen; never the platform itself. Locks: the seller, until the
    caller's use case ends, so that nobody freezes it meanwhile."""
    if merchant_id is None:
        return False
    lock_seller(merchant_id)
    return selectors.freezes_in_force().filter(merchant_id=merchant_id).exists()


def require_unfrozen(payout: Payout) -> None:
    """Raises: PayoutFrozen. Locks: the seller; the caller has the payout."""
    if is_frozen(payout):
        raise refusal(payout)


def refusal(payout: Payout) -> PayoutFrozen:
    """Say that a payout is frozen, never why."""
    return PayoutFrozen(
        f"Payout {payout.id} is frozen; two persons have to lift that first.", payout=payout.id
    )
