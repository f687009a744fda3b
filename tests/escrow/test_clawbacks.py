"""Refunds after the release: who gives what back, whose debt the rest is, and how it gets paid; on
the worked example of 10001 fen: seller 9491, commission 450, our fee 60.
"""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from escrow.models import Debt, Deduction, Hold, Refund
from escrow.services import debts
from escrow.services import order_refunds as refunds
from escrow.services.remittance import record_topup
from escrow.sweeps import guarantee_due_debts, request_due_debits
from ledger import chart
from merchants import services as merchants
from merchants.models import CommissionPlan
from orders.models import Order
from payouts.models import PayoutSchedule, Settlement
from payouts.services import cutoff
from tests import ground
from tests.world import PAYS, RAIL, World, add_payee


def refund(world: World, order: Order, amount_minor: int | None = None) -> Refund:
    return refunds.refund_order(
        order_id=order.id, amount_minor=amount_minor, reason="broken", at=world.now
    )


def top_up(world: World, amount_minor: int) -> None:
    record_topup(
        custodian=RAIL,
        bank_reference=f"T{amount_minor}",
        amount_minor=amount_minor,
        currency="CNY",
        at=world.now,
    )


def pay_out(world: World) -> list[int]:
    """Cut everything that is released. Returns: the payouts' amounts, the platform's last."""
    if not PayoutSchedule.objects.filter(merchant=None).exists():
        add_payee(world.platform, None, PAYS, at=world.now)
    PayoutSchedule.objects.update(next_cutoff_at=world.now, approval_above_minor=None)
    made = [
        payout
        for schedule in PayoutSchedule.objects.order_by("merchant_id")
        for payout in cutoff.cut_settlements(schedule_id=schedule.pk, at=world.now)
    ]
    return [payout.amount_minor for payout in made]


def balances(world: World) -> dict[str, int]:
    merchant, platform = world.merchants[0].id, world.platform.id
    addresses = {
        "payable": chart.merchant_payable(merchant),
        "owes": chart.receivable_of(chart.merchant_payable(merchant)),
        "commission": chart.platform_commission(platform),
        "platform owes": chart.receivable_of(chart.platform_commission(platform)),
        "fee": chart.SERVICE_FEE,
        "held": chart.HELD,
        "refunds": "refund:sandbox:in_transit",
    }
    found = {name: world.balance(address) for name, address in addresses.items()}
    return {name: amount for name, amount in found.items() if amount}


def owing_seller(world: World) -> Debt:
    """A seller who was paid out and owes 9491 of a refund."""
    order = ground.released_order(world)
    pay_out(world)
    top_up(world, 20000)
    refund(world, order)
    return Debt.objects.get(payee="MERCHANT")


def test_payees_give_back_what_they_are_owed(market: World) -> None:
    order = ground.released_order(market)

    made = refund(market, order, 3333)

    assert (made.state, made.after_release) == ("PENDING", True)
    assert dict(made.shares.values_list("payee", "amount_minor")) == {
        "MERCHANT": 3163,
        "PLATFORM": 150,
        "SERVICE_FEE": 20,
    }
    assert dict(made.deductions.values_list("payee", "amount_minor")) == {
        "MERCHANT": 3163,
        "PLATFORM": 150,
    }
    assert balances(market) == {"payable": 6328, "commission": 300, "fee": 40, "refunds": 3333}
    hold = Hold.objects.get()
    assert (hold.state, hold.released_minor, hold.refunded_minor) == ("RELEASED", 6668, 3333)
    assert Order.objects.get().state == "CONFIRMED"
    assert not Debt.objects.exists()


def test_odd_refunds_after_the_release_leave_everybody_at_zero(market: World) -> None:
    order = ground.released_order(market)

    for part in (3333, 1, 5000, None):
        refund(market, order, part)

    assert balances(market) == {"refunds": 10001}
    refused = ground.refusal(lambda: refund(market, order, 1))
    assert refused.code == "refund_too_large"


