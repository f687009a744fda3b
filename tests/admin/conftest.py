"""A small marketplace with a row of every model, for tests of the operators' pages."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from channels import contract
from channels.models import InboundNotification, InboxState
from demo.local_sandbox import CHANNEL
from escrow.models import Actor, Correction, Dispute, SellerAnswer
from escrow.services import corrections
from escrow.services.disputes import evidence
from merchants import services as merchants
from merchants.models import Merchant, User
from orders.services.creation import NewLine
from payouts.models import Payout
from payouts.services import cutoff, sending
from tests import disputing, freezing, ground, owing, rerouting
from tests import world as worlds
from tests.signing import sign_in
from tests.stage import books_are_right, transactional_db

__all__ = ["books_are_right", "transactional_db"]

LABELS = ("orders", "escrow", "payouts", "channels", "ledger")
HOSTILE = "<script>alert('x')</script>\"'><img src=x onerror=y>"


def shown_models() -> list[type[Model]]:
    """Every model with a page that is about money or messages."""
    return [
        model
        for label in LABELS
        for model in apps.get_app_config(label).get_models()
        if admin.site.is_registered(model)
    ]


def page(model: type[Model], name: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def url(name: str, *args: Any) -> str:
    return reverse(f"admin:{name}", args=args)


@pytest.fixture
def operator(market: worlds.World) -> User:
    return User.objects.create_superuser("op", "op@example.com", "long enough for tests")


@pytest.fixture
def second(market: worlds.World) -> User:
    return User.objects.create_superuser("second", "second@example.com", "long enough for tests")


@pytest.fixture
def signed_in(operator: User) -> Client:
    return sign_in(operator)


@pytest.fixture
def market(transactional_db: None) -> Iterator[worlds.World]:
    world = ground.open_world()
    yield world
    assert worlds.audit() == []


@pytest.fixture
def full(market: worlds.World) -> worlds.World:
    """At least one row of every model, with hostile texts wherever somebody outside may write."""
    Merchant.objects.update(name=HOSTILE[:120])
    lines = [NewLine(title=HOSTILE, amount_minor=9001, category="tea")]
    order, _token = market.create_order(lines=lines, buyer_name=HOSTILE)
    payment = ground.make_payment(market, order)
    ground.capture(payment)
    ground.capture(payment, number="SBP2")  # paid twice: surplus, and its refund
    returned = ground.sent_payout(market)
    said = worlds.answer(
        contract.Status.FAILED, reference=returned.id, code=HOSTILE[:60], message=HOSTILE
    )
    sending.record_payout_answer(payout_id=returned.id, answer=said, at=market.now)
    pending_payout(market)
    freezing.freeze_order(market, disputed(market).order, reason=HOSTILE)
    reserved(market)
    owing.seller_in_debt(market)
    rerouting.propose(
        market,
        rerouting.refused_refund(market, remitted=False),
        holder_name=HOSTILE,
        reason=HOSTILE,
    )
    flagged_notification()
    proposed_correction(market, reason=HOSTILE, evidence=HOSTILE)
    return market


def proposed_correction(world: worlds.World, **changes: Any) -> Correction:
    """The bank kept a fee that nothing else books."""
    said = {
        "debit_address": "loss:writeoff",
        "credit_address": f"reserve:{worlds.RAIL}",
        "currency": "CNY",
        "amount_minor": 10001,
        "reason": "fee of the bank",
        "evidence": "statement of 23 November, line 4",
        "proposed_by": ground.operator("first"),
        "at": world.now,
    }
    return corrections.propose_correction(**{**said, **changes})


def reserved(world: worlds.World) -> None:
    """A seller some of whose release is held back."""
    seller = merchants.update_merchant(merchant=world.add_merchant(), reserve=(1500, 30))
    ground.released_order(world, seller)


def disputed(world: worlds.World) -> Dispute:
    """A dispute that waits for an operator, with what both sides wrote and showed."""
    dispute = disputing.open_dispute(world, text=HOSTILE)
    evidence.add_evidence(
        dispute_id=dispute.id,
        side=Actor.BUYER,
        name=HOSTILE[:120],
        content=disputing.TEXT_FILE,
        by=Actor.BUYER,
        at=world.now,
    )
    disputing.answer(dispute, SellerAnswer.CONTEST, text=HOSTILE)
    return disputing.fresh(dispute)


def pending_payout(world: worlds.World) -> Payout:
    """A payout above its limit, which nobody has asked for."""
    return ground.cut_payout(world, approval_above_minor=1)


def replaced_payout(world: worlds.World, requested_by: User) -> Payout:
    """A payout an operator has asked for, in place of one that failed."""
    failed = ground.failed_payout(world)
    return cutoff.replace_payout(payout_id=failed.id, requested_by=requested_by, at=world.now)


def parked_payout(world: worlds.World) -> Payout:
    """A payout the bank gives no answer for."""
    payout = ground.sent_payout(world)
    ground.answer_payout(world, payout, contract.Status.UNKNOWN)
    return sending._park(payout_id=payout.id, at=world.now)


def flagged_notification(state: str = InboxState.FLAGGED) -> InboundNotification:
    return InboundNotification.objects.create(
        source=f"channels/{CHANNEL}",
        event_id=f"evt-{state}",
        subject="payment",
        reference=HOSTILE[:60],
        body=HOSTILE.encode(),
        answer={"answer": {"message": HOSTILE}},
        state=state,
        received_at=worlds.START,
        note=HOSTILE,
    )
