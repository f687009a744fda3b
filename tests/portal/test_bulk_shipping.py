"""Why: a file of a hundred parcels must ship each once, and say of every bad row what is wrong."""

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from merchants.models import Role
from orders.models import Order, Shipment
from portal import bulk_shipping, jobs, parcel_files, sweeps
from portal.models import Job, JobState
from portal.parcel_files import Row
from tests.world import START, World

SignIn = Callable[..., Client]
HEAD = "reference,carrier,tracking number\r\n"


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def paid(world: World) -> list[Order]:
    orders = [world.create_order(reference=f"R{number}")[0] for number in (1, 2, 3)]
    world.pay(*orders)
    return orders


def upload(client: Client, content: bytes) -> Any:
    file = SimpleUploadedFile("parcels.csv", content)
    return client.post("/portal/orders/bulk", {"file": file}, follow=True)


def faults(page: Any) -> list[tuple[int, str, str]]:
    return [(each.row.number, each.column, each.code) for each in page.context["plan"].faults]


def ship(client: Client, content: bytes) -> Job:
    upload(client, content)
    job = Job.objects.order_by("-pk")[0]
    client.post(f"/portal/orders/bulk/{job.pk}")
    sweeps.run_due_jobs(at=timezone.now())
    job.refresh_from_db()
    return job


def parcels() -> list[str]:
    rows = Shipment.objects.order_by("order__reference", "position").select_related("order")
    return [f"{each.order.reference} {each}" for each in rows]


def test_file_ships_its_good_rows_once_however_often_it_comes(
    world: World, sign_in: SignIn, paid: list[Order], clock: Any
) -> None:
    client = sign_in(merchant=world.merchants[0])
    content = f"{HEAD}R1,SF,11\r\nR1,SF,12\r\n\r\nR2,ZTO,2\r\nR9,SF,9\r\n".encode()

    first = ship(client, content)
    clock.shift(timedelta(seconds=1))
    second = ship(client, content)

    assert first.counts == {"shipped": 3, "known": 0, "failed": 1}
    assert second.counts == {"shipped": 0, "known": 3, "failed": 1}
    assert parcels() == ["R1 SF 11", "R1 SF 12", "R2 ZTO 2"]
    errors = client.get(f"/portal/jobs/{first.pk}/errors").content.decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(errors))
    assert (row["Row"], row["Order reference"], row["Column"]) == ("6", "R9", "Order reference")
    assert row["What is wrong"] == "You have no order of this reference."


def test_nothing_is_shipped_by_looking(world: World, sign_in: SignIn, paid: list[Order]) -> None:
    client = sign_in(merchant=world.merchants[0])

    page = upload(client, f"{HEAD}R1,SF,1\r\nR2,<b>,\r\n".encode())
    sweeps.run_due_jobs(at=START)

    text = page.content.decode()
    assert "Ship one order" in text
    assert faults(page) == [(3, "tracking", "missing")]
    assert parcels() == []
    assert Job.objects.get().state == JobState.DRAFT


def test_rows_are_told_what_is_wrong_in_the_reader_s_language(
    world: World, sign_in: SignIn, paid: list[Order]
) -> None:
    world.create_order(reference="UNPAID")
    world.ship(paid[2])
    foreign, _token = world.create_order(world.add_merchant(), reference="FOREIGN")
    world.pay(foreign)
    client = sign_in(merchant=world.merchants[0], language="zh-hans")
    rows = [
        "R1,SF,1",
        "R1,SF,1",
        "R2,SF,1.23E+15",
        "R2,SF,2",
        "R3,SF,3",
        "UNPAID,SF,4",
        "FOREIGN,SF,5",
        ",SF,6",
        f"R1,{'x' * 65},7",
    ]

    page = upload(client, (HEAD + "\r\n".join(rows)).encode())

    assert faults(page) == [
        (2, "reference", "other_row"),
        (3, "tracking", "twice"),
        (4, "tracking", "shortened"),
        (5, "reference", "other_row"),
        (6, "reference", "shipped_already"),
        (7, "reference", "unpaid"),
        (8, "reference", "unknown_order"),
        (9, "reference", "missing"),
        (10, "carrier", "too_long"),
    ]
    assert "买家尚未付款" in page.content.decode()


def test_parcels_after_the_time_to_ship_are_refused(
    world: World, sign_in: SignIn, paid: list[Order], clock: Any
) -> None:
    clock.shift(timedelta(hours=72, seconds=1))
    client = sign_in(merchant=world.merchants[0])

    page = upload(client, f"{HEAD}R1,SF,1\r\n".encode())

    assert faults(page) == [(2, "reference", "too_late")]


