"""Holds and refunds: every state against every action, frozen money, and what the database refuses
by itself.
"""

import pytest
from django.db import DatabaseError, connection, transaction

from channels.contract import Answer, Status
from escrow import sweeps
from escrow.models import Hold, HoldState, Refund, RefundState, Remittance
from escrow.services import hold as holds
from escrow.services import refund as refunds
from escrow.services import release as releases
from escrow.services import remittance as remittances
from orders.models import CancelReason, ConfirmedBy, Order
from orders.services.creation import NewLine
from tests import freezing, ground
from tests.ground import US
from tests.world import World

REFUND_STATES = ["PENDING", "SUBMITTED", "UNKNOWN", "FAILED", "SUCCEEDED"]


def test_hold_keeps_the_worked_example_by_payee(market: World) -> None:
    order = ground.paid_order(market)

    assert list(order.hold.shares.order_by("leg").values_list("leg", "payee", "amount_minor")) == [
        (2, "MERCHANT", 9491),
        (3, "PLATFORM", 450),
        (4, "SERVICE_FEE", 60),
    ]
    assert market.balance("held") == 10001


@pytest.mark.parametrize(
    "wrong", [{"amount_minor": 10000}, {"amount_minor": 10002}, {"currency": "USD"}]
)
def test_capture_of_another_amount_is_refused(market: World, wrong: dict[str, object]) -> None:
    order, _token = market.create_order()
    payment = ground.make_payment(market, order)
    told = {"amount_minor": 10001, "currency": "CNY", **wrong}

    refused = ground.refusal(
        lambda: holds.record_capture(
            payment_id=payment.id,
            provider_reference="SBP1",
            paid_at=market.now,
            at=market.now,
            **told,
        )
    )

    assert (refused.code, refused.status) == ("capture_mismatch", 422)
    assert ground.order_facts(order.id) == ground.facts("CREATED", 1)


def test_capture_of_an_unknown_payment_is_refused(market: World) -> None:
    refused = ground.refusal(
        lambda: holds.record_capture(
            payment_id="pay_none",
            provider_reference="S",
            amount_minor=1,
            currency="CNY",
            paid_at=market.now,
            at=market.now,
        )
    )

    assert refused.code == "payment_not_found"


def test_orders_of_two_currencies_are_held_and_released_apart(market: World) -> None:
    yuan = ground.shipped_order(market)
    yen, _token = market.create_order(
        currency="JPY", lines=[NewLine(title="Cup", amount_minor=777)], shipping_minor=0
    )
    ground.capture(ground.make_payment(market, yen))

    market.confirm(yuan)

    seller = f"merchant:{market.merchants[0].id}:payable"
    assert (market.balance("held"), market.balance("held", "JPY")) == (0, 777)
    assert (market.balance(seller), market.balance(seller, "JPY")) == (9491, 0)


@pytest.mark.parametrize("act", ["confirm", "slowly", "cancel", "deadline"])
def test_frozen_hold_is_neither_released_nor_refunded(market: World, act: str) -> None:
    order = ground.order_in(market, "PAID" if act in ("cancel", "deadline") else "SHIPPED")
    freezing.freeze_order(market, order)
    verbs = {
        "confirm": lambda: releases.confirm_receipt(order_id=order.id, at=market.now),
        "slowly": lambda: releases.release_order_slowly(
            order_id=order.id, confirmed_by=ConfirmedBy.OPERATOR, at=market.now
        ),
        "cancel": lambda: refunds.cancel_paid_order(
            order_id=order.id, reason=CancelReason.PLATFORM, at=market.now
        ),
        "deadline": lambda: refunds.cancel_unshipped_order(
            order_id=order.id, at=order.ship_by + US
        ),
    }

    refused = ground.refusal(verbs[act])

    assert (refused.code, refused.status) == ("hold_frozen", 409)


