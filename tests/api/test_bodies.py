"""Why: a field that is ignored, rounded or guessed at is money that goes wrong later."""

import json
from typing import Any

import pytest
from rest_framework import serializers

from api import fields
from api.fields import StrictSerializer
from api.v1 import urls as every_request  # noqa: F401
from orders.models import Order
from tests.api.shop import Shop, nothing_moves, pointers, problem


@pytest.fixture
def database(db: None) -> None:
    """Roll back instead of committing: faster, and nothing here needs a commit."""


LINE = {"title": "Tea", "amount_minor": 9001}


def refused(shop: Shop, body: Any, path: str = "/v1/orders") -> list[tuple[str, str]]:
    with nothing_moves():
        found = problem(shop.post(path, body), 422, "request_invalid")
    assert not Order.objects.filter(reference="bad").exists()
    return pointers(found)


@pytest.mark.parametrize(
    "amount", [1.0, 90.5, "9001", True, None, -1, 10**15 + 1, [9001], {"minor": 9001}, ""]
)
def test_an_amount_is_a_whole_number_or_refused(shop: Shop, amount: Any) -> None:
    body = shop.order_body(reference="bad", lines=[LINE | {"amount_minor": amount}])

    found = refused(shop, body)

    assert [pointer for pointer, _code in found] == ["#/lines/0/amount_minor"]


@pytest.mark.parametrize("quantity", [0, -1, 1.5, "2", True, 1_000_001])
def test_a_quantity_is_a_whole_number_or_refused(shop: Shop, quantity: Any) -> None:
    body = shop.order_body(reference="bad", lines=[LINE, LINE | {"quantity": quantity}])

    assert [pointer for pointer, _code in refused(shop, body)] == ["#/lines/1/quantity"]


@pytest.mark.parametrize(
    "when",
    [
        "2026-03-04",
        "2026-03-04T10:30:00",
        "2026-03-04 10:30:00Z",
        "2026-03-04T25:00:00Z",
        "2026-02-30T10:00:00Z",
        "2026-03-04T10:30:60Z",
        "2026-03-04T10:30:00+25:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-03-04T10:30:00.1234567Z",
        "２０２６-03-04T10:30:00Z",
        1772600000,
        True,
        "",
    ],
)
def test_an_instant_has_an_offset_or_is_refused(shop: Shop, when: Any) -> None:
    found = refused(shop, shop.order_body(reference="bad", ship_by=when))

    assert [pointer for pointer, _code in found] == ["#/ship_by"]


@pytest.mark.parametrize(
    "name",
    ["status", "amount_minor", "terms", "platform", "paid_at", "id", "non_field_errors", "a/b~c"],
)
def test_an_unknown_field_is_refused(shop: Shop, name: str) -> None:
    found = refused(shop, shop.order_body(reference="bad") | {name: 1})

    escaped = name.replace("~", "~0").replace("/", "~1")
    assert found == [("#" if name == "non_field_errors" else f"#/{escaped}", "unknown")]


def test_unknown_fields_are_told_beside_all_other_errors(shop: Shop) -> None:
    body = shop.order_body(
        reference="",
        lines=[LINE, {"title": "x", "price": 1}],
        buyer={"email": "no", "role": "admin"},
    )

    found = refused(shop, body)

    assert sorted(found) == [
        ("#/buyer/email", "invalid"),
        ("#/buyer/role", "unknown"),
        ("#/lines/1/amount_minor", "required"),
        ("#/lines/1/price", "unknown"),
        ("#/reference", "blank"),
    ]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"reference": "x" * 65}, "#/reference"),
        ({"reference": "  "}, "#/reference"),
        ({"reference": "a\nb"}, "#/reference"),
        ({"reference": 17}, "#/reference"),
        ({"currency": "CNYX"}, "#/currency"),
        ({"lines": []}, "#/lines"),
        ({"lines": [LINE] * 101}, "#/lines"),
        ({"lines": {"0": LINE}}, "#/lines"),
        ({"lines": ["Tea"]}, "#/lines/0"),
        ({"lines": [LINE | {"title": ""}]}, "#/lines/0/title"),
        ({"lines": [LINE | {"category": "x" * 65}]}, "#/lines/0/category"),
        ({"delivery": "DRONE"}, "#/delivery"),
        ({"delivery": 1}, "#/delivery"),
        ({"buyer": "王芳"}, "#/buyer"),
        ({"buyer": {"email": "a@example.com\nBcc: b@example.com"}}, "#/buyer/email"),
        ({"metadata": {str(n): "" for n in range(21)}}, "#/metadata"),
        ({"metadata": {"k" * 41: "v"}}, "#/metadata"),
        ({"metadata": {"k": "v" * 501}}, "#/metadata/k"),
        ({"metadata": {"k": 1}}, "#/metadata/k"),
        ({"metadata": {"k": {"deep": "er"}}}, "#/metadata/k"),
        ({"metadata": "none"}, "#/metadata"),
    ],
)
def test_a_field_out_of_bounds_is_named(shop: Shop, changes: dict, pointer: str) -> None:
    found = refused(shop, shop.order_body(**{"reference": "bad"} | changes))

    assert [each for each, _code in found] == [pointer]


