"""A platform's mode is for ever, and its clock is its own: test and live never mix."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from merchants import clocks, services
from merchants.models import Mode, Platform
from merchants.services import PlatformInvalid
from tests.factories import AT, MerchantFactory, PlatformFactory

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def create(**changes: Any) -> Platform:
    return services.create_platform(**{"name": "Tea House", "slug": "tea", "at": AT, **changes})


def test_platform_is_in_test_mode_unless_somebody_says_live() -> None:
    assert create().mode == Mode.TEST
    assert create(slug="live", mode=Mode.LIVE).mode == Mode.LIVE


def test_mode_never_changes(platform: Platform) -> None:
    with pytest.raises(DatabaseError, match="merchants_platform"), transaction.atomic():
        Platform.objects.filter(pk=platform.pk).update(mode=Mode.LIVE)

    platform.refresh_from_db()
    assert platform.mode == Mode.TEST


@pytest.fixture
def platform() -> Platform:
    return PlatformFactory()


def test_test_side_names_its_live_side_once() -> None:
    live = create(slug="live", mode=Mode.LIVE)
    twin = create(slug="twin", live_platform=live)

    assert (twin.live_platform, live.test_platform) == (live, twin)
    for wrong in (
        {"live_platform": live},  # has a test side
        {"live_platform": twin},  # is no live platform
        {"live_platform": create(slug="other", mode=Mode.LIVE), "mode": Mode.LIVE},
    ):
        with pytest.raises(PlatformInvalid):
            create(slug="wrong", **wrong)


def test_database_refuses_a_live_side_in_test_mode(platform: Platform) -> None:
    with pytest.raises(IntegrityError, match="the live side"), transaction.atomic():
        Platform.objects.filter(pk=platform.pk).update(live_platform=PlatformFactory())


def test_clock_is_moved_ahead_and_never_back(platform: Platform) -> None:
    services.move_clock(platform_id=platform.pk, offset=2 * DAY)

    platform.refresh_from_db()
    assert clocks.now_of(platform, now=AT) == AT + 2 * DAY
    assert clocks.real_time(platform, at=AT + 2 * DAY) == AT
    for offset in (DAY, timedelta(0), timedelta(days=3651)):
        with pytest.raises(PlatformInvalid):
            services.move_clock(platform_id=platform.pk, offset=offset)
    with pytest.raises(DatabaseError), transaction.atomic():
        Platform.objects.filter(pk=platform.pk).update(clock_offset=DAY)


def test_clock_of_a_live_platform_is_the_real_one() -> None:
    live = PlatformFactory(mode=Mode.LIVE)

    with pytest.raises(clocks.LivePlatform) as refusal:
        services.move_clock(platform_id=live.pk, offset=DAY)
    with pytest.raises(IntegrityError, match="platform_clock_in_range"), transaction.atomic():
        Platform.objects.filter(pk=live.pk).update(clock_offset=DAY)

    assert (refusal.value.code, refusal.value.status) == ("clock_is_live", 403)


def test_clock_of_a_row_is_its_platforms(platform: Platform) -> None:
    merchant = MerchantFactory(platform=platform)
    beside = MerchantFactory()
    services.move_clock(platform_id=platform.pk, offset=DAY)

    times = [
        clocks.now_for(type(merchant).objects.filter(pk=pk), now=AT)
        for pk in (merchant.pk, beside.pk, "mer_none")
    ]

    assert times == [AT + DAY, AT, AT]


def test_moved_platforms_are_asked_for_at_once(
    platform: Platform, django_assert_num_queries: Any
) -> None:
    PlatformFactory()
    with django_assert_num_queries(1):
        assert clocks.moved_platforms() == {}

    services.move_clock(platform_id=platform.pk, offset=DAY)

    with django_assert_num_queries(1):
        assert clocks.moved_platforms() == {platform.pk: DAY}


def test_sweep_runs_by_every_clock_and_a_failing_one_stops_no_other() -> None:
    offsets = {PlatformFactory().pk: days * DAY for days in (1, 2, 3)}
    for platform_id, offset in offsets.items():
        services.move_clock(platform_id=platform_id, offset=offset)
    seen = []

    def sweep(*, at: Any, platform_id: str | None = None) -> int:
        seen.append((platform_id, at))
        if platform_id == min(offsets):
            raise ValueError("a bad row")
        return 10

    done = clocks.sweep_every_clock(sweep, now=AT)

    assert seen[0] == (None, AT)
    assert sorted(seen[1:]) == sorted((pk, AT + offset) for pk, offset in offsets.items())
    assert done == 30
