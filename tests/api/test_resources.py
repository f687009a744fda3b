"""Why: sellers are paid by what is said here: it must be whole, refused when it is nonsense, and
never tell the number of a bank account again.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from api.models import StoredAnswer
from merchants import services as merchants
from merchants.models import BankAccount, Merchant
from payouts.models import PayoutSchedule
from tests.api.estate import ACCOUNT, Estate, Town
from tests.api.shop import Shop, all_rows, pointers, problem

NUMBER = "6222000000000017"


@pytest.fixture
def ours(town: Town) -> Estate:
    return town.ours


@pytest.fixture
def shop(town: Town) -> Shop:
    return town.ours.shop


def add_seller(shop: Shop, **changes: Any) -> dict[str, Any]:
    body = {"reference": "new", "name": "Garden", "email": "garden@example.com"}
    answer = shop.post("/v1/merchants", body | changes)
    assert answer.status_code == 201, answer.content
    return answer.json()


def onboarding(shop: Shop, seller: dict[str, Any]) -> tuple[str, list[str]]:
    found = shop.get(f"/v1/merchants/{seller['id']}").json()["onboarding"]
    return found["status"], found["missing"]


# Sellers


def test_seller_is_answered_whole(shop: Shop) -> None:
    answer = shop.post("/v1/merchants", {"reference": "s-17", "name": "西湖茶园"})

    found = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/merchants/{found['id']}"
    assert found == {
        "id": found["id"],
        "reference": "s-17",
        "name": "西湖茶园",
        "email": "",
        "language": "en",
        "time_zone": "",
        "reserve_bps": None,
        "reserve_days": None,
        "active": True,
        "created_at": found["created_at"],
        "onboarding": {"status": "pending", "missing": ["email", "bank_account"]},
    }
    assert found["id"].startswith("mer_")
    assert shop.get(answer.headers["Location"]).json() == found


def test_onboarding_says_what_is_missing(shop: Shop) -> None:
    seller = add_seller(shop, email="")
    path = f"/v1/merchants/{seller['id']}"
    seen = [onboarding(shop, seller)]

    for currency in ("JPY", "CNY"):
        body = ACCOUNT | {"merchant": seller["id"], "currency": currency}
        assert shop.post("/v1/bank-accounts", body).status_code == 201
        seen.append(onboarding(shop, seller))
    for change in ({"email": "g@example.com"}, {"active": False}, {"email": ""}, {"active": True}):
        assert shop.post(path, change).status_code == 200
        seen.append(onboarding(shop, seller))

    assert seen == [
        ("pending", ["email", "bank_account"]),
        ("pending", ["email", "bank_account"]),  # the platform settles in CNY
        ("pending", ["email"]),
        ("ready", []),
        ("suspended", ["active"]),
        ("suspended", ["active", "email"]),
        ("pending", ["email"]),
    ]


def test_change_leaves_the_rest_as_it_was(shop: Shop) -> None:
    seller = add_seller(shop)
    path = f"/v1/merchants/{seller['id']}"

    renamed = shop.post(path, {"name": "Garden of tea"}).json()
    spoken = shop.post(path, {"language": "zh-hans"}).json()
    unchanged = shop.post(path, {}).json()

    assert renamed == seller | {"name": "Garden of tea"}
    assert spoken == renamed | {"language": "zh-hans"}
    assert shop.get(path).json() == unchanged == spoken
    audited = Merchant.objects.get(pk=seller["id"]).audit.order_by("pgh_id")
    actors = {(row.pgh_context or {}).get("actor") for row in audited}
    assert actors == {f"platform:{shop.platform.id}"}


def test_suspended_seller_takes_no_new_orders(shop: Shop) -> None:
    seller = add_seller(shop)
    under_way = shop.create_order(merchant=seller["id"])
    shop.post(f"/v1/merchants/{seller['id']}", {"active": False})

    answer = shop.post("/v1/orders", shop.order_body(merchant=seller["id"]))

    found = problem(answer, 422, "merchant_unavailable")
    assert pointers(found) == [("#/merchant", "merchant_unavailable")]
    shop.pay(under_way)
    assert shop.status(under_way) == "paid"
    shop.post(f"/v1/merchants/{seller['id']}", {"active": True})
    assert shop.create_order(merchant=seller["id"])["merchant"] == seller["id"]


def test_reference_of_a_seller_is_taken_once(shop: Shop, town: Town) -> None:
    seller = add_seller(shop)
    before = all_rows()

    problem(
        shop.post("/v1/merchants", {"reference": "new", "name": "B"}),
        409,
        "merchant_reference_taken",
    )

    assert all_rows() == before
    assert add_seller(town.theirs.shop)["id"] != seller["id"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": ""}, "#/name"),
        ({"name": None}, "#/name"),
        ({"name": "x" * 121}, "#/name"),
        ({"email": "none"}, "#/email"),
        ({"email": "a@b.example\nBcc: c@d.example"}, "#/email"),
        ({"email": "x" * 250 + "@example.com"}, "#/email"),
        ({"language": "fr"}, "#/language"),
        ({"language": ""}, "#/language"),
        ({"active": 1}, "#/active"),
        ({"active": "false"}, "#/active"),
        ({"active": None}, "#/active"),
        ({"reference": "s-18"}, "#/reference"),
        ({"onboarding": {"status": "ready"}}, "#/onboarding"),
    ],
)
def test_seller_is_not_changed_to_nonsense(shop: Shop, changes: dict, pointer: str) -> None:
    seller = add_seller(shop)
    before = all_rows()

    answer = shop.post(f"/v1/merchants/{seller['id']}", changes)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert all_rows() == before
    assert shop.get(f"/v1/merchants/{seller['id']}").json() == seller


# Bank accounts


def test_account_is_answered_without_its_number(ours: Estate, shop: Shop) -> None:
    answer = shop.post("/v1/bank-accounts", ACCOUNT | {"merchant": ours.has["merchant"]})

    found = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/v1/bank-accounts/{found['id']}"
    assert found == {
        "id": found["id"],
        "payee": "MERCHANT",
        "merchant": ours.has["merchant"],
        "party": None,
        "currency": "CNY",
        "holder_name": "Garden",
        "bank_code": "102100099996",
        "bank_name": "",
        "last_four": "0017",
        "active": True,
        "status": "IN_FORCE",
        "effective_at": found["created_at"],
        "created_at": found["created_at"],
    }
    assert shop.get(answer.headers["Location"]).json() == found


def test_another_account_takes_the_place_of_the_one_before(ours: Estate, shop: Shop) -> None:
    seller = ours.has["merchant"]
    of_seller = f"/v1/bank-accounts?merchant={seller}"
    (before,) = shop.get(of_seller).json()["data"]

    shop.wait(seconds=1)
    shop.post("/v1/bank-accounts", ACCOUNT | {"merchant": seller})
    shop.post("/v1/bank-accounts", ACCOUNT | {"merchant": seller, "currency": "JPY"})

    found = shop.get(of_seller).json()["data"]
    assert {(row["last_four"], row["currency"], row["active"]) for row in found} == {
        ("0001", "CNY", False),
        ("0017", "CNY", True),
        ("0017", "JPY", True),
    }
    assert {**before, "active": False, "status": "REPLACED"} in found


def test_changed_account_waits_and_can_be_canceled(ours: Estate, shop: Shop) -> None:
    merchants.set_account_cooloff(platform_id=shop.platform.pk, hours=24, at=shop.sandbox.clock.now)
    body = ACCOUNT | {"merchant": ours.has["merchant"]}

    waiting = shop.post("/v1/bank-accounts", body).json()
    of_seller = f"/v1/bank-accounts?merchant={ours.has['merchant']}&currency=CNY"
    active = [row["last_four"] for row in shop.get(of_seller).json()["data"] if row["active"]]
    canceled = shop.post(f"/v1/bank-accounts/{waiting['id']}/cancel", {})

    assert (waiting["status"], waiting["active"], active) == ("WAITING", False, ["0001"])
    began, due = (datetime.fromisoformat(waiting[name]) for name in ("created_at", "effective_at"))
    assert due - began == timedelta(hours=24)
    assert (canceled.status_code, canceled.json()) == (200, {**waiting, "status": "CANCELED"})
    again = shop.post(f"/v1/bank-accounts/{waiting['id']}/cancel", {})
    problem(again, 409, "bank_account_decided")


def test_account_without_a_seller_is_the_platforms_own(ours: Estate, shop: Shop) -> None:
    for body in (ACCOUNT, ACCOUNT | {"merchant": None}):
        assert shop.post("/v1/bank-accounts", body).json()["merchant"] is None

    own = BankAccount.objects.filter(platform=shop.platform, merchant=None)
    assert sorted(own.values_list("last_four", "state")) == [
        ("0001", "REPLACED"),
        ("0017", "IN_FORCE"),
        ("0017", "REPLACED"),
    ]


def test_account_of_a_party_pays_the_party(ours: Estate, shop: Shop) -> None:
    party = ours.has["party"]

    answer = shop.post("/v1/bank-accounts", ACCOUNT | {"party": party})

    assert answer.status_code == 201
    found = answer.json()
    assert (found["payee"], found["merchant"], found["party"]) == ("PARTY", None, party)
    listed = shop.get("/v1/bank-accounts?payee=PARTY").json()["data"]
    assert listed == shop.get(f"/v1/bank-accounts?party={party}").json()["data"] == [found]
    schedule = PayoutSchedule.objects.get(party=party)
    assert schedule.address == f"party:{party}:payable"
    assert BankAccount.objects.filter(
        platform=shop.platform, payee="PLATFORM", state="IN_FORCE"
    ).exists()


def test_account_of_a_seller_and_a_party_at_once_is_refused(ours: Estate, shop: Shop) -> None:
    before = all_rows()
    both = ACCOUNT | {"party": ours.has["party"], "merchant": ours.has["merchant"]}

    problem(shop.post("/v1/bank-accounts", both), 422, "bank_account_invalid")

    assert all_rows() == before


def test_account_of_another_platforms_party_is_refused(town: Town, shop: Shop) -> None:
    before = all_rows()
    foreign = ACCOUNT | {"party": town.theirs.has["party"]}

    problem(shop.post("/v1/bank-accounts", foreign), 422, "party_not_found")

    assert all_rows() == before


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"account_number": "6222#00000000017"}, "bank_account_invalid", "#/account_number"),
        ({"account_number": "62220"}, "bank_account_invalid", "#/account_number"),
        ({"account_number": "6222000000000017" * 3}, "bank_account_invalid", "#/account_number"),
        ({"account_number": "6222000000000017" * 4}, "request_invalid", "#/account_number"),
        ({"account_number": 6222000000000017}, "request_invalid", "#/account_number"),
        ({"account_number": ["6222000000000017"]}, "request_invalid", "#/account_number"),
        ({"account_number": ""}, "request_invalid", "#/account_number"),
        ({"holder_name": ""}, "request_invalid", "#/holder_name"),
        ({"bank_code": "x" * 21}, "request_invalid", "#/bank_code"),
        ({"currency": "CN"}, "request_invalid", "#/currency"),
        ({"currency": "XXX"}, "currency_unknown", None),
        ({"active": False}, "request_invalid", "#/active"),
        ({"last_four": "0000"}, "request_invalid", "#/last_four"),
        ({"merchant": "mer_0"}, "merchant_unavailable", "#/merchant"),
        ({"party": "pty_0"}, "party_not_found", "#/party"),
        ({"payee": "PLATFORM"}, "request_invalid", "#/payee"),
    ],
)
def test_account_that_is_none_is_refused_without_its_number(
    shop: Shop, changes: dict, code: str, pointer: str | None
) -> None:
    before = all_rows()

    answer = shop.post("/v1/bank-accounts", {**ACCOUNT, "account_number": NUMBER, **changes})

    found = problem(answer, 422, code)
    assert [each for each, _code in pointers(found)] == ([pointer] if pointer else [])
    assert "6222" not in answer.content.decode()
    assert all_rows() == before


def test_account_number_is_nowhere_but_sealed(ours: Estate, shop: Shop) -> None:
    holder = "Zhang Wei 8c1f"
    body = {**ACCOUNT, "account_number": NUMBER, "holder_name": holder}
    sent = [shop.post("/v1/bank-accounts", body, Idempotency_Key="acc-1") for _ in range(2)]
    path = sent[0].headers["Location"]

    heard = [*sent, shop.get(path), shop.get("/v1/bank-accounts"), shop.get("/v1/merchants")]
    heard += [shop.get("/v1/events?limit=100"), shop.get("/v1/payouts?limit=100")]

    assert sent[1].headers["Idempotent-Replayed"] == "true"
    assert StoredAnswer.objects.filter(key="acc-1").exists()
    assert not [answer for answer in heard if NUMBER in answer.content.decode()]
    assert tables_with(NUMBER) == []
    assert tables_with(holder) == ["merchants_bankaccount", "merchants_bankaccountaudit"]


def tables_with(text: str) -> list[str]:
    """The tables in which some column of some row has this text, or its bytes."""
    found = []
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names():
            table = connection.ops.quote_name(name)
            cursor.execute(
                f"SELECT EXISTS (SELECT FROM {table} t WHERE t::text LIKE ANY (%s))",
                [[f"%{text}%", f"%{text.encode().hex()}%"]],
            )
            if cursor.fetchone()[0]:
                found.append(name)
    return found
