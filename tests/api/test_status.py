"""Why: the one word people act on must be right for every combination of states."""

import pytest

from api.status import LineStatus, SplitLine, Status, compose


def line(payee: str, status: LineStatus) -> SplitLine:
    return SplitLine(payee, 1, status)


PAID, SENDING, KEPT = LineStatus.PAID, LineStatus.SENDING, LineStatus.KEPT
FEE = line("SERVICE_FEE", KEPT)


@pytest.mark.parametrize(
    ("order_state", "hold_state", "refund_states", "expected"),
    [
        ("CREATED", None, [], Status.AWAITING_PAYMENT),
        ("EXPIRED", None, [], Status.EXPIRED),
        ("CANCELED", None, [], Status.CANCELED),
        ("CANCELED", "REFUNDED", [], Status.REFUNDED),
        ("CANCELED", "REFUNDED", ["PENDING"], Status.REFUNDING),
        ("CANCELED", "REFUNDED", ["SUBMITTED"], Status.REFUNDING),
        ("CANCELED", "REFUNDED", ["UNKNOWN"], Status.REFUNDING),
        ("CANCELED", "REFUNDED", ["FAILED"], Status.REFUNDING),
        ("CANCELED", "REFUNDED", ["SUCCEEDED", "PENDING"], Status.REFUNDING),
        ("CANCELED", "REFUNDED", ["SUCCEEDED"], Status.REFUNDED),
        ("PAID", "HELD", [], Status.PAID),
        ("PAID", "FROZEN", [], Status.FROZEN),
        ("SHIPPED", "HELD", [], Status.SHIPPED),
        ("SHIPPED", "FROZEN", [], Status.FROZEN),
    ],
)
def test_the_status_before_release(
    order_state: str, hold_state: str | None, refund_states: list[str], expected: Status
) -> None:
    found = compose(
        order_state=order_state, hold_state=hold_state, refund_states=refund_states, split=[]
    )

    assert found == expected


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ([line("MERCHANT", LineStatus.PAYABLE), FEE], Status.RELEASED),
        ([line("MERCHANT", LineStatus.AWAITING_APPROVAL), FEE], Status.RELEASED),
        ([line("MERCHANT", SENDING), FEE], Status.RELEASED),
        ([line("MERCHANT", LineStatus.FAILED), FEE], Status.RELEASED),
        ([line("MERCHANT", LineStatus.RETURNED), FEE], Status.RELEASED),
        ([line("MERCHANT", PAID), FEE], Status.PAID_OUT),
        ([line("MERCHANT", PAID), line("PARTY", SENDING)], Status.RELEASED),
        ([line("MERCHANT", PAID), line("PLATFORM", SENDING), FEE], Status.PAID_OUT),
        ([line("PLATFORM", SENDING), FEE], Status.RELEASED),
        ([line("PLATFORM", PAID), FEE], Status.PAID_OUT),
        ([FEE], Status.RELEASED),
    ],
)
def test_the_status_after_release(split: list[SplitLine], expected: Status) -> None:
    found = compose(order_state="CONFIRMED", hold_state="RELEASED", refund_states=[], split=split)

    assert found == expected
