"""What of its own cuts a seller gets back when an order is refunded. Pure; frozen in terms."""

from dataclasses import astuple, dataclass, fields

from common.money import BPS, share_half_up


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPolicy:
    """Basis points of each cut that are returned to the seller: 10000 whole, 0 nothing.

    What is not returned stays with whoever earned it, and the seller bears it. What the payment
    channel keeps of a payment, also when it is refunded, is a part of our service fee with a word
    of its own.
    """

    commission_returned_bps: int
    service_fee_returned_bps: int  # of the service fee without the channel's part
    party_returned_bps: int  # of the part of each further party
    channel_fee_bps: int = 0  # of the whole order, what the channel keeps
    channel_fee_returned_bps: int = BPS  # of the channel's part of the service fee

    def __post_init__(self) -> None:
        assert all(0 <= rate <= BPS for rate in astuple(self)), self

    def channel_fee_minor(self, *, amount_minor: int, service_fee_minor: int) -> int:
        """Say how much of an order's service fee is the channel's part, in minor units.

        Args: amount_minor: of the whole order. service_fee_minor: agreed for it; the part is never
            more.
        """
        return min(service_fee_minor, share_half_up(amount_minor, self.channel_fee_bps))

    def kept_of_fee(self, service_fee_bps: int) -> int:
        """Weigh how much of a service fee is kept of a refunded order: basis points of basis points
        of the order."""
        channel_bps = min(service_fee_bps, self.channel_fee_bps)
        return channel_bps * (BPS - self.channel_fee_returned_bps) + (
            service_fee_bps - channel_bps
        ) * (BPS - self.service_fee_returned_bps)


REFUND_FIELDS = tuple(field.name for field in fields(RefundPolicy))
EVERYTHING_RETURNED = RefundPolicy(
    commission_returned_bps=BPS, service_fee_returned_bps=BPS, party_returned_bps=BPS
)
