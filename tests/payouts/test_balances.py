"""Balances agree with the books: whatever has happened, the columns sum to the trial balance."""

import threading
from collections import Counter
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from channels.contract import Status
from escrow.models import HoldShare, Payee, ReleaseLine
from escrow.services import refund as refunds
from ledger import chart
from ledger import selectors as books
from merchants import services as merchants
from merchants.models import CommissionPlan, Merchant, Platform
from orders.services.creation import NewLine
from payouts.balances import Balance, balances_of
from payouts.models import PayoutState
from payouts.services import cutoff, sending
from tests import ground
from tests.world import PAYS, World, add_payee

SELLER, COMMISSION, FEE = 9491, 450, 60  # the worked example


def of(world: World, merchant: Any = None, **only: Any) -> list[tuple[int, int, int, int]]:
    wanted = merchant.id if merchant else None
    return [
        (each.held_minor, each.payable_minor, each.in_transit_minor, each.paid_out_minor)
        for each in balances_of(platform=world.platform, **only)
        if each.merchant_id == wanted and each.currency == "CNY"
    ]


def test_money_moves_from_column_to_column(market: World) -> None:
    (seller,) = market.merchants
    seen = []

    ground.order_in(market, "CREATED")
    seen.append((of(market), of(market, seller)))
    order = ground.paid_order(market)
    seen.append((of(market), of(market, seller)))
    market.ship(order)
    market.confirm(order)
    seen.append((of(market), of(market, seller)))
    (payout,) = cutoff.cut_settlements(schedule_id=ground.schedule(market).pk, at=market.now)
    ground.remit(market, 10001)
    sending.claim_payout(payout_id=payout.id, at=market.now)
    seen.append((of(market), of(market, seller)))
    ground.answer_payout(market, payout, Status.SUCCEEDED)
    seen.append((of(market), of(market, seller)))
    ground.answer_payout(market, payout, Status.RETURNED)
    seen.append((of(market), of(market, seller)))

    assert seen == [
        ([], []),
        ([(COMMISSION, 0, 0, 0)], [(SELLER, 0, 0, 0)]),
        ([(0, COMMISSION, 0, 0)], [(0, SELLER, 0, 0)]),
        ([(0, COMMISSION, 0, 0)], [(0, 0, SELLER, 0)]),
        ([(0, COMMISSION, 0, 0)], [(0, 0, 0, SELLER)]),
        ([(0, COMMISSION, 0, 0)], [(0, SELLER, 0, 0)]),
    ]


@pytest.fixture
def busy(market: World) -> World:
    """Two platforms, two currencies, money in every place; 15 % of each release is held back."""
    merchants.set_plan_reserve(
        plan_id=CommissionPlan.objects.get().pk, reserve_bps=1500, reserve_days=30, at=market.now
    )
    second = market.add_merchant()
    add_payee(market.platform, None, PAYS, at=market.now)
    for seller in market.merchants:
        for state in ("CREATED", "PAID", "SHIPPED", "CONFIRMED", "CONFIRMED", "CANCELED"):
            _order_in(market, seller, state)
    yen = {"currency": "JPY", "shipping_minor": 0, "lines": [NewLine("Cup", 777)]}
    _order_in(market, second, "PAID", **yen)
    _order_in(market, second, "CONFIRMED", **yen)
    ground.cut_payout(market)  # approved, not sent
    ground.failed_payout(market)
    paid = ground.sent_payout(market)
    ground.answer_payout(market, paid, Status.SUCCEEDED)
    ground.cut_payout(market, approval_above_minor=1)
    _order_in(market, market.merchants[0], "CONFIRMED")
    other = merchants.create_platform(name="Other", slug="other", at=market.now)
    stranger = merchants.create_merchant(
        platform=other, reference="s", name="Stranger", at=market.now
    )
    beside = World(market.sandbox, other, [stranger])
    _order_in(beside, stranger, "SHIPPED")
    _order_in(beside, stranger, "CONFIRMED")
    return market


def _order_in(world: World, seller: Any, state: str, **changes: Any) -> None:
    order, _token = world.create_order(seller, **changes)
    if state == "CREATED":
        return
    ground.capture(ground.make_payment(world, order), number=f"N{order.id[-8:]}")
    if state == "CANCELED":
        refunds.cancel_paid_order(order_id=order.id, reason="PLATFORM", at=world.now)
    if state in ("SHIPPED", "CONFIRMED"):
        world.ship(order)
    if state == "CONFIRMED":
        world.confirm(order)


