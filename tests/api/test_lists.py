"""Why: who reads a list page by page must see each row once, however busy the shop is, and must
never be shown more, or less, than was asked for.
"""

import base64
import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from api import pages
from api.v1 import urls
from tests.api.estate import ACCOUNT, HOOK, LISTS, Town
from tests.api.shop import Shop, problem
from tests.world import START

VIEWS = {
    name: pattern.callback.view_class
    for name in LISTS
    for pattern in urls.urlpatterns
    if pattern.name == name
}
FILTERS = [(name, each) for name, view in VIEWS.items() for each in view.filters]
STATES = [name for name, view in VIEWS.items() if "state" in view.filters]
EXPANDABLE = [(name, each) for name, view in VIEWS.items() for each in sorted(view.expandable)]
# What created_from compares with.
MADE = ("created_at", "held_at", "released_at", "opened_at", "cutoff_at")


def rows(shop: Shop, name: str, **asked: str) -> list[dict[str, Any]]:
    """All rows of a list, in one page."""
    query = "".join(f"&{key}={quote(value)}" for key, value in asked.items())
    answer = shop.get(f"/v1/{name}?limit=100{query}")
    found = answer.json()
    assert answer.status_code == 200, answer.content
    assert (found["has_more"], found["next_cursor"]) == (False, None)
    return found["data"]


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in found]


def walk(shop: Shop, name: str, between: Callable[[], Any] = lambda: None) -> list[list[str]]:
    """The ids on each page of two rows, doing something between the pages."""
    found, cursor = [], ""
    while True:
        page = shop.get(f"/v1/{name}?limit=2{cursor}").json()
        found.append(ids(page["data"]))
        assert page["has_more"] is (page["next_cursor"] is not None)
        if not page["has_more"]:
            return found
        cursor = f"&cursor={page['next_cursor']}"
        between()


def test_every_list_is_tested() -> None:
    lists = {
        pattern.name
        for pattern in urls.urlpatterns
        if issubclass(pattern.callback.view_class, pages.ListView)
    }

    assert lists == set(LISTS)


# Pages


@pytest.mark.parametrize("name", LISTS)
def test_pages_show_every_row_once_newest_first(town: Town, name: str) -> None:
    whole = ids(rows(town.ours.shop, name))

    found = walk(town.ours.shop, name)

    assert [each for page in found for each in page] == whole == sorted(whole, reverse=True)
    assert {len(page) for page in found[:-1]} == {2} if len(whole) > 2 else {()}


def add_merchant(shop: Shop) -> Any:
    shop.count += 1
    return shop.post("/v1/merchants", {"reference": f"new-{shop.count}", "name": "New"})


ADDERS: dict[str, Callable[[Shop], Any]] = {
    "merchants": add_merchant,
    "bank-accounts": lambda shop: shop.post("/v1/bank-accounts", ACCOUNT),
    "orders": lambda shop: shop.create_order(),
    "payments": lambda shop: shop.start_payment(shop.create_order()),
    "webhook-endpoints": lambda shop: shop.post("/v1/webhook-endpoints", {"url": HOOK}),
}


@pytest.mark.parametrize("name", ADDERS)
def test_rows_added_meanwhile_move_no_page(town: Town, name: str) -> None:
    shop = town.ours.shop
    whole = ids(rows(shop, name))

    def add() -> None:
        shop.wait(seconds=1)
        ADDERS[name](shop)

    found = walk(shop, name, between=add)

    assert [each for page in found for each in page] == whole
    newer = len(found) - 1
    assert ids(shop.get(f"/v1/{name}?limit=100").json()["data"])[newer:] == whole
    assert newer > 0


def test_page_has_25_rows_unless_asked(town: Town) -> None:
    page = town.ours.shop.get("/v1/events").json()

    assert (len(page["data"]), page["has_more"]) == (25, True)


@pytest.mark.parametrize(("limit", "more"), [(1, True), (13, True), (14, False), (100, False)])
def test_limit_is_kept(town: Town, limit: int, more: bool) -> None:
    page = town.ours.shop.get(f"/v1/orders?limit={limit}").json()

    assert (len(page["data"]), page["has_more"]) == (min(limit, 14), more)


@pytest.mark.parametrize(
    "limit", ["0", "101", "-1", "", "x", "1.0", "%2B1", "%201", "１", "1e1", "9" * 40, "2&limit=3"]
)
def test_limit_out_of_bounds_is_refused(town: Town, limit: str) -> None:
    found = problem(town.ours.shop.get(f"/v1/orders?limit={limit}"), 400, "query_parameter_invalid")

    assert found["facts"] == {"parameter": "limit"}


