"""What of a seller's share is held back at each release, and how long. Pure; frozen in terms."""

from dataclasses import dataclass

from common.money import BPS

MAX_RESERVE_DAYS = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservePolicy:
    """Basis points of the seller's share of each release, freed so many days after it.

    Both are 0 where nothing is held back.
    """

    bps: int
    days: int

    def __post_init__(self) -> None:
        nothing = (self.bps, self.days) == (0, 0)
        assert nothing or (0 < self.bps <= BPS and 0 < self.days <= MAX_RESERVE_DAYS), self

    def at_least(self, required: "ReservePolicy") -> "ReservePolicy":
        """Raise both to what is required."""
        return ReservePolicy(bps=max(self.bps, required.bps), days=max(self.days, required.days))


NO_RESERVE = ReservePolicy(bps=0, days=0)
