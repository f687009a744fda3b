"""Who gets how much of a release. Pure: exact integers in, shares out, and the shares always sum
to the whole."""

from collections.abc import Iterable
from dataclasses import dataclass

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
) -> tuple[Share, ...]:
    """Split an order's money between service fee, platform and seller.

    The service fee comes first, then the commission, each cut to what is left; the seller
    receives the remainder, so a floor larger than the order can take everything and never more.

    Args: minor units of one currency; `amount_minor` > 0, the others >= 0.
    Returns: shares without zero parts, seller first, summing to `amount_minor`.
    """
    assert amount_minor > 0, amount_minor
    assert commission_minor >= 0, commission_minor
    assert service_fee_minor >= 0, service_fee_minor
    service_fee = min(service_fee_minor, amount_minor)
    commission = min(commission_minor, amount_minor - service_fee)
    shares = (
        Share(
            "MERCHANT", chart.merchant_payable(merchant_id), amount_minor - service_fee - commission
        ),
        Share("PLATFORM", chart.platform_commission(platform_id), commission),
        Share("SERVICE_FEE", chart.SERVICE_FEE, service_fee),
    )
    return _without_zeros(shares)


def _without_zeros(shares: Iterable[Share]) -> tuple[Share, ...]:
    return tuple(share for share in shares if share.amount_minor)
