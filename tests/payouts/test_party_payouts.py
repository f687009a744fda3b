"""Why: a further party is paid what the contract gives it, by the same way as a seller, and nobody
else's money pays for it; on orders of 10001 fen of which the carrier gets 232.
"""

import importlib
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from channels.contract import Status
from escrow.models import Debt, DebtStep, Deduction, ReleaseLine
from escrow.services import order_refunds as refunds
from escrow.services.remittance import record_topup
from merchants import services as merchants
from merchants.models import BankAccount, CommissionPlan, Party
from merchants.services import NewPartyShare
from notifications.models import Event
from payouts.balances import balances_of
from payouts.models import Payout, PayoutSchedule, Settlement
from payouts.services import bank_accounts, cutoff, schedules, sending
from tests import ground
from tests.factories import UserFactory
from tests.world import PAYS, RAIL, World, add_payee, audit, make_platform

SHARE = 232


@pytest.fixture
def carrier(market: World) -> Party:
    """A party that gets 2.5 % and 7 fen of each order, and has an account and a schedule."""
    party = merchants.create_party(
        platform=market.platform, reference="carrier", name="Carrier", at=market.now
    )
    merchants.add_rule(
        plan=CommissionPlan.objects.get(),
        currency="CNY",
        rate_bps=500,
        priority=1,
        tax_bps=600,
        parties=[NewPartyShare(party_id=party.pk, rate_bps=250, fixed_minor=7)],
        effective_from=market.now,
        at=market.now,
    )
    add_payee(market.platform, None, PAYS, party=party, at=market.now)
    return party


def cut(world: World, party: Party) -> list[Payout]:
    schedule = PayoutSchedule.objects.get(party=party)
    PayoutSchedule.objects.filter(pk=schedule.pk).update(next_cutoff_at=world.now)
    return cutoff.cut_settlements(schedule_id=schedule.pk, at=world.now)


def sent(world: World, party: Party) -> Payout:
    (payout,) = cut(world, party)
    ground.remit(world, 10001)
    assert sending.claim_payout(payout_id=payout.id, at=world.now)
    return payout


def columns(world: World) -> tuple[int, ...]:
    [found] = [each for each in balances_of(platform=world.platform) if each.party_id]
    return (found.held_minor, found.payable_minor, found.in_transit_minor, found.paid_out_minor)


def test_party_is_paid_its_share_to_its_account(market: World, carrier: Party) -> None:
    ground.released_order(market)

    payout = ground.answer_payout(market, sent(market, carrier), Status.SUCCEEDED)

    account = BankAccount.objects.get(party=carrier)
    assert (payout.state, payout.payee, payout.amount_minor) == ("PAID", "PARTY", SHARE)
    assert (payout.merchant_id, payout.party_id) == (None, carrier.pk)
    assert (payout.bank_account, payout.holder_name) == (account, "Carrier")
    statement = Settlement.objects.get()
    assert (statement.payee, statement.party, statement.line_count) == ("PARTY", carrier, 1)
    [line] = ReleaseLine.objects.filter(settlement_id=statement.id)
    assert (line.payee, line.amount_minor) == ("PARTY", SHARE)
    assert columns(market) == (0, 0, 0, SHARE)
    assert market.balance(f"reserve:{RAIL}") == 10_001 - SHARE
    told = Event.objects.get(type="payout.paid").data
    assert (told["payee"], told["party"], told["merchant"]) == ("PARTY", carrier.pk, None)
    assert audit() == []


@pytest.mark.parametrize("status", [Status.FAILED, Status.RETURNED])
def test_payout_that_fails_or_comes_back_is_owed_again_and_replaced(
    market: World, carrier: Party, status: Status
) -> None:
    ground.released_order(market)
    payout = sent(market, carrier)

    failed = ground.answer_payout(market, payout, status)

    assert failed.state == status.name
    assert columns(market) == (0, SHARE, 0, 0)
    second = cutoff.replace_payout(
        payout_id=payout.id, requested_by=ground.operator("first"), at=market.now
    )
    ground.approve(market, second, ground.operator("second"))
    assert (second.payee, second.party_id, second.amount_minor) == ("PARTY", carrier.pk, SHARE)
    assert columns(market) == (0, 0, SHARE, 0)
    assert market.balance(f"party:{carrier.pk}:payable") == 0