def test_next_statement_deducts_what_was_given_back(market: World) -> None:
    order = ground.released_order(market)
    ground.released_order(market)
    refund(market, order, 3333)

    amounts = pay_out(market)

    assert amounts == [2 * 9491 - 3163, 2 * 450 - 150]
    for settlement in Settlement.objects.all():
        (deduction,) = Deduction.objects.filter(settlement_id=settlement.id)
        assert deduction.address == settlement.address


def test_what_a_paid_out_seller_lacks_is_its_debt_and_own_funds_stand_in(market: World) -> None:
    order = ground.released_order(market)
    pay_out(market)
    top_up(market, 20000)

    refund(market, order)

    owed = list(Debt.objects.order_by("payee").values_list("payee", "amount_minor", "state"))
    assert owed == [("MERCHANT", 9491, "OPEN"), ("PLATFORM", 450, "OPEN")]
    assert balances(market) == {"owes": 9491, "platform owes": 450, "refunds": 10001}


@pytest.mark.parametrize(("own_funds", "covered"), [(9940, False), (9941, True)])
def test_debt_that_own_funds_do_not_cover_is_refused(
    market: World, own_funds: int, covered: bool
) -> None:
    order = ground.released_order(market)
    pay_out(market)
    top_up(market, own_funds)

    if covered:
        refund(market, order)
    else:
        refused = ground.refusal(lambda: refund(market, order))
        assert refused.code == "refund_not_covered"
        assert refused.facts == {"lacking_minor": 9941, "own_funds_minor": 9940}

    assert Refund.objects.exists() is covered


def test_later_sales_pay_the_debt_before_the_seller(market: World) -> None:
    debt = owing_seller(market)
    ground.released_order(market)

    first = pay_out(market)
    ground.released_order(market)
    second = pay_out(market)

    debt.refresh_from_db()
    assert (first, second) == ([], [9491, 450])
    assert (debt.state, debt.settled_minor) == ("SETTLED", 9491)
    assert list(debt.steps.values_list("kind", "amount_minor")) == [("NETTED", 9491)]
    assert Deduction.objects.filter(step__debt=debt).get().settlement_id
    assert "owes" not in balances(market)


def test_seller_never_pays_the_debt_of_another(market: World) -> None:
    debt = owing_seller(market)
    other = market.add_merchant()
    ground.released_order(market, other)

    amounts = pay_out(market)

    debt.refresh_from_db()
    assert 9491 in amounts
    assert debt.settled_minor == 0


def test_seller_pays_its_debt_into_the_reserve_once(market: World) -> None:
    debt = owing_seller(market)

    for _ in range(2):
        debts.record_repayment(
            debt_id=debt.id, amount_minor=491, rail=RAIL, provider_reference="B1", at=market.now
        )
    refused = ground.refusal(
        lambda: debts.record_repayment(
            debt_id=debt.id, amount_minor=9001, rail=RAIL, provider_reference="B2", at=market.now
        )
    )
    debts.record_repayment(
        debt_id=debt.id, amount_minor=9000, rail=RAIL, provider_reference="B3", at=market.now
    )

    debt.refresh_from_db()
    assert refused.code == "repayment_too_large"
    assert (debt.state, debt.settled_minor) == ("SETTLED", 9491)
    assert list(debt.steps.order_by("id").values_list("kind", "amount_minor")) == [
        ("REPAID", 491),
        ("REPAID", 9000),
    ]
    assert "owes" not in balances(market)


def test_platform_pays_what_it_guarantees_as_far_as_its_commission_reaches(market: World) -> None:
    merchants.set_guarantee(plan_id=CommissionPlan.objects.get().pk, days=21, at=market.now)
    debt = owing_seller(market)
    other = market.add_merchant()
    for _ in range(3):
        ground.released_order(market, other)
    begins = market.now + timedelta(days=21)
    request_due_debits(at=begins - timedelta(days=14))  # a microsecond before its time
    asked = request_due_debits(at=begins - timedelta(days=14) + ground.US)

    early = guarantee_due_debts(at=begins + ground.US)
    done = guarantee_due_debts(at=begins + 2 * ground.US)

    debt.refresh_from_db()
    assert (asked, early, done) == (1, 0, 1)
    assert list(debt.steps.values_list("kind", "amount_minor")) == [("GUARANTEED", 3 * 450)]
    assert (debt.state, debt.open_minor) == ("OPEN", 9491 - 1350)
    assert debt.guaranteed_at == begins + 2 * ground.US + timedelta(hours=1)
    assert "commission" not in balances(market)


