"""Why: what a platform is told of its sellers' money is what they are told: it must be exact, and
every sum must be the sum of its lines.
"""

from datetime import timedelta

import pytest

from api.fields import instant
from demo import clockwork
from escrow.models import Refund
from escrow.services import debit_requests
from tests import ground, rerouting
from tests.api.estate import ACCOUNT, Estate, Town
from tests.api.shop import Shop, problem
from tests.world import RETURNS, World

START_TEXT = "2026-03-02T09:00:00.000000Z"


@pytest.fixture
def ours(town: Town) -> Estate:
    return town.ours


@pytest.fixture
def shop(town: Town) -> Shop:
    return town.ours.shop


def test_balances_say_who_has_what_where(ours: Estate, shop: Shop) -> None:
    held, paid = 7, 3  # orders
    expected = [
        ("PLATFORM", None, 450 * held, 450 * paid),
        ("MERCHANT", ours.has["merchant"], 9491 * held, 9491 * paid),
    ]

    found = shop.get("/v1/balances").json()["data"]

    assert [
        (row["payee"], row["merchant"], row["held_minor"], row["paid_out_minor"]) for row in found
    ] == expected
    assert {(r["currency"], r["payable_minor"], r["in_transit_minor"]) for r in found} == {
        ("CNY", 0, 0)
    }


def test_released_money_is_payable_until_it_is_paid_out(ours: Estate, shop: Shop) -> None:
    def seller() -> tuple[int, ...]:
        row = shop.get("/v1/balances").json()["data"][1]
        names = ("held_minor", "payable_minor", "in_transit_minor", "paid_out_minor")
        return tuple(row[name] for name in names)

    before = seller()
    shop.confirm({"id": ours.has["shipped"], "buyer_token": ours.has["shipped_token"]})
    released = seller()
    clockwork.SWEEPS["payouts.cut_due_settlements"](at=shop.sandbox.clock.now)
    cut = seller()
    shop.remit()
    shop.settle()

    assert before == (66437, 0, 0, 28473)
    assert released == (56946, 9491, 0, 28473)
    owed = 95 + 193  # what the seller owed of two refunds is taken first
    assert cut == (56946, 0, 9491 - owed, 28473)
    assert seller() == (56946, 0, 0, 28473 + 9491 - owed)


def test_statement_lists_what_it_pays(ours: Estate, shop: Shop) -> None:
    listed = shop.get(f"/v1/settlements?merchant={ours.has['merchant']}").json()["data"]
    released = {ours.has[name] for name in ("released", "confirmed")}

    found = shop.get(f"/v1/settlements/{listed[-1]['id']}").json()

    lines, deductions = found.pop("lines"), found.pop("deductions")
    assert found.pop("reserve") is None  # nothing was ever held back
    assert found == listed[-1]
    assert (found["amount_minor"], found["line_count"], found["currency"]) == (18982, 2, "CNY")
    assert {line["order"] for line in lines} == released
    assert [line["amount_minor"] for line in lines] == [9491, 9491]
    assert deductions == []
    for line in lines:
        order = shop.get(f"/v1/orders/{line['order']}").json()
        assert line["order_reference"] == order["reference"]
        assert (line["kind"], line["owed_at"]) == ("SALE", order["confirmed_at"])
        assert shop.get(f"/v1/releases/{line['release']}").json()["order"] == line["order"]
        assert {part["settlement"] for part in order["split"]} > {found["id"], None}


def test_debt_says_who_owes_what_of_which_refund(ours: Estate, shop: Shop) -> None:
    listed = shop.get(f"/v1/debts?merchant={ours.has['merchant']}").json()["data"]

    found = shop.get(f"/v1/debts/{listed[-1]['id']}").json()

    refund = shop.get(f"/v1/refunds/{found['refund']}").json()
    assert found == listed[-1]
    assert found == {
        "id": found["id"],
        "payee": "MERCHANT",
        "merchant": ours.has["merchant"],
        "party": None,
        "refund": refund["id"],
        "dispute": None,
        "order": ours.has["confirmed"],
        "state": "OPEN",
        "currency": "CNY",
        "amount_minor": 95,
        "open_minor": 95,
        "steps": [],
        "debit_request": None,
        "created_at": refund["created_at"],
        "guaranteed_at": None,
        "closed_at": None,
    }
    assert (refund["amount_minor"], refund["shares"][0]["amount_minor"]) == (101, 95)
    assert [each["amount_minor"] for each in listed] == [193, 95]


