"""Why: whoever gives a minor unit too much in one of a hundred partial refunds is never told."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escrow.reversal import Part, given_at, plan_reversal, shares_left
from escrow.split import Share

AMOUNT = st.integers(0, 10**15)
RATE = st.integers(0, 10_000)


@st.composite
def orders(draw: st.DrawFn) -> tuple[Part, ...]:
    """An order with a seller, a platform, our fee and up to three further parties."""
    cuts = [("PLATFORM", "platform"), ("SERVICE_FEE", "fee")]
    cuts += [("PARTY", f"party{number}") for number in range(draw(st.integers(0, 3)))]
    highest = draw(st.sampled_from([3, 40, 10**15]))
    shares = [Share("MERCHANT", "merchant", draw(st.integers(0, highest)))]
    shares += [Share(payee, address, draw(st.integers(0, highest))) for payee, address in cuts]
    shares = [share for share in shares if share.amount_minor] or [Share("MERCHANT", "merchant", 1)]
    rates = {"PLATFORM": draw(RATE), "SERVICE_FEE": draw(RATE), "PARTY": draw(RATE)}
    return plan_reversal(
        shares,
        returned_bps=rates,
        merchant_address="merchant",
        channel_fee_minor=draw(st.integers(0, highest)),
        channel_fee_returned_bps=draw(RATE),
    )


def whole(parts: tuple[Part, ...]) -> int:
    return sum(part.share.amount_minor for part in parts)


@given(orders())
def test_payees_give_the_whole_order_and_no_other_more_than_its_share(
    parts: tuple[Part, ...],
) -> None:
    assert sum(part.gives_minor for part in parts) == whole(parts)
    assert all(0 <= part.gives_minor <= part.share.amount_minor for part in parts[1:])


@given(orders(), st.data())
def test_refunds_in_any_parts_take_from_each_what_it_gives_and_never_give_back(
    parts: tuple[Part, ...], data: st.DataObject
) -> None:
    stops = data.draw(st.lists(st.integers(0, whole(parts)), max_size=12))
    taken = [given_at(parts, refunded_minor=stop) for stop in [0, *sorted(stops), whole(parts)]]

    assert all(sum(each) == stop for each, stop in zip(taken[1:], sorted(stops), strict=False))
    for before, after in pairwise(taken):
        assert all(one <= two for one, two in zip(before, after, strict=True))
    assert taken[0] == [0] * len(parts)
    assert taken[-1] == [part.gives_minor for part in parts]


@given(orders(), st.data())
def test_what_is_left_is_shared_whole_and_nobodys_share_grows(
    parts: tuple[Part, ...], data: st.DataObject
) -> None:
    stops = sorted(data.draw(st.lists(st.integers(0, whole(parts)), min_size=2, max_size=8)))
    left = [
        {share.address: share.amount_minor for share in shares_left(parts, refunded_minor=stop)}
        for stop in stops
    ]

    assert [sum(each.values()) for each in left] == [whole(parts) - stop for stop in stops]
    assert all(amount > 0 for each in left for amount in each.values())
    for before, after in pairwise(left):
        assert all(after[address] <= before.get(address, 0) for address in after)


def test_one_minor_unit_after_another_empties_the_worked_example() -> None:
    shares = [
        Share("MERCHANT", "merchant", 9491),
        Share("PLATFORM", "platform", 450),
        Share("SERVICE_FEE", "fee", 60),
    ]
    rates = {"PLATFORM": 10_000, "SERVICE_FEE": 10_000, "PARTY": 10_000}
    parts = plan_reversal(shares, returned_bps=rates, merchant_address="merchant")

    steps = [given_at(parts, refunded_minor=refunded) for refunded in range(10_002)]

    for before, after in pairwise(steps):
        assert sorted(two - one for one, two in zip(before, after, strict=True)) == [0, 0, 1]
    assert steps[3333] == [3163, 150, 20]
    assert steps[-1] == [9491, 450, 60]


def test_kept_cuts_are_served_fee_first_when_little_is_left() -> None:
    shares = [
        Share("MERCHANT", "merchant", 9491),
        Share("PLATFORM", "platform", 450),
        Share("SERVICE_FEE", "fee", 60),
    ]
    rates = {"PLATFORM": 0, "SERVICE_FEE": 0, "PARTY": 0}
    parts = plan_reversal(shares, returned_bps=rates, merchant_address="merchant")

    assert [part.gives_minor for part in parts] == [10001, 0, 0]
    assert shares_left(parts, refunded_minor=9000) == (
        Share("MERCHANT", "merchant", 491),
        Share("PLATFORM", "platform", 450),
        Share("SERVICE_FEE", "fee", 60),
    )
    assert shares_left(parts, refunded_minor=9901) == (
        Share("PLATFORM", "platform", 40),
        Share("SERVICE_FEE", "fee", 60),
    )
    assert shares_left(parts, refunded_minor=10001) == ()


@given(AMOUNT, AMOUNT, RATE, RATE)
def test_fee_gives_the_channels_part_and_the_rest_each_at_its_own_rate(
    fee: int, channel_fee: int, channel_returned: int, returned: int
) -> None:
    seller, ours = plan_reversal(
        [Share("MERCHANT", "merchant", 10_001), Share("SERVICE_FEE", "fee", fee)],
        returned_bps={"SERVICE_FEE": returned},
        merchant_address="merchant",
        channel_fee_minor=channel_fee,
        channel_fee_returned_bps=channel_returned,
    )

    part = min(fee, channel_fee)
    exact = Fraction(part * channel_returned + (fee - part) * returned, 10_000)
    assert abs(ours.gives_minor - exact) <= 1
    assert 0 <= ours.gives_minor <= fee
    assert seller.gives_minor == 10_001 + fee - ours.gives_minor


@pytest.mark.parametrize(
    ("channel_fee", "channel_returned", "returned", "gives"),
    [
        (38, 10_000, 10_000, 60),
        (38, 0, 10_000, 22),
        (38, 10_000, 0, 38),
        (38, 3_333, 5_000, 24),  # 12.67 and 11
        (39, 5_000, 5_000, 31),  # 19.5 and 10.5
        (61, 0, 10_000, 0),  # never more than the fee
        (0, 0, 5_000, 30),
    ],
)
def test_channel_fee_of_the_worked_example(
    channel_fee: int, channel_returned: int, returned: int, gives: int
) -> None:
    parts = plan_reversal(
        [Share("MERCHANT", "merchant", 9941), Share("SERVICE_FEE", "fee", 60)],
        returned_bps={"SERVICE_FEE": returned},
        merchant_address="merchant",
        channel_fee_minor=channel_fee,
        channel_fee_returned_bps=channel_returned,
    )

    assert [part.gives_minor for part in parts] == [10_001 - gives, gives]
