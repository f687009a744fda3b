"""Why: what is held back of a seller pays what that seller has to give back, before it owes; on the
worked example of 10001 fen: seller 9491, commission 450, our fee 60. Of 9491, 15 % is 1424 held
back (1423.65, half-up) and 8067 owed at once.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from escrow.models import Debt, Deduction, Hold, ReleaseLine, ReserveSlice, ReserveTaking
from escrow.services import clawback, reserves
from escrow.services import order_refunds as refunds
from escrow.services import release as releases
from escrow.services.remittance import record_topup
from escrow.split import Share, hold_back, put_back
from escrow.sweeps import free_due_reserves
from ledger import chart
from ledger import selectors as books
from merchants import services as merchants
from merchants.models import CommissionPlan, Merchant
from notifications.models import Event
from orders.models import Order
from payouts.models import PayoutSchedule
from payouts.services import cutoff
from tests import ground
from tests.escrow.test_chargebacks import charge_back
from tests.world import RAIL, World

SECOND = timedelta(seconds=1)
DAYS = timedelta(days=30)


@pytest.fixture
def reserved(market: World) -> World:
    """A market whose plan holds back 15 % for thirty days."""
    plan = CommissionPlan.objects.get()
    merchants.set_plan_reserve(plan_id=plan.pk, reserve_bps=1500, reserve_days=30, at=market.now)
    return market


def balances(world: World, merchant: Merchant | None = None) -> dict[str, int]:
    payable = chart.merchant_payable((merchant or world.merchants[0]).id)
    addresses = {
        "payable": payable,
        "reserve": chart.reserve_of(payable),
        "owes": chart.receivable_of(payable),
        "held": chart.HELD,
    }
    found = {name: world.balance(address) for name, address in addresses.items()}
    return {name: amount for name, amount in found.items() if amount}


def slices() -> list[tuple[str, int, int]]:
    rows = ReserveSlice.objects.order_by("due_at", "id")
    return list(rows.values_list("state", "amount_minor", "taken_minor"))


def pay_out(world: World, *, at: datetime | None = None) -> list[int]:
    """Cut what the seller is owed. Returns: the payouts' amounts."""
    at = at or world.now
    rows = PayoutSchedule.objects.filter(merchant=world.merchants[0])
    rows.update(next_cutoff_at=at, approval_above_minor=None)
    made = cutoff.cut_settlements(schedule_id=rows.get().pk, at=at)
    return [payout.amount_minor for payout in made]


def top_up(world: World, amount_minor: int = 20000) -> None:
    record_topup(
        custodian=RAIL,
        bank_reference=f"T{amount_minor}",
        amount_minor=amount_minor,
        currency="CNY",
        at=world.now,
    )


def refund(world: World, order: Order, amount_minor: int | None = None) -> None:
    refunds.refund_order(
        order_id=order.id, amount_minor=amount_minor, reason="broken", at=world.now
    )


def kinds(order: Order) -> list[str]:
    return [entry.kind for entry in books.subject_entries(order.id)]


def test_release_holds_back_its_part_and_says_until_when(reserved: World) -> None:
    order = ground.released_order(reserved)

    kept = ReserveSlice.objects.get()
    assert balances(reserved) == {"payable": 8067, "reserve": 1424}
    assert (kept.state, kept.amount_minor, kept.taken_minor) == ("HELD", 1424, 0)
    assert (kept.merchant_id, kept.held_at) == (reserved.merchants[0].id, reserved.now)
    assert kept.due_at == reserved.now + DAYS
    event = Event.objects.get(type="reserve.held")
    assert (event.subject_id, event.sequence) == (kept.id, 1)
    assert (event.data["amount_minor"], event.data["order"]) == (1424, order.id)


def test_reserve_is_that_of_the_terms_the_order_has_frozen(reserved: World) -> None:
    plan = CommissionPlan.objects.get()
    order = ground.shipped_order(reserved)
    merchants.set_plan_reserve(plan_id=plan.pk, reserve_bps=0, reserve_days=0, at=reserved.now)

    releases.confirm_receipt(order_id=order.id, at=reserved.now)
    ground.released_order(reserved)

    assert slices() == [("HELD", 1424, 0)]
    assert balances(reserved) == {"payable": 8067 + 9491, "reserve": 1424}


