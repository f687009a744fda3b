"""Cells of debit requests: what sellers are asked to pay. See tests/cells.py."""

from escrow.models import DebitRequest
from escrow.services import debit_requests
from tests import ground
from tests.cells import LATE, Act, Machine, debt_in, net, repay
from tests.world import RAIL, World


def debit_request_in(world: World, case: str) -> DebitRequest:
    """A seller was asked to pay its debt of 9491, of which the operator's own funds stand in."""
    debt = debt_in(world, "OPEN")
    request = debit_requests.request_debit(
        debt_id=debt.id, asked_by=ground.operator("first"), at=world.now
    )
    if case == "PAID":
        repay(9491)(world, debt)
    if case == "WITHDRAWN":
        net(9491)(world, debt)
    return DebitRequest.objects.select_related("debt").get(pk=request.pk)


def _of_debt(act: Act) -> Act:
    return lambda world, request: act(world, request.debt)


def _pay_request(amount_minor: int, currency: str = "CNY") -> Act:
    return lambda world, request: debit_requests.record_debit_payment(
        payment_reference=request.payment_reference,
        amount_minor=amount_minor,
        currency=currency,
        rail=RAIL,
        provider_reference=f"SBI-{amount_minor}",
        at=world.now,
    )


DEBIT_REQUEST = Machine(
    model=DebitRequest,
    make=debit_request_in,
    cases=("OPEN", "PAID", "WITHDRAWN"),
    acts={
        "seller pays it": (_pay_request(9491), {"OPEN": "PAID"}),
        "seller pays a part": (_pay_request(491), {"OPEN": "OPEN"}),
        "seller pays too much": (_pay_request(9492), {}),
        "seller pays in another currency": (_pay_request(9491, "USD"), {}),
        "a person records the payment": (_of_debt(repay(9491)), {"OPEN": "PAID"}),
        "later sales pay it": (_of_debt(net(9491)), {"OPEN": "WITHDRAWN"}),
        "later sales pay a part": (_of_debt(net(491)), {"OPEN": "OPEN"}),
        "it is repeated": (
            lambda world, request: debit_requests.remind_due_debit(
                debit_request_id=request.id, at=world.now + LATE
            ),
            {"OPEN": "OPEN"},
        ),
        "it need not be repeated yet": (
            lambda world, request: debit_requests.remind_due_debit(
                debit_request_id=request.id, at=world.now
            ),
            {},
        ),
        "seller is asked again": (
            lambda world, request: debit_requests.request_debit(
                debt_id=request.debt_id, asked_by=ground.operator("second"), at=world.now
            ),
            {},
        ),
    },
)
