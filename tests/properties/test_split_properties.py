"""Nothing is lost and nothing is made when an order is split, whatever its terms (H1)."""

from hypothesis import example, given
from hypothesis import strategies as st

from common.money import MAX_AMOUNT_MINOR
from escrow.split import split_order

AMOUNTS = st.one_of(st.integers(1, 10), st.integers(1, MAX_AMOUNT_MINOR))
PARTS = st.one_of(st.integers(0, 10), st.integers(0, 2 * MAX_AMOUNT_MINOR))


def split(amount_minor: int, commission_minor: int, service_fee_minor: int) -> dict[str, int]:
    shares = split_order(
        amount_minor=amount_minor,
        commission_minor=commission_minor,
        service_fee_minor=service_fee_minor,
        merchant_id="mer_1",
        platform_id="plt_1",
    )
    return {share.payee: share.amount_minor for share in shares}


@given(AMOUNTS, PARTS, PARTS)
@example(1, 0, 0)
@example(1, 1, 1)
@example(1, 0, 1)
@example(1, 1, 0)
@example(10001, 450, 60)
@example(MAX_AMOUNT_MINOR, MAX_AMOUNT_MINOR, MAX_AMOUNT_MINOR)
def test_split_sums_to_the_whole_without_zero_parts(amount: int, commission: int, fee: int) -> None:
    parts = split(amount, commission, fee)

    assert sum(parts.values()) == amount
    assert min(parts.values()) > 0


@given(AMOUNTS, PARTS, PARTS)
def test_split_takes_the_service_fee_first_then_the_commission(
    amount: int, commission: int, fee: int
) -> None:
    parts = split(amount, commission, fee)

    fee_taken = min(fee, amount)
    commission_taken = min(commission, amount - fee_taken)
    assert parts.get("SERVICE_FEE", 0) == fee_taken
    assert parts.get("PLATFORM", 0) == commission_taken
    assert parts.get("MERCHANT", 0) == amount - fee_taken - commission_taken


@given(AMOUNTS)
def test_split_gives_the_seller_everything_when_nobody_else_has_a_part(amount: int) -> None:
    assert split(amount, 0, 0) == {"MERCHANT": amount}


@given(AMOUNTS)
def test_split_gives_the_platform_everything_at_a_hundred_percent(amount: int) -> None:
    assert split(amount, amount, 0) == {"PLATFORM": amount}


@given(AMOUNTS)
def test_split_leaves_nothing_for_others_when_the_fee_takes_all(amount: int) -> None:
    assert split(amount, amount, amount) == {"SERVICE_FEE": amount}
