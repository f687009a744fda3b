"""An API key opens a platform's money: it is shown once, stored never, and can be taken away."""

import re
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import IntegrityError, connection, transaction

from merchants import services
from merchants.models import ApiKey, Mode, Platform
from merchants.scopes import SCOPES
from merchants.services import api_keys
from tests.factories import AT, PlatformFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform() -> Platform:
    return PlatformFactory()


def create(platform: Platform, **changes: Any) -> tuple[ApiKey, str]:
    return services.create_api_key(platform=platform, at=AT, **{"name": "shop", **changes})


def test_key_has_the_documented_shape_and_is_found(platform: Platform) -> None:
    row, secret = create(platform)

    assert re.fullmatch(rf"sk_test_{row.public_id}_[\w-]{{43}}", secret)
    found = services.find_api_key(secret=secret, at=AT)
    assert (found, found.platform) == (row, platform)


def test_key_has_the_mode_of_its_platform_and_says_so() -> None:
    row, secret = create(PlatformFactory(mode=Mode.LIVE))

    assert row.mode == Mode.LIVE
    assert secret.startswith("sk_live_")


def test_database_refuses_a_key_of_another_mode(platform: Platform) -> None:
    row, _ = create(platform)

    with pytest.raises(IntegrityError, match="api_key_of_platforms_mode"), transaction.atomic():
        ApiKey.objects.filter(pk=row.pk).update(mode=Mode.LIVE)


def test_key_may_do_everything_unless_somebody_says_less(platform: Platform) -> None:
    whole, _ = create(platform)
    narrow, secret = create(platform, scopes=["sandbox:write", "orders:read"])

    assert whole.scopes == list(SCOPES)
    assert narrow.scopes == ["orders:read", "sandbox:write"]
    assert services.find_api_key(secret=secret, at=AT).scopes == narrow.scopes


def test_key_is_refused_from_the_instant_it_expires(platform: Platform) -> None:
    ends = AT + timedelta(days=1)
    row, secret = create(platform, expires_at=ends)

    assert services.find_api_key(secret=secret, at=ends - timedelta(microseconds=1)) == row
    with pytest.raises(services.ApiKeyRefused):
        services.find_api_key(secret=secret, at=ends)


def test_secret_is_never_stored(platform: Platform) -> None:
    row, secret = create(platform)
    services.find_api_key(secret=secret, at=AT)
    services.revoke_api_key(public_id=row.public_id, at=AT)

    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM merchants_apikey t")
        stored = cursor.fetchone()[0]
        cursor.execute("SELECT string_agg(row_to_json(t)::text, '') FROM merchants_apikeyaudit t")
        audited = cursor.fetchone()[0]

    assert secret.split("_", 3)[3] not in stored + audited
    assert row.secret_hash in stored
    assert row.secret_hash not in audited


def test_two_keys_are_valid_at_once_for_rotation(platform: Platform) -> None:
    old, old_secret = create(platform)
    new, new_secret = create(platform, name="next")

    assert services.find_api_key(secret=old_secret, at=AT) == old
    services.revoke_api_key(public_id=old.public_id, at=AT)

    assert services.find_api_key(secret=new_secret, at=AT) == new
    with pytest.raises(services.ApiKeyRefused):
        services.find_api_key(secret=old_secret, at=AT)


def test_wrong_keys_are_all_refused_alike(platform: Platform) -> None:
    row, secret = create(platform)
    _, other = create(platform)
    wrong = [
        "",
        "sk",
        "sk_test",
        f"sk_test_{row.public_id}",
        f"sk_test_{row.public_id}_",
        secret[:-1],
        secret + "x",
        secret.upper(),
        secret.replace("sk_test", "sk_live"),
        f"sk_test_{row.public_id}_{other.split('_', 3)[3]}",
        f"sk_test_nokey123_{secret[-43:]}",
        row.secret_hash,
        f"sk_test_\x00_{secret[-43:]}",
        "sk_test_\udcff_x",
        "\udcff",
        "钥匙",
        "%",
        secret + "\n",
    ]

    sentences = set()
    for shown in wrong:
        with pytest.raises(services.ApiKeyRefused) as refusal:
            services.find_api_key(secret=shown, at=AT)
        sentences.add((refusal.value.sentence, refusal.value.code, refusal.value.status))

    assert sentences == {("This API key is not valid.", "api_key_refused", 401)}
    assert ApiKey.objects.get(pk=row.pk).last_used_at is None