def test_debt_of_a_party_is_netted_from_its_own_later_shares_only(
    market: World, carrier: Party
) -> None:
    order = ground.released_order(market)
    assert [payout.amount_minor for payout in cut(market, carrier)] == [SHARE]
    record_topup(
        custodian=RAIL, bank_reference="T1", amount_minor=20_000, currency="CNY", at=market.now
    )
    refunds.refund_order(order_id=order.id, amount_minor=None, reason="broken", at=market.now)
    debt = Debt.objects.get(payee="PARTY")
    assert (debt.amount_minor, debt.address) == (SHARE, f"party:{carrier.pk}:payable")

    ground.released_order(market)
    assert cut(market, carrier) == []
    ground.released_order(market)
    (payout,) = cut(market, carrier)

    assert payout.amount_minor == SHARE
    debt.refresh_from_db()
    assert (debt.state, debt.open_minor) == ("SETTLED", 0)
    [step] = DebtStep.objects.filter(debt=debt)
    assert (step.kind, step.amount_minor) == ("NETTED", SHARE)
    [deduction] = Deduction.objects.filter(settlement_id=payout.settlement_id)
    assert (deduction.payee, deduction.amount_minor) == ("PARTY", SHARE)
    assert market.balance(f"party:{carrier.pk}:receivable") == 0
    assert not DebtStep.objects.exclude(debt=debt).exists()


def test_what_payees_are_paid_sums_to_what_was_released(market: World, carrier: Party) -> None:
    add_payee(market.platform, None, PAYS, at=market.now)
    for _ in range(3):
        ground.released_order(market)

    PayoutSchedule.objects.update(next_cutoff_at=market.now)
    for schedule in PayoutSchedule.objects.all():
        cutoff.cut_settlements(schedule_id=schedule.pk, at=market.now)

    paid = dict(Payout.objects.values_list("payee", "amount_minor"))
    assert paid == {
        "MERCHANT": 3 * (10_001 - 450 - 27 - SHARE - 60),
        "PARTY": 3 * SHARE,
        "PLATFORM": 3 * (450 + 27),
    }
    assert sum(paid.values()) + market.balance("fee:service") == 3 * 10_001


def test_parties_of_one_platform_do_not_mix(market: World, carrier: Party) -> None:
    office = merchants.create_party(
        platform=market.platform, reference="tax", name="Tax office", at=market.now
    )
    add_payee(market.platform, None, PAYS, party=office, at=market.now)
    ground.released_order(market)

    assert cut(market, office) == []
    (payout,) = cut(market, carrier)

    assert payout.party == carrier
    assert BankAccount.objects.filter(state="IN_FORCE").count() == 3


def test_second_account_takes_the_place_of_the_partys_first(market: World, carrier: Party) -> None:
    bank_accounts.add_bank_account(
        platform=market.platform,
        merchant=None,
        party=carrier,
        currency="CNY",
        holder_name="Carrier",
        bank_code="1",
        account_number="6222000000000017",
        at=market.now,
    )

    rows = BankAccount.objects.filter(party=carrier).order_by("id")
    assert list(rows.values_list("last_four", "state")) == [
        (PAYS[-4:], "REPLACED"),
        ("0017", "IN_FORCE"),
    ]
    assert BankAccount.objects.get(merchant=market.merchants[0]).active


def test_account_or_schedule_for_two_or_for_a_strangers_party_is_refused(
    market: World, carrier: Party
) -> None:
    rival = make_platform(name="Rival", slug="rival", at=market.now)
    account = {
        "currency": "CNY",
        "holder_name": "Carrier",
        "bank_code": "1",
        "account_number": "6222000000000017",
        "at": market.now,
    }
    for platform, merchant in ((rival, None), (market.platform, market.merchants[0])):
        named: dict[str, Any] = {"platform": platform, "merchant": merchant, "party": carrier}
        refused = ground.refusal(
            lambda named=named: bank_accounts.add_bank_account(**named, **account)
        )
        assert refused.code == "bank_account_invalid"
        refused = ground.refusal(
            lambda named=named: schedules.open_schedule(**named, rail=RAIL, at=market.now)
        )
        assert refused.code == "schedule_invalid"

    again: dict[str, Any] = {"platform": market.platform, "merchant": None, "party": carrier}
    refused = ground.refusal(lambda: schedules.open_schedule(**again, rail=RAIL, at=market.now))
    assert refused.code == "schedule_taken"
    assert BankAccount.objects.count() == PayoutSchedule.objects.count() == 2