def test_the_largest_allowed_body_is_taken(shop: Shop) -> None:
    order = shop.create_order(
        reference="r" * 64,
        lines=[LINE | {"title": "茶" * 200, "amount_minor": 10}] * 100,
        shipping_minor=10**15 - 1000,
        metadata={f"{n:040}": "v" * 500 for n in range(20)},
    )

    assert order["amount_minor"] == 10**15


@pytest.mark.parametrize("body", [[], [1], "order", 1, None, True])
def test_a_body_that_is_no_object_is_refused(shop: Shop, body: Any) -> None:
    raw = json.dumps(body).encode()

    found = refused(shop, raw)

    assert [pointer for pointer, _code in found] == ["#"]


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"{'reference': 1}",
        b'{"a": NaN}',
        b'{"a": 1, "a": 1}',
        b'{"a": "\\u0000"}',
        b'{"\\ud800": 1}',
        b'{"a": "\\udfff"}',
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": "\xff"}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b"[" * 30 + b"]" * 30,
        b'{"a":' * 50_000,
    ],
    ids=range(13),
)
def test_a_body_that_is_no_clean_json_is_refused(shop: Shop, raw: bytes) -> None:
    with nothing_moves():
        problem(shop.post("/v1/orders", raw), 400, "body_unreadable")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"carrier": "SF", "tracking_number": ""}, "#/tracking_number"),
        ({"carrier": "S" * 65, "tracking_number": "1"}, "#/carrier"),
        ({"carrier": "SF", "tracking_number": "1", "shipped_at": "x"}, "#/shipped_at"),
    ],
)
def test_a_parcel_is_named_or_refused(shop: Shop, body: dict, pointer: str) -> None:
    order = shop.paid_order()

    found = refused(shop, body, f"/v1/orders/{order['id']}/ship")

    assert found[0][0] == pointer
    assert shop.status(order) == "paid"


@pytest.mark.parametrize("reason", ["NOT_SHIPPED", "", "because", 1])
def test_a_reason_to_cancel_is_one_of_two_or_refused(shop: Shop, reason: Any) -> None:
    order = shop.paid_order()

    found = refused(shop, {"reason": reason}, f"/v1/orders/{order['id']}/cancel")

    assert [pointer for pointer, _code in found] == ["#/reason"]
    assert shop.status(order) == "paid"


def test_markup_is_kept_as_text(shop: Shop) -> None:
    order = shop.create_order(lines=[LINE | {"title": "<script>=HYPERLINK()</script> '; DROP"}])

    assert order["lines"][0]["title"] == "<script>=HYPERLINK()</script> '; DROP"


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "Asia/Shanghai " * 9, 8])
def test_a_time_zone_is_one_or_refused(shop: Shop, name: Any) -> None:
    seller = {"reference": "zoned", "name": "Zoned", "time_zone": name}
    body = shop.order_body(buyer={"time_zone": name})

    assert [pointer for pointer, _ in refused(shop, seller, "/v1/merchants")] == ["#/time_zone"]
    assert [pointer for pointer, _ in refused(shop, body)] == ["#/buyer/time_zone"]


def test_time_zones_are_answered_as_given(shop: Shop) -> None:
    path = f"/v1/merchants/{shop.merchants[0].id}"

    changed = shop.post(path, {"time_zone": "Europe/London"}).json()
    order = shop.create_order(buyer={"time_zone": "America/New_York"})

    assert changed["time_zone"] == "Europe/London"
    assert order["buyer"] == {"name": "", "email": "", "time_zone": "America/New_York"}


def _takes_text(kind: object) -> bool:
    return (
        isinstance(kind, type)
        and issubclass(kind, serializers.CharField)
        and kind.__module__ == fields.__name__
    )


@pytest.mark.parametrize("value", [0, 1.5, True, ["Tea"], {"text": "Tea"}])
@pytest.mark.parametrize(
    "kind",
    [field for field in vars(fields).values() if _takes_text(field)],
    ids=lambda one: one.__name__,
)
def test_no_field_of_a_body_takes_for_a_text_what_is_none(
    kind: type[serializers.Field[Any, Any, Any, Any]], value: Any
) -> None:
    with pytest.raises(serializers.ValidationError):
        kind().run_validation(value)


def test_bodies_have_no_field_that_would() -> None:
    lax = [
        f"{request.__name__}.{name}"
        for request in StrictSerializer.__subclasses__()
        for name, field in request().fields.items()
        if type(field) in (serializers.CharField, serializers.EmailField, serializers.URLField)
    ]

    assert lax == []
