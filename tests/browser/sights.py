"""What some pages of the gallery need to show: made by services when it is first looked at, as of
today, and found again afterwards.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.test import Client
from django.utils import timezone

from api.models import LoggedRequest
from channels import contract
from escrow.models import Dispute, WaitsFor
from merchants import services as merchants
from merchants.models import CommissionPlan, CommissionRule, Invitation, Merchant, User
from notifications import buyer_links
from notifications import services as notifications
from orders.models import Order, Payment, PaymentState
from orders.services import payments
from portal import bulk_shipping, jobs, plan_replay, sweeps
from portal.models import Job, JobState
from portal.parcel_files import Row
from tests import disputing, ground
from tests import world as worlds
from tests.world import World


def contested(world: World) -> str:
    """A dispute with what both sides wrote and showed."""
    return Dispute.objects.filter(order__platform=world.platform).earliest("pk").pk


def complained(world: World) -> str:
    """A dispute that waits for the seller."""
    return _dispute(world, "OPEN/MERCHANT")


def offered(world: World) -> str:
    """The order of a dispute that waits for the buyer to take an offer."""
    return Dispute.objects.get(pk=_dispute(world, "ANSWERED/BUYER")).order_id


def sent_back(world: World) -> str:
    """A dispute whose goods are on their way to the seller."""
    return _dispute(world, "RETURNING/MERCHANT")


def _dispute(world: World, phase: str) -> str:
    state, waits_for = phase.split("/")
    mine = Dispute.objects.filter(order__merchant=world.merchants[0])
    found = mine.filter(state=state, waits_for=WaitsFor(waits_for)).first()
    if found is None:
        with _today(world):
            found = disputing.dispute_in(world, phase)
    return found.pk


@contextmanager
def _today(world: World) -> Iterator[None]:
    """Let a date of the world be today's: pages offer only what is still in time."""
    then: datetime = world.sandbox.clock.now
    world.sandbox.clock.now = timezone.now()
    yield
    world.sandbox.clock.now = then


def payment_of(world: World, order_id: str) -> str:
    """A payment of an order that waits for the buyer, with an address to pay at."""
    found = Payment.objects.filter(parts__order=order_id).first()
    if found is None:
        with _today(world):
            found = ground.make_payment(world, Order.objects.get(pk=order_id))
            payments.record_channel_answer(
                payment_id=found.pk,
                answer=worlds.answer(
                    contract.Status.PENDING,
                    reference=found.pk,
                    cashier_url="https://pay.example.com/c/1001",
                ),
                at=world.now,
            )
    found.refresh_from_db()
    assert found.state == PaymentState.PENDING
    return found.pk


def upload(merchant: Merchant | None, user: User, *, order: Order) -> str:
    """A file of parcels that nobody has confirmed: one order to ship, and rows with faults."""
    mine: Any = {"kind": bulk_shipping.KIND, "merchant": merchant, "user": user}
    found = Job.objects.filter(state=JobState.DRAFT, **mine).first()
    if found is None:
        rows = [
            Row(2, order.reference, "SF", "SF10001"),
            Row(3, "no-such-order", "SF", "SF10002"),
            Row(4, "<script>alert('x')</script>", "", "SF10003"),
        ]
        found = jobs.ask_for_job(
            platform=order.platform,
            language="en",
            wanted={"form": "csv", "rows": [row.as_json() for row in rows]},
            at=timezone.now(),
            draft=True,
            **mine,
        )
    return found.pk


def draft(world: World) -> str:
    """A plan nobody has brought into force."""
    found = CommissionPlan.objects.filter(platform=world.platform, active=False).first()
    if found is None:
        found = merchants.draft_plan(
            platform=world.platform,
            based_on=CommissionPlan.objects.get(platform=world.platform, active=True),
            name="Spring 春季",
            at=world.now,
        )
        merchants.add_rule(
            plan=found,
            currency="CNY",
            rate_bps=333,
            category="tea",
            effective_from=world.now,
            at=world.now,
        )
    return found.pk


def rule(world: World) -> str:
    """A rule of the draft."""
    return CommissionRule.objects.filter(plan_id=draft(world)).latest("pk").pk


def trial(world: World) -> str:
    """Past orders under the draft."""
    found = Job.objects.filter(platform=world.platform, kind=plan_replay.KIND).first()
    if found is None:
        found = jobs.ask_for_job(
            platform=world.platform,
            merchant=None,
            user=User.objects.get(username="gallery-shop"),
            language="en",
            kind=plan_replay.KIND,
            wanted={"plan": draft(world), "against": "", "reach": "100"},
            at=timezone.now(),
        )
        while sweeps.run_due_jobs(at=timezone.now()):
            pass
    return found.pk


def invitation(world: World) -> str:
    """The path of a link to join the platform."""
    made = Invitation.objects.filter(platform=world.platform).first()
    if made is None:
        made = notifications.invite_person(
            email="guest@example.com",
            role="SUPPORT",
            language="en",
            invited_by=User.objects.get(username="gallery-shop"),
            at=timezone.now(),
        )
    path = buyer_links.invitation_path(made.pk, made.round)
    return f"{path}/{buyer_links.sign(path, until=made.expires_at)}"


def request(world: World) -> str:
    """A request that was refused, with what of it is kept."""
    found = LoggedRequest.objects.filter(platform=world.platform).first()
    if found is None:
        _row, key = merchants.create_api_key(platform=world.platform, name="shop", at=world.now)
        body = {"reference": "r-1", "currency": "CNY", "buyer": {"name": "王芳"}, "lines": []}
        Client().post(
            "/v1/orders",
            body,
            content_type="application/json",
            headers={"authorization": f"Bearer {key}", "idempotency-key": "cart-17"},
        )
        found = LoggedRequest.objects.get()
    return found.pk