def test_debt_shows_what_the_seller_was_asked_to_pay(ours: Estate, shop: Shop) -> None:
    (_newest, oldest) = shop.get(f"/v1/debts?merchant={ours.has['merchant']}").json()["data"]
    at = shop.sandbox.clock.now
    made = debit_requests.request_debit(
        debt_id=oldest["id"], asked_by=ground.operator("first"), at=at
    )

    found = shop.get(f"/v1/debts/{oldest['id']}").json()["debit_request"]

    assert found == {
        "id": made.id,
        "payment_reference": made.payment_reference,
        "amount_minor": 95,
        "due_at": instant(at + timedelta(days=14)),
        "state": "OPEN",
        "pay_to": {
            "account_name": "Holdfast customer reserve (sandbox)",
            "account_number": "0000 0000 0000 0001",
            "bank_name": "Sandbox Bank",
            "bank_code": "SANDBOX0",
        },
    }


def test_statement_shows_which_debts_later_sales_paid(ours: Estate, shop: Shop) -> None:
    shop.confirm({"id": ours.has["shipped"], "buyer_token": ours.has["shipped_token"]})
    clockwork.SWEEPS["payouts.cut_due_settlements"](at=shop.sandbox.clock.now)

    debts = shop.get(f"/v1/debts?merchant={ours.has['merchant']}").json()["data"]
    (newest,) = shop.get(f"/v1/settlements?merchant={ours.has['merchant']}&limit=1").json()["data"]
    found = shop.get(f"/v1/settlements/{newest['id']}").json()

    assert [each["state"] for each in debts] == ["SETTLED", "SETTLED"]
    assert [
        (step["kind"], step["amount_minor"], step["settlement"])
        for each in debts
        for step in each["steps"]
    ] == [("NETTED", 193, found["id"]), ("NETTED", 95, found["id"])]
    assert [
        (each["debt"], each["refund"], each["order"], each["amount_minor"])
        for each in found["deductions"]
    ] == [
        (debts[1]["id"], debts[1]["refund"], ours.has["confirmed"], 95),
        (debts[0]["id"], debts[0]["refund"], ours.has["confirmed"], 193),
    ]
    assert found["amount_minor"] == 9491 - 95 - 193
    assert [line["amount_minor"] for line in found["lines"]] == [9491]


def test_platform_has_a_statement_of_its_commission(ours: Estate, shop: Shop) -> None:
    rows = shop.get("/v1/settlements?limit=100").json()["data"]

    own = [row["amount_minor"] for row in rows if row["payee"] == "PLATFORM"]

    assert own == [450, 900]
    assert {row["payee"] for row in rows} == {"MERCHANT", "PLATFORM"}
    only = shop.get("/v1/settlements?payee=PLATFORM").json()["data"]
    assert [row["amount_minor"] for row in only] == own
    assert shop.get(f"/v1/payouts?party={ours.has['party']}").json()["data"] == []


def test_payout_says_where_the_money_went(ours: Estate, shop: Shop) -> None:
    (statement,) = shop.get(f"/v1/settlements?merchant={ours.has['merchant']}&limit=1").json()[
        "data"
    ]

    (found,) = shop.get(f"/v1/payouts?settlement={statement['id']}").json()["data"]

    account = shop.get(f"/v1/bank-accounts/{found['bank_account']}").json()
    assert found == {
        "id": found["id"],
        "settlement": statement["id"],
        "payee": "MERCHANT",
        "merchant": ours.has["merchant"],
        "party": None,
        "state": "PAID",
        "currency": "CNY",
        "amount_minor": 9491,
        "bank_account": account["id"],
        "holder_name": "Garden",
        "last_four": "0001",
        "needs_approval": False,
        "frozen": False,
        "created_at": found["created_at"],
        "paid_at": found["paid_at"],
        "returned_at": None,
        "failure_code": None,
    }
    assert found["created_at"] <= found["paid_at"]


def test_payout_that_came_back_says_so(ours: Estate, shop: Shop) -> None:
    body = ACCOUNT | {"account_number": RETURNS, "merchant": ours.has["merchant"]}
    shop.post("/v1/bank-accounts", body)
    shop.confirm({"id": ours.has["shipped"], "buyer_token": ours.has["shipped_token"]})
    for _ in range(2):
        shop.settle()
        shop.remit()
        shop.wait(hours=1)
    shop.settle()

    found = shop.get(f"/v1/payouts?merchant={ours.has['merchant']}&state=RETURNED").json()["data"]

    assert [(row["last_four"], row["amount_minor"]) for row in found] == [("0003", 9203)]
    assert found[0]["paid_at"] <= found[0]["returned_at"]
    assert found[0]["failure_code"]
    order = shop.get(f"/v1/orders/{ours.has['shipped']}").json()
    assert (order["status"], order["split"][0]["status"]) == ("released", "returned")