def test_worker_that_begins_again_counts_what_it_has_shipped(
    world: World, sign_in: SignIn, paid: list[Order]
) -> None:
    client = sign_in(merchant=world.merchants[0])
    upload(client, f"{HEAD}R1,SF,1\r\nR2,SF,2\r\n".encode())
    job = Job.objects.get()
    client.post(f"/portal/orders/bulk/{job.pk}")
    killed = jobs.claim_due_job(at=START)
    assert killed is not None
    bulk_shipping.ship_rows(jobs.Work(killed, START, lambda done, total: None))

    sweeps.run_due_jobs(at=START + jobs.LEASE)

    job.refresh_from_db()
    assert job.counts == {"shipped": 2, "known": 0, "failed": 0}
    assert parcels() == ["R1 SF 1", "R2 SF 2"]


def test_review_takes_as_many_queries_for_many_rows(
    world: World, sign_in: SignIn, paid: list[Order], django_assert_max_num_queries: Any
) -> None:
    client = sign_in(merchant=world.merchants[0])
    rows = "\r\n".join(f"X{number},SF,{number}" for number in range(500))
    upload(client, f"{HEAD}R1,SF,1\r\n{rows}".encode())

    with django_assert_max_num_queries(10):
        page = client.get(f"/portal/orders/bulk/{Job.objects.get().pk}")

    assert len(page.context["plan"].faults) == 500
    assert page.content.decode().count("<tr>") == 101


def test_only_those_who_ship_upload_and_only_their_own(
    world: World, sign_in: SignIn, paid: list[Order]
) -> None:
    upload(sign_in(merchant=world.merchants[0]), f"{HEAD}R1,SF,1\r\n".encode())
    job = Job.objects.get()
    viewer = sign_in(merchant=world.merchants[0], role=Role.VIEWER)
    foreign = sign_in(merchant=world.add_merchant())

    answers = [
        viewer.get("/portal/orders/bulk").status_code,
        viewer.post(f"/portal/orders/bulk/{job.pk}").status_code,
        foreign.post(f"/portal/orders/bulk/{job.pk}").status_code,
        foreign.get(f"/portal/orders/bulk/{job.pk}/errors").status_code,
    ]

    assert answers == [403, 403, 404, 404]
    job.refresh_from_db()
    assert job.state == JobState.DRAFT


def test_template_lists_what_waits_and_is_read_again(
    world: World, sign_in: SignIn, paid: list[Order]
) -> None:
    client = sign_in(merchant=world.merchants[0], language="zh-hans")

    content = client.get("/portal/orders/bulk/template.xlsx").content

    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book.active
    head, *rows = sheet.iter_rows(values_only=True)
    assert head == ("订单号", "承运商", "运单号")
    assert {row[0] for row in rows} == {"R1", "R2", "R3"}
    sheet["B2"], sheet["C2"] = "顺丰", 123456789012
    file = io.BytesIO()
    book.save(file)
    found = parcel_files.read_parcels(file.getvalue())
    assert found[0] == Row(2, rows[0][0], "顺丰", "123456789012")
    assert client.get("/portal/orders/bulk/template.exe").status_code == 404


TABLE = "订单号,快递公司,运单号\r\nR1,顺丰速运,SF1001\r\n"


@pytest.mark.parametrize(
    "content",
    [
        TABLE.encode(),
        TABLE.encode("utf-8-sig"),
        TABLE.encode("gbk"),
        TABLE.encode("utf-16"),
        TABLE.replace(",", ";").encode(),
        TABLE.replace(",", "\t").encode("gbk"),
        TABLE.replace("SF1001", '"=""SF1001"""').encode(),
        TABLE.replace("\r\n", "\n").encode(),
        ("Note,Tracking No,Carrier,Order reference\n,SF1001,顺丰速运,R1").encode(),
    ],
)
def test_csv_is_read_as_spreadsheet_programs_write_it(content: bytes) -> None:
    assert parcel_files.read_parcels(content) == [Row(2, "R1", "顺丰速运", "SF1001")]


def packed(size: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * size)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", parcel_files.UploadWithoutColumns),
        (b"a,b,c\r\n1,2,3\r\n", parcel_files.UploadWithoutColumns),
        (HEAD.encode(), parcel_files.UploadEmpty),
        (HEAD.encode() + b"R1,SF,1\r\n" * 2001, parcel_files.UploadTooLong),
        (b"x" * (1024 * 1024 + 1), parcel_files.UploadTooLarge),
        (b"\xff\x00\x00\xff\x80", parcel_files.UploadUnreadable),
        (b"PK\x03\x04 no zip", parcel_files.UploadUnreadable),
        (packed(1000), parcel_files.UploadUnreadable),
        (packed(21 * 1024 * 1024), parcel_files.UploadTooLarge),
    ],
)
def test_file_that_is_no_table_is_refused(content: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        parcel_files.read_parcels(content)


def test_upload_that_is_refused_says_why(world: World, sign_in: SignIn) -> None:
    client = sign_in(merchant=world.merchants[0])

    texts = [
        upload(client, content).content.decode() for content in (b"a,b\r\n1,2\r\n", b"x" * 1100000)
    ]

    assert "The first row must name the columns" in texts[0]
    assert "The file is too large" in texts[1]
    assert Job.objects.count() == 0
