"""A shopping platform that talks to the API, with the sandbox behind it and a clock that stands."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from django.test import Client

from api import nudge
from demo.local_sandbox import Clock, open_sandbox
from tests.api.shop import Door, Shop
from tests.world import START, make_platform


@pytest.fixture
def door() -> Door:
    return Door(Client(raise_request_exception=False))


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sweeps the door rang for; no broker is needed."""
    found: list[str] = []
    monkeypatch.setattr(nudge, "_ring", lambda task, then=None: found.append(task))
    return found


@pytest.fixture
def frozen_time() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def database(transactional_db: None) -> None:
    """Commit as in production. Files of refusals, where nothing is kept, roll back instead."""


@pytest.fixture
def shop(
    database: None,
    door: Door,
    rung: list[str],
    frozen_time: time_machine.Traveller,
    tmp_path: Path,
) -> Iterator[Shop]:
    """A platform with one seller and a key; the sandbox notifies through the door itself."""
    clock = Clock(now=START)
    with open_sandbox(tmp_path, clock=clock, deliver=door.deliver) as sandbox:
        shop = Shop(door=door, sandbox=sandbox, time=frozen_time, platform=make_platform(at=START))
        shop.open()
        yield shop
