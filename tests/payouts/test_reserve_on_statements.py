"""Why: what is held back is the seller's money. Its statements say where it is, as the books do."""

from datetime import timedelta

from escrow.models import ReserveSlice
from escrow.services import order_refunds
from escrow.sweeps import free_due_reserves
from ledger import chart
from ledger import selectors as books
from merchants import services as merchants
from payouts import selectors
from payouts.models import Settlement
from payouts.services import cutoff
from tests import ground, owing
from tests.ground import market
from tests.stage import transactional_db
from tests.world import World

__all__ = ["market", "transactional_db"]


def cut(world: World) -> Settlement:
    (payout,) = cutoff.cut_settlements(
        schedule_id=ground.schedule(world).pk, at=world.now + ground.US
    )
    return payout.settlement


def figures(settlement: Settlement) -> tuple[int, int, int, int, int]:
    found = selectors.reserve_of(settlement)
    assert found is not None
    return (
        found.opening_minor,
        found.kept_minor,
        found.freed_minor,
        found.taken_minor,
        found.closing_minor,
    )


def test_statements_say_what_the_reserve_kept_freed_and_lost(market: World) -> None:
    seller = merchants.update_merchant(merchant=market.merchants[0], reserve=(1500, 30))
    held_back = chart.merchant_reserve(seller.pk)
    first_order = ground.released_order(market, seller)
    first = cut(market)
    assert figures(first) == (0, 1424, 0, 0, 1424)
    assert books.balance(address=held_back, currency="CNY") == 1424

    market.sandbox.clock.now += timedelta(hours=1)
    owing.top_up(market, 20000)
    order_refunds.refund_order(
        order_id=first_order.pk, amount_minor=1000, reason="broken", at=market.now
    )
    taken = ReserveSlice.objects.get().taken_minor
    assert taken > 0
    market.sandbox.clock.now += timedelta(days=31)
    free_due_reserves(at=market.now)
    ground.released_order(market, seller)
    second = cut(market)

    assert figures(second) == (1424, 1424, 1424 - taken, taken, 1424)
    assert books.balance(address=held_back, currency="CNY") == 1424
    kinds = sorted(
        (line.kind, line.amount_minor)
        for line in selectors.escrow.list_settled_lines(settlement_id=second.pk)
    )
    assert kinds == [("RESERVE_FREED", 1424 - taken), ("SALE", 9491 - 1424)]


def test_statement_of_a_seller_without_reserve_says_nothing_of_one(market: World) -> None:
    ground.released_order(market)

    assert selectors.reserve_of(cut(market)) is None
