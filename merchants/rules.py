"""Commission rules as plain values: what they match, how they rank, and what they take.

Pure; it must never read a rule that is not handed to it, nor a clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from common.money import share_half_up

# What a match says more is worth more than everything below it together.
MERCHANT, CATEGORY, CHANNEL, AMOUNT = 8, 4, 2, 1


class CommissionBase(StrEnum):
    GOODS = "GOODS"
    GOODS_AND_SHIPPING = "GOODS_AND_SHIPPING"


@dataclass(frozen=True, slots=True)
class OrderedLine:
    """One order line: `amount_minor` is what the buyer pays for its goods, >= 0."""

    category: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Sale:
    """What the commission of an order depends on. Amounts in minor units of `currency`."""

    merchant_id: str
    currency: str
    lines: Sequence[OrderedLine]  # at least one
    shipping_minor: int  # >= 0

    @property
    def goods_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines)

    @property
    def amount_minor(self) -> int:
        """What the buyer pays: goods and shipping."""
        return self.goods_minor + self.shipping_minor


@dataclass(frozen=True, slots=True)
class Tier:
    """The rate of a seller whose trailing volume has reached `from_minor` (minor units, > 0)."""

    from_minor: int
    rate_bps: int


@dataclass(frozen=True, slots=True)
class PartyShare:
    """What a further party gets of a rule's base, out of the seller's part."""

    party_id: str
    name: str
    rate_bps: int
    fixed_minor: int  # minor units, per order and rule


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPartyShare:
    """What a rule is to give a party of its base: a rate, 0 to 10000, and a fixed part per order
    and rule in minor units of the rule's currency."""

    party_id: str
    rate_bps: int = 0
    fixed_minor: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """A commission rule as it stood when the order was created."""

    id: str
    priority: int
    merchant_id: str | None
    category: str  # empty: any
    currency: str
    rate_bps: int
    fixed_minor: int
    floor_minor: int | None
    cap_minor: int | None
    base: CommissionBase
    effective_from: datetime
    effective_to: datetime | None  # not included
    tax_bps: int = 0  # of the commission, from the seller to the platform
    parties: tuple[PartyShare, ...] = ()
    channel: str = ""  # empty: any
    min_order_minor: int | None = None  # of goods and shipping, included
    max_order_minor: int | None = None  # included
    tiers: tuple[Tier, ...] = ()  # by `from_minor`, rising

    @property
    def has_band(self) -> bool:
        """Whether the rule speaks about some order amounts only."""
        return self.min_order_minor is not None or self.max_order_minor is not None

    @property
    def specificity(self) -> int:
        """Rank a match: the sum of what it names, so that each name outweighs those after it."""
        return (
            MERCHANT * (self.merchant_id is not None)
            + CATEGORY * (self.category != "")
            + CHANNEL * (self.channel != "")
            + AMOUNT * self.has_band
        )

    def matches(self, sale: Sale, *, category: str, channel: str, at: datetime) -> bool:
        """Say whether the rule speaks about a line of that category in that sale, then.

        Args: channel: the buyer pays through; empty: not known, and no rule of a channel matches.
        """
        return (
            self.currency == sale.currency
            and self.merchant_id in (None, sale.merchant_id)
            and self.category in ("", category)
            and self.channel in ("", channel)
            and (self.min_order_minor or 0) <= sale.amount_minor
            and (self.max_order_minor is None or sale.amount_minor <= self.max_order_minor)
            and self.effective_from <= at
            and (self.effective_to is None or at < self.effective_to)
        )

    def rate_at(self, volume_minor: int) -> int:
        """The rate of a seller with that trailing volume: that of the highest tier reached.

        It is the rate of the whole order, not of the part above the threshold.
        """
        rate_bps = self.rate_bps
        for tier in self.tiers:
            if volume_minor >= tier.from_minor:
                rate_bps = tier.rate_bps
        return rate_bps


def ties(one: Rule, other: Rule) -> bool:
    """Say whether neither of two rules outranks the other where both match."""
    return (
        (one.currency, one.priority, one.merchant_id, one.category, one.channel, one.has_band)
        == (
            other.currency,
            other.priority,
            other.merchant_id,
            other.category,
            other.channel,
            other.has_band,
        )
        and (one.max_order_minor is None or (other.min_order_minor or 0) <= one.max_order_minor)
        and (other.max_order_minor is None or (one.min_order_minor or 0) <= other.max_order_minor)
        and (one.effective_to is None or other.effective_from < one.effective_to)
        and (other.effective_to is None or one.effective_from < other.effective_to)
    )


def commission(rule: Rule, base_minor: int, *, volume_minor: int = 0) -> int:
    """Apply a rule to its base: rate half-up and fixed part, then floor, then cap; zero of zero.

    Args: volume_minor: the seller's trailing volume, for a rule with tiers.
    """
    if base_minor == 0:
        return 0
    taken = share_half_up(base_minor, rule.rate_at(volume_minor)) + rule.fixed_minor
    if rule.floor_minor is not None:
        taken = max(taken, rule.floor_minor)
    if rule.cap_minor is not None:
        taken = min(taken, rule.cap_minor)
    return taken


def party_part(share: PartyShare, base_minor: int) -> int:
    """What a party gets of a rule's base: rate half-up and fixed part; zero of zero."""
    return share_half_up(base_minor, share.rate_bps) + share.fixed_minor if base_minor else 0
