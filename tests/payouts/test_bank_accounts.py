"""Why: whoever gets hold of a sign-in or a key would have the next payout go to their own account.
A changed account waits, everybody is told, and meanwhile money goes where it went.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import DatabaseError, IntegrityError, connection, transaction

from merchants import services as merchants
from merchants.models import BankAccount, Mode, Platform
from notifications import services as notifications
from notifications.models import Event
from payouts import selectors, sweeps
from payouts.models import Payout
from payouts.services import bank_accounts, cutoff
from tests import ground
from tests.merchants.test_commission import race
from tests.world import PAYS, World

NEW, NEWER = "6222999900001111", "6222999900002222"
DAY = timedelta(hours=24)


def give(world: World, number: str = NEW, *, at: datetime | None = None) -> BankAccount:
    return bank_accounts.add_bank_account(
        platform=Platform.objects.get(pk=world.platform.pk),
        merchant=world.merchants[0],
        currency="CNY",
        holder_name="Seller 1",
        bank_code="102100099996",
        account_number=number,
        at=at or world.now,
    )


def cautious(world: World) -> World:
    merchants.set_account_cooloff(platform_id=world.platform.pk, hours=24, at=world.now)
    return world


def states(world: World) -> list[tuple[str, str]]:
    rows = BankAccount.objects.filter(merchant=world.merchants[0]).order_by("pk")
    return list(rows.values_list("last_four", "state"))


def cut(world: World, *, at: datetime) -> Payout:
    ground.released_order(world)
    schedule = ground.schedule(world)
    (payout,) = cutoff.cut_settlements(schedule_id=schedule.pk, at=at)
    return payout


def told() -> list[tuple[str, str]]:
    rows = Event.objects.filter(type__startswith="bank_account.").order_by("id")
    return [(event.type, event.data["last_four"]) for event in rows]


def test_cooloff_is_a_day_where_money_is_real_and_none_in_test_mode(market: World) -> None:
    live = merchants.create_platform(name="L", slug="l", mode=Mode.LIVE, at=market.now)

    assert (live.account_cooloff, market.platform.account_cooloff) == (DAY, timedelta(0))
    for hours in (0, 721):
        refused = ground.refusal(
            lambda hours=hours: merchants.set_account_cooloff(
                platform_id=live.pk, hours=hours, at=market.now
            )
        )
        assert refused.code == "cooloff_invalid"
    with pytest.raises(IntegrityError, match="cooloff_in_range"), transaction.atomic():
        Platform.objects.filter(pk=live.pk).update(account_cooloff_hours=0)


def test_changed_account_waits_while_payouts_go_to_the_one_in_force(market: World) -> None:
    cautious(market)

    changed = give(market)
    before = cut(market, at=market.now + DAY - timedelta(microseconds=1))
    # No sweep has run: a cutoff itself sees whose time has come.
    after = cut(market, at=market.now + DAY)

    assert (changed.state, changed.effective_at) == ("WAITING", market.now + DAY)
    assert [before.last_four, after.last_four] == [PAYS[-4:], "1111"]
    assert states(market) == [(PAYS[-4:], "REPLACED"), ("1111", "IN_FORCE")]
    assert told() == [("bank_account.waiting", "1111"), ("bank_account.in_force", "1111")]
    before.refresh_from_db()
    assert before.bank_account.last_four == PAYS[-4:]  # what was cut keeps its account


def test_sweep_brings_a_change_in_force_when_its_time_has_come(market: World) -> None:
    cautious(market)
    changed = give(market)
    due = market.now + DAY

    early = sweeps.enter_due_accounts(at=due - timedelta(microseconds=1))
    found = selectors.next_due(platform_id=market.platform.pk)
    late = sweeps.enter_due_accounts(at=due + timedelta(minutes=9))
    again = sweeps.enter_due_accounts(at=due + timedelta(minutes=9))

    assert (early, found, late, again) == (0, due, 1, 0)
    changed.refresh_from_db()
    assert (changed.state, changed.effective_at, changed.event_sequence) == ("IN_FORCE", due, 2)


def test_canceled_change_is_never_paid_to(market: World) -> None:
    cautious(market)
    changed = give(market)

    bank_accounts.cancel_bank_account(account_id=changed.pk, at=market.now)
    sweeps.enter_due_accounts(at=market.now + DAY)
    payout = cut(market, at=market.now + 2 * DAY)

    assert payout.last_four == PAYS[-4:]
    assert states(market) == [(PAYS[-4:], "IN_FORCE"), ("1111", "CANCELED")]
    assert told() == [("bank_account.waiting", "1111"), ("bank_account.canceled", "1111")]


def test_change_is_not_canceled_once_its_time_has_come_though_no_sweep_ran(market: World) -> None:
    cautious(market)
    changed = give(market)
    first = BankAccount.objects.get(state="IN_FORCE")

    for account, at in ((changed, market.now + DAY), (first, market.now)):
        refused = ground.refusal(
            lambda account=account, at=at: bank_accounts.cancel_bank_account(
                account_id=account.pk, at=at
            )
        )
        assert refused.code == "bank_account_decided"


def test_cutoff_and_changes_at_once_pay_one_account_and_leave_one_in_force(market: World) -> None:
    """S9: the account is changed, canceled and due in the very moment the payout is cut."""
    cautious(market)
    changed, due = give(market), market.now + DAY
    ground.released_order(market)
    schedule = ground.schedule(market)

    ends = race(
        lambda: cutoff.cut_settlements(schedule_id=schedule.pk, at=due),
        lambda: bank_accounts.cancel_bank_account(
            account_id=changed.pk, at=due - timedelta(microseconds=1)
        ),
        lambda: sweeps.enter_due_accounts(at=due),
        lambda: give(market, NEWER, at=due - timedelta(microseconds=1)),
        lambda: give(market, PAYS, at=due),
    )

    assert set(ends) <= {"done", "BankAccountDecided"}
    found = [state for _, state in states(market)]
    assert (found.count("IN_FORCE"), found.count("WAITING")) == (1, 1)
    changed.refresh_from_db()
    payout = Payout.objects.get()
    paid = payout.bank_account
    assert paid.pk != changed.pk or changed.state in ("IN_FORCE", "REPLACED")
    assert paid.state in ("IN_FORCE", "REPLACED")  # never one that waits, or was canceled
    assert told().count(("bank_account.in_force", "1111")) <= 1


def test_later_change_takes_the_place_of_the_one_that_waits_and_waits_anew(market: World) -> None:
    cautious(market)
    give(market)

    later = give(market, NEWER, at=market.now + timedelta(hours=23))

    assert states(market) == [
        (PAYS[-4:], "IN_FORCE"),
        ("1111", "CANCELED"),
        ("2222", "WAITING"),
    ]
    assert later.effective_at == market.now + timedelta(hours=47)
    sweeps.enter_due_accounts(at=market.now + DAY)
    assert states(market)[0] == (PAYS[-4:], "IN_FORCE")


def test_first_account_of_a_currency_is_in_force_at_once_and_changes_nothing(
    market: World,
) -> None:
    cautious(market)

    yen = bank_accounts.add_bank_account(
        platform=Platform.objects.get(pk=market.platform.pk),
        merchant=market.merchants[0],
        currency="JPY",
        holder_name="S",
        bank_code="0001",
        account_number=NEW,
        at=market.now,
    )

    assert (yen.state, yen.effective_at, told()) == ("IN_FORCE", market.now, [])


@pytest.mark.parametrize(
    "columns",
    [
        "state = 'IN_FORCE' WHERE state = 'CANCELED'",
        "state = 'WAITING' WHERE state = 'REPLACED'",
        "effective_at = now() WHERE state = 'WAITING'",
        "effective_at = NULL WHERE state = 'WAITING'",
        "state = 'IN_FORCE' WHERE state = 'WAITING'",  # beside the one in force
    ],
)
def test_database_keeps_a_change_from_being_hurried_or_revived(market: World, columns: str) -> None:
    give(market)
    cautious(market)
    give(market, NEWER)
    give(market, PAYS)

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE merchants_bankaccount SET {columns}")


def test_everybody_who_read_the_mail_lately_is_told_without_the_number(market: World) -> None:
    cautious(market)
    seller = market.merchants[0]
    merchants.update_merchant(merchant=seller, email="thief@example.com")
    mail.outbox.clear()

    give(market)
    _relay(market)

    assert sorted(message.to[0] for message in mail.outbox) == [
        "seller1@example.com",
        "thief@example.com",
    ]
    for message in mail.outbox:
        assert "ending in 1111" in message.body
        assert f"ending in {PAYS[-4:]}" in message.body
        assert NEW not in message.body


def test_platform_is_told_of_its_own_account_and_not_of_its_sellers(market: World) -> None:
    cautious(market)
    Platform.objects.filter(pk=market.platform.pk).update(contact_email="shop@example.com")
    mail.outbox.clear()
    platform = Platform.objects.get(pk=market.platform.pk)
    own: dict[str, Any] = {"platform": platform, "merchant": None, "currency": "CNY"}
    own |= {"holder_name": "Shop", "bank_code": "1", "at": market.now}
    bank_accounts.add_bank_account(**own, account_number=PAYS)

    give(market)
    bank_accounts.add_bank_account(**own, account_number=NEW)
    _relay(market)

    assert sorted(message.to[0] for message in mail.outbox) == [
        "seller1@example.com",
        "shop@example.com",
    ]


def _relay(world: World) -> None:
    notifications.relay_due_events(at=world.now)