def all_balances() -> list[Balance]:
    return [each for platform in Platform.objects.all() for each in balances_of(platform=platform)]


def test_columns_sum_to_the_trial_balance(busy: World) -> None:
    books_say: Counter[tuple[str, str]] = Counter()
    columns = {
        "held": "held",
        "merchant_payable": "payable",
        "platform_commission": "payable",
        "merchant_reserve": "reserved",
        "payout_in_transit": "in_transit",
    }
    for line in books.trial_balance():
        if line.account_class in columns:
            books_say[line.currency, columns[line.account_class]] += line.balance_minor
    fees = HoldShare.objects.filter(
        payee=Payee.SERVICE_FEE, hold__state__in=["HELD", "FROZEN"]
    ).values_list("hold__currency", "amount_minor")
    for currency, amount_minor in fees:  # planned for us, no payee of the platform
        books_say[currency, "held"] -= amount_minor

    found: Counter[tuple[str, str]] = Counter()
    for each in all_balances():
        found[each.currency, "held"] += each.held_minor
        found[each.currency, "payable"] += each.payable_minor
        found[each.currency, "reserved"] += each.reserved_minor
        found[each.currency, "in_transit"] += each.in_transit_minor

    assert found == books_say
    assert min(found[currency, column] for currency in ("CNY",) for column in columns.values()) > 0


def test_all_that_was_released_is_payable_in_transit_or_paid_out(busy: World) -> None:
    released: Counter[tuple[str, str]] = Counter()
    for address, currency, amount in ReleaseLine.objects.exclude(
        payee=Payee.SERVICE_FEE
    ).values_list("address", "currency", "amount_minor"):
        released[address, currency] += amount

    found: Counter[tuple[str, str]] = Counter()
    for platform in Platform.objects.all():
        for each in balances_of(platform=platform):
            own = chart.platform_commission(platform.id)
            address = chart.merchant_payable(each.merchant_id) if each.merchant_id else own
            total = each.payable_minor + each.in_transit_minor + each.paid_out_minor
            found[address, each.currency] += total
            found[chart.reserve_of(address), each.currency] += each.reserved_minor

    assert found - Counter() == released
    assert sum(each.paid_out_minor for each in all_balances()) == SELLER - 1424


def test_credit_that_waits_is_counted(market: World) -> None:
    """A credit laid beside a balance somebody else has locked is payable like any other."""
    (seller,) = market.merchants
    ground.released_order(market)
    locked = threading.Event()
    done = threading.Event()

    def hold_the_balance() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT FROM ledger_guardedbalance FOR UPDATE")
            locked.set()
            assert done.wait(timeout=10)
        connection.close()

    holder = threading.Thread(target=hold_the_balance)
    holder.start()
    assert locked.wait(timeout=10)
    ground.released_order(market)
    found = of(market, seller)
    done.set()
    holder.join()

    assert found == [(0, 2 * SELLER, 0, 0)]
    assert _waiting() == [COMMISSION, SELLER]


def _waiting() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT amount_minor FROM ledger_waitingcredit ORDER BY 1")
        return [amount_minor for (amount_minor,) in cursor.fetchall()]


def test_platform_comes_first_and_sellers_can_be_asked_for_alone(busy: World) -> None:
    first, second = busy.merchants

    everybody = balances_of(platform=busy.platform)
    alone = balances_of(platform=busy.platform, merchant_ids=[second.id])

    assert [(each.payee, each.merchant_id, each.currency) for each in everybody] == [
        ("PLATFORM", None, "CNY"),
        ("MERCHANT", first.id, "CNY"),
        ("MERCHANT", second.id, "CNY"),
        ("MERCHANT", second.id, "JPY"),
    ]
    assert alone == [each for each in everybody if each.merchant_id == second.id]


def test_sellers_of_another_platform_are_not_found(busy: World) -> None:
    stranger = Merchant.objects.get(platform__slug="other")

    assert balances_of(platform=busy.platform, merchant_ids=[stranger.id]) == []


def test_balances_cost_one_query(busy: World) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert len(balances_of(platform=busy.platform)) == 4

    assert len(queries) == 1
    assert PayoutState.PENDING in {payout.state for payout in busy.platform.payouts.all()}