@pytest.mark.parametrize(
    ("bps", "days", "kept"), [(0, 0, []), (1, 1, [1]), (10_000, 365, [9491]), (None, None, [1424])]
)
def test_word_of_the_seller_counts_before_the_plan(
    reserved: World, bps: int | None, days: int | None, kept: list[int]
) -> None:
    merchants.update_merchant(merchant=reserved.merchants[0], reserve=(bps, days))
    reserved.merchants[0].refresh_from_db()

    ground.released_order(reserved)

    assert [amount for _state, amount, _taken in slices()] == kept
    assert balances(reserved).get("reserve", 0) == sum(kept)
    assert balances(reserved).get("payable", 0) == 9491 - sum(kept)


@pytest.mark.parametrize(("bps", "days"), [(10_001, 1), (1, 366), (0, 1), (1, 0), (-1, 1)])
def test_reserve_out_of_range_is_refused(market: World, bps: int, days: int) -> None:
    plan, seller = CommissionPlan.objects.get(), market.merchants[0]

    of_plan = ground.refusal(
        lambda: merchants.set_plan_reserve(
            plan_id=plan.pk, reserve_bps=bps, reserve_days=days, at=market.now
        )
    )
    of_seller = ground.refusal(
        lambda: merchants.update_merchant(merchant=seller, reserve=(bps, days))
    )

    assert (of_plan.code, of_seller.code) == ("reserve_invalid", "merchant_invalid")
    for rows in (CommissionPlan.objects.all(), Merchant.objects.filter(pk=seller.pk)):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(reserve_bps=bps, reserve_days=days)


def test_half_a_word_of_a_seller_is_refused(market: World) -> None:
    rows = Merchant.objects.filter(pk=market.merchants[0].pk)

    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(reserve_bps=1500, reserve_days=None)

    assert rows.get().reserve_policy is None


@pytest.mark.parametrize(("late", "freed"), [(-SECOND, 0), (timedelta(0), 0), (SECOND, 1)])
def test_slice_is_freed_once_its_days_are_over(
    reserved: World, late: timedelta, freed: int
) -> None:
    ground.released_order(reserved)

    done = free_due_reserves(at=reserved.now + DAYS + late)
    again = free_due_reserves(at=reserved.now + DAYS + late)

    assert (done, again) == (freed, 0)
    assert slices() == [("FREED" if freed else "HELD", 1424, 0)]
    assert balances(reserved) == (
        {"payable": 9491} if freed else {"payable": 8067, "reserve": 1424}
    )
    assert Event.objects.filter(type="reserve.freed").count() == freed


def test_freed_money_is_on_the_next_statement_and_on_no_other(reserved: World) -> None:
    ground.released_order(reserved)
    first = pay_out(reserved)
    later = reserved.now + DAYS + SECOND

    none = pay_out(reserved)
    free_due_reserves(at=later)
    second = pay_out(reserved, at=later)
    third = pay_out(reserved, at=later)

    assert (first, none, second, third) == ([8067], [], [1424], [])
    assert balances(reserved) == {}


def test_cutoff_that_passed_before_it_was_freed_leaves_it_for_the_next(reserved: World) -> None:
    ground.released_order(reserved)
    rows = PayoutSchedule.objects.filter(merchant=reserved.merchants[0])
    rows.update(cadence="DAILY", next_cutoff_at=reserved.now + DAYS)
    due = reserved.now + DAYS + SECOND
    free_due_reserves(at=due)

    (payout,) = cutoff.cut_settlements(schedule_id=rows.get().pk, at=due)

    assert payout.amount_minor == 8067
    assert balances(reserved) == {"payable": 1424}


