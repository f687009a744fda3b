"""Exact money: integer minor units and an ISO 4217 currency. It must never touch a float."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from iso4217 import Currency

from common.errors import DomainError

MAX_AMOUNT_MINOR = 10**15
BPS = 10_000


class UnknownCurrency(DomainError):
    code = "currency_unknown"
    status = 422


class AmountOutOfRange(DomainError):
    code = "amount_out_of_range"
    status = 422


@cache
def exponent(currency: str) -> int:
    """Digits after the point: CNY 2, JPY 0, KWD 3.

    Raises: UnknownCurrency. Source: ISO 4217 (babel's digits differ for IQD, LBP and others).
    """
    try:
        found = Currency(currency)
    except ValueError:
        raise UnknownCurrency(f"{currency!r} is not an ISO 4217 currency code.") from None
    if found.exponent is None:
        raise UnknownCurrency(f"{currency} has no minor unit and cannot be settled.")
    return int(found.exponent)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount somebody could pay: `amount_minor` in minor units of `currency`, |amount| <=
    10^15."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        exponent(self.currency)
        if abs(self.amount_minor) > MAX_AMOUNT_MINOR:
            raise AmountOutOfRange(f"Amounts are limited to {MAX_AMOUNT_MINOR} minor units.")

    def __str__(self) -> str:
        digits = exponent(self.currency)
        sign = "-" if self.amount_minor < 0 else ""
        whole, rest = divmod(abs(self.amount_minor), 10**digits)
        return (
            f"{sign}{whole}.{rest:0{digits}d} {self.currency}"
            if digits
            else f"{sign}{whole} {self.currency}"
        )


def share_half_up(amount_minor: int, rate_bps: int) -> int:
    """Take `rate_bps` basis points of a non-negative amount, rounded half-up to the minor unit."""
    assert amount_minor >= 0, amount_minor
    assert rate_bps >= 0, rate_bps
    return (amount_minor * rate_bps * 2 + BPS) // (BPS * 2)


def allocate(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """Split a non-negative amount in proportion to `weights`, losing nothing.

    Largest remainder: everybody gets the floor of the exact share, and the minor units left over
    go one by one to the largest remainders, earlier weights first on a tie.

    Args: weights: non-negative, at least one above zero.
    Returns: one part per weight, in order, summing to `amount_minor`.
    """
    assert amount_minor >= 0, amount_minor
    total = sum(weights)
    assert total > 0, "allocate needs a positive weight"
    assert min(weights) >= 0, weights
    parts = [amount_minor * weight // total for weight in weights]
    left = amount_minor - sum(parts)
    by_remainder = sorted(
        range(len(weights)), key=lambda i: (-(amount_minor * weights[i] % total), i)
    )
    for i in by_remainder[:left]:
        parts[i] += 1
    return parts