@pytest.mark.parametrize("row", ["bank account", "schedule", "settlement", "payout"])
@pytest.mark.parametrize(
    "columns_set", ["payee = 'PLATFORM'", "payee = 'MERCHANT'", "party_id = NULL"]
)
def test_database_refuses_a_payee_that_is_not_the_one_named(
    market: World, carrier: Party, row: str, columns_set: str
) -> None:
    ground.released_order(market)
    cut(market, carrier)
    table = {
        "bank account": "merchants_bankaccount",
        "schedule": "payouts_payoutschedule",
        "settlement": "payouts_settlement",
        "payout": "payouts_payout",
    }[row]

    with (
        pytest.raises(Exception, match=r"of_one_payee|Cannot update"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE {table} SET {columns_set} WHERE party_id IS NOT NULL")


def test_database_refuses_an_account_for_another_platforms_party(
    market: World, carrier: Party
) -> None:
    rival = make_platform(name="Rival", slug="rival", at=market.now)

    copy = BankAccount.objects.get(party=carrier)
    copy.pk, copy.platform, copy.currency = f"{copy.pk[:-1]}x", rival, "USD"

    with pytest.raises(IntegrityError, match="bank_account_of_own_party"), transaction.atomic():
        copy.save(force_insert=True)


def test_operators_find_a_partys_payouts_by_the_party(
    market: World, carrier: Party, client: Client
) -> None:
    add_payee(market.platform, None, PAYS, at=market.now)
    ground.released_order(market)
    for schedule in PayoutSchedule.objects.all():
        cutoff.cut_settlements(schedule_id=schedule.pk, at=market.now)
    client.force_login(UserFactory(is_staff=True, is_superuser=True))

    for name in ("payout", "settlement", "payoutschedule"):
        url = reverse(f"admin:payouts_{name}_changelist")
        found = client.get(url, {"q": carrier.pk}).context["cl"].result_list
        assert [row.party for row in found] == [carrier], name
        assert "Carrier" in client.get(url).content.decode(), name


def test_audit_finds_a_payout_to_somebody_elses_account(market: World, carrier: Party) -> None:
    ground.released_order(market)
    (payout,) = cut(market, carrier)
    sellers = BankAccount.objects.get(merchant=market.merchants[0])

    Payout.objects.filter(pk=payout.pk).update(bank_account=sellers)
    found = audit()
    Payout.objects.filter(pk=payout.pk).update(bank_account=payout.bank_account)

    assert [(each.check, each.row) for each in found] == [("payouts.paid_to_its_payee", payout.pk)]


@pytest.mark.parametrize(
    ("migration", "model"),
    [
        ("merchants.migrations.0013_payees", "bankaccount"),
        ("payouts.migrations.0003_payees", "payoutschedule"),
        ("payouts.migrations.0003_payees", "settlement"),
        ("payouts.migrations.0003_payees", "payout"),
    ],
)
def test_migration_names_the_payee_of_rows_that_were_there(
    market: World, migration: str, model: str
) -> None:
    add_payee(market.platform, None, PAYS, at=market.now)
    ground.released_order(market)
    for schedule in PayoutSchedule.objects.all():
        cutoff.cut_settlements(schedule_id=schedule.pk, at=market.now)
    step = importlib.import_module(migration)._payee(model)
    table = f"{migration.partition('.')[0]}_{model}"

    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute(f"ALTER TABLE {table} DROP COLUMN payee CASCADE")
        cursor.execute(step.database_operations[0].sql)
        cursor.execute(f"SELECT payee, merchant_id FROM {table} ORDER BY payee")
        found = cursor.fetchall()
        transaction.set_rollback(True)

    assert found == [("MERCHANT", market.merchants[0].pk), ("PLATFORM", None)]
