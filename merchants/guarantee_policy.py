"""From when on a platform pays what its sellers cannot give back. Pure; frozen in terms."""

from dataclasses import dataclass

MAX_GUARANTEE_DAYS = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class GuaranteePolicy:
    """Days after which the platform's commission pays a seller's debt; None: it never does."""

    days: int | None

    def __post_init__(self) -> None:
        assert self.days is None or 0 <= self.days <= MAX_GUARANTEE_DAYS, self


NO_GUARANTEE = GuaranteePolicy(days=None)