def coded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "!",
        "====",
        "a",
        "é",
        "%00",
        coded("ord 1"),
        coded("ord_\x00"),
        coded("x" * 41),
        coded("ord_1' OR 1=1"),
        coded("订单"),
        f"{coded('ord_1')}&cursor={coded('ord_1')}",
    ],
)
def test_cursor_that_is_none_is_refused(town: Town, cursor: str) -> None:
    answer = town.ours.shop.get(f"/v1/orders?cursor={cursor}")

    found = problem(answer, 400, "query_parameter_invalid")

    assert found["facts"] == {"parameter": "cursor"}


def test_cursor_of_another_platform_shows_our_own_rows(town: Town) -> None:
    theirs = town.theirs.shop.get("/v1/orders?limit=1").json()

    found = town.ours.shop.get(f"/v1/orders?limit=100&cursor={theirs['next_cursor']}").json()

    older = [each for each in ids(rows(town.ours.shop, "orders")) if each < theirs["data"][0]["id"]]
    assert ids(found["data"]) == older
    assert older


# Filters


@pytest.mark.parametrize("name", LISTS)
def test_filter_nobody_knows_is_refused(town: Town, name: str) -> None:
    for query in ("status=paid", "platform=plt_1", "format=json", "order_by=id", "page=2"):
        answer = town.ours.shop.get(f"/v1/{name}?{query}")
        found = problem(answer, 400, "query_parameter_unknown")
        assert found["facts"] == {"parameter": query.partition("=")[0]}


BAD = {
    "array": ["", "NOPE", ",", "PENDING,", "paid", "PAID SHIPPED"],
    "date-time": [
        "",
        "yesterday",
        "2026-03-02",
        "2026-03-02T09:00:00",
        "2026-02-30T09:00:00Z",
        "1",
    ],
    "string": ["", "x" * 256, "\x00"],
}


@pytest.mark.parametrize(("name", "parameter"), FILTERS)
def test_malformed_filter_is_refused(town: Town, name: str, parameter: str) -> None:
    schema = VIEWS[name].filters[parameter].schema
    path = f"/v1/{name}?{parameter}="

    for bad in [*BAD[schema.get("format", schema["type"])], None]:
        query = f"1&{parameter}=2" if bad is None else quote(bad)
        found = problem(town.ours.shop.get(path + query), 400, "query_parameter_invalid")
        assert found["facts"] == {"parameter": parameter}


@pytest.mark.parametrize("name", LISTS)
def test_created_from_and_before_cut_a_list_in_two(town: Town, name: str) -> None:
    whole = rows(town.ours.shop, name)
    made = next(each for each in MADE if each in whole[0])
    instants = sorted({row[made] for row in whole})

    for instant in instants:
        later = [row for row in whole if row[made] >= instant]
        assert rows(town.ours.shop, name, created_from=instant) == later
        earlier = [row for row in whole if row[made] < instant]
        assert rows(town.ours.shop, name, created_before=instant) == earlier
    assert datetime.fromisoformat(instants[0]) >= START
    both = {"created_from": instants[0], "created_before": instants[-1]}
    assert rows(town.ours.shop, name, **both) == [r for r in whole if r[made] < instants[-1]]


def test_instant_of_a_filter_may_have_an_offset(town: Town) -> None:
    zulu = rows(town.ours.shop, "orders", created_from="2026-03-02T09:00:03Z")

    assert rows(town.ours.shop, "orders", created_from="2026-03-02T17:00:03+08:00") == zulu
    assert 0 < len(zulu) < 14


@pytest.mark.parametrize("name", STATES)
def test_state_filter_takes_one_or_several(town: Town, name: str) -> None:
    whole = rows(town.ours.shop, name)
    known = VIEWS[name].filters["state"].schema["items"]["enum"]

    for state in known:
        assert rows(town.ours.shop, name, state=state) == [r for r in whole if r["state"] == state]
    assert rows(town.ours.shop, name, state=",".join(known)) == whole
    for one, two in itertools.pairwise(known):
        wanted = [row for row in whole if row["state"] in (one, two)]
        assert rows(town.ours.shop, name, state=f"{one},{two}") == wanted


TEXTS = [
    (name, each)
    for name, each in FILTERS
    if VIEWS[name].filters[each].schema["type"] == "string"
    if VIEWS[name].filters[each].schema.get("format") != "date-time"
]


@pytest.mark.parametrize(
    ("name", "parameter"),
    TEXTS,
)
def test_filter_by_a_text_shows_exactly_those_rows(town: Town, name: str, parameter: str) -> None:
    whole = rows(town.ours.shop, name)
    texts = {row[parameter] for row in whole if isinstance(row.get(parameter), str)}

    for text in texts:
        found = rows(town.ours.shop, name, **{parameter: text})
        assert found == [row for row in whole if row[parameter] == text]
    assert rows(town.ours.shop, name, **{parameter: "none"}) == []


def test_filters_narrow_each_other(town: Town) -> None:
    order = rows(town.ours.shop, "orders", state="PAID")[0]

    for state, found in (("PAID", [order]), ("SHIPPED", [])):
        asked = {"state": state, "reference": order["reference"], "merchant": order["merchant"]}
        assert rows(town.ours.shop, "orders", **asked) == found


