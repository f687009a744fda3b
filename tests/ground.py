"""The ground a test starts from: orders and payouts brought into a state by services, without the
sandbox.

The test speaks for channel and bank. It must never reach around a service to make a state.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from channels import contract
from common.errors import DomainError
from demo.local_sandbox import CHANNEL, RAIL, Clock, LocalSandbox
from escrow.models import Refund, Release, Surplus
from escrow.services import hold as holds
from escrow.services import refund as refunds
from escrow.services import release as releases
from escrow.services import remittance as remittances
from ledger import selectors as books
from merchants.models import Merchant, User
from orders.models import Order, Payment
from orders.services import lifecycle, payments
from payouts.models import Payout, PayoutSchedule
from payouts.services import approval, cutoff, sending
from tests import stage
from tests import world as worlds

US = timedelta(microseconds=1)


def open_world() -> worlds.World:
    """An empty database with one platform and one seller. No sandbox: the races speak for the
    providers.
    """
    stage.empty_database()
    clock_only = cast(LocalSandbox, SimpleNamespace(clock=Clock(worlds.START)))
    world = worlds.World(clock_only, worlds.make_platform(at=worlds.START))
    world.add_merchant()
    return world


def make_payment(world: worlds.World, *orders: Order) -> Payment:
    ids = [order.id for order in orders]
    return payments.create_payment(
        platform_id=world.platform.id, order_ids=ids, channel=CHANNEL, return_url="", at=world.now
    )


def capture(payment: Payment, *, number: str = "SBP1") -> Payment:
    """The channel says once that the buyer has paid, under its own number."""
    at = payment.created_at + timedelta(minutes=1)
    return holds.record_capture(
        payment_id=payment.id,
        provider_reference=f"{number}-{payment.id}",
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        paid_at=at,
        at=at,
    )


def paid_order(world: worlds.World, merchant: Merchant | None = None) -> Order:
    order, _token = world.create_order(merchant)
    capture(make_payment(world, order))
    order.refresh_from_db()
    return order


def shipped_order(world: worlds.World, merchant: Merchant | None = None) -> Order:
    order = paid_order(world, merchant)
    world.ship(order)
    order.refresh_from_db()
    return order


def released_order(world: worlds.World, merchant: Merchant | None = None) -> Order:
    order = shipped_order(world, merchant)
    releases.confirm_receipt(order_id=order.id, at=world.now)
    return order


def open_refund(world: worlds.World, *, claimed: bool = True) -> Refund:
    order = paid_order(world)
    refunds.cancel_paid_order(order_id=order.id, reason="PLATFORM", at=world.now)
    refund = Refund.objects.get(hold__order=order)
    if claimed:
        refunds.claim_refund(refund_id=refund.id, at=world.now)
    return refund


def schedule(world: worlds.World, **changes: Any) -> PayoutSchedule:
    """The seller's schedule, due now."""
    rows = PayoutSchedule.objects.filter(merchant=world.merchants[0])
    rows.update(next_cutoff_at=world.now, approval_above_minor=None)
    rows.update(**changes)
    return rows.get()


def cut_payout(world: worlds.World, **changes: Any) -> Payout:
    """One released order cut into a payout."""
    released_order(world)
    (payout,) = cutoff.cut_settlements(schedule_id=schedule(world, **changes).pk, at=world.now)
    return payout


def remit(world: worlds.World, amount_minor: int, *, number: str | None = None) -> Any:
    return remittances.record_remittance(
        channel=CHANNEL,
        custodian=RAIL,
        provider_reference=number or f"SBM{world.count}",
        gross_minor=amount_minor,
        fee_minor=0,
        currency="CNY",
        at=world.now,
    )


def sent_payout(world: worlds.World) -> Payout:
    payout = cut_payout(world)
    remit(world, 10001)
    assert sending.claim_payout(payout_id=payout.id, at=world.now)
    return payout


def park(world: worlds.World, payout: Payout) -> None:
    """The bank has not heard of it when its finality window is over, and forgets references: wait
    for persons.
    """
    sending._park(payout_id=payout.id, at=world.now)


def failed_payout(world: worlds.World) -> Payout:
    return fail(world, sent_payout(world))


def fail(world: worlds.World, payout: Payout) -> Payout:
    return answer_payout(world, payout, contract.Status.FAILED)


def answer_payout(world: worlds.World, payout: Payout, status: contract.Status) -> Payout:
    amount_minor = 0 if status == contract.Status.FAILED else payout.amount_minor
    answer = worlds.answer(
        status, reference=payout.id, amount_minor=amount_minor, provider_reference="SBT1"
    )
    return sending.record_payout_answer(payout_id=payout.id, answer=answer, at=world.now)


def approve(world: worlds.World, payout: Payout, operator: User) -> Payout:
    return approval.approve_payout(payout_id=payout.id, operator=operator, at=world.now)


def operator(name: str) -> User:
    found, _new = User.objects.get_or_create(
        username=name, defaults={"email": f"{name}@example.com"}
    )
    return found


def order_facts(order_id: str) -> dict[str, Any]:
    """What there is of an order: its state, its events, and how often money moved for it."""
    order = Order.objects.get(pk=order_id)
    kinds = [entry.kind for entry in books.subject_entries(order_id)]
    return {
        "state": order.state,
        "events": order.event_sequence,
        "entries": sorted(kinds),
        "releases": Release.objects.filter(hold__order=order).count(),
        "refunds": Refund.objects.filter(hold__order=order).count(),
        "surpluses": Surplus.objects.filter(order=order).count(),
    }


def facts(state: str, events: int, *entries: str, **counts: int) -> dict[str, Any]:
    """What `order_facts` should say."""
    none = {"releases": 0, "refunds": 0, "surpluses": 0}
    return {"state": state, "events": events, "entries": sorted(entries), **none, **counts}


def payout_facts(payout_id: str) -> dict[str, Any]:
    payout = Payout.objects.get(pk=payout_id)
    entries = [
        entry.reference.removesuffix(f":{payout_id}") for entry in books.subject_entries(payout_id)
    ]
    return {"state": payout.state, "events": payout.event_sequence, "entries": sorted(entries)}


@pytest.fixture
def market(transactional_db: None) -> Iterator[worlds.World]:
    """A world without the sandbox; after the test every audit is empty."""
    world = open_world()
    yield world
    assert worlds.audit() == []


def order_in(world: worlds.World, state: str) -> Order:
    """An order in a state, by the shortest way there. CANCELED was paid and is refunded; VOID is
    canceled unpaid.
    """
    if state in ("CREATED", "EXPIRED", "VOID"):
        order, _token = world.create_order()
        if state == "EXPIRED":
            assert payments.expire_order(order_id=order.id, at=order.pay_by + US)
        elif state == "VOID":
            lifecycle.cancel_unpaid_order(order_id=order.id, reason="PLATFORM", at=world.now)
    else:
        order = {"SHIPPED": shipped_order, "CONFIRMED": released_order}.get(state, paid_order)(
            world
        )
        if state == "CANCELED":
            refunds.cancel_paid_order(order_id=order.id, reason="PLATFORM", at=world.now)
    order.refresh_from_db()
    return order


def refusal(verb: Callable[[], Any]) -> DomainError:
    """Call what must be refused, and see that the books did not move. Returns: the refusal."""
    before = trial()
    with pytest.raises(DomainError) as caught:
        verb()
    assert trial() == before
    return caught.value


def trial() -> list[tuple[str, str, int]]:
    """Every balance of the books, by currency and class of account."""
    return [
        (line.currency, line.account_class, line.balance_minor) for line in books.trial_balance()
    ]
