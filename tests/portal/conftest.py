"""People who are signed in, and a small market for them to look at."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from merchants.models import Role
from tests import signing, stage
from tests.factories import UserFactory
from tests.stage import transactional_db
from tests.world import World

__all__ = ["transactional_db"]


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    """A request leaves its language behind; the next test must not read in it."""
    with translation.override("en"):
        yield


@pytest.fixture
def world(transactional_db: None, tmp_path: Path) -> Iterator[World]:
    """One platform with one seller, and the sandbox."""
    with stage.open_world(tmp_path) as world:
        yield world


@pytest.fixture
def sign_in() -> Callable[..., Client]:
    """Sign somebody in: `sign_in(merchant=…)`, `sign_in(platform=…, role=…)`; with `fresh=True`
    having given the password again just now."""

    def signed_in(
        *, role: str = Role.OWNER, language: str = "en", fresh: bool = False, **whose: Any
    ) -> Client:
        user = UserFactory(role=role, **whose)
        client = Client(headers={"accept-language": language})
        return signing.sign_in(user, client=client, again=fresh)

    return signed_in
