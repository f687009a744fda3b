"""Races over held money: confirmations, the release sweep, refunds and remittances."""

from datetime import timedelta
from typing import Any

from channels import contract
from escrow.models import Debt, Refund, Release, Remittance, ReserveSlice
from escrow.services import order_refunds, reserves
from escrow.services import refund as refunds
from escrow.services import release as releases
from merchants import services as merchants
from orders.models import CancelReason, ConfirmedBy
from payouts.models import PayoutSchedule
from payouts.services import cutoff
from tests import ground, owing
from tests import world as worlds
from tests.ground import facts, order_facts
from tests.races.starting_line import Case, Pair, one_of, one_winner

RELEASED = facts("CONFIRMED", 4, "capture", "release", releases=1)
DUE_ORDERS = 6


def confirm_and_confirm(world: worlds.World) -> Case:
    order = ground.shipped_order(world)
    return Case(
        [("confirm", lambda: releases.confirm_receipt(order_id=order.id, at=world.now))],
        one_winner(lambda: order_facts(order.id), {"confirm": RELEASED}),
    )


def confirm_and_sweep(world: worlds.World) -> Case:
    order = ground.shipped_order(world)
    assert order.confirm_by is not None
    due = order.confirm_by
    return Case(
        [
            ("confirm", lambda: releases.confirm_receipt(order_id=order.id, at=due)),
            ("sweep", lambda: releases.release_due_orders(limit=10, at=due)),
        ],
        one_winner(lambda: order_facts(order.id), {"confirm": RELEASED, "sweep": RELEASED}),
    )


def fast_and_slow(world: worlds.World) -> Case:
    """Both release paths, and a cancellation that comes too late."""
    order = ground.shipped_order(world)
    slow, by = releases.release_order_slowly, ConfirmedBy.OPERATOR
    cancel = refunds.cancel_paid_order
    return Case(
        [
            ("fast", lambda: releases.confirm_receipt(order_id=order.id, at=world.now)),
            ("slow", lambda: slow(order_id=order.id, confirmed_by=by, at=world.now)),
            (
                "cancel",
                lambda: cancel(order_id=order.id, reason=CancelReason.PLATFORM, at=world.now),
            ),
        ],
        one_winner(lambda: order_facts(order.id), {"fast": RELEASED, "slow": RELEASED}),
    )


def sweep_and_sweep(world: worlds.World) -> Case:
    """Sixteen sweeps over six due orders: each is released once, and no sweep counts another's."""
    orders = [ground.shipped_order(world) for _ in range(DUE_ORDERS)]
    due = max(order.confirm_by for order in orders if order.confirm_by)
    ids = [order.id for order in orders]

    def judge(outcomes: Any) -> list[str]:
        counted = sum(outcome.value or 0 for outcome in outcomes)
        released = Release.objects.filter(hold__order_id__in=ids).count()
        return (
            [] if counted == released == DUE_ORDERS else [f"{counted} counted, {released} released"]
        )

    return Case([("sweep", lambda: releases.release_due_orders(limit=4, at=due))], judge)


def refund_answers(world: worlds.World) -> Case:
    refund = ground.open_refund(world)
    return Case(
        [("done", lambda: _answer(refund, world))],
        one_of(lambda: _refund_facts(refund), REFUND_DONE),
    )


def refund_done_and_failed(world: worlds.World) -> Case:
    """The channel says failed and done at once: money that moved is booked, in any order."""
    refund = ground.open_refund(world)
    failed = contract.Status.FAILED
    return Case(
        [
            ("done", lambda: _answer(refund, world)),
            ("failed", lambda: _answer(refund, world, failed)),
        ],
        one_of(lambda: _refund_facts(refund), REFUND_DONE, {**REFUND_DONE, "events": 3}),
    )


REFUND_DONE = {
    "state": "SUCCEEDED",
    "events": 2,
    "entries": ["capture", "refund-asked", "refund-done"],
}


def _answer(
    refund: Refund, world: worlds.World, status: contract.Status = contract.Status.SUCCEEDED
) -> Refund:
    amount_minor = refund.amount_minor if status == contract.Status.SUCCEEDED else 0
    answer = worlds.answer(
        status, reference=refund.id, amount_minor=amount_minor, provider_reference="SBR1"
    )
    return refunds.record_refund_answer(refund_id=refund.id, answer=answer, at=world.now)


def _refund_facts(refund: Refund) -> dict[str, Any]:
    now = Refund.objects.select_related("hold").get(pk=refund.id)
    assert now.hold is not None
    entries = order_facts(now.hold.order_id)["entries"]
    return {"state": now.state, "events": now.event_sequence, "entries": entries}


def claim_and_claim_refund(world: worlds.World) -> Case:
    refund = ground.open_refund(world, claimed=False)

    def attempts() -> dict[str, Any]:
        now = Refund.objects.get(pk=refund.id)
        return {"state": now.state, "attempts": now.attempts}

    return Case(
        [("claim", lambda: refunds.claim_refund(refund_id=refund.id, at=world.now))],
        one_winner(attempts, {"claim": {"state": "SUBMITTED", "attempts": 1}}),
    )


def remittance_twice(world: worlds.World) -> Case:
    ground.paid_order(world)
    number = f"SBM-{world.count}"
    return Case(
        [("remit", lambda: ground.remit(world, 10001, number=number))],
        one_of(
            lambda: {"booked": Remittance.objects.filter(provider_reference=number).count()},
            {"booked": 1},
        ),
    )


def free_and_refund(world: worlds.World) -> Case:
    """A slice whose days are over, and a refund of an order that was paid out: whoever is first,
    the money pays the refund once."""
    seller = merchants.update_merchant(merchant=world.add_merchant(), reserve=(1500, 30))
    order = ground.released_order(world, seller)
    schedule = PayoutSchedule.objects.get(merchant=seller)
    cutoff.cut_settlements(schedule_id=schedule.pk, at=world.now)
    owing.top_up(world, 20000)
    kept = ReserveSlice.objects.get(merchant=seller)
    due = kept.due_at + timedelta(seconds=1)

    def found() -> dict[str, Any]:
        now = ReserveSlice.objects.get(pk=kept.pk)
        debts = Debt.objects.filter(merchant=seller).values_list("amount_minor", flat=True)
        return {"state": now.state, "taken": now.taken_minor, "owes": list(debts)}

    def refund() -> Refund:
        return order_refunds.refund_order(
            order_id=order.id, amount_minor=None, reason="broken", at=due
        )

    return Case(
        [
            ("free", lambda: reserves.free_slice(slice_id=kept.pk, at=due)),
            ("refund", refund),
        ],
        one_of(
            found,
            {"state": "FREED", "taken": 0, "owes": [8067]},
            {"state": "TAKEN", "taken": 1424, "owes": [8067]},
        ),
    )


PAIRS = [
    Pair("free slice / refund after the release", free_and_refund),
    Pair("confirm / confirm", confirm_and_confirm),
    Pair("confirm / automatic release sweep", confirm_and_sweep),
    Pair("release_orders / release_order_slowly / cancel", fast_and_slow),
    Pair("release sweep / release sweep, six due orders", sweep_and_sweep),
    Pair("refund done / same answer", refund_answers),
    Pair("refund done / refund failed", refund_done_and_failed),
    Pair("claim refund / claim refund", claim_and_claim_refund),
    Pair("remittance / same remittance", remittance_twice),
]
