"""A platform's deadlines of a dispute, as they are frozen on an order. Pure; it must never read a
clock."""

from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from typing import Protocol, Self


class Deadlines(Protocol):
    """What a platform says of itself (merchants.models.Platform)."""

    dispute_window_seconds: int
    dispute_answer_seconds: int
    dispute_offer_seconds: int
    dispute_return_seconds: int
    dispute_receive_seconds: int
    dispute_decide_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputePolicy:
    """How long each side of a dispute has, in seconds."""

    window_seconds: int  # to open one, after receipt was confirmed
    answer_seconds: int  # the seller, after it was opened
    offer_seconds: int  # the buyer, after an offer
    return_seconds: int  # the buyer, to send goods back
    receive_seconds: int  # the seller, after goods were sent back
    decide_seconds: int  # everybody together, after it was opened

    @classmethod
    def of(cls, platform: Deadlines) -> Self:
        """Read a platform's own."""
        return cls(**{each.name: getattr(platform, f"dispute_{each.name}") for each in fields(cls)})

    @classmethod
    def from_json(cls, kept: dict[str, int]) -> Self:
        """Read what `to_json` wrote."""
        return cls(**kept)

    def to_json(self) -> dict[str, int]:
        """Write what is frozen on an order."""
        return asdict(self)

    def span(self, name: str) -> timedelta:
        """How long one of them is: `span("answer")`."""
        return timedelta(seconds=getattr(self, f"{name}_seconds"))