def test_freeing_twice_is_refused_by_the_database(reserved: World) -> None:
    ground.released_order(reserved)
    later = reserved.now + DAYS + SECOND
    free_due_reserves(at=later)
    before = ground.trial()

    assert reserves.free_slice(slice_id=ReserveSlice.objects.get().id, at=later) == 0
    line = ReleaseLine.objects.exclude(freed_slice=None).get()
    line.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        line.save(force_insert=True)
    with pytest.raises(DatabaseError), transaction.atomic():
        ReserveSlice.objects.update(state="HELD")

    assert ground.trial() == before


def test_refund_takes_what_is_owed_then_the_reserve_then_makes_a_debt(reserved: World) -> None:
    order = ground.released_order(reserved)
    pay_out(reserved)
    second = ground.released_order(reserved)
    top_up(reserved)
    refund(reserved, order, 5000)  # of the seller 4745, all of it owed: 8067 - 4745 = 3322

    owed = balances(reserved)
    refund(reserved, order)  # of the seller 4746: 3322 owed, 1424 of the first slice
    drawn = balances(reserved)
    refund(reserved, second)  # of the seller 9491: 1424, then a debt

    assert owed == {"payable": 3322, "reserve": 2848}
    assert drawn == {"reserve": 1424}
    assert balances(reserved) == {"owes": 9491 - 1424}
    assert slices() == [("TAKEN", 1424, 1424), ("TAKEN", 1424, 1424)]
    assert Debt.objects.get(payee="MERCHANT").amount_minor == 8067
    assert list(
        Deduction.objects.filter(payee="MERCHANT")
        .order_by("id")
        .values_list("amount_minor", flat=True)
    ) == [4745, 3322]
    assert kinds(order) == [
        "capture", "release",
        "clawback", "refund-asked",
        "clawback", "clawback-reserve", "refund-asked",
    ]  # fmt: skip


def test_slice_due_soonest_is_taken_first_and_the_rest_is_freed(reserved: World) -> None:
    order = ground.released_order(reserved)
    merchants.update_merchant(merchant=reserved.merchants[0], reserve=(1500, 3))
    reserved.merchants[0].refresh_from_db()
    ground.released_order(reserved)
    pay_out(reserved)

    refund(reserved, order, 2107)  # of the seller 1999: 1424 of the later order's, 575 of this one

    assert slices() == [("TAKEN", 1424, 1424), ("HELD", 1424, 575)]
    assert not Debt.objects.exists()
    assert list(ReserveTaking.objects.order_by("id").values_list("amount_minor", flat=True)) == [
        1424,
        575,
    ]
    assert free_due_reserves(at=reserved.now + DAYS + SECOND) == 1
    assert balances(reserved) == {"payable": 849}
    assert slices() == [("TAKEN", 1424, 1424), ("FREED", 1424, 575)]


def test_reserve_of_another_seller_is_never_taken(reserved: World) -> None:
    other = reserved.add_merchant()
    order = ground.released_order(reserved)
    pay_out(reserved)
    mine = ReserveSlice.objects.get()
    theirs, _token = reserved.create_order(other)
    ground.capture(ground.make_payment(reserved, theirs))
    reserved.ship(theirs)
    reserved.confirm(theirs)
    top_up(reserved)

    refund(reserved, order)

    mine.refresh_from_db()
    assert (mine.state, mine.taken_minor) == ("TAKEN", 1424)
    assert balances(reserved, other) == {"payable": 8067, "reserve": 1424}
    assert Debt.objects.get(payee="MERCHANT").amount_minor == 9491 - 1424


@pytest.mark.parametrize("own_minor", [8067 + 450 + 60, 20000])
def test_slice_freed_while_a_refund_waits_for_it_pays_all_the_same(
    reserved: World, monkeypatch: pytest.MonkeyPatch, own_minor: int
) -> None:
    order = ground.released_order(reserved)
    pay_out(reserved)
    top_up(reserved, own_minor)
    kept, due = ReserveSlice.objects.get(), reserved.now + DAYS + SECOND
    plan = clawback.plan_takings

    def free() -> int:
        try:
            return reserves.free_slice(slice_id=kept.pk, at=due)
        finally:
            connection.close()

    def plan_after_freeing(**wanted: Any) -> list[reserves.Slicing]:
        with ThreadPoolExecutor(max_workers=1) as other:
            assert other.submit(free).result() == 1424
        return plan(**wanted)

    monkeypatch.setattr(clawback, "plan_takings", plan_after_freeing)
    refund(reserved, order)

    assert slices() == [("FREED", 1424, 0)]
    assert Debt.objects.get(payee="MERCHANT").amount_minor == 8067
    assert balances(reserved) == {"owes": 8067}
    assert Deduction.objects.get(payee="MERCHANT").amount_minor == 1424


