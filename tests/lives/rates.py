"""What an order froze about commission and refunds, and the oracle's own way to take a part of an
amount."""

from dataclasses import dataclass
from fractions import Fraction


def part_of(amount: int, bps: int) -> int:
    """Basis points of an amount, half up."""
    return int(Fraction(amount * bps, 10_000) + Fraction(1, 2))


@dataclass
class Rate:
    """What an order froze when it was made. Basis points; `floor` and `cap` minor units."""

    bps: int = 500
    floor: int = 100
    cap: int = 5000
    commission_returned: int = 10_000
    fee_returned: int = 10_000
    channel_fee: int = 0
    channel_returned: int = 10_000

    def fee_given(self, amount: int, fee: int) -> int:
        """What is given back of our fee when an order is refunded whole, in minor units."""
        channel = min(part_of(amount, self.channel_fee), fee)
        return part_of(channel, self.channel_returned) + part_of(fee - channel, self.fee_returned)
