"""Cells of a slice of a rolling reserve (see tests/cells.py)."""

from datetime import timedelta

from escrow.models import ReserveSlice
from escrow.services import order_refunds as refunding
from escrow.services import reserves
from merchants import services as merchants
from payouts.models import PayoutSchedule
from payouts.services import cutoff
from tests import ground
from tests.cells import Act, Machine
from tests.ground import US
from tests.world import World

DAYS = timedelta(days=30)


def slice_in(world: World, case: str) -> ReserveSlice:
    """What is held back of a seller, who was paid the rest."""
    seller = merchants.update_merchant(merchant=world.merchants[0], reserve=(1500, 30))
    ground.released_order(world, seller)
    schedule = PayoutSchedule.objects.get(merchant=seller)
    PayoutSchedule.objects.filter(pk=schedule.pk).update(next_cutoff_at=world.now)
    cutoff.cut_settlements(schedule_id=schedule.pk, at=world.now)
    kept = ReserveSlice.objects.select_related("release__hold").get()
    if case == "FREED":
        _free(DAYS)(world, kept)
    if case == "TAKEN":
        _refund(kept.amount_minor)(world, kept)
    return ReserveSlice.objects.select_related("release__hold").get()


def _free(after: timedelta) -> Act:
    return lambda world, kept: reserves.free_slice(slice_id=kept.pk, at=kept.held_at + after)


def _refund(amount_minor: int) -> Act:
    """Refund as much of the slice's order as takes `amount_minor` of the seller's 9491."""
    return lambda world, kept: refunding.refund_order(
        order_id=kept.release.hold.order_id,
        amount_minor=-(-amount_minor * 10001 // 9491),
        reason="broken",
        at=world.now,
    )


RESERVE = Machine(
    model=ReserveSlice,
    make=slice_in,
    cases=("HELD", "FREED", "TAKEN"),
    acts={
        "its days are over": (_free(DAYS), {"HELD": "FREED"}),
        "its days are not over": (_free(DAYS - US), {}),
        "a refund takes a part": (_refund(100), {"HELD": "HELD", "FREED": "FREED"}),
        "a refund takes it": (_refund(1424), {"HELD": "TAKEN", "FREED": "FREED"}),
    },
)
