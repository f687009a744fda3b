"""Whose money a refund takes back. Pure: exact integers in, parts out, and the parts always sum to
the refund.

What an order has refunded so far is allocated to its payees as a whole, by a rule in which nobody
ever gives less because more is refunded; a refund then takes the difference to what had been taken
before. So whatever the sequence of partial refunds, when everything is refunded everybody has given
exactly what they were to give, and no minor unit is lost or made on the way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from common.money import BPS, share_half_up
from escrow.split import Share

# When less is left than the kept cuts come to, they are served in this order.
KEPT_FIRST = ("SERVICE_FEE", "PLATFORM", "TAX", "PARTY")


@dataclass(frozen=True, slots=True)
class Part:
    """One payee's part of an order. Minor units: `share` is what it gets when all is released,
    `gives_minor` what it gives when all is refunded."""

    share: Share
    gives_minor: int


def plan_reversal(
    shares: Sequence[Share],
    *,
    returned_bps: Mapping[str, int],
    merchant_address: str,
    channel_fee_minor: int = 0,
    channel_fee_returned_bps: int = BPS,
) -> tuple[Part, ...]:
    """Say what each payee gives when an order is refunded whole.

    Others return the agreed basis points of their cut, half-up; the seller gives the rest, and so
    bears what others keep.

    Args: shares: of the whole order, in their order. returned_bps: by payee, for all but the
        seller. merchant_address: the seller's account, who may have no share at all.
        channel_fee_minor: >= 0, the part of the service fee that is returned at a rate of its own,
        as far as there is a service fee.
    Returns: the seller first; what they give sums to the order.
    """
    whole = sum(share.amount_minor for share in shares)
    others = [share for share in shares if share.payee != "MERCHANT"]
    gives = []
    for share in others:
        fee = min(share.amount_minor, channel_fee_minor) if share.payee == "SERVICE_FEE" else 0
        rest = share_half_up(share.amount_minor - fee, returned_bps[share.payee])
        gives.append(rest + share_half_up(fee, channel_fee_returned_bps))
    seller = [share for share in shares if share.payee == "MERCHANT"]
    first = seller[0] if seller else Share("MERCHANT", merchant_address, 0)
    return (
        Part(first, whole - sum(gives)),
        *(Part(share, given) for share, given in zip(others, gives, strict=True)),
    )


def given_at(parts: Sequence[Part], *, refunded_minor: int) -> list[int]:
    """Allocate everything refunded so far to the payees.

    By the divisor method with rounding at one half: of all their minor units, numbered k = 1, 2, …,
    those with the smallest (2k - 1) / (2 x what the payee gives in all) are taken, earlier payees
    first on a tie. More refunded only ever adds units to that set.

    Args: refunded_minor: 0 to the whole order.
    Returns: one amount per part, in order, summing to `refunded_minor`.
    Source: Sainte-Laguë, also Webster; house monotone (Balinski and Young, Fair Representation).
    """
    weights = [part.gives_minor for part in parts]
    whole = sum(weights)
    assert 0 <= refunded_minor <= whole, (refunded_minor, whole)
    taken = [(2 * weight * refunded_minor + whole) // (2 * whole) for weight in weights]
    while (over := sum(taken) - refunded_minor) != 0:
        if over > 0:
            _, last = max(
                (Fraction(2 * count - 1, 2 * weight), position)
                for position, (count, weight) in enumerate(zip(taken, weights, strict=True))
                if count
            )
            taken[last] -= 1
        else:
            _, next_ = min(
                (Fraction(2 * count + 1, 2 * weight), position)
                for position, (count, weight) in enumerate(zip(taken, weights, strict=True))
                if weight
            )
            taken[next_] += 1
    return taken


def shares_left(parts: Sequence[Part], *, refunded_minor: int) -> tuple[Share, ...]:
    """Say who gets what of the money still held, after refunds out of it.

    When less is left than the cuts that are kept, the service fee comes first, then commission, the
    tax on it and further parties; the seller has the remainder.

    Args: parts: of `plan_reversal`. refunded_minor: all refunded so far.
    Returns: shares without zero parts, seller first, summing to what is held.
    """
    given = given_at(parts, refunded_minor=refunded_minor)
    left = sum(part.share.amount_minor for part in parts) - refunded_minor
    kept: dict[int, int] = {}
    for payee in KEPT_FIRST:
        for position, part in enumerate(parts):
            if part.share.payee == payee:
                kept[position] = min(part.share.amount_minor - given[position], left)
                left -= kept[position]
    amounts = [left if position == 0 else kept[position] for position in range(len(parts))]
    return tuple(
        Share(part.share.payee, part.share.address, amount)
        for part, amount in zip(parts, amounts, strict=True)
        if amount
    )
