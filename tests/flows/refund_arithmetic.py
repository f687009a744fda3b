"""What every party must end up with when an order is refunded, worked out on paper: by fractions,
from the terms and the rules in ADR 0025 alone.

It must never call the code it is held against, and so knows no model and no service.
"""

import heapq
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

PAYEES = ("seller", "commission", "tax", "courier", "fee")
KEPT_FIRST = ("fee", "commission", "tax", "courier")
POT_OF = {"seller": "seller", "commission": "platform", "tax": "platform", "courier": "courier"}
COMMISSION, FLOOR, CAP = Fraction(5, 100), 100, 5000  # of the goods
TAX = Fraction(6, 100)  # of the commission
COURIER = Fraction(15, 1000)  # of the goods
FEE = Fraction(6, 1000)  # of everything
CHANNEL_FEE = Fraction(38, 10_000)  # of everything, where the plan names it: a part of the fee


def half_up(amount: Fraction) -> int:
    return math.floor(amount + Fraction(1, 2))


def split(goods_minor: int, shipping_minor: int) -> dict[str, int]:
    """Minor units of each payee when nothing is refunded; the seller has the remainder."""
    commission = min(max(half_up(goods_minor * COMMISSION), FLOOR), CAP)
    cuts = {
        "commission": commission,
        "tax": half_up(commission * TAX),
        "courier": half_up(goods_minor * COURIER),
        "fee": half_up((goods_minor + shipping_minor) * FEE),
    }
    return {"seller": goods_minor + shipping_minor - sum(cuts.values()), **cuts}


def turns(weights: Sequence[int]) -> Iterator[int]:
    """Who gives each minor unit, one after the other: whoever then is least ahead of its part."""
    heap = [(Fraction(1, 2 * weight), place) for place, weight in enumerate(weights) if weight]
    heapq.heapify(heap)
    while heap:
        quotient, place = heap[0]
        yield place
        after = quotient + Fraction(1, weights[place])
        if after < 1:
            heapq.heapreplace(heap, (after, place))
        else:
            heapq.heappop(heap)


@cache
def _queue(weights: tuple[int, ...]) -> list[int]:
    return list(turns(weights))


@dataclass
class Paper:
    """One order on paper. `returned`: the part of every cut that is given back in a refund of
    everything; `channel_returned`: the part of the channel's fee, None: the plan names none.
    Amounts in minor units."""

    goods_minor: int
    shipping_minor: int
    returned: Fraction
    channel_returned: Fraction | None = None
    refunded_minor: int = 0
    given: Counter[str] = field(default_factory=Counter)
    owed: Counter[str] = field(default_factory=Counter)

    @property
    def amount_minor(self) -> int:
        return self.goods_minor + self.shipping_minor

    @property
    def shares(self) -> dict[str, int]:
        return split(self.goods_minor, self.shipping_minor)

    @property
    def left(self) -> dict[str, int]:
        return {payee: self.shares[payee] - self.given[payee] for payee in PAYEES}

    def _given_at(self, refunded_minor: int) -> dict[str, int]:
        cuts = {name: half_up(self.shares[name] * self.returned) for name in PAYEES[1:]}
        if self.channel_returned is not None:
            channel = min(half_up(self.amount_minor * CHANNEL_FEE), self.shares["fee"])
            ours = half_up((self.shares["fee"] - channel) * self.returned)
            cuts["fee"] = half_up(channel * self.channel_returned) + ours
        gives = (self.amount_minor - sum(cuts.values()), *cuts.values())
        count = Counter(_queue(gives)[:refunded_minor])
        return {payee: count[place] for place, payee in enumerate(PAYEES)}

    def refund_held(self, amount_minor: int) -> None:
        """Out of the money that is held: kept cuts come first, as far as what is left reaches."""
        self.refunded_minor += amount_minor
        given, rest = self._given_at(self.refunded_minor), self.amount_minor - self.refunded_minor
        left = {}
        for name in KEPT_FIRST:
            left[name] = min(self.shares[name] - given[name], rest)
            rest -= left[name]
        left["seller"] = rest
        self.given = Counter({payee: self.shares[payee] - left[payee] for payee in PAYEES})

    def refund_released(self, amount_minor: int, *, pots: dict[str, int]) -> dict[str, int]:
        """Out of what payees have in their pots, which shrink; what a pot lacks is owed.

        Returns: what each comes to owe by this refund. Our own fee is never short.
        """
        before = self._given_at(self.refunded_minor)
        self.refunded_minor += amount_minor
        after = self._given_at(self.refunded_minor)
        owed = {}
        for payee in PAYEES:
            part = after[payee] - before[payee]
            self.given[payee] += part
            if payee in POT_OF:
                now = min(part, pots[POT_OF[payee]])
                pots[POT_OF[payee]] -= now
                owed[payee] = part - now
        self.owed.update(owed)
        return {payee: amount for payee, amount in owed.items() if amount}


def by_pot(amounts: Mapping[str, int]) -> dict[str, int]:
    """Commission and tax lie on one account."""
    pots: Counter[str] = Counter()
    for payee, amount in amounts.items():
        pots[POT_OF.get(payee, payee)] += amount
    return dict(pots)
