"""The lies and troubles a sandbox service can be told to play, each some times, oldest first.

Requests: slow, timeout_before, timeout_after, error_before, error_after (500), torn (half a JSON
body after acting), wrong_amount (the answer is one minor unit off), refuse (422 before acting),
fail_later (a refund or payout is accepted and fails afterwards).
Notifications (operation notify, or notify_<subject>): slow (half a minute late), send_twice,
send_twice_new_id, reorder (the next ones pass it), sign_wrongly, wrong_amount, torn, drop (never
sent), timeout_after (delivered, the acknowledgment lost). Paying (operation pay): capture_twice.
A fault must never be used up by a request whose signature was refused.
"""

from collections.abc import Callable

from flask import Response, g, json, make_response

from sandbox import book as books
from sandbox.wire import Refused

SLOW_SECONDS = 3.0
REQUEST_FAULTS = frozenset(
    {"slow", "timeout_before", "timeout_after", "error_before", "error_after", "torn"}
    | {"wrong_amount", "refuse", "fail_later"}
)
NOTICE_FAULTS = frozenset(
    {"slow", "send_twice", "send_twice_new_id", "reorder", "sign_wrongly", "wrong_amount"}
    | {"torn", "drop", "timeout_after"}
)
PAY_FAULTS = frozenset({"capture_twice"})


class Faults:
    def __init__(
        self,
        book: books.Book,
        *,
        operations: dict[str, frozenset[str]],
        hang: Callable[[], None],
        pause: Callable[[float], None],
    ) -> None:
        self._book, self._operations, self._hang, self._pause = book, operations, hang, pause

    def add(self, *, operation: str, fault: str, times: int = 1) -> None:
        """Arm one fault. Raises: Refused 422 for a pair that means nothing here."""
        if fault not in self._operations.get(operation, ()):
            known = {name: sorted(faults) for name, faults in self._operations.items()}
            raise Refused(422, "FAULT_UNKNOWN", f"No {fault!r} for {operation!r}; known: {known}")
        with self._book.write() as write:
            books.insert(write, "faults", operation=operation, fault=fault, times=times)

    def clear(self) -> None:
        with self._book.write() as write:
            write.execute("DELETE FROM faults")

    def take(self, *operations: str) -> str:
        """Use up and name the oldest armed fault of the first operation that has one, or ""."""
        for operation in operations:
            sql = (
                "SELECT id, fault FROM faults WHERE operation = ? AND times > 0 ORDER BY id LIMIT 1"
            )
            while found := self._book.row(sql, operation):
                with self._book.write() as write:
                    use = "UPDATE faults SET times = times - 1 WHERE id = ? AND times > 0"
                    used = write.execute(use, (found["id"],)).rowcount
                if used:
                    return str(found["fault"])
        return ""

    def around(self, operation: str, act: Callable[[], Response]) -> Response:
        """Answer a request as the armed fault says; `act` commits before any late fault."""
        g.fault = fault = self.take(operation)
        if fault == "slow":
            self._pause(SLOW_SECONDS)
        elif fault == "timeout_before":
            self._hang()
        elif fault == "error_before":
            return _error()
        elif fault == "refuse":
            raise Refused(422, "REFUSED", "The sandbox was told to refuse.")
        answer = act()
        if fault == "timeout_after":
            self._hang()
        elif fault == "error_after":
            return _error()
        elif fault == "torn":
            answer.set_data(answer.get_data()[: max(1, len(answer.get_data()) // 2)])
        elif fault == "wrong_amount" and answer.status_code < 300:
            fields = answer.get_json()
            answer.set_data(json.dumps({**fields, "amount_minor": fields["amount_minor"] + 1}))
        return answer


def _error() -> Response:
    return make_response({"code": "INTERNAL", "message": "Something went wrong."}, 500)
