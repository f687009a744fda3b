"""When released money is cut into a payout, and how much of it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from escrow.models import ReleaseLine
from escrow.sweeps import free_due_reserves
from merchants import services as merchants
from merchants.models import BankAccount
from orders.services.creation import NewLine
from payouts import sweeps
from payouts.models import Cadence, Payout, PayoutSchedule, Settlement
from payouts.selectors import next_question
from payouts.services import bank_accounts, cutoff
from tests import ground
from tests.ground import US
from tests.world import PAYS, START, World, add_payee

SHANGHAI = ZoneInfo("Asia/Shanghai")
SELLER = 9491


def cut(world: World, *, at: datetime | None = None, **changes: object) -> list[int]:
    """Cut the seller's settlements. Returns: the amounts of the payouts made."""
    schedule = ground.schedule(world, **changes)
    made = cutoff.cut_settlements(schedule_id=schedule.pk, at=at or world.now)
    return [payout.amount_minor for payout in made]


def release_at(world: World, at: datetime) -> None:
    order = ground.shipped_order(world)
    world.sandbox.clock.move_to(at)
    world.confirm(order)


def next_cutoff(world: World) -> datetime:
    return PayoutSchedule.objects.get(merchant=world.merchants[0]).next_cutoff_at


@pytest.mark.parametrize(("minimum", "paid"), [(SELLER, [SELLER]), (SELLER + 1, [])])
def test_cutoff_waits_until_the_minimum_is_reached(
    market: World, minimum: int, paid: list[int]
) -> None:
    ground.released_order(market)

    assert cut(market, minimum_minor=minimum) == paid


def test_cutoff_adds_up_what_was_below_the_minimum(market: World) -> None:
    ground.released_order(market)
    first = cut(market, minimum_minor=2 * SELLER)
    ground.released_order(market)

    second = cut(market, minimum_minor=2 * SELLER)

    assert (first, second) == ([], [2 * SELLER])
    assert Settlement.objects.get().line_count == 2


