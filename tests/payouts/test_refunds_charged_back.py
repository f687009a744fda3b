"""Why: a refund may fail because the buyer's bank has taken the money already. Sent by our bank as
well, it would pay the buyer twice, with two persons' blessing.
"""

from typing import Any

import pytest

from api import inbound
from channels.contract import Status
from channels.models import InboundNotification
from demo.local_sandbox import CHANNEL
from escrow.models import BankRefund, Hold, Refund, RefundState
from escrow.services import order_refunds
from escrow.services import refund as refunds
from payouts.services import bank_refunds as payouts
from tests import ground
from tests.rerouting import approve, channel_says, fresh, propose
from tests.world import World, audit


def refused_part(world: World, amount_minor: int = 3001, *, order: Any = None) -> Refund:
    """Of an order of 10001 a part is to be refunded, and the channel refuses."""
    order = order or ground.paid_order(world)
    refund = order_refunds.refund_order(
        order_id=order.id, amount_minor=amount_minor, reason="broken", at=world.now
    )
    refunds.claim_refund(refund_id=refund.id, at=world.now)
    return channel_says(world, refund, Status.FAILED)


def charge_back(world: World, refund: Refund, amount_minor: int, number: str = "SBC1") -> str:
    """The channel tells of a chargeback. Returns: what became of its message."""
    said = {"status": "SUCCEEDED", "reference": refund.payment_id, "currency": "CNY"}
    said |= {"provider_reference": number, "event_at": None}
    row = InboundNotification.objects.create(
        source=f"channels/{CHANNEL}",
        event_id=f"e-{number}-{amount_minor}",
        subject="chargeback",
        reference=refund.payment_id,
        body=b"{}",
        answer={"answer": said | {"amount_minor": amount_minor}, "extra": {}},
        received_at=world.now,
        due_at=world.now,
    )
    return inbound.apply_notification(notification_id=row.pk, at=world.now)


@pytest.mark.parametrize("taken", [7001, 10001])
def test_refund_the_chargeback_has_paid_is_not_sent_by_bank(market: World, taken: int) -> None:
    refund = refused_part(market)
    assert charge_back(market, refund, taken) == "FLAGGED"
    before = ground.trial()

    refusal = ground.refusal(lambda: propose(market, refund))

    assert (refusal.code, refusal.facts["left_minor"]) == ("refund_charged_back", 10001 - taken)
    assert (BankRefund.objects.count(), ground.trial()) == (0, before)


def test_refund_that_is_left_beside_a_chargeback_is_sent_by_bank(market: World) -> None:
    refund = refused_part(market)
    assert charge_back(market, refund, 7000) == "APPLIED"

    found = approve(market, propose(market, refund))

    assert (found.state, found.amount_minor) == ("APPROVED", 3001)
    assert audit() == []


def test_same_chargeback_told_twice_counts_once(market: World) -> None:
    refund = refused_part(market)
    charge_back(market, refund, 7000)
    charge_back(market, refund, 7001)  # of the same number: booked with its first word

    found = approve(market, propose(market, refund))

    assert found.state == "APPROVED"


def test_chargeback_after_the_proposal_stops_the_approval(market: World) -> None:
    refund = refused_part(market)
    found = propose(market, refund)
    charge_back(market, refund, 10001)
    before = ground.trial()

    refusal = ground.refusal(lambda: approve(market, found))

    assert (refusal.code, ground.trial()) == ("refund_charged_back", before)
    assert fresh(found).state == "PROPOSED"


def test_chargeback_after_the_approval_stops_the_sending(market: World) -> None:
    refund = refused_part(market)
    ground.remit(market, 10001)
    before = ground.trial()
    found = approve(market, propose(market, refund))
    charge_back(market, refund, 10001)

    attempt = payouts.claim_bank_refund(bank_refund_id=found.id, at=market.now)

    after = fresh(found)
    assert attempt is None
    assert (after.state, after.failure_code) == ("DROPPED", "refund_charged_back")
    assert (after.refund.state, ground.trial()) == (RefundState.FAILED, before)
    assert audit() == []


def test_of_two_refused_refunds_only_the_one_that_is_left_is_sent(market: World) -> None:
    order = ground.paid_order(market)
    first = refused_part(market, 4001, order=order)
    second = refused_part(market, 3001, order=order)
    assert Hold.objects.get(order=order).refunded_minor == 7002
    charge_back(market, first, 5001)  # of 10001: 5000 are left of 7002
    one = propose(market, first)
    before = ground.trial()

    refusal = ground.refusal(lambda: propose(market, second))

    assert (refusal.code, refusal.facts["left_minor"]) == ("refund_charged_back", 999)
    assert ground.trial() == before
    assert approve(market, one).state == "APPROVED"


def test_whole_refund_without_a_chargeback_is_sent_as_ever(market: World) -> None:
    order = ground.paid_order(market)
    first = refused_part(market, 4001, order=order)
    rest = refused_part(market, 6000, order=order)

    sent = [approve(market, propose(market, refund)).state for refund in (first, rest)]

    assert sent == ["APPROVED", "APPROVED"]
