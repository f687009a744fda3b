"""Account numbers are worth stealing: a stolen, moved or altered seal must open nothing."""

import base64
import io

import pytest
from django.core import management
from django.db import connection
from pytest_django import Settings

from merchants import encryption, selectors, services
from merchants.models import BankAccount
from tests.factories import BankAccountFactory

NUMBER = "6222020012345678901"
OLD = base64.b64encode(b"o" * 32).decode()
NEW = base64.b64encode(b"n" * 32).decode()

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def keys(settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = {"old": OLD}


def read(account: BankAccount) -> str:
    return services.read_account_number(bank_account=account)


def test_account_number_comes_back_from_the_database() -> None:
    account = BankAccountFactory(account_number="6222 0200-1234 5678 901")

    found = BankAccount.objects.get(pk=account.pk)
    assert read(found) == NUMBER
    assert found.last_four == "8901"


def test_account_number_is_nowhere_in_clear() -> None:
    BankAccountFactory(account_number=NUMBER)

    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM merchants_bankaccount t")
        row = cursor.fetchone()[0]
        cursor.execute("SELECT row_to_json(t)::text FROM merchants_bankaccountaudit t")
        audit = cursor.fetchone()[0]

    for text in (row, audit):
        assert NUMBER not in text
        assert NUMBER.encode().hex() not in text
    assert "account_number" not in audit


def test_seal_takes_no_more_room_than_needed() -> None:
    account = BankAccountFactory(account_number=NUMBER)

    assert len(account.account_number) == len("old:") + 12 + len(NUMBER) + 16


def test_seal_differs_each_time() -> None:
    first = BankAccountFactory(account_number=NUMBER)
    second = BankAccountFactory(account_number=NUMBER)

    assert bytes(first.account_number) != bytes(second.account_number)
    assert first.account_number_hash == second.account_number_hash


@pytest.mark.parametrize("position", range(4 + 12 + len(NUMBER) + 16))
def test_seal_refuses_any_flipped_byte(position: int) -> None:
    account = BankAccountFactory(account_number=NUMBER)
    broken = bytearray(account.account_number)
    broken[position] ^= 1
    account.account_number = bytes(broken)

    with pytest.raises(encryption.SealBroken):
        read(account)


@pytest.mark.parametrize("sealed", [b"", b":", b"old:", b"old:short", b"\xff:" + b"x" * 40])
def test_seal_refuses_torn_bytes(sealed: bytes) -> None:
    account = BankAccountFactory()
    account.account_number = sealed

    with pytest.raises(encryption.SealBroken):
        read(account)


def test_seal_refuses_another_row() -> None:
    victim, thief = BankAccountFactory(), BankAccountFactory()
    BankAccount.objects.filter(pk=thief.pk).update(account_number=victim.account_number)
    thief.refresh_from_db()

    with pytest.raises(encryption.SealBroken, match="another row"):
        read(thief)
    assert read(victim)


def test_seal_refuses_an_unknown_key(settings: Settings) -> None:
    account = BankAccountFactory()
    settings.FIELD_ENCRYPTION_KEYS = {"new": NEW}

    with pytest.raises(encryption.SealBroken, match="not configured"):
        read(account)


def test_seal_refuses_another_key_of_the_same_name(settings: Settings) -> None:
    account = BankAccountFactory()
    settings.FIELD_ENCRYPTION_KEYS = {"old": NEW}

    with pytest.raises(encryption.SealBroken, match="changed"):
        read(account)


def test_first_key_seals_and_all_keys_open(settings: Settings) -> None:
    before = BankAccountFactory(account_number=NUMBER)
    settings.FIELD_ENCRYPTION_KEYS = {"new": NEW, "old": OLD}
    after = BankAccountFactory(account_number=NUMBER)

    assert bytes(after.account_number).startswith(b"new:")
    assert [read(before), read(after)] == [NUMBER, NUMBER]
    assert selectors.list_bank_accounts_by_number(account_number=NUMBER) == [before, after]


@pytest.mark.parametrize(
    "keys", [{}, None, {"k1": "short"}, {"k1": "not base64!"}, {"K:1": OLD}, {"": OLD}]
)
def test_nothing_is_sealed_without_usable_keys(
    settings: Settings, keys: dict[str, str] | None
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = keys

    with pytest.raises(encryption.EncryptionKeyMissing, match="FIELD_ENCRYPTION_KEYS"):
        BankAccountFactory()

    assert not BankAccount.objects.exists()


def test_django_refuses_to_start_without_keys(settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = {}

    with pytest.raises(management.base.SystemCheckError, match="FIELD_ENCRYPTION_KEYS"):
        management.call_command("check", stderr=io.StringIO())