def test_hash_is_compared_in_constant_time_also_for_unknown_keys(platform: Platform) -> None:
    row, _ = create(platform)

    with mock.patch.object(api_keys.hmac, "compare_digest", return_value=False) as compare:
        for public_id in (row.public_id, "nokey123"):
            with pytest.raises(services.ApiKeyRefused):
                services.find_api_key(secret=f"sk_test_{public_id}_x", at=AT)

    assert [len(call.args[0]) for call in compare.call_args_list] == [64, 64]


def test_last_use_is_written_once_a_minute(platform: Platform) -> None:
    row, secret = create(platform)
    uses = [AT, AT + timedelta(seconds=59), AT + timedelta(seconds=60)]

    seen = []
    for at in uses:
        services.find_api_key(secret=secret, at=at)
        seen.append(ApiKey.objects.get(pk=row.pk).last_used_at)

    assert seen == [AT, AT, AT + timedelta(seconds=60)]
    assert row.audit.count() == 1


def test_first_revocation_stays(platform: Platform) -> None:
    row, _ = create(platform)

    services.revoke_api_key(public_id=row.public_id, at=AT)
    again = services.revoke_api_key(public_id=row.public_id, at=AT + timedelta(days=1))

    assert again.revoked_at == AT


def test_strange_new_keys_are_refused(platform: Platform) -> None:
    for changes in (
        {"name": ""},
        {"scopes": []},
        {"scopes": ["orders:read", "orders:delete"]},
        {"expires_at": AT},
    ):
        with pytest.raises(services.ApiKeyInvalid):
            create(platform, **changes)
    with pytest.raises(services.ApiKeyInvalid):
        services.revoke_api_key(public_id="nokey123", at=AT)

    assert not ApiKey.objects.exists()


def roll(row: ApiKey, **changes: Any) -> tuple[ApiKey, str]:
    wanted = {"overlap": timedelta(hours=24), "at": AT, **changes}
    return services.roll_api_key(public_id=row.public_id, **wanted)


def test_rolled_key_and_its_successor_are_both_valid_for_a_while(platform: Platform) -> None:
    old, old_secret = create(platform, scopes=["orders:read"])
    ApiKey.objects.filter(pk=old.pk).update(api_version="2026-01-01")

    new, new_secret = roll(old)

    for secret, row in ((old_secret, old), (new_secret, new)):
        found = services.find_api_key(secret=secret, at=AT + timedelta(hours=23))
        assert found == row
    later = AT + timedelta(hours=24)
    assert services.find_api_key(secret=new_secret, at=later) == new
    with pytest.raises(services.ApiKeyRefused):
        services.find_api_key(secret=old_secret, at=later)
    assert (new.name, new.scopes, new.api_version) == ("shop", ["orders:read"], "2026-01-01")
    assert new.expires_at is None


def test_key_is_rolled_at_once_without_overlap(platform: Platform) -> None:
    old, old_secret = create(platform)

    roll(old, overlap=timedelta(0))

    with pytest.raises(services.ApiKeyRefused):
        services.find_api_key(secret=old_secret, at=AT)


def test_rolling_never_lengthens_a_life(platform: Platform) -> None:
    ends = AT + timedelta(hours=1)
    old, _ = create(platform, expires_at=ends)

    roll(old)

    old.refresh_from_db()
    assert old.expires_at == ends


def test_only_valid_keys_are_rolled(platform: Platform) -> None:
    revoked, _ = create(platform)
    services.revoke_api_key(public_id=revoked.public_id, at=AT)
    good, _ = create(platform)

    for row, changes in (
        (revoked, {}),
        (ApiKey(public_id="nokey123"), {}),
        (good, {"overlap": timedelta(days=31)}),
        (good, {"overlap": -timedelta(seconds=1)}),
    ):
        with pytest.raises(services.ApiKeyInvalid):
            roll(row, **changes)

    good.refresh_from_db()
    assert good.expires_at is None


def test_platform_has_ten_valid_keys_at_most(platform: Platform) -> None:
    rows = [create(platform)[0] for _ in range(10)]
    create(PlatformFactory())

    for making in (lambda: create(platform), lambda: roll(rows[0])):
        with pytest.raises(services.ApiKeyLimit) as refusal:
            making()
        assert (refusal.value.code, refusal.value.status) == ("api_key_limit", 409)
    roll(rows[0], overlap=timedelta(0))
    services.revoke_api_key(public_id=rows[1].public_id, at=AT)
    create(platform)

    assert ApiKey.objects.filter(platform=platform).count() == 12
