"""Cells of bank accounts: a changed one waits, and only the one in force is paid to."""

from datetime import timedelta

from merchants import services as merchants
from merchants.models import BankAccount, Platform
from payouts.services import bank_accounts
from tests import ground
from tests.cells import Act, Machine
from tests.world import World

HOURS = 24
DUE = timedelta(hours=HOURS)


def account_in(world: World, case: str) -> BankAccount:
    """The seller has an account in yuan from the start; this one comes after it, or is its first in
    yen."""
    state, _, first = case.partition("/")
    merchants.set_account_cooloff(platform_id=world.platform.pk, hours=HOURS, at=world.now)
    account = bank_accounts.propose_bank_account(
        platform=Platform.objects.get(pk=world.platform.pk),
        merchant=world.merchants[0],
        currency="JPY" if first else "CNY",
        holder_name="Seller 1",
        bank_code="102100099996",
        account_number="6222999900001111",
        reason="asked for",
        proposed_by=ground.operator("first"),
        at=world.now,
    )
    if state != "PROPOSED":
        _adopt(world, account)
    if state in ("IN_FORCE", "REPLACED"):
        _enter(DUE)(world, account)
    if state == "REPLACED":
        _replace(world, account)
    if state == "CANCELED":
        _cancel(timedelta(0))(world, account)
    return BankAccount.objects.get(pk=account.pk)


def _adopt(world: World, account: BankAccount) -> None:
    bank_accounts.adopt_bank_account(account_id=account.pk, at=world.now)


def _enter(after: timedelta) -> Act:
    return lambda world, account: bank_accounts.enter_due_account(
        account_id=account.pk, at=world.now + after
    )


def _cancel(after: timedelta) -> Act:
    return lambda world, account: bank_accounts.cancel_bank_account(
        account_id=account.pk, at=world.now + after
    )


def _replace(world: World, account: BankAccount) -> None:
    """Another account is given, and its cool-off is over too."""
    later = bank_accounts.add_bank_account(
        platform=Platform.objects.get(pk=world.platform.pk),
        merchant=world.merchants[0],
        currency="CNY",
        holder_name="Seller 1",
        bank_code="102100099996",
        account_number="6222999900002222",
        at=world.now + DUE / 2,
    )
    bank_accounts.enter_due_account(account_id=later.pk, at=world.now + 2 * DUE)


BANK_ACCOUNT = Machine(
    model=BankAccount,
    make=account_in,
    cases=("PROPOSED", "PROPOSED/FIRST", "WAITING", "IN_FORCE", "REPLACED", "CANCELED"),
    acts={
        "a second operator approves it": (
            _adopt,
            {"PROPOSED": "WAITING", "PROPOSED/FIRST": "IN_FORCE"},
        ),
        "somebody cancels it": (
            _cancel(timedelta(0)),
            {"PROPOSED": "CANCELED", "PROPOSED/FIRST": "CANCELED", "WAITING": "CANCELED"},
        ),
        "somebody cancels it too late": (
            _cancel(DUE),
            {"PROPOSED": "CANCELED", "PROPOSED/FIRST": "CANCELED"},
        ),
        "its cool-off is not over": (_enter(DUE - timedelta(microseconds=1)), {}),
        "its cool-off is over": (_enter(DUE), {"WAITING": "IN_FORCE"}),
        "another one takes its place": (
            _replace,
            {"WAITING": "CANCELED", "IN_FORCE": "REPLACED"},
        ),
    },
)