def test_sweeps_pass_over_frozen_holds_and_take_the_others(market: World) -> None:
    frozen, due = ground.shipped_order(market), ground.shipped_order(market)
    unshipped = ground.paid_order(market)
    freezing.freeze_order(market, frozen)
    freezing.freeze_order(market, unshipped)

    released = sweeps.release_due_confirmations(at=frozen.confirm_by)
    canceled = sweeps.cancel_due_shipments(at=unshipped.ship_by + US)

    assert (released, canceled) == (1, 0)
    states = Order.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == ["SHIPPED", "CONFIRMED", "PAID"]
    assert Order.objects.get(pk=due.pk).confirmed_by == ConfirmedBy.AUTOMATIC


def test_canceling_owes_the_buyer_everything(market: World) -> None:
    refund = ground.open_refund(market, claimed=False)

    assert (refund.amount_minor, refund.currency, refund.state) == (
        10001,
        "CNY",
        RefundState.PENDING,
    )
    assert market.balance("held") == 0
    assert market.balance("refund:sandbox:in_transit") == 10001


def refund_in(world: World, state: str) -> Refund:
    refund = ground.open_refund(world, claimed=state != "PENDING")
    told = {"UNKNOWN": Status.UNKNOWN, "FAILED": Status.FAILED, "SUCCEEDED": Status.SUCCEEDED}
    return tell(world, refund, told[state]) if state in told else refund


def tell(world: World, refund: Refund, status: Status, **changes: object) -> Refund:
    money = {"amount_minor": refund.amount_minor, "currency": refund.currency}
    said = {**(money if status == Status.SUCCEEDED else {}), **changes}
    told = Answer(status=status, reference=refund.id, provider_reference="SBR1", **said)  # type: ignore[arg-type]
    return refunds.record_refund_answer(refund_id=refund.id, answer=told, at=world.now)


ANSWERS = {
    Status.SUCCEEDED: dict.fromkeys(REFUND_STATES, "SUCCEEDED"),
    Status.FAILED: {"PENDING": "FAILED", "SUBMITTED": "FAILED", "UNKNOWN": "FAILED"},
    Status.PENDING: {"PENDING": "SUBMITTED", "UNKNOWN": "SUBMITTED"},
    Status.UNKNOWN: {"PENDING": "UNKNOWN", "SUBMITTED": "UNKNOWN"},
}


@pytest.mark.parametrize("status", ANSWERS)
@pytest.mark.parametrize("state", REFUND_STATES)
def test_refund_answer_moves_a_refund_up_and_never_back(
    market: World, state: str, status: Status
) -> None:
    refund = refund_in(market, state)

    after = tell(market, refund, status)

    assert after.state == ANSWERS[status].get(state, state)
    owed = 0 if after.state == "SUCCEEDED" else 10001
    assert market.balance("refund:sandbox:in_transit") == owed
    assert market.balance("channel:sandbox:receivable") == owed


@pytest.mark.parametrize("state", REFUND_STATES)
def test_refund_is_claimed_once_and_only_while_pending(market: World, state: str) -> None:
    refund = refund_in(market, state)

    claimed = [refunds.claim_refund(refund_id=refund.id, at=market.now) for _ in range(2)]

    assert claimed == [state == "PENDING", False]


@pytest.mark.parametrize("wrong", [{"amount_minor": 10000}, {"currency": "USD"}])
def test_refund_answer_with_another_amount_is_refused(
    market: World, wrong: dict[str, object]
) -> None:
    refund = refund_in(market, "SUBMITTED")

    refused = ground.refusal(lambda: tell(market, refund, Status.SUCCEEDED, **wrong))

    assert (refused.code, refused.status) == ("refund_mismatch", 422)
    assert Refund.objects.get(pk=refund.pk).state == "SUBMITTED"


def test_answer_about_an_unknown_refund_is_refused(market: World) -> None:
    told = Answer(status=Status.FAILED, reference="ref_none")

    refused = ground.refusal(
        lambda: refunds.record_refund_answer(refund_id="ref_none", answer=told, at=market.now)
    )

    assert (refused.code, refused.status) == ("refund_not_found", 404)


