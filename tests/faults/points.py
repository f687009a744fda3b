"""The places at which a process can die: found by counting, so that new code is covered without
annotations.

A point is before every SQL statement, after every statement that commits by itself, before and
after every COMMIT, and before and after every HTTP call. After a statement inside a transaction is
no point of its own: until the next point only our own Python runs, which nobody but the dying
process can see.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import httpx
from django.db import connection

from channels import registry
from demo.local_sandbox import CHANNEL, RAIL, LocalSandbox
from tests.flows.market import Look


class Meter:
    """Counts points and kills this process at the `fatal`th one. `labels` says what each point
    was.
    """

    def __init__(self, *, fatal: int | None = None) -> None:
        self.fatal = fatal
        self.labels: list[str] = []

    def pass_point(self, label: str) -> None:
        if Look.depth:
            return
        self.labels.append(label)
        if len(self.labels) == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


class MeteredTransport(httpx.BaseTransport):
    """A wire with a point at both ends."""

    def __init__(self, meter: Meter, wire: httpx.BaseTransport) -> None:
        self._meter, self._wire = meter, wire

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        call = f"{request.method} {request.url.path}"
        self._meter.pass_point(f"before {call}")
        try:
            return self._wire.handle_request(request)
        finally:
            self._meter.pass_point(f"after {call}")


@contextlib.contextmanager
def metered(meter: Meter, sandbox: LocalSandbox) -> Iterator[None]:
    """Count every point of the program in this block."""

    def execute(call: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        words = " ".join(str(sql).split())[:60]
        meter.pass_point(f"before {words}")
        answer = call(sql, params, many, context)
        reads = words.startswith("SELECT") and "escrow_release" not in words
        if not connection.in_atomic_block and not reads:
            meter.pass_point(f"after {words}")
        return answer

    commit = connection._commit

    def metered_commit() -> None:
        meter.pass_point("before COMMIT")
        commit()
        meter.pass_point("after COMMIT")

    with contextlib.ExitStack() as stack:
        stack.enter_context(connection.execute_wrapper(execute))
        for name, service in ((CHANNEL, sandbox.channel), (RAIL, sandbox.bank)):
            wire = MeteredTransport(meter, httpx.WSGITransport(app=service.app))
            stack.enter_context(registry.use_transport(name, wire, clock=sandbox.clock))
        connection._commit = metered_commit
        try:
            yield
        finally:
            connection._commit = commit
