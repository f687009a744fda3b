"""A seller that was paid out and then refunded: what it owes, for tests of what becomes of it."""

from escrow.models import Debt
from escrow.services import order_refunds
from escrow.services.remittance import record_topup
from payouts.models import PayoutSchedule
from payouts.services import cutoff
from tests import ground
from tests.world import RAIL, World


def top_up(world: World, amount_minor: int) -> None:
    """Put own funds into the reserve: they stand in for debts."""
    record_topup(
        custodian=RAIL,
        bank_reference=f"T{amount_minor}-{world.count}",
        amount_minor=amount_minor,
        currency="CNY",
        at=world.now,
    )


def seller_in_debt(world: World, amount_minor: int | None = None) -> Debt:
    """A new seller is paid out, and its order refunded. Args: amount_minor: of the refund; empty:
    all 10001, of which the seller owes 9491."""
    world.add_merchant()
    seller = world.merchants[-1]
    order = ground.released_order(world, seller)
    schedule = PayoutSchedule.objects.get(merchant=seller)
    PayoutSchedule.objects.filter(pk=schedule.pk).update(next_cutoff_at=world.now)
    assert len(cutoff.cut_settlements(schedule_id=schedule.pk, at=world.now)) == 1
    top_up(world, 20000)
    order_refunds.refund_order(
        order_id=order.id, amount_minor=amount_minor, reason="broken", at=world.now
    )
    return Debt.objects.get(merchant=seller)
