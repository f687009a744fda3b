"""What can go wrong. Everything this package raises on purpose is a `HoldfastError`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class HoldfastError(Exception):
    """Any refusal or failure of this package."""


class ConnectionFailed(HoldfastError):
    """Holdfast could not be reached, or its answer did not arrive, in any of the attempts.

    What became of the request is not known. A POST may be sent again at any later time with
    `idempotency_key=error.idempotency_key`: it has its effect once.
    """

    def __init__(self, sentence: str, *, idempotency_key: str | None) -> None:
        super().__init__(sentence)
        self.idempotency_key = idempotency_key


class TimedOut(ConnectionFailed):
    """The time for the call was over before an answer came."""


class AnswerUnreadable(HoldfastError):
    """Holdfast, or something in front of it, answered what this client cannot read."""


@dataclass(frozen=True)
class FieldError:
    """One field that is wrong. `pointer` is a JSON pointer into the body, such as `#/lines/0`."""

    pointer: str
    code: str
    detail: str


class ApiError(HoldfastError):
    """Holdfast answered no. `code` is stable, `detail` is a sentence for people.

    `errors` names the fields that are wrong; `facts` is what the refusal is about, such as ids.
    `request_id` is what to quote when you ask about it; `type` is an address that explains it.
    """

    def __init__(
        self,
        *,
        status: int,
        code: str,
        detail: str,
        errors: Sequence[FieldError] = (),
        facts: Mapping[str, Any] | None = None,
        request_id: str = "",
        type: str = "",
        retry_after: float | None = None,
        idempotency_key: str | None = None,
    ) -> None:
        fields = "".join(f" {error.pointer}: {error.detail}" for error in errors)
        super().__init__(f"{status} {code}: {detail}{fields} (request {request_id or 'unknown'})")
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.facts = facts or {}
        self.request_id = request_id
        self.type = type
        self.retry_after = retry_after  # seconds
        self.idempotency_key = idempotency_key


class Invalid(ApiError):
    """400, 422 and other 4xx: the request is wrong and would be wrong again."""


class NotAuthenticated(ApiError):
    """401: the API key is missing, wrong, revoked or expired."""


class NotAllowed(ApiError):
    """403: the key lacks the scope, or the token is not this order's."""


class NotFound(ApiError):
    """404: there is no such object on your platform."""


class Conflict(ApiError):
    """409: the object is not in a state for this. Read it again before anything else."""


class RateLimited(ApiError):
    """429: too many requests; `retry_after` says how many seconds to wait."""


class Unavailable(ApiError):
    """5xx: Holdfast's own trouble. The request may be sent again with the same key."""


class WebhookError(HoldfastError):
    """The webhook must not be believed: answer 400 and do nothing."""


class SignatureMissing(WebhookError):
    """One of the headers webhook-id, webhook-timestamp and webhook-signature is not there."""


class SignatureWrong(WebhookError):
    """No signature fits any of your secrets: another sender, another secret, or another body."""


class TimestampRefused(WebhookError):
    """It was signed too long ago, or in the future: a replay, or one of the clocks is wrong."""


class BodyUnreadable(WebhookError):
    """The signature is right and the body is no event."""


class ReceiptRefused(HoldfastError):
    """The receipt must not be believed, or cannot be checked here."""


_BY_STATUS: Mapping[int, type[ApiError]] = {
    401: NotAuthenticated,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    429: RateLimited,
}


def class_for(status: int) -> type[ApiError]:
    """The class of the error for an HTTP status."""
    return _BY_STATUS.get(status) or (Unavailable if status >= 500 else Invalid)
