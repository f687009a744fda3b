"""Ids of the code and of the SQL function are of one shape, sorted by the millisecond (H1)."""

import re
import time
from unittest import mock

from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from common import ids

SHAPE = re.compile(r"[a-z]+_[0-9a-f]{12}[0-9a-f]{20}")
PREFIXES = st.from_regex(r"[a-z]{2,6}", fullmatch=True)
CLOCKS = st.integers(1_700_000_000_000_000_000, 4_000_000_000_000_000_000)


def milliseconds_of(made: str) -> int:
    return int(made.split("_")[1][:12], 16)


@given(PREFIXES, CLOCKS)
def test_new_id_has_its_shape_and_its_millisecond(prefix: str, nanoseconds: int) -> None:
    with mock.patch.object(time, "time_ns", return_value=nanoseconds):
        made = ids.new_id(prefix)

    assert SHAPE.fullmatch(made)
    assert made.startswith(f"{prefix}_")
    assert len(made) <= ids.MAX_LENGTH
    assert milliseconds_of(made) == nanoseconds // 1_000_000


@given(CLOCKS, CLOCKS)
def test_new_ids_sort_by_the_millisecond(left: int, right: int) -> None:
    made = []
    for nanoseconds in (left, right):
        with mock.patch.object(time, "time_ns", return_value=nanoseconds):
            made.append(ids.new_id("ord"))

    if left // 1_000_000 != right // 1_000_000:
        assert (made[0] < made[1]) == (left < right)


def test_sql_ids_have_the_shape_of_the_code_and_never_repeat(transactional_db: None) -> None:
    before = time.time_ns() // 1_000_000
    with connection.cursor() as cursor:
        cursor.execute("SELECT holdfast_new_id('rel') FROM generate_series(1, 2000)")
        made = [row[0] for row in cursor.fetchall()]
    after = time.time_ns() // 1_000_000

    assert len(set(made)) == 2000
    assert all(SHAPE.fullmatch(each) for each in made)
    assert all(before <= milliseconds_of(each) <= after for each in made)
    assert [milliseconds_of(each) for each in made] == sorted(
        milliseconds_of(each) for each in made
    )


def test_random_part_of_sql_ids_uses_every_hex_digit_everywhere(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT holdfast_new_id('rel') FROM generate_series(1, 2000)")
        tails = [row[0][-20:] for row in cursor.fetchall()]

    assert [len(set(digits)) for digits in zip(*tails, strict=True)] == [16] * 20
