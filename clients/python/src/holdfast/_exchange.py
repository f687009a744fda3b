"""One call from the first attempt to its answer, without any input or output of its own.

`exchange` says what to do next, a transport does it and tells what came of it. So there is one set
of rules for both clients, and a test needs neither a network nor a clock that runs.
"""

import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx

from holdfast import errors

T = TypeVar("T")

# Answers after which the same request is sent again, with the same Idempotency-Key.
RETRIED_STATUSES = frozenset({429, 502, 503, 504})
RUNNING = "idempotency_key_running"
REPEATS_A_MISTAKE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)


@dataclass(frozen=True)
class Policy:
    """How patient a client is. All times in seconds.

    A call is tried again after connection errors, 409 `idempotency_key_running`, 429 and 502 to
    504, with the same Idempotency-Key, as long as both bounds allow.
    """

    retries: int = 4  # attempts after the first
    timeout_seconds: float = 20.0  # of connecting, and of each wait for the answer
    total_seconds: float = 60.0  # of one call: no attempt begins later
    first_pause_seconds: float = 0.25
    longest_pause_seconds: float = 8.0

    def __post_init__(self) -> None:
        if self.retries < 0 or min(self.timeout_seconds, self.total_seconds) <= 0:
            raise ValueError("Retries are 0 or more, times more than 0 seconds.")

    def pause(self, attempt: int, chance: float) -> float:
        """How long to wait after an attempt (1, 2, 3 …): twice as long each time, half of it by
        chance, so that callers who failed together do not come back together."""
        # Bounded before it is raised to a power: a thousand attempts are allowed.
        doubled = self.first_pause_seconds * 2.0 ** min(attempt - 1, 30)
        longest = min(self.longest_pause_seconds, doubled)
        return longest * (0.5 + 0.5 * chance)


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request, and how its answer is read. The bytes are the same in every attempt."""

    method: str
    path: str
    read: Callable[[Any], T]
    query: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    idempotency_key: str | None = None
    keyless: bool = False  # the API key is not sent
    raw: bool = False  # what is answered is a file, not JSON


@dataclass(frozen=True)
class Send:
    """Send the call's request now, and wait this long for its answer."""

    timeout_seconds: float


@dataclass(frozen=True)
class Pause:
    """Wait."""

    seconds: float


@dataclass(frozen=True)
class Answered:
    """What came back. Names of headers in small letters."""

    status: int
    headers: Mapping[str, str]
    content: bytes


Step = Send | Pause
Outcome = Answered | httpx.RequestError | None  # None: after a pause


def exchange(
    call: Call[T],
    *,
    policy: Policy,
    clock: Callable[[], float],
    chance: Callable[[], float],
) -> Generator[Step, Outcome, T]:
    """Say step by step how a call is made.

    Args: clock: seconds that only grow. chance: 0 to 1.
    Returns: the answer, read.
    Raises: ApiError, ConnectionFailed, AnswerUnreadable.
    """
    began = clock()
    attempt = 0
    while True:
        attempt += 1
        left = policy.total_seconds - (clock() - began)
        outcome = yield Send(max(0.001, min(policy.timeout_seconds, left)))
        assert outcome is not None, "a request has an outcome"
        if isinstance(outcome, Answered):
            refusal = _refusal(outcome, call)
            if refusal is None:
                return _read(outcome, call)
            if call.method == "DELETE" and attempt > 1 and refusal.status == 404:
                return call.read(None)  # an attempt whose answer was lost has deleted it
            wait = _wait_after(refusal, policy.pause(attempt, chance()))
        else:
            refusal = None
            again = not isinstance(outcome, REPEATS_A_MISTAKE)
            wait = policy.pause(attempt, chance()) if again else None
        spent = clock() - began
        if wait is None or attempt > policy.retries or spent + wait >= policy.total_seconds:
            if refusal is not None:
                raise refusal
            assert isinstance(outcome, httpx.RequestError)
            raise _connection_failed(outcome, call, attempt) from outcome
        yield Pause(wait)


def _wait_after(refusal: errors.ApiError, pause: float) -> float | None:
    """How long to wait before the request is sent again; None: never."""
    running = refusal.status == 409 and refusal.code == RUNNING
    if not running and refusal.status not in RETRIED_STATUSES:
        return None
    return pause + (refusal.retry_after or 0.0)


def _refusal(answer: Answered, call: Call[Any]) -> errors.ApiError | None:
    if 200 <= answer.status < 300:
        return None
    problem = _problem(answer.content)
    return errors.class_for(answer.status)(
        status=answer.status,
        code=str(problem.get("code") or f"http_{answer.status}"),
        detail=str(problem.get("detail") or "Something in front of Holdfast answered this."),
        errors=_field_errors(problem.get("errors")),
        facts=problem["facts"] if isinstance(problem.get("facts"), dict) else {},
        request_id=str(problem.get("request_id") or answer.headers.get("request-id", "")),
        type=str(problem.get("type") or ""),
        retry_after=_seconds(answer.headers.get("retry-after", "")),
        idempotency_key=call.idempotency_key,
    )


def _problem(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _field_errors(found: Any) -> list[errors.FieldError]:
    names = ("pointer", "code", "detail")
    return [
        errors.FieldError(*(str(each.get(name, "")) for name in names))
        for each in (found if isinstance(found, list) else ())
        if isinstance(each, dict)
    ]


def _seconds(retry_after: str) -> float | None:
    # The other form of the header, a date, would need this machine's clock to be right.
    plain = retry_after.isascii() and retry_after.isdigit()
    return float(int(retry_after[:6])) if plain else None


def _read(answer: Answered, call: Call[T]) -> T:
    try:
        if call.raw:
            return call.read(answer.content)
        return call.read(json.loads(answer.content) if answer.content else None)
    except ValueError as error:
        request_id = answer.headers.get("request-id", "unknown")
        raise errors.AnswerUnreadable(
            f"{call.method} {call.path} answered {answer.status} with a body that cannot be read:"
            f" {error} (request {request_id})"
        ) from error


def _connection_failed(
    trouble: httpx.RequestError, call: Call[Any], attempts: int
) -> errors.ConnectionFailed:
    kind = errors.TimedOut if isinstance(trouble, httpx.TimeoutException) else None
    times = "once" if attempts == 1 else f"{attempts} times"
    return (kind or errors.ConnectionFailed)(
        f"{call.method} {call.path} was sent {times} without an answer:"
        f" {type(trouble).__name__} {trouble}".rstrip(),
        idempotency_key=call.idempotency_key,
    )