def test_hold_follows_its_order(ours: Estate, shop: Shop) -> None:
    shares = [("MERCHANT", 9491), ("PLATFORM", 450), ("SERVICE_FEE", 60)]
    expected = {
        "paid": ("HELD", 0, 0, 10001),
        "released": ("RELEASED", 10001, 0, 0),
        "canceled": ("REFUNDED", 0, 10001, 0),
    }

    for name, (state, released, refunded, remaining) in expected.items():
        (found,) = shop.get(f"/v1/holds?order={ours.has[name]}").json()["data"]
        assert (found["state"], found["amount_minor"], found["currency"]) == (state, 10001, "CNY")
        assert found["released_minor"] == released
        assert found["refunded_minor"] == refunded
        assert found["remaining_minor"] == remaining
        planned = [(share["payee"], share["amount_minor"]) for share in found["shares"]]
        assert planned == ([] if state == "REFUNDED" else shares)
        assert (found["closed_at"] is None) is (state == "HELD")


def test_release_lists_who_received_what(ours: Estate, shop: Shop) -> None:
    (found,) = shop.get(f"/v1/releases?order={ours.has['released']}").json()["data"]

    (hold,) = shop.get(f"/v1/holds?order={ours.has['released']}").json()["data"]
    lines = [(line["payee"], line["amount_minor"]) for line in found["lines"]]
    assert (found["hold"], found["order"]) == (hold["id"], ours.has["released"])
    assert (found["amount_minor"], found["confirmed_by"]) == (10001, "BUYER")
    assert lines == [("MERCHANT", 9491), ("PLATFORM", 450), ("SERVICE_FEE", 60)]
    assert [bool(line["settlement"]) for line in found["lines"]] == [True, True, False]


def test_refund_says_when_the_buyer_had_it(ours: Estate, shop: Shop) -> None:
    (found,) = shop.get(f"/v1/refunds?order={ours.has['canceled']}").json()["data"]

    order = shop.get(f"/v1/orders/{ours.has['canceled']}").json()
    assert [{**each, "order": found["order"]} for each in order["refunds"]] == [
        {
            name: value
            for name, value in found.items()
            if name not in ("shares", "lines", "bank_refunds")
        }
    ]
    assert [share["amount_minor"] for share in found["shares"]] == [9491, 450, 60]
    assert (found["state"], found["amount_minor"], found["reason"]) == (
        "SUCCEEDED",
        10001,
        "PLATFORM",
    )
    assert found["payment"] == order["payments"][0]["id"]
    assert START_TEXT < found["created_at"] <= found["succeeded_at"]


def test_part_of_an_order_is_refunded_by_lines(shop: Shop) -> None:
    order = shop.paid_order()
    body = {"order": order["id"], "lines": [{"position": 1, "amount_minor": 3333}], "reason": "one"}

    answer = shop.post("/v1/refunds", body)
    listed = shop.get(f"/v1/refunds?order={order['id']}").json()["data"]
    after = shop.get(f"/v1/orders/{order['id']}").json()

    refund = answer.json()
    assert answer.status_code == 201, answer.content
    assert (refund["order"], refund["amount_minor"], refund["state"]) == (
        order["id"],
        3333,
        "PENDING",
    )
    assert refund["lines"] == [{"position": 1, "amount_minor": 3333}]
    assert refund["shares"] == [
        {"payee": "MERCHANT", "amount_minor": 3163},
        {"payee": "PLATFORM", "amount_minor": 150},
        {"payee": "SERVICE_FEE", "amount_minor": 20},
    ]
    assert answer["Location"] == f"/v1/refunds/{refund['id']}"
    assert [each["id"] for each in listed] == [refund["id"]]
    assert after["status"] == "paid"
    assert [line["amount_minor"] for line in after["split"]] == [6328, 300, 40]


def test_refund_by_the_bank_shows_its_route(shop: Shop) -> None:
    order = shop.paid_order()
    shop.sandbox.channel.faults.add(operation="refund", fault="fail_later", times=1)
    body = {"order": order["id"], "amount_minor": 3333, "reason": "one"}
    key = shop.post("/v1/refunds", body).json()["id"]
    shop.settle()
    refund = Refund.objects.get(pk=key)
    world = World(shop.sandbox, shop.platform)
    rerouting.approve(world, rerouting.propose(world, refund))
    shop.remit()
    shop.settle()

    found = shop.get(f"/v1/refunds/{key}").json()

    (route,) = found["bank_refunds"]
    assert (found["state"], found["failure_code"]) == ("SUCCEEDED", refund.failure_code)
    assert route == {
        "id": route["id"],
        "state": "PAID",
        "last_four": "0001",
        "created_at": route["created_at"],
        "paid_at": found["succeeded_at"],
        "returned_at": None,
        "failure_code": None,
    }
    (told,) = shop.get(f"/v1/events?subject={key}&type=refund.rerouted").json()["data"]
    assert told["data"]["bank_refund"] == route["id"]


def test_refund_of_more_than_is_left_is_refused_and_moves_nothing(shop: Shop) -> None:
    order = shop.paid_order()

    answer = shop.post("/v1/refunds", {"order": order["id"], "amount_minor": 10002, "reason": "x"})

    assert problem(answer, 409, "refund_too_large")["facts"]["left_minor"] == 10001
    assert shop.get(f"/v1/refunds?order={order['id']}").json()["data"] == []
