"""Messages that contradict our books are flagged and move nothing; early ones wait, then count."""

import json
from datetime import timedelta

import pytest
from django.conf import settings

from api import inbound
from channels.models import InboundNotification, InboxState
from demo.local_sandbox import deliver_here
from escrow.models import Remittance
from orders.models import Order, Payment
from payouts.models import Payout
from sandbox.wire import signed_headers
from tests import ground
from tests.world import World

CHANNEL_URL = "http://us/v1/inbound/channels/sandbox"


def deliver(
    world: World, *, secret: str | None = None, url: str = CHANNEL_URL, **fields: object
) -> int:
    """Send a message of the channel's own making. Returns: the door's answer."""
    keys = settings.CHANNELS["sandbox"]
    known = {
        "event_id": f"evt_{world.count}",
        "subject": "payment",
        "status": "SUCCEEDED",
        "currency": "CNY",
    }
    known |= {"provider_reference": "SBP9", "code": "", "event_at": world.now.isoformat()}
    body = json.dumps({**known, **fields}).encode()
    headers = signed_headers(
        key_id=keys["key_id"], secret=secret or keys["secret"], at=world.now, body=body
    )
    return deliver_here(url, headers, body, at=world.now)


def inbox() -> list[tuple[str, str]]:
    rows = InboundNotification.objects.order_by("id").values_list("state", "note")
    return [(state, note.split(":")[0]) for state, note in rows]


def test_capture_of_another_amount_is_flagged(world: World) -> None:
    order, _token = world.create_order()
    payment = world.start_payment(order)

    answered = deliver(world, reference=payment.id, amount_minor=10000)

    assert (answered, inbox()) == (200, [(InboxState.FLAGGED, "capture_mismatch")])
    assert Order.objects.get(pk=order.pk).state == "CREATED"
    assert ground.trial() == []


def test_forged_message_is_refused_and_not_kept(world: World) -> None:
    order, _token = world.create_order()
    payment = world.start_payment(order)

    answered = deliver(world, secret="not-the-secret", reference=payment.id, amount_minor=10001)

    assert (answered, inbox()) == (401, [])


def test_early_message_is_kept_and_adopted_when_its_payment_appears(world: World) -> None:
    order, _token = world.create_order()
    deliver(world, reference="pay_early", amount_minor=10001)
    kept = inbox()
    payment = ground.make_payment(world, order)
    _rename(payment, "pay_early")

    world.sandbox.clock.move_to(world.now + timedelta(seconds=5))
    done = inbound.apply_due_notifications(at=world.now)

    assert [state for state, _note in kept] == [InboxState.ORPHAN]
    assert (done, inbox()) == (1, [(InboxState.APPLIED, "")])
    assert Order.objects.get(pk=order.pk).state == "PAID"


def _rename(payment: Payment, new_id: str) -> None:
    """The race of a message that overtakes our own commit, without a race: the payment appears
    under its id later.
    """
    part = payment.parts.get()
    part.delete()
    old_id = payment.id
    payment.id = new_id
    payment.save(force_insert=True)
    part.pk, part.payment_id = None, new_id
    part.save()
    Payment.objects.filter(pk=old_id).delete()


def test_orphan_is_given_up_after_a_week(world: World) -> None:
    deliver(world, reference="pay_never", amount_minor=1)

    world.sandbox.clock.move_to(world.now + timedelta(days=8))
    inbound.apply_due_notifications(at=world.now)

    row = InboundNotification.objects.get()
    assert (row.state, row.due_at) == (InboxState.ORPHAN, None)


def test_same_message_twice_and_the_same_fact_in_another_message_are_booked_once(
    world: World,
) -> None:
    order, _token = world.create_order()
    payment = world.start_payment(order)

    for event in ("evt_a", "evt_a", "evt_b"):
        assert deliver(world, event_id=event, reference=payment.id, amount_minor=10001) == 200

    assert inbox() == [(InboxState.APPLIED, "")] * 2
    assert world.balance("channel:sandbox:receivable") == 10001


def test_bank_that_contradicts_itself_is_flagged(world: World) -> None:
    order, _token = world.create_order()
    world.pay(order)
    world.ship(order)
    world.remit()
    world.confirm(order)
    world.settle()
    payout = Payout.objects.get(merchant=world.merchants[0])
    before = ground.trial()

    _tell_bank(world, payout, status="FAILED", code="CHANGED_ITS_MIND")

    assert inbox()[-1] == (InboxState.FLAGGED, "payout_contradiction")
    assert Payout.objects.get(pk=payout.pk).state == "PAID"
    assert ground.trial() == before


def _tell_bank(world: World, payout: Payout, **fields: object) -> None:
    keys = settings.RAILS["sandbox-bank"]
    told = {
        "event_id": "evt_late",
        "subject": "payout",
        "reference": payout.id,
        "provider_reference": "SBT9",
        "amount_minor": payout.amount_minor,
        "currency": "CNY",
        "event_at": world.now.isoformat(),
        **fields,
    }
    body = json.dumps(told).encode()
    headers = signed_headers(key_id=keys["key_id"], secret=keys["secret"], at=world.now, body=body)
    assert (
        deliver_here("http://us/v1/inbound/rails/sandbox-bank", headers, body, at=world.now) == 200
    )


def test_remittance_told_twice_is_booked_once_and_with_another_amount_is_flagged(
    world: World,
) -> None:
    order, _token = world.create_order()
    world.pay(order)
    told = {
        "subject": "remittance",
        "reference": "SBM1",
        "provider_reference": "SBM1",
        "fee_minor": 0,
    }

    deliver(world, event_id="evt_a", amount_minor=10001, **told)
    deliver(world, event_id="evt_b", amount_minor=10001, **told)
    deliver(world, event_id="evt_c", amount_minor=10000, **told)

    assert Remittance.objects.get().gross_minor == 10001
    assert inbox()[1:] == [
        (InboxState.APPLIED, ""),
        (InboxState.APPLIED, ""),
        (InboxState.FLAGGED, "remittance_invalid"),
    ]


@pytest.mark.parametrize("subject", ["payment", "refund"])
def test_bank_speaks_about_payouts_only(world: World, subject: str) -> None:
    keys = settings.RAILS["sandbox-bank"]
    answered = deliver(
        world,
        secret=keys["secret"],
        url="http://us/v1/inbound/rails/sandbox-bank",
        subject=subject,
        reference="x",
        amount_minor=1,
    )

    assert answered in (401, 422)
    assert inbox() == []
