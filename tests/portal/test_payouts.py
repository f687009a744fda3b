"""Why: a seller lives by its statements: page and files say what the bank was told."""

import csv
import io
import zipfile
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from escrow.services import debit_requests
from escrow.services import release as releases
from orders.services import lifecycle
from payouts.models import Payout
from payouts.services import cutoff
from portal import sweeps
from portal.models import Job
from tests import ground, owing
from tests.factories import UserFactory
from tests.world import World

SignIn = Callable[..., Client]
BOM = "\ufeff"


@pytest.fixture
def paid(world: World) -> Payout:
    """A payout of one sale whose reference looks like a formula."""
    reference = '=HYPERLINK("http://x")'
    order, _token = world.create_order(world.merchants[0], reference=reference)
    ground.capture(ground.make_payment(world, order))
    parcel = {"carrier": "SF", "tracking_number": "SF1", "at": world.now}
    lifecycle.ship_order(order_id=order.pk, **parcel)
    releases.confirm_receipt(order_id=order.pk, at=world.now)
    schedule = ground.schedule(world)
    (payout,) = cutoff.cut_settlements(schedule_id=schedule.pk, at=world.now + ground.US)
    return payout


def test_statement_as_table_has_the_sale_and_no_formula(
    world: World, sign_in: SignIn, paid: Payout
) -> None:
    client = sign_in(merchant=world.merchants[0])

    answer = client.get(f"/portal/statements/{paid.settlement_id}.csv")

    assert answer["Content-Disposition"].startswith("attachment; filename=")
    heading, line = csv.reader(io.StringIO(answer.content.decode().removeprefix(BOM)))
    assert heading == ["Date", "What", "Order", "Amount", "Currency"]
    assert line[1:] == ["Sale released", '\'=HYPERLINK("http://x")', "94.91", "CNY"]


def test_statement_as_spreadsheet_keeps_amounts_as_numbers(
    world: World, sign_in: SignIn, paid: Payout
) -> None:
    client = sign_in(merchant=world.merchants[0])

    answer = client.get(f"/portal/statements/{paid.settlement_id}.xlsx")

    _heading, row = load_workbook(io.BytesIO(answer.content)).active.iter_rows()
    assert (row[2].value, row[2].data_type) == ('\'=HYPERLINK("http://x")', "s")
    assert (row[3].value, row[4].value) == (94.91, "CNY")


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_statement_as_letter_is_a_pdf(
    world: World, sign_in: SignIn, paid: Payout, language: str
) -> None:
    client = sign_in(merchant=world.merchants[0], language=language)

    answer = client.get(f"/portal/statements/{paid.settlement_id}.pdf")

    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")


def run(client: Client, **said: str) -> bytes:
    body = {"since": "2026-03-02", "until": "2026-03-02", "form": "csv", **said}
    page = client.post("/portal/payouts/statements", body)["Location"]
    assert sweeps.run_due_jobs(at=timezone.now()) == 1
    return client.get(f"{page}/result").content


def test_statements_of_some_days_come_in_one_table_without_those_of_others(
    world: World, sign_in: SignIn, paid: Payout
) -> None:
    client = sign_in(merchant=world.merchants[0])
    stranger = sign_in(merchant=world.add_merchant())

    [row] = csv.DictReader(io.StringIO(run(client).decode("utf-8-sig")))

    assert (row["Statement"], row["Payee"]) == (paid.settlement_id, "Seller 1")
    assert row["Amount"] == f"{Decimal(paid.amount_minor) / 100}"
    assert run(stranger).decode("utf-8-sig").count("\n") == 1
    assert run(client, until="2026-03-03", since="2026-03-03").count(b"\n") == 1


def test_statements_of_some_days_come_as_letters(
    world: World, sign_in: SignIn, paid: Payout
) -> None:
    packed = run(sign_in(merchant=world.merchants[0]), form="pdf")

    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == [f"{paid.settlement_id}.pdf"]
        assert archive.read(archive.namelist()[0]).startswith(b"%PDF")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"until": "2026-03-01"}, "This is before the first date."),
        ({"since": "2024-03-01"}, "Choose a year at most."),
        ({"since": "yesterday"}, "Enter a valid date."),
        ({"form": "exe"}, "Select a valid choice."),
    ],
)
def test_days_that_make_no_sense_are_told_and_no_work_is_done(
    world: World, sign_in: SignIn, said: dict[str, str], told: str
) -> None:
    client = sign_in(merchant=world.merchants[0])
    body = {"since": "2026-03-02", "until": "2026-03-02", "form": "csv", **said}

    page = client.post("/portal/payouts/statements", body, follow=True)

    assert told in page.content.decode()
    assert not Job.objects.exists()


def test_payout_of_another_seller_is_not_there(world: World, sign_in: SignIn, paid: Payout) -> None:
    client = sign_in(merchant=world.add_merchant())

    addresses = [
        f"/portal/payouts/{paid.pk}",
        *(f"/portal/statements/{paid.settlement_id}.{kind}" for kind in ("csv", "xlsx", "pdf")),
    ]

    assert [client.get(each).status_code for each in addresses] == [404] * 4
    assert paid.pk not in client.get("/portal/payouts").content.decode()


def test_payout_page_shows_what_was_taken_off(world: World, sign_in: SignIn, paid: Payout) -> None:
    page = sign_in(merchant=world.merchants[0]).get(f"/portal/payouts/{paid.pk}").content.decode()

    assert "CN¥94.91" in page.replace("\xa0", "")
    assert "=HYPERLINK(&quot;http://x&quot;)" in page


def test_debts_page_says_how_to_pay(world: World, sign_in: SignIn) -> None:
    debt = owing.seller_in_debt(world)
    client = sign_in(merchant=debt.merchant)

    page = client.get("/portal/debts").content.decode()

    assert "Still owed" in page
    assert "your next sales pay it" in page
    other = sign_in(merchant=world.add_merchant()).get("/portal/debts").content.decode()
    assert "Nothing is owed" in other


def test_debts_page_says_where_to_pay_once_the_seller_is_asked(
    world: World, sign_in: SignIn
) -> None:
    debt = owing.seller_in_debt(world)
    asked = debit_requests.request_debit(
        debt_id=debt.pk, asked_by=UserFactory(is_staff=True), at=world.now
    )

    page = sign_in(merchant=debt.merchant).get("/portal/debts").content.decode()

    assert asked.payment_reference in page
    assert asked.pay_to is not None
    assert asked.pay_to.account_number in page


def test_overview_lists_what_is_to_do_and_needs_few_queries(
    world: World, sign_in: SignIn, paid: Payout, django_assert_max_num_queries: object
) -> None:
    cache.clear()
    ground.paid_order(world, world.merchants[0])
    client = sign_in(merchant=world.merchants[0])

    with django_assert_max_num_queries(14):  # type: ignore[operator]
        page = client.get("/portal/").content.decode()
    with django_assert_max_num_queries(10):  # type: ignore[operator]
        client.get("/portal/")

    assert "Orders to ship" in page
    assert "CN¥94.91" in page.replace("\xa0", "")  # held for the new order
