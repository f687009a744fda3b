"""Nothing in the books is ever changed or deleted, and the code decides the chart: by raw SQL."""

import pytest

from ledger import chart
from tests.ledger import raw

TABLES = {
    "ledger_journalentry": "subject = 'ord_2b'",
    "ledger_posting": "amount_minor = amount_minor + 1",
    "ledger_account": "address = 'held'",
    "ledger_accountclass": "guarded = false",
    "ledger_route": "side = 'D'",
    "ledger_guardedbalance": "balance_minor = balance_minor + 1",
    "ledger_waitingcredit": "amount_minor = amount_minor + 1",
}


@pytest.fixture
def posted(db: None) -> None:
    raw.post_capture("ord_1a")
    raw.post_release("ord_1a")


@pytest.mark.usefixtures("posted")
@pytest.mark.parametrize("table", TABLES)
def test_row_is_not_updated(table: str) -> None:
    with raw.refused("HF006"):
        raw.execute(f"UPDATE {table} SET {TABLES[table]}")


@pytest.mark.usefixtures("posted")
@pytest.mark.parametrize("table", TABLES)
def test_row_is_not_deleted(table: str) -> None:
    with raw.refused("HF006"):
        raw.execute(f"DELETE FROM {table}")


@pytest.mark.usefixtures("truncate_guards")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", TABLES)
def test_table_is_not_truncated(table: str) -> None:
    raw.post_capture("ord_1a")

    with raw.refused("HF006"):
        raw.execute(f"TRUNCATE {table} CASCADE")


@pytest.mark.django_db
def test_route_is_not_added_outside_a_migration() -> None:
    with raw.refused("HF006"):
        raw.execute(
            "INSERT INTO ledger_route (kind, account_class_id, side)"
            " VALUES ('capture', 'held', 'D')"
        )


@pytest.mark.django_db
def test_account_class_is_not_added_outside_a_migration() -> None:
    with raw.refused("HF006"):
        raw.execute(
            "INSERT INTO ledger_accountclass"
            " (code, pattern, kind, side, guarded, customers, meaning)"
            " VALUES ('mine', '^mine$', 'LIABILITY', 'CREDIT', false, false, '')"
        )


@pytest.mark.usefixtures("posted")
@pytest.mark.parametrize("table", ["ledger_guardedbalance", "ledger_waitingcredit"])
def test_balance_is_not_inserted_by_hand(table: str) -> None:
    with raw.refused("HF006"):
        raw.execute(
            f"INSERT INTO {table} (account_id, balance_minor) VALUES (100001, 1)".replace(
                "balance_minor",
                "amount_minor" if table == "ledger_waitingcredit" else "balance_minor",
            )
        )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("held", "reserve"),
        ("merchant:mer_1a:payable", "held"),
        ("merchant:mer_1a:purse", "merchant_payable"),
        ("held\n", "held"),
        ("HELD", "held"),
        ("reserve:", "reserve"),
        ("held", "no_such_class"),
    ],
)
def test_account_is_refused_when_the_address_is_not_of_the_class(address: str, code: str) -> None:
    insert = (
        "INSERT INTO ledger_account (address, currency, account_class_id) VALUES (%s, 'CNY', %s)"
    )

    with raw.refused("HF007"):
        raw.execute(insert, address, code)


@pytest.mark.django_db
@pytest.mark.parametrize("currency", ["cny", "CN", "¥"])
def test_account_is_refused_when_the_currency_is_no_code(currency: str) -> None:
    insert = """
        INSERT INTO ledger_account (address, currency, account_class_id) VALUES ('held', %s, 'held')
    """

    with raw.refused("23514", "ledger_account_currency"):
        raw.execute(insert, currency)


@pytest.mark.django_db
def test_account_id_says_whether_it_is_guarded() -> None:
    ids = raw.account_ids()

    assert {code for code in ids if ids[code] >= 100_000} == {
        each.code for each in chart.CLASSES if each.guarded
    }
