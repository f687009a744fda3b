"""Why: a seller who is late must read what becomes of the money, and one with two hundred parcels
must not type them, nor lose the hundred and ninety-seven good ones to three bad ones.
"""

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from escrow import sweeps as escrow
from escrow.models import Refund
from notifications.models import Event
from orders.models import Order, Shipment
from orders.services.payments import MAX_ORDERS
from portal import sweeps
from portal.models import Job
from tests import ground, oracle
from tests.admin.conftest import market
from tests.browser.visitors import Come, browser, come, member
from tests.examples.window import needs_browser
from tests.signing import sign_in
from tests.stage import books_are_right, transactional_db, world
from tests.world import World

__all__ = ["books_are_right", "browser", "come", "market", "transactional_db", "world"]

pytestmark = needs_browser
ROWS = 200  # the first stands under the names of the columns, in row 2


def test_seller_is_too_late_and_the_buyer_gets_the_money_back(
    world: World, live_server: Any, come: Come
) -> None:
    world.sandbox.clock.move_to(timezone.now() - timedelta(hours=73))
    order, _token = world.create_order()
    world.pay(order)
    seller = come(member("seller", merchant=world.merchants[0]))

    seller.go(live_server.url + reverse("portal:order", args=[order.pk]))
    before = seller.read()
    seller.enter("carrier", "SF")
    seller.enter("tracking", "SF123")
    seller.click("Ship it")
    refused = seller.read()
    tried = Order.objects.get(pk=order.pk)
    held = world.balance("held")
    world.run_until(timezone.now())
    seller.go(seller.url())
    after = seller.read()

    assert "After that the order is canceled and the buyer gets it back." in before
    assert "The time to ship is over. The buyer gets the money back." in refused
    assert (tried.state, tried.shipments.count(), held) == ("PAID", 0, 10001)
    order.refresh_from_db()
    assert (order.state, order.cancel_reason) == ("CANCELED", "NOT_SHIPPED")
    assert "CN¥100.01 is back with the buyer" in after
    assert "Ship it" not in after
    assert [world.balance(each) for each in ("held", "channel:sandbox:receivable")] == [0, 0]
    assert oracle.disagreements(world) == []  # the channel has paid it back, by its own books too
    assert Refund.objects.get().state == "SUCCEEDED"


def test_seller_is_reminded_and_ships_on_time(market: World, live_server: Any, come: Come) -> None:
    market.sandbox.clock.now = timezone.now() - timedelta(hours=50)  # 22 hours are left
    order = ground.paid_order(market)
    escrow.remind_due_shipments(at=timezone.now())
    books = ground.trial()
    seller = come(member("seller", merchant=market.merchants[0]))

    seller.go(f"{live_server.url}/portal/")
    todo = seller.read()
    seller.go(live_server.url + reverse("portal:order", args=[order.pk]))
    seller.enter("carrier", "SF")
    seller.enter("tracking", "SF123")
    seller.click("Ship it")

    assert Event.objects.filter(type="order.ship_reminder", subject_id=order.pk).count() == 1
    assert "Orders to ship" in todo
    assert "Shipped. The buyer now has time to confirm receipt." in seller.read()
    assert escrow.cancel_due_shipments(at=timezone.now() + timedelta(days=3)) == 0
    order.refresh_from_db()
    assert (order.state, str(order.shipments.get())) == ("SHIPPED", "SF SF123")
    assert ground.trial() == books


@pytest.fixture
def paid(market: World) -> list[Order]:
    """One order for each row of the file but one."""
    market.sandbox.clock.now = timezone.now()
    orders = [market.create_order(reference=f"R{row}")[0] for row in range(2, ROWS + 2)]
    orders = [order for order in orders if order.reference != "R50"]
    for first in range(0, len(orders), MAX_ORDERS):
        ground.capture(ground.make_payment(market, *orders[first : first + MAX_ORDERS]))
    return orders


def parcels() -> list[list[str]]:
    """A file of two hundred rows, three of them bad: the reference tells the row."""
    rows = [[f"R{row}", "SF", f"SF{row:09}"] for row in range(2, ROWS + 2)]
    rows[50 - 2][0] = "R50-unknown"
    rows[120 - 2][2] = ""
    rows[199 - 2][2] = "1.23E+15"
    return [["reference", "carrier", "tracking number"], *rows]


def test_file_of_two_hundred_parcels_ships_all_but_three(
    market: World, paid: list[Order], live_server: Any, come: Come, tmp_path: Path
) -> None:
    file = tmp_path / "parcels.csv"
    with file.open("w", newline="") as written:
        csv.writer(written).writerows(parcels())
    seller = come(member("seller", merchant=market.merchants[0]))
    books = ground.trial()

    seller.go(f"{live_server.url}/portal/orders/bulk")
    seller.upload("file", str(file))
    seller.click("Check the file")
    review = seller.read("main table tbody")
    errors = list(csv.reader(io.StringIO(seller.take("Download them").decode("utf-8-sig"))))
    looked_at = Shipment.objects.count()
    seller.click("Ship 197 orders")
    sweeps.run_due_jobs(at=timezone.now())
    seller.wait_to_read("Download the rows that failed")  # the page has noticed by itself
    done = seller.read()

    assert review == (
        "50 R50-unknown Order reference You have no order of this reference."
        " 120 R120 Tracking number This is empty."
        " 199 R199 Tracking number"
        " The spreadsheet program has cut this number. Format the column as text."
    )
    assert [row[:4] for row in errors[1:]] == [
        ["50", "R50-unknown", "SF", "SF000000050"],
        ["120", "R120", "SF", ""],
        ["199", "R199", "SF", "1.23E+15"],
    ]
    assert looked_at == 0
    assert Job.objects.get().counts == {"shipped": 197, "known": 0, "failed": 3}
    assert "197" in done
    shipped = Order.objects.filter(state="SHIPPED").values_list("reference", flat=True)
    wrong = {"R50", "R120", "R199"}
    assert set(shipped) == {row[0] for row in parcels()[1:]} - wrong - {"R50-unknown"}
    assert Shipment.objects.count() == 197
    assert ground.trial() == books  # shipping moves no money


def test_the_same_table_as_a_workbook_has_the_same_faults(market: World, paid: list[Order]) -> None:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in parcels():
        book.active.append(row)
    book.save(file)
    client = sign_in(member("seller", merchant=market.merchants[0]))

    upload = SimpleUploadedFile("parcels.xlsx", file.getvalue())
    page = client.post(reverse("portal:ship-many"), {"file": upload}, follow=True)

    plan = page.context["plan"]
    faults = [(fault.row.number, fault.code) for fault in plan.faults]
    assert faults == [(50, "unknown_order"), (120, "missing"), (199, "shortened")]
    assert len(plan.ships) == 197
