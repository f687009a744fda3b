"""One use case, one database transaction.

Every service that is a whole use case runs in `use_case()`. Nothing else may be open around it, or
its effect could be undone after its caller was told of it; with one exception: a door that stores
its answer with the effect opens `door()`, and what is called inside is one with it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import transaction

_door_is_open: ContextVar[bool] = ContextVar("_door_is_open", default=False)


@contextmanager
def use_case() -> Iterator[None]:
    """Commit at the end, or nothing at all. Raises: RuntimeError inside another transaction.

    An error inside spoils the door's transaction with it: half an effect is never stored.
    """
    alone = not _door_is_open.get()
    with transaction.atomic(durable=alone, savepoint=alone):
        yield


@contextmanager
def door() -> Iterator[None]:
    """Hold one transaction open around use cases, so that what the door writes commits with them.

    It must never hold a call to the outside world.
    """
    with transaction.atomic(durable=True):
        token = _door_is_open.set(True)
        try:
            yield
        finally:
            _door_is_open.reset(token)
