"""Who gets how much of a release. Pure: exact integers in, shares out, and the shares always sum
to the whole."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from common.money import share_half_up
from ledger import chart


@dataclass(frozen=True, slots=True)
class Share:
    """One payee's part, in minor units, > 0. `payee` is a value of escrow.models.Payee."""

    payee: str
    address: str
    amount_minor: int


def split_order(
    *,
    amount_minor: int,
    commission_minor: int,
    service_fee_minor: int,
    merchant_id: str,
    platform_id: str,
    tax_minor: int = 0,
    parties: Sequence[tuple[str, int]] = (),
) -> tuple[Share, ...]:
    """Split an order's money between service fee, platform, further parties and seller.

    The service fee comes first, then the commission, the tax on it (to the platform too, as a line
    of its own) and the parties in their order, each cut to what is left; the seller receives the
    remainder, so a floor larger than the order can take everything and never more.

    Args: minor units of one currency; `amount_minor` > 0, the others >= 0. parties: ids, each
        once, with what each gets.
    Returns: shares without zero parts, seller first, summing to `amount_minor`.
    """
    assert amount_minor > 0, amount_minor
    platform = chart.platform_commission(platform_id)
    wanted = (
        Share("SERVICE_FEE", chart.SERVICE_FEE, service_fee_minor),
        Share("PLATFORM", platform, commission_minor),
        Share("TAX", platform, tax_minor),
        *(Share("PARTY", chart.party_payable(each), part) for each, part in parties),
    )
    left = amount_minor
    cut = []
    for share in wanted:
        assert share.amount_minor >= 0, share
        cut.append(replace(share, amount_minor=min(share.amount_minor, left)))
        left -= cut[-1].amount_minor
    service_fee, *others = cut
    seller = Share("MERCHANT", chart.merchant_payable(merchant_id), left)
    return _without_zeros((seller, *others, service_fee))


def hold_back(shares: Sequence[Share], *, reserve_bps: int) -> tuple[Share, ...]:
    """Divide the seller's share into what it is owed at the release and what is held back, the
    latter half-up.

    Less for the seller never makes either of them more. Returns: shares without zero parts.
    """
    divided = []
    for share in shares:
        back = share_half_up(share.amount_minor, reserve_bps) if share.payee == "MERCHANT" else 0
        divided.append(replace(share, amount_minor=share.amount_minor - back))
        divided.append(Share("RESERVE", chart.reserve_of(share.address), back))
    return _without_zeros(divided)


def put_back(shares: Sequence[Share]) -> list[Share]:
    """Undo `hold_back`: what a seller gets at once and what later is its one share, without
    zeros."""
    sums: dict[tuple[str, str], int] = {}
    for share in shares:
        key = (share.payee, share.address)
        if share.payee == "RESERVE":
            key = ("MERCHANT", chart.payable_of(share.address))
        sums[key] = sums.get(key, 0) + share.amount_minor
    return [Share(*key, amount) for key, amount in sums.items() if amount]


def _without_zeros(shares: Iterable[Share]) -> tuple[Share, ...]:
    return tuple(share for share in shares if share.amount_minor)
