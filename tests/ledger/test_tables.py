"""The chart and the routes in the database, by which the triggers decide, are the code's."""

import re

import pytest
from django.db import connection

from ledger import chart, entries, seeding
from ledger.models import AccountClass, Route
from tests.ledger import raw


@pytest.mark.django_db
def test_account_classes_are_those_of_the_chart() -> None:
    stored = AccountClass.objects.order_by("code").values_list(
        "code", "pattern", "kind", "side", "guarded", "customers", "meaning"
    )

    assert list(stored) == seeding.class_rows()


@pytest.mark.django_db
def test_routes_are_those_of_the_entries() -> None:
    stored = Route.objects.values_list("kind", "account_class_id", "side")

    assert sorted(stored) == seeding.route_rows()


@pytest.mark.django_db
def test_seeding_twice_changes_nothing() -> None:
    seeding.seed()

    assert Route.objects.count() == sum(len(routes) for routes in entries.ROUTES.values())


@pytest.mark.django_db
def test_patterns_mean_the_same_to_python_and_to_postgresql() -> None:
    addresses = [*raw.ADDRESSES.values(), "held ", "HELD", "merchant::payable", "reserve:a:b", ""]

    for each in chart.CLASSES:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT a, a ~ %s FROM unnest(%s::text[]) AS a", (each.pattern, addresses)
            )
            matched = dict(cursor.fetchall())
        assert matched == {a: re.search(each.pattern, a) is not None for a in addresses}


def test_every_address_has_one_class() -> None:
    for code, address in raw.ADDRESSES.items():
        matching = [each.code for each in chart.CLASSES if re.fullmatch(each.pattern, address)]
        assert matching == [code]
        assert chart.class_of(address).code == code
