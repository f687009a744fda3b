"""Why: a load balancer must neither kill a live server nor send buyers to one that cannot serve."""

from typing import Any

import pytest
from celery import current_app
from django.db import DatabaseError, connection

from tests.api.shop import Door


def test_liveness_needs_nothing(door: Door) -> None:
    answer = door.send("GET", "/healthz")

    assert (answer.status_code, answer.json()) == (200, {"alive": True})


@pytest.mark.django_db
def test_readiness_without_a_broker_is_told_and_not_fatal(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current_app.conf, "broker_write_url", "redis://127.0.0.1:1/0")

    answer = door.send("GET", "/readyz")

    assert (answer.status_code, answer.json()) == (200, {"database": True, "broker": False})


@pytest.mark.django_db
def test_readiness_without_a_database_is_refused(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(current_app.conf, "broker_write_url", "memory://")
    monkeypatch.setattr(connection, "cursor", fail)

    answer = door.send("GET", "/readyz")

    assert (answer.status_code, answer.json()) == (503, {"database": False, "broker": True})
