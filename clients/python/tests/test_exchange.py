"""Why: a retry that takes a new key pays twice; one that never ends takes the shop down with it."""

from typing import Any

import httpx
import pytest

from holdfast import errors
from holdfast._exchange import Answered, Call, Pause, Policy, Send, exchange

POST = Call("POST", "/v1/orders", read=lambda value: value, content=b"{}", idempotency_key="k-1")
GET = Call("GET", "/v1/orders", read=lambda value: value)


class Clock:
    """Stands still unless it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def play(call: Call[Any], outcomes: list[Any], *, policy: Policy, took: float = 0.0) -> Any:
    """Play a call against outcomes. Returns: the answer or the error, and what was done."""
    clock, steps = Clock(), []
    run = exchange(call, policy=policy, clock=clock, chance=lambda: 1.0)
    outcome: Any = None
    try:
        while True:
            step = run.send(outcome)
            steps.append(step)
            if isinstance(step, Send):
                clock.now += took
                outcome = outcomes.pop(0)
            else:
                clock.now += step.seconds
                outcome = None
    except StopIteration as end:
        return end.value, steps
    except errors.HoldfastError as error:
        return error, steps


def refused(status: int, code: str = "busy", **headers: str) -> Answered:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answered(status, named, f'{{"code":"{code}","detail":"No."}}'.encode())


FINE = Answered(200, {}, b'{"id":"ord_1"}')
LOST = httpx.ReadTimeout("no answer")


@pytest.mark.parametrize(
    "first",
    [
        LOST,
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("cut off"),
        refused(409, "idempotency_key_running"),
        refused(429, "too_many_requests"),
        refused(502),
        refused(503),
        refused(504),
    ],
)
def test_call_is_sent_again_when_it_may_work_the_next_time(first: Any) -> None:
    answer, steps = play(POST, [first, FINE], policy=Policy())

    assert answer == {"id": "ord_1"}
    assert steps == [Send(20.0), Pause(0.25), Send(20.0)]


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        (refused(400), errors.Invalid),
        (refused(401), errors.NotAuthenticated),
        (refused(403), errors.NotAllowed),
        (refused(404), errors.NotFound),
        (refused(409, "order_state_conflict"), errors.Conflict),
        (refused(422), errors.Invalid),
        (refused(500), errors.Unavailable),
        (refused(302), errors.Invalid),
    ],
)
def test_call_is_not_sent_again_when_the_answer_would_be_the_same(
    first: Answered, kind: type[errors.ApiError]
) -> None:
    error, steps = play(POST, [first], policy=Policy())

    assert type(error) is kind
    assert error.status == first.status
    assert error.idempotency_key == "k-1"
    assert steps == [Send(20.0)]


@pytest.mark.parametrize(
    "mistake", [httpx.UnsupportedProtocol("ftp"), httpx.LocalProtocolError("")]
)
def test_call_is_not_sent_again_when_this_side_is_wrong(mistake: httpx.RequestError) -> None:
    error, steps = play(POST, [mistake], policy=Policy())

    assert type(error) is errors.ConnectionFailed
    assert len(steps) == 1


def test_pauses_double_up_to_the_longest() -> None:
    _error, steps = play(GET, [LOST] * 8, policy=Policy(retries=7, total_seconds=1000))

    assert [step.seconds for step in steps if isinstance(step, Pause)] == [
        0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0,
    ]  # fmt: skip


def test_half_of_a_pause_is_chance() -> None:
    assert [Policy().pause(3, chance) for chance in (0.0, 0.5, 1.0)] == [0.5, 0.75, 1.0]
    assert Policy().pause(100_000, 1.0) == 8.0


def test_retry_after_is_waited_for_on_top_of_the_pause() -> None:
    first = refused(429, "too_many_requests", retry_after="7")

    _answer, steps = play(GET, [first, FINE], policy=Policy())

    assert steps[1] == Pause(7.25)


@pytest.mark.parametrize("header", ["", "soon", "-1", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", "²"])
def test_retry_after_that_is_no_number_of_seconds_is_passed_over(header: str) -> None:
    _answer, steps = play(GET, [refused(503, retry_after=header), FINE], policy=Policy())

    assert steps[1] == Pause(0.25)


def test_retry_after_longer_than_the_call_may_take_is_told_at_once() -> None:
    error, steps = play(GET, [refused(429, retry_after="60")], policy=Policy())

    assert type(error) is errors.RateLimited
    assert error.retry_after == 60.0
    assert len(steps) == 1


def test_attempts_are_bounded_by_their_count() -> None:
    error, steps = play(POST, [LOST] * 3, policy=Policy(retries=2))

    assert type(error) is errors.TimedOut
    assert error.idempotency_key == "k-1"
    assert [step for step in steps if isinstance(step, Send)] == [Send(20.0)] * 3


def test_attempts_are_bounded_by_the_whole_time_and_the_last_waits_for_the_rest() -> None:
    policy = Policy(retries=99, timeout_seconds=20, total_seconds=50)

    error, steps = play(POST, [LOST] * 4, policy=policy, took=20)

    assert type(error) is errors.TimedOut
    assert [step.timeout_seconds for step in steps if isinstance(step, Send)] == [20, 20, 9.25]


def test_no_retries_is_one_attempt() -> None:
    error, steps = play(GET, [refused(503)], policy=Policy(retries=0))

    assert type(error) is errors.Unavailable
    assert len(steps) == 1


def test_deletion_whose_answer_was_lost_counts_as_done() -> None:
    call = Call("DELETE", "/v1/webhook-endpoints/whe_1", read=lambda value: value)

    assert play(call, [LOST, refused(404)], policy=Policy())[0] is None
    assert type(play(call, [refused(404)], policy=Policy())[0]) is errors.NotFound


@pytest.mark.parametrize("content", [b"<html>", b"[1]", b"", b"null", b'{"code": null}', b"\xff"])
def test_refusal_by_something_in_front_of_holdfast_has_a_code_too(content: bytes) -> None:
    answer = Answered(413, {"request-id": "req_9"}, content)

    error, _steps = play(GET, [answer], policy=Policy())

    assert (error.status, error.code, error.request_id) == (413, "http_413", "req_9")
    assert error.errors == ()


@pytest.mark.parametrize("content", [b"<html>", b"\xff"])
def test_answer_that_is_no_json_is_unreadable_and_not_sent_again(content: bytes) -> None:
    error, steps = play(POST, [Answered(200, {}, content)], policy=Policy())

    assert type(error) is errors.AnswerUnreadable
    assert len(steps) == 1


@pytest.mark.parametrize("wrong", [{"retries": -1}, {"timeout_seconds": 0}, {"total_seconds": -1}])
def test_policy_refuses_numbers_without_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        Policy(**wrong)