def test_filter_goes_on_on_the_next_page(town: Town) -> None:
    whole = ids(rows(town.ours.shop, "orders", state="SHIPPED"))

    first = town.ours.shop.get("/v1/orders?state=SHIPPED&limit=3").json()
    path = f"/v1/orders?state=SHIPPED&limit=3&cursor={first['next_cursor']}"

    assert ids(first["data"] + town.ours.shop.get(path).json()["data"]) == whole
    assert len(whole) == 6


def test_refunds_of_an_order_are_also_those_of_money_it_did_not_wait_for(town: Town) -> None:
    shop = town.ours.shop
    order = shop.create_order()
    first, second = shop.start_payment(order), shop.start_payment(order)
    for payment in (first, second):
        shop.sandbox.channel.pay(payment["id"])
        shop.sandbox.tick()

    found = rows(shop, "refunds", order=order["id"])

    assert [(row["payment"], row["reason"]) for row in found] == [(second["id"], "DUPLICATE")]


# Relations


@pytest.mark.parametrize(("name", "relation"), EXPANDABLE)
def test_relation_is_an_id_or_the_whole_object(town: Town, name: str, relation: str) -> None:
    plain = rows(town.ours.shop, name)

    whole = rows(town.ours.shop, name, expand=relation)

    assert [{**row, relation: row[relation]["id"]} for row in whole] == plain
    path = {"merchant": "merchants", "settlement": "settlements", "event": "events"}[relation]
    item = town.ours.shop.get(f"/v1/{path}/{plain[0][relation]}").json()
    assert whole[0][relation].items() <= item.items()


@pytest.mark.parametrize(("name", "relation"), EXPANDABLE)
def test_relation_nobody_knows_is_refused(town: Town, name: str, relation: str) -> None:
    item = town.ours.shop.get(f"/v1/{name}?limit=1").json()["data"][0]["id"]
    paths = [f"/v1/{name}", f"/v1/{name}?created_before=2000-01-01T00:00:00Z"]
    if name != "orders":
        paths.append(f"/v1/{name}/{item}")

    for path in paths:
        for wanted in ("platform", f"{relation},platform", "rows", f"{relation}.platform"):
            answer = town.ours.shop.get(f"{path}{'&' if '?' in path else '?'}expand={wanted}")
            problem(answer, 400, "expansion_unknown")


@pytest.mark.parametrize("name", [name for name, view in VIEWS.items() if not view.expandable])
def test_list_without_relations_knows_no_expand(town: Town, name: str) -> None:
    item = town.ours.shop.get(f"/v1/{name}?limit=1").json()["data"][0]["id"]

    for path in (f"/v1/{name}", f"/v1/{name}/{item}"):
        problem(town.ours.shop.get(f"{path}?expand=merchant"), 400, "query_parameter_unknown")


# What a list costs, and whether it says what its items say


LOGGED = 1  # query: the request is written down
COST = {  # queries: the key with its platform, the rows, and what each kind of row needs besides
    "merchants": 3,
    "bank-accounts": 2,
    "commission-plans": 3,
    "parties": 2,
    "orders": 6,
    "payments": 3,
    "holds": 3,
    "releases": 3,
    "refunds": 5,
    "disputes": 5,
    "debts": 4,
    "settlements": 3,
    "payouts": 2,
    "events": 2,
    "webhook-endpoints": 2,
    "deliveries": 2,
}


@pytest.mark.parametrize("name", LISTS)
def test_page_costs_as_many_queries_however_long(town: Town, name: str) -> None:
    shop = town.ours.shop
    expand = "".join(f"&expand={each}" for each in VIEWS[name].expandable)

    def cost(limit: int) -> tuple[int, int]:
        with CaptureQueriesContext(connection) as queries:
            found = shop.get(f"/v1/{name}?limit={limit}{expand}").json()["data"]
        return len(found), len(queries)

    cost(1)  # notes that the key is used
    few, cost_of_few = cost(2)
    all_of_them, cost_of_all = cost(100)

    assert few == 2 < all_of_them
    assert cost_of_few == cost_of_all == COST[name] + LOGGED


@pytest.mark.parametrize("name", LISTS)
def test_item_says_what_its_row_says(town: Town, name: str) -> None:
    for row in rows(town.ours.shop, name)[:25]:
        item = town.ours.shop.get(f"/v1/{name}/{row['id']}").json()
        assert {key: item[key] for key in row if key in item} == {
            key: value for key, value in row.items() if key in item
        }
        assert {"id"} <= item.keys()


@pytest.mark.parametrize("name", LISTS)
def test_head_is_answered_as_get(town: Town, name: str) -> None:
    shop = town.ours.shop

    for query in ("?limit=1", "?limit=0"):
        path = f"/v1/{name}{query}"
        head = shop.door.send("HEAD", path, key=shop.key)
        assert (head.status_code, head.content) == (shop.get(path).status_code, b"")