def test_sandbox_bank_is_refused_to_a_live_platform(
    market: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground.released_order(market)
    monkeypatch.setattr(cutoff.merchants, "is_live", lambda *, platform_id: True)

    refused = ground.refusal(lambda: cut(market))

    assert refused.code == "channel_disabled"
    assert not Payout.objects.exists()


def test_instant_schedule_below_its_minimum_looks_again_in_a_minute(market: World) -> None:
    ground.released_order(market)

    cut(market, minimum_minor=SELLER + 1)

    assert next_cutoff(market) == market.now + cutoff.INSTANT_RETRY


@pytest.mark.parametrize(
    ("limit", "state"), [(None, "APPROVED"), (SELLER, "APPROVED"), (SELLER - 1, "PENDING")]
)
def test_payout_above_the_limit_waits_for_a_person(
    market: World, limit: int | None, state: str
) -> None:
    ground.released_order(market)

    cut(market, approval_above_minor=limit)

    payout = Payout.objects.get()
    assert (payout.state, payout.needs_approval) == (state, state == "PENDING")


def test_each_currency_is_cut_into_its_own_payout(market: World) -> None:
    seller = market.merchants[0]
    yen, _token = market.create_order(
        currency="JPY", lines=[NewLine(title="Cup", amount_minor=777)], shipping_minor=0
    )
    ground.capture(ground.make_payment(market, yen))
    market.ship(yen)
    market.confirm(yen)
    ground.released_order(market)

    without_account = cut(market)
    bank_accounts.add_bank_account(
        platform=market.platform,
        merchant=seller,
        currency="JPY",
        holder_name="S",
        bank_code="0001",
        account_number="7000000000000001",
        at=market.now,
    )
    with_account = cut(market)

    assert (without_account, with_account) == (
        [SELLER],
        [772],
    )  # 777 less 0.6 %, and no commission rule for JPY
    assert list(Payout.objects.order_by("currency").values_list("currency", flat=True)) == [
        "CNY",
        "JPY",
    ]


def test_payout_keeps_the_account_it_was_cut_for(market: World) -> None:
    payout = ground.cut_payout(market)
    bank_accounts.add_bank_account(
        platform=market.platform,
        merchant=market.merchants[0],
        currency="CNY",
        holder_name="New",
        bank_code="1",
        account_number="6222999900001111",
        at=market.now,
    )

    payout.refresh_from_db()

    assert (payout.last_four, payout.bank_account.active) == ("0001", False)
    assert (
        BankAccount.objects.filter(merchant=market.merchants[0], state="IN_FORCE").get().last_four
        == "1111"
    )


def test_schedule_that_is_not_due_cuts_nothing(market: World) -> None:
    ground.released_order(market)

    early = cut(market, next_cutoff_at=market.now + US)
    due = cut(market, next_cutoff_at=market.now)

    assert (early, due) == ([], [SELLER])


MIDNIGHT = datetime(2026, 3, 3, tzinfo=SHANGHAI).astimezone(
    UTC
)  # Tuesday; START is Monday 17:00 there


def test_daily_schedule_cuts_at_midnight_of_the_platform(market: World) -> None:
    ground.schedule(market, cadence=Cadence.DAILY, next_cutoff_at=MIDNIGHT)
    release_at(market, START + timedelta(hours=1))

    early = sweeps.cut_due_settlements(at=MIDNIGHT - US)
    due = sweeps.cut_due_settlements(at=MIDNIGHT)

    assert (early, due) == (0, 1)
    assert Payout.objects.filter(merchant=market.merchants[0]).get().amount_minor == SELLER
    assert next_cutoff(market) == MIDNIGHT + timedelta(days=1)


def test_daily_schedule_keeps_to_midnight_after_days_without_a_release(market: World) -> None:
    """After an idle day the first release was paid out at once, not at the next
    midnight.
    """
    ground.schedule(market, cadence=Cadence.DAILY, next_cutoff_at=MIDNIGHT)
    afternoon = MIDNIGHT + timedelta(days=2, hours=15)
    release_at(market, afternoon)

    sweeps.cut_due_settlements(at=afternoon + timedelta(minutes=1))
    too_early = Payout.objects.filter(merchant=market.merchants[0]).count()
    sweeps.cut_due_settlements(at=MIDNIGHT + timedelta(days=3))

    assert too_early == 0
    assert Payout.objects.filter(merchant=market.merchants[0]).count() == 1
    assert next_cutoff(market) == MIDNIGHT + timedelta(days=4)


def test_late_sweep_cuts_only_what_was_released_before_the_cutoff(market: World) -> None:
    ground.schedule(market, cadence=Cadence.DAILY, next_cutoff_at=MIDNIGHT)
    release_at(market, MIDNIGHT - US)
    release_at(market, MIDNIGHT)

    sweeps.cut_due_settlements(at=MIDNIGHT + timedelta(hours=9))

    assert Payout.objects.filter(merchant=market.merchants[0]).get().amount_minor == SELLER
    assert ReleaseLine.objects.filter(payee="MERCHANT", settlement_id=None).count() == 1


def test_weekly_schedule_cuts_at_the_midnight_that_begins_its_weekday(market: World) -> None:
    thursday = MIDNIGHT + timedelta(days=2)
    ground.schedule(market, cadence=Cadence.WEEKLY, weekday=3, next_cutoff_at=thursday)
    release_at(market, START + timedelta(hours=1))

    early = sweeps.cut_due_settlements(at=thursday - US)
    due = sweeps.cut_due_settlements(at=thursday + timedelta(hours=5))

    assert (early, due) == (0, 1)
    assert next_cutoff(market) == thursday + timedelta(days=7)


def test_platform_is_paid_its_commission_and_nobody_the_service_fee(market: World) -> None:
    add_payee(market.platform, None, PAYS, at=market.now)
    ground.released_order(market)

    sweeps.cut_due_settlements(at=market.now)

    paid = Payout.objects.order_by("amount_minor").values_list("merchant_id", "amount_minor")
    assert list(paid) == [(None, 450), (market.merchants[0].id, SELLER)]
    assert market.balance("fee:service") == 60


def test_instant_schedule_is_due_for_freed_money_since_it_was_freed(market: World) -> None:
    seller = market.merchants[0]
    merchants.update_merchant(merchant=seller, reserve=(10_000, 30))
    seller.refresh_from_db()
    ground.released_order(market)
    freed_at = market.now + timedelta(days=30, seconds=1)
    free_due_reserves(at=freed_at)
    PayoutSchedule.objects.exclude(merchant=seller).delete()
    rows = PayoutSchedule.objects.filter(merchant=seller)
    rows.update(cadence="INSTANT", next_cutoff_at=market.now)

    due_at = next_question(platform_id=seller.platform_id)

    assert ReleaseLine.objects.get(freed_slice__isnull=False).amount_minor == 9491
    assert due_at == freed_at