def test_refund_while_held_diminishes_what_will_be_held_back(reserved: World) -> None:
    order = ground.shipped_order(reserved)

    refund(reserved, order, 3333)  # of the seller 3163: it has 6328 left, 949 (949.2) held back
    releases.confirm_receipt(order_id=order.id, at=reserved.now)

    assert slices() == [("HELD", 949, 0)]
    assert balances(reserved) == {"payable": 5379, "reserve": 949}
    shares = Hold.objects.get().refunds.get().shares.values_list("payee", "amount_minor")
    assert dict(shares) == {"MERCHANT": 3163, "PLATFORM": 150, "SERVICE_FEE": 20}


def test_debt_is_paid_by_what_is_freed_later(reserved: World) -> None:
    order = ground.released_order(reserved)
    pay_out(reserved)
    top_up(reserved)
    refund(reserved, order)
    ground.released_order(reserved)
    PayoutSchedule.objects.update(next_cutoff_at=reserved.now)
    debt = Debt.objects.get(payee="MERCHANT")

    paid = pay_out(reserved)
    free_due_reserves(at=reserved.now + DAYS + SECOND)
    after = pay_out(reserved, at=reserved.now + DAYS + SECOND)

    debt.refresh_from_db()
    assert (paid, after) == ([], [1424])
    assert (debt.amount_minor, debt.state) == (8067, "SETTLED")


def test_chargeback_takes_the_reserve_before_it_makes_a_debt(reserved: World) -> None:
    order = ground.released_order(reserved)
    pay_out(reserved)

    [dispute] = charge_back(reserved, order)

    taking = ReserveTaking.objects.get()
    assert (taking.dispute_id, taking.refund_id, taking.amount_minor) == (dispute.id, None, 1424)
    assert slices() == [("TAKEN", 1424, 1424)]
    assert balances(reserved) == {"owes": 8067}
    assert Debt.objects.get(payee="MERCHANT").amount_minor == 8067
    assert list(
        Event.objects.filter(subject_id=taking.slice_id).values_list("type", flat=True)
    ) == [
        "reserve.held",
        "reserve.taken",
    ]


def test_reserve_saves_a_refund_that_own_funds_do_not_cover(reserved: World) -> None:
    order = ground.released_order(reserved)
    pay_out(reserved)

    refused = ground.refusal(lambda: refund(reserved, order, 2000))
    refund(reserved, order, 1501)  # of the seller 1424

    assert refused.code == "refund_not_covered"
    assert slices() == [("TAKEN", 1424, 1424)]
    assert balances(reserved) == {}


@given(amount=st.integers(1, 10**13), bps=st.integers(0, 10_000), less=st.integers(0, 10**13))
def test_dividing_a_share_loses_nothing_and_never_grows(amount: int, bps: int, less: int) -> None:
    payable = chart.merchant_payable("mer_1")

    def divided(whole: int) -> dict[str, int]:
        shares = hold_back([Share("MERCHANT", payable, whole)], reserve_bps=bps)
        assert put_back(shares) == ([Share("MERCHANT", payable, whole)] if whole else [])
        return {share.payee: share.amount_minor for share in shares}

    before, after = divided(amount), divided(max(amount - less, 0))

    assert sum(before.values()) == amount
    assert before.get("RESERVE", 0) == (2 * amount * bps + 10_000) // 20_000
    assert all(after.get(payee, 0) <= before.get(payee, 0) for payee in ("MERCHANT", "RESERVE"))
