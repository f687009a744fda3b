"""Why: a suite that passes a receiver anybody can forge events to is worse than none."""

import io
import re
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from demo import seed
from demo.conformance import cases, report, trial
from demo.conformance.report import Verdict
from demo.management.commands import conformance
from examples.shop import store
from examples.shop.app import create_app
from holdfast import Holdfast
from settlement_site.environment import BASE_DIR
from tests.examples.street import Street

SHOP = BASE_DIR / "examples" / "shop"
RIGHT = "webhooks.verify(request.get_data(), request.headers, secret)"
Found = dict[str, tuple[str, str]]  # title -> verdict, what was seen
Suite = Callable[..., tuple[int, Found]]
LINE = re.compile(r"^ *\d+  (.+?)  +(passed|FAILED|unseen)  (.*)$", re.MULTILINE)


@pytest.fixture
def suite(street: Street, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """Run the command; while it waits, Holdfast does what is due."""
    monkeypatch.setattr(conformance.Command, "pause", lambda self, _seconds: street.settle())
    monkeypatch.setattr(trial, "PATIENCE_SECONDS", 3.0)

    def run(*only: Callable[..., Any], **options: Any) -> tuple[int, Found]:
        wanted = [each for each in cases.CASES if not only or each.run in only]
        monkeypatch.setattr(report, "CASES", wanted)
        written = io.StringIO()
        asked = {"url": street.shop_url, "key": street.key, "api": street.holdfast_url} | options
        code = 0
        try:
            call_command("conformance", stdout=written, **asked)
        except SystemExit as end:
            code = int(str(end.code))
        found = {
            title: (verdict, seen) for title, verdict, seen in LINE.findall(written.getvalue())
        }
        assert len(found) == len(wanted), written.getvalue()
        return code, found

    return run


@contextmanager
def copied_shop(street: Street, folder: Path, *changes: tuple[str, str]) -> Iterator[None]:
    """Open a copy of the shop whose app.py reads differently."""
    copy = folder / "copied_shop"
    shutil.copytree(SHOP, copy)
    app = copy / "app.py"
    for before, after in changes:
        source = app.read_text("utf-8")
        assert source.count(before) == 1
        app.write_text(source.replace(before, after), "utf-8")
    spec = spec_from_file_location("copied_shop_app", app)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # Flask finds the templates beside it
    spec.loader.exec_module(module)
    try:
        with contextmanager(street.open_shop)(folder, module.create_app):
            yield
    finally:
        del sys.modules[spec.name]


def failed(found: Found) -> set[str]:
    return {title for title, (verdict, _seen) in found.items() if verdict == Verdict.FAILED}


def test_example_shop_passes(shop: Street, suite: Suite) -> None:
    code, found = suite()

    assert {title: seen for title, seen in found.items() if seen[0] != Verdict.PASSED} == {}
    assert code == 0


def test_shop_that_checks_no_signature_fails(street: Street, suite: Suite, tmp_path: Path) -> None:
    with copied_shop(
        street,
        tmp_path,
        (RIGHT, "models.WebhookEvent(**request.get_json())"),
        ("from holdfast import Holdfast,", "from holdfast import models, Holdfast,"),
    ):
        code, found = suite()

    assert failed(found) == {
        "no signature is refused",
        "a signature by another secret is refused",
        "a body changed after signing is refused",
        "an event id changed after signing is refused",
        "a signature of ten minutes ago is refused",
        "a signature of ten minutes ahead is refused",
        "fields that are not known yet are accepted",  # without the client they break this copy
    }
    assert found["no signature is refused"][1] == "it answered 204; refuse it with 400"
    assert code == 1


def test_shop_that_accepts_replays_of_any_age_fails(
    street: Street, suite: Suite, tmp_path: Path
) -> None:
    ageless = RIGHT.replace(", secret)", ", secret, timedelta(days=999))")
    with copied_shop(
        street,
        tmp_path,
        (RIGHT, ageless),
        ("import json\n", "import json\nfrom datetime import timedelta\n"),
    ):
        code, found = suite(cases.refuse_old, cases.refuse_future, cases.refuse_stranger)

    assert failed(found) == {
        "a signature of ten minutes ago is refused",
        "a signature of ten minutes ahead is refused",
    }
    assert code == 1


def test_shop_that_counts_duplicates_fails(street: Street, suite: Suite, tmp_path: Path) -> None:
    anew = f"replace({RIGHT}, id=secrets.token_hex(8))"
    with copied_shop(
        street,
        tmp_path,
        (RIGHT, anew),
        ("import json\n", "import json\nfrom dataclasses import replace\n"),
    ):
        code, found = suite(cases.tolerate_duplicate, cases.tolerate_duplicates_at_once)

    assert failed(found) == set(found)
    assert code == 1


def test_shop_that_believes_the_event_that_came_last_fails(
    street: Street, suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_arrival = store.LATEST.replace("sequence DESC", "events.rowid DESC")
    monkeypatch.setattr(store, "LATEST", by_arrival)
    with contextmanager(street.open_shop)(tmp_path):
        code, found = suite(cases.tolerate_disorder)

    assert failed(found) == {"events told in reverse leave the order where it stands"}
    assert code == 1


def test_shop_that_orders_without_keys_fails(street: Street, suite: Suite, tmp_path: Path) -> None:
    def forgetful(client: Holdfast, *rest: Any) -> Any:
        create = client.orders.create
        client.orders.create = lambda **named: create(  # type: ignore[method-assign]
            **named | {"idempotency_key": None, "reference": secrets.token_hex(8)}
        )
        return create_app(client, *rest)

    with contextmanager(street.open_shop)(tmp_path, forgetful):
        code, found = suite(cases.order_once)

    assert found["one checkout sent again and again is one order"] == (
        "FAILED",
        "one checkout became 6 orders at Holdfast",
    )
    assert code == 1


def test_receiver_without_a_door_is_tried_as_far_as_can_be_seen(
    street: Street, suite: Suite, tmp_path: Path
) -> None:
    with copied_shop(
        street, tmp_path, ("    app.register_blueprint(door(checkout, secret))\n", "")
    ):
        code, found = suite(
            cases.refuse_unsigned,
            cases.tolerate_duplicate,
            cases.order_once,
            cases.send_keys,
            cases.follow_refund,
        )

    assert [verdict for verdict, _seen in found.values()] == [
        "passed", "passed", "unseen", "unseen", "passed",
    ]  # fmt: skip
    assert found["a refund is followed to its end"][1] == "every event accepted"
    assert code == 0


def test_receiver_that_is_away_fails(street: Street, suite: Suite, tmp_path: Path) -> None:
    with contextmanager(street.open_shop)(tmp_path):
        pass
    code, found = suite(cases.refuse_unsigned, cases.accept_signed, cases.follow_payment)

    assert {seen for _verdict, seen in found.values()} == {
        "no answer: ConnectError",
        "Holdfast's deliveries are PENDING, after 3 s",
    }
    assert failed(found) == set(found)
    assert code == 1


def test_live_key_is_refused(street: Street) -> None:
    with pytest.raises(CommandError, match="test key"):
        call_command("conformance", url="https://shop.example", key="sk_live_abcd1234_x")


def test_unknown_receiver_is_refused(shop: Street) -> None:
    with pytest.raises(CommandError, match="None of the platform's"):
        call_command("conformance", url="http://127.0.0.1:1", key=shop.key, api=shop.holdfast_url)


def test_key_and_address_come_from_the_demo_when_they_are_left_out(
    shop: Street, suite: Suite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(seed, "access_path", lambda: tmp_path / "demo-access.json")
    access = seed.Access(api_key=shop.key, merchant_id="", logins={})
    seed._write_access(access)
    seed.note_address(shop.holdfast_url)

    code, found = suite(cases.accept_signed, key=None, api=None)

    assert found["a right signature is accepted"] == ("passed", "answered 204")
    assert code == 0
