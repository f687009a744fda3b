"""A shopping platform that talks to the API, with the sandbox behind it and a clock that stands."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client

from api import nudge
from demo.local_sandbox import Clock, open_sandbox
from merchants import services as merchants
from tests import stage
from tests import world as worlds
from tests.api.estate import Town, build_town, open_town
from tests.api.shop import Door, Shop
from tests.migrating import connected_to, database_beside
from tests.world import START, World, make_platform


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


@pytest.fixture
def rival(shop: Shop) -> Shop:
    """Another platform with its own seller, at the same door."""
    platform = merchants.create_platform(name="Rival", slug="rival", at=START)
    other = Shop(door=shop.door, sandbox=shop.sandbox, time=shop.time, platform=platform)
    other.open()
    return other


@pytest.fixture
def world(database: None, tmp_path: Path) -> Iterator[World]:
    """A platform without a door, whose clock can be moved. After the test every audit is empty."""
    with stage.open_world(tmp_path) as opened:
        yield opened
    assert worlds.audit() == []


@pytest.fixture
def beside(world: World) -> World:
    """Another platform at the same channel and bank."""
    platform = merchants.create_platform(name="Beside", slug="beside", at=START)
    other = World(world.sandbox, platform)
    other.add_merchant()
    return other


@pytest.fixture(scope="session")
def built_town(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path, Town]]:
    """The town in a database of its own, which no other test empties: its name, the sandbox's books
    and who lives there.
    """
    name, folder = f"{connection.settings_dict['NAME']}_town", tmp_path_factory.mktemp("town")
    with django_db_blocker.unblock(), database_beside(name):
        with connected_to(name):
            town = build_town(folder)
        yield name, folder, town


@pytest.fixture(scope="module")
def opened_town(
    built_town: tuple[str, Path, Town],
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Town]:
    name, books, built = built_town
    folder = tmp_path_factory.mktemp("town") / "books"
    shutil.copytree(books, folder)
    with django_db_blocker.unblock(), connected_to(name), open_town(built, folder) as town:
        yield town


@pytest.fixture
def town(opened_town: Town, db: None) -> Town:
    """A world with one of everything, as it was built; what a test does is rolled back."""
    return opened_town
