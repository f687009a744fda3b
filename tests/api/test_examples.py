"""Why: people copy the examples of a description; one that was never sent is a trap.

UPDATE_EXAMPLES=1, which is `make examples`, records them anew.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from api import schema_examples
from merchants import services as merchants
from notifications.services import rounds
from tests.api import described, recorded_day, recording
from tests.api.recording import PLACEHOLDERS, Tape
from tests.api.shop import Shop
from tests.notifications.conftest import LOOPBACK
from tests.notifications.receiver import Receiver, open_receiver
from tests.world import PAYS, START, add_payee

HERE = "https://pay.example.com"
CASHIER = "https://cashier.example.com"


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """A receiver on this machine; no time passes while it is told."""
    settings.WEBHOOK_ALLOWED_NETWORKS = LOOPBACK
    with mock.patch.object(rounds, "monotonic", return_value=0.0), open_receiver() as opened:
        yield opened


@pytest.fixture
def tape(shop: Shop, receiver: Receiver, settings: Any) -> Tape:
    """A platform that has nothing yet, not even a commission plan."""
    fresh = merchants.create_platform(
        name="Teahouse", slug="fresh", service_fee_bps=60, currency="CNY", at=START
    )
    own = replace(shop, platform=fresh, merchants=[])
    own.open()
    add_payee(fresh, None, PAYS, at=START)
    return Tape(
        own,
        renamed={
            settings.PUBLIC_URL: HERE,
            settings.CHANNELS["sandbox"]["base_url"]: CASHIER,
            receiver.url: "https://shop.example.com/webhooks",
        },
    )


def parts() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body that is sent or answered: whose it is, and what the description says of it."""
    for operation in described.operations().values():
        sent = operation.get("requestBody", {}).get("content", {})
        answered = {
            status: answer.get("content", {})
            for status, answer in operation["responses"].items()
            if status.startswith("2")
        }
        for place, content in {"request": sent, **answered}.items():
            for media in (content[name] for name in content if name != "application/octet-stream"):
                yield f"{operation['operationId']} {place}", media


def test_every_body_has_a_recorded_example() -> None:
    bare = [where for where, media in parts() if not media.get("examples")]

    assert bare == [], "add it to tests/api/recorded_day.py and run `make examples`"


def test_every_group_of_operations_shows_a_refusal() -> None:
    known, shown = set(), set()
    for operation in described.operations().values():
        known |= set(operation["tags"])
        for exchange in schema_examples.recorded().get(operation["operationId"], ()):
            if exchange["status"] >= 400:
                shown |= set(operation["tags"])

    assert shown == known


def test_nothing_recorded_belongs_to_an_operation_there_is_not() -> None:
    known = {each["operationId"] for each in described.operations().values()}

    assert schema_examples.recorded().keys() - known == set()


def test_recording_is_of_the_api_as_it_is(tape: Tape, receiver: Receiver) -> None:
    keys = [tape.shop.key, tape.shop.key.rpartition("_")[2]]

    recorded_day.live(tape, receiver.url)

    if os.environ.get("UPDATE_EXAMPLES"):
        recording.write(tape.files(), schema_examples.FOLDER)
        schema_examples.recorded.cache_clear()
    assert recording.shape(tape.exchanges) == recording.shape(schema_examples.recorded())
    text = "".join(path.read_text("utf-8") for path in schema_examples.FOLDER.glob("*.json"))
    assert [key for key in keys if key in text] == []
    assert "127.0.0.1" not in text


def test_every_secret_that_was_recorded_is_a_placeholder() -> None:
    found = list(_named(list(schema_examples.recorded().values()), set(PLACEHOLDERS)))

    assert {name for name, _ in found} == set(PLACEHOLDERS)
    assert {value for _, value in found} == set(PLACEHOLDERS.values())


def _named(found: Any, names: set[str]) -> Iterator[tuple[str, str]]:
    """Every text with one of these names."""
    if isinstance(found, dict):
        for name, value in found.items():
            if name in names and isinstance(value, str):
                yield name, value
            yield from _named(value, names)
    elif isinstance(found, list):
        for each in found:
            yield from _named(each, names)
