"""Why: the bell is a convenience. A dead broker must cost a blink, once, and never an answer."""

import socket
import time
from collections.abc import Iterator

import pytest
from celery import Celery

from api import nudge


@pytest.fixture
def bell(monkeypatch: pytest.MonkeyPatch) -> nudge._Bell:
    fresh = nudge._Bell()
    monkeypatch.setattr(nudge, "_bell", fresh)
    return fresh


def broker(monkeypatch: pytest.MonkeyPatch, url: str) -> Celery:
    app = Celery("test", broker=url, set_as_current=False)
    app.conf.broker_transport_options = {"socket_timeout": 30}
    monkeypatch.setattr(nudge, "current_app", app)
    return app


@pytest.fixture
def mute_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(5)
        yield listener.getsockname()[1]


def test_a_ring_reaches_the_queue_with_what_follows(
    bell: nudge._Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = broker(monkeypatch, "memory://nudge")
    app.conf.task_routes = {"payouts.*": {"queue": "money"}}

    nudge.after_confirmation()

    with app.connection_for_read() as connection:
        message = connection.SimpleQueue("money").get(timeout=1)
    assert message.headers["task"] == "payouts.cut_due_settlements"
    assert message.headers["expires"] is not None
    [follow] = message.payload[2]["callbacks"]
    assert (follow["task"], follow["immutable"]) == ("payouts.send_due_payouts", True)


def test_a_broker_that_refuses_costs_nothing(
    bell: nudge._Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker(monkeypatch, "redis://127.0.0.1:1/0")

    nudge.after_cancellation()

    assert not bell.may_ring("anything")


def test_a_broker_that_says_nothing_costs_a_blink_once(
    bell: nudge._Bell, monkeypatch: pytest.MonkeyPatch, mute_port: int
) -> None:
    broker(monkeypatch, f"redis://127.0.0.1:{mute_port}/0")

    began = time.perf_counter()
    nudge.after_confirmation()
    nudge.after_cancellation()

    assert time.perf_counter() - began < 4 * nudge.TIMEOUT_SECONDS
    assert not bell.may_ring("anything")


def test_a_sweep_is_not_rung_for_twice_at_once(bell: nudge._Bell) -> None:
    assert bell.may_ring("a")
    assert not bell.may_ring("a")
    assert bell.may_ring("b")