def test_two_persons_write_a_debt_off(market: World) -> None:
    debt = owing_seller(market)
    first, second = ground.operator("first"), ground.operator("second")
    say = {"debt_id": debt.id, "at": market.now}

    unasked = ground.refusal(lambda: debts.decide_write_off(decided_by=second, approve=True, **say))
    debts.propose_write_off(reason="gone", proposed_by=first, **say)
    alone = ground.refusal(lambda: debts.decide_write_off(decided_by=first, approve=True, **say))
    again = ground.refusal(
        lambda: debts.propose_write_off(reason="gone", proposed_by=second, **say)
    )
    debts.decide_write_off(decided_by=second, approve=True, **say)
    closed = ground.refusal(lambda: debts.propose_write_off(reason="x", proposed_by=first, **say))

    debt.refresh_from_db()
    assert (unasked.code, again.code) == ("write_off_not_proposed",) * 2
    assert (alone.code, closed.code) == ("second_person_needed", "debt_closed")
    assert (debt.state, debt.settled_minor) == ("WRITTEN_OFF", 9491)
    step = debt.steps.get()
    assert (step.requested_by, step.approved_by, step.reason) == (first, second, "gone")
    assert market.balance(chart.WRITEOFF) == 9491
    assert "owes" not in balances(market)


def test_debt_stands_when_the_second_person_refuses(market: World) -> None:
    debt = owing_seller(market)
    first, second = ground.operator("first"), ground.operator("second")
    debts.propose_write_off(debt_id=debt.id, reason="gone", proposed_by=first, at=market.now)

    debts.decide_write_off(debt_id=debt.id, decided_by=second, approve=False, at=market.now)

    debt.refresh_from_db()
    assert (debt.state, debt.proposed_by, debt.settled_minor) == ("OPEN", None, 0)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE escrow_debt SET settled_minor = -1", "debt_never_overpaid"),
        ("UPDATE escrow_debt SET settled_minor = amount_minor", "debt_closed_when_settled"),
        ("UPDATE escrow_deduction SET amount_minor = 1", "deduction_only_settled"),
        ("DELETE FROM escrow_deduction", "deduction_kept"),
        ("UPDATE escrow_debtstep SET amount_minor = 1", "debtstep_kept"),
        (
            "INSERT INTO escrow_debtstep (id, debt_id, kind, amount_minor, reason,"
            " provider_reference, happened_at, entry_id, requested_by_id, approved_by_id)"
            " SELECT 'dbs_1', id, 'WRITTEN_OFF', 1, '', '', now(), entry_id, 1, 1 FROM escrow_debt",
            "debtstep_two_persons",
        ),
    ],
)
def test_database_refuses_what_no_service_does(market: World, statement: str, named: str) -> None:
    debt = owing_seller(market)
    order = ground.released_order(market)
    refund(market, order, 100)
    debts.record_repayment(
        debt_id=debt.id, amount_minor=1, rail=RAIL, provider_reference="B1", at=market.now
    )

    with (
        pytest.raises(DatabaseError, match=named),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_seller_gives_all_when_the_plan_keeps_the_cuts(market: World) -> None:
    merchants.set_refund_policy(
        plan_id=CommissionPlan.objects.get().pk,
        commission_returned_bps=0,
        service_fee_returned_bps=5000,
        party_returned_bps=0,
        at=market.now,
    )
    first, second = ground.released_order(market), ground.released_order(market)

    made = refund(market, first)

    assert dict(made.shares.values_list("payee", "amount_minor")) == {
        "MERCHANT": 9971,
        "SERVICE_FEE": 30,
    }
    assert balances(market) == {
        "payable": 9491 - (9971 - 9491),
        "commission": 900,
        "fee": 90,
        "refunds": 10001,
    }
    assert second.id != first.id
