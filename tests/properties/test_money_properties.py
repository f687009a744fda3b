"""Exact money against exact fractions (H1)."""

from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from common.money import (
    BPS,
    MAX_AMOUNT_MINOR,
    AmountOutOfRange,
    Money,
    UnknownCurrency,
    allocate,
    exponent,
    share_half_up,
)

AMOUNTS = st.one_of(st.integers(0, 100), st.integers(0, MAX_AMOUNT_MINOR))
WEIGHTS = st.lists(st.one_of(st.integers(0, 5), st.integers(0, 10**9)), min_size=1, max_size=12)
EXPONENTS = {"JPY": 0, "CNY": 2, "KWD": 3, "CLF": 4}


@given(AMOUNTS, st.integers(0, BPS))
@example(9001, 500)
@example(1, 5000)
@example(1, 4999)
@example(MAX_AMOUNT_MINOR, BPS)
def test_share_half_up_is_the_fraction_rounded_half_up(amount: int, rate_bps: int) -> None:
    exact = Fraction(amount * rate_bps, BPS)

    share = share_half_up(amount, rate_bps)

    assert -Fraction(1, 2) < share - exact <= Fraction(1, 2)
    assert 0 <= share <= amount


@given(AMOUNTS, WEIGHTS)
@example(1, [1, 1, 1])
@example(0, [1])
@example(10, [0, 3, 0])
def test_allocate_loses_nothing_and_stays_within_one_unit(amount: int, weights: list[int]) -> None:
    assume(sum(weights) > 0)

    parts = allocate(amount, weights)

    exact = [Fraction(amount * weight, sum(weights)) for weight in weights]
    assert sum(parts) == amount
    assert len(parts) == len(weights)
    assert all(part - 1 < share < part + 1 for part, share in zip(parts, exact, strict=True))


@given(AMOUNTS, WEIGHTS)
def test_allocate_rounds_up_the_largest_remainders_and_earlier_ones_on_a_tie(
    amount: int, weights: list[int]
) -> None:
    assume(sum(weights) > 0)

    parts = allocate(amount, weights)

    exact = [Fraction(amount * weight, sum(weights)) for weight in weights]
    ranks = {i: (-(share - share.__floor__()), i) for i, share in enumerate(exact)}
    up = [i for i, share in enumerate(exact) if parts[i] > share.__floor__()]
    down = [i for i in ranks if i not in up]
    assert all(ranks[winner] < ranks[loser] for winner in up for loser in down)


@given(AMOUNTS, st.integers(1, 12))
def test_allocate_by_equal_weights_differs_by_one_unit_at_most(amount: int, payees: int) -> None:
    parts = allocate(amount, [1] * payees)

    assert parts == sorted(parts, reverse=True)
    assert parts[0] - parts[-1] == (1 if amount % payees else 0)


@given(st.integers(-MAX_AMOUNT_MINOR, MAX_AMOUNT_MINOR), st.sampled_from(sorted(EXPONENTS)))
@example(5, "CNY")
@example(-5, "KWD")
@example(0, "JPY")
@example(1, "CLF")
def test_money_prints_every_digit_and_reads_back(amount: int, currency: str) -> None:
    number, code = str(Money(amount, currency)).split(" ")

    whole, _, rest = number.partition(".")
    assert code == currency
    assert len(rest) == EXPONENTS[currency] == exponent(currency)
    assert int(whole.lstrip("-") + rest) * (-1 if number.startswith("-") else 1) == amount
    assert Fraction(number) == Fraction(amount, 10 ** EXPONENTS[currency])


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (10001, "CNY", "100.01 CNY"),
        (-5, "CNY", "-0.05 CNY"),
        (10001, "JPY", "10001 JPY"),
        (10001, "KWD", "10.001 KWD"),
        (10001, "CLF", "1.0001 CLF"),
    ],
)
def test_money_prints_as_the_standard_says(amount: int, currency: str, text: str) -> None:
    assert str(Money(amount, currency)) == text


@given(st.integers(MAX_AMOUNT_MINOR + 1, MAX_AMOUNT_MINOR * 2), st.sampled_from([1, -1]))
def test_money_refuses_more_than_the_limit(amount: int, sign: int) -> None:
    with pytest.raises(AmountOutOfRange) as refusal:
        Money(sign * amount, "CNY")

    assert refusal.value.code == "amount_out_of_range"


@pytest.mark.parametrize("currency", ["", "cny", "RMB", "XAU", "CN", "CNYX"])
def test_money_refuses_what_is_no_currency_or_has_no_minor_unit(currency: str) -> None:
    with pytest.raises(UnknownCurrency) as refusal:
        Money(1, currency)

    assert refusal.value.code == "currency_unknown"
