"""What of its own cuts a seller gets back when an order is refunded. Pure; frozen in terms."""

from dataclasses import dataclass

from common.money import BPS


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPolicy:
    """Basis points of each cut that are returned to the seller: 10000 whole, 0 nothing.

    What is not returned stays with whoever earned it, and the seller bears it.
    """

    commission_returned_bps: int
    service_fee_returned_bps: int
    party_returned_bps: int  # of the part of each further party

    def __post_init__(self) -> None:
        rates = (
            self.commission_returned_bps,
            self.service_fee_returned_bps,
            self.party_returned_bps,
        )
        assert all(0 <= rate <= BPS for rate in rates), self


EVERYTHING_RETURNED = RefundPolicy(
    commission_returned_bps=BPS, service_fee_returned_bps=BPS, party_returned_bps=BPS
)