HOLD_MOVES = {("HELD", "FROZEN"), ("FROZEN", "HELD"), ("HELD", "RELEASED"), ("HELD", "REFUNDED")}
REFUND_MOVES = {
    ("PENDING", "SUBMITTED"),
    ("SUBMITTED", "SUCCEEDED"),
    ("SUBMITTED", "FAILED"),
    ("SUBMITTED", "UNKNOWN"),
    ("UNKNOWN", "SUBMITTED"),
    ("UNKNOWN", "SUCCEEDED"),
    ("UNKNOWN", "FAILED"),
    ("FAILED", "SUCCEEDED"),
    ("FAILED", "PENDING"),  # a person asks the channel again
    ("SUCCEEDED", "FAILED"),  # the bank, instead of the channel, has sent it back
}


@pytest.mark.parametrize("source", HoldState.values)
def test_database_refuses_every_other_move_of_a_hold(market: World, source: str) -> None:
    made_by = {"RELEASED": "CONFIRMED", "REFUNDED": "CANCELED"}
    order = ground.order_in(market, made_by.get(source, "PAID"))
    if source == "FROZEN":
        freezing.freeze_order(market, order)
    hold = Hold.objects.get(order=order)

    moved = {
        target
        for target in HoldState.values
        if target != source and _moves("escrow_hold", hold.pk, target)
    }

    assert moved == {target for state, target in HOLD_MOVES if state == source}


@pytest.mark.parametrize("source", RefundState.values)
def test_database_refuses_every_other_move_of_a_refund(market: World, source: str) -> None:
    refund = refund_in(market, source)

    moved = {
        target
        for target in RefundState.values
        if target != source and _moves("escrow_refund", refund.pk, target)
    }

    assert moved == {target for state, target in REFUND_MOVES if state == source}


def _moves(table: str, row: str, target: str) -> bool:
    """Whether a raw UPDATE gets past the state graph, given the columns the target asks for."""
    more = {
        ("escrow_hold", "RELEASED"): ", released_minor = amount_minor, refunded_minor = 0",
        ("escrow_hold", "REFUNDED"): ", refunded_minor = amount_minor, released_minor = 0",
        ("escrow_hold", "HELD"): ", refunded_minor = 0, released_minor = 0",
        ("escrow_hold", "FROZEN"): ", refunded_minor = 0, released_minor = 0",
        ("escrow_refund", "SUCCEEDED"): ", succeeded_at = now(), done_entry_id = asked_entry_id",
    }
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            columns = more.get((table, target), "")
            cursor.execute(f"UPDATE {table} SET state = %s{columns} WHERE id = %s", [target, row])
            transaction.set_rollback(True)
    except DatabaseError as error:
        if "may not go from" not in str(error):
            raise
        return False
    return True


@pytest.mark.parametrize("fee_minor", [-1, 10001, 10002])
def test_remittance_with_an_impossible_fee_is_refused(market: World, fee_minor: int) -> None:
    ground.paid_order(market)

    refused = ground.refusal(lambda: remit(market, number="SBM1", fee_minor=fee_minor))

    assert (refused.code, refused.status) == ("remittance_invalid", 422)


def test_remittance_is_booked_once_and_refused_with_other_amounts(market: World) -> None:
    ground.paid_order(market)
    first = remit(market, number="SBM1", fee_minor=60)

    again = remit(market, number="SBM1", fee_minor=60)
    refused = ground.refusal(lambda: remit(market, number="SBM1", fee_minor=61))

    assert again.pk == first.pk
    assert refused.code == "remittance_invalid"
    assert market.balance("reserve:sandbox-bank") == 9941
    assert market.balance("fee:channel:sandbox") == 60


def remit(world: World, *, number: str, fee_minor: int) -> Remittance:
    return remittances.record_remittance(
        channel="sandbox",
        custodian="sandbox-bank",
        provider_reference=number,
        gross_minor=10001,
        fee_minor=fee_minor,
        currency="CNY",
        at=world.now,
    )
