"""Why: what is forgotten at a door leaks through what stands behind it: the rows of a list, a
filter, or a second thing that a body names.
"""

from typing import Any

import pytest
from django.urls import reverse

from api.v1 import urls
from tests.api.estate import BODIES, ID, LISTS, Town, name_of, undone, without_ids
from tests.api.shop import problem

PATTERNS = {pattern.name: pattern for pattern in urls.urlpatterns}

# Lists


@pytest.mark.parametrize("name", LISTS)
def test_list_shows_nobody_elses_rows(town: Town, name: str) -> None:
    shown = [
        set(ID.findall(estate.shop.get(f"/v1/{name}?limit=100").content.decode()))
        for estate in town.everybody
    ]

    ours, theirs, live = shown
    assert len(ours) >= 2
    assert len(theirs) >= 2
    assert not (ours | live) & theirs
    assert not ours & live


FILTERED_BY = {
    "merchant": "merchant",
    "order": "released",
    "payment": "paid_payment",
    "settlement": "settlement",
    "endpoint": "endpoint",
    "event": "told",
    "subject": "released",
}
NAMING = [
    (name, each)
    for name in LISTS
    for each in PATTERNS[name].callback.view_class.filters
    if each in FILTERED_BY
]


@pytest.mark.parametrize(("name", "parameter"), NAMING)
def test_filter_finds_nothing_of_others(town: Town, name: str, parameter: str) -> None:
    of = FILTERED_BY[parameter]
    if name == "refunds" and parameter == "order":
        of = "canceled"
    if name == "disputes":
        of = "disputed"
    get, path = town.ours.shop.get, f"/v1/{name}?{parameter}="

    own, foreign, missing = (
        get(path + name_of(owner, of, like=town.ours)).json()
        for owner in (town.ours, town.theirs, None)
    )

    assert own["data"]
    assert foreign == missing == {"data": [], "has_more": False, "next_cursor": None}


# Bodies that name a second thing


SECOND: list[tuple[str, str, str, Any]] = [
    ("rules", "commission_plan", "merchant", lambda body, thing: body | {"merchant": thing}),
    ("explain", "commission_plan", "merchant", lambda body, thing: body | {"merchant": thing}),
    ("what-if", "commission_plan", "merchant", lambda body, thing: {"merchant": thing}),
    (
        "what-if",
        "commission_plan",
        "merchant",
        lambda body, thing: {"rules": [body["rules"][0] | {"merchant": thing}]},
    ),
    ("payments", "new", "new", lambda body, thing: body | {"orders": [*body["orders"], thing]}),
    ("webhook-resend", "endpoint", "first_events", lambda body, thing: body | {"after": thing}),
]


@pytest.mark.parametrize(("name", "of", "second", "put"), SECOND)
def test_second_thing_of_others_is_answered_like_a_missing_one(
    town: Town, name: str, of: str, second: str, put: Any
) -> None:
    ours, said = town.ours, []
    args = [ours.has[of]] if PATTERNS[name].pattern.converters else []

    for owner in (town.theirs, None):
        body = put(BODIES[name](ours, ours.has[of]), name_of(owner, second, like=ours))
        with undone():
            answer = ours.shop.post(reverse(f"v1:{name}", args=args), body)
        said.append((answer.status_code, without_ids(answer)))

    assert said[0] == said[1]


def test_parcel_of_another_order_is_answered_like_a_missing_one(town: Town) -> None:
    ours, said = town.ours, []

    for parcel in (ours.has["parcel"], town.theirs.has["parcel"], "shp_" + 32 * "0"):
        args = [ours.has["neighbor"], parcel]
        body = BODIES["order-parcel-correct"](ours, "")
        answer = ours.shop.post(reverse("v1:order-parcel-correct", args=args), body)
        problem(answer, 404, "parcel_not_found")
        said.append(without_ids(answer))

    assert len(set(said)) == 1
