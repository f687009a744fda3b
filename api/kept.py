"""Serializers made once per thread and kept: making one copies each of its fields, which costs more
than all it then does.

A kept serializer must never be given a row or a body of its own: what it knows of one request is
its context, which the next request replaces.
"""

import threading
from typing import Any

from rest_framework import serializers

_Context = dict[str, Any]
_kept = threading.local()


def read(serializer: type[serializers.Serializer], sent: Any, **context: Any) -> dict[str, Any]:
    """Return what was sent, validated. Raises: ValidationError."""
    return _of_this_thread(serializer, context).run_validation(sent)


def write(answer: type[serializers.BaseSerializer[Any]], row: Any, **context: Any) -> Any:
    """Return a row as it is answered."""
    return _of_this_thread(answer, context).to_representation(row)


def _of_this_thread(kind: type[serializers.BaseSerializer[Any]], context: _Context) -> Any:
    known: dict[Any, tuple[Any, _Context]] = _kept.__dict__.setdefault("serializers", {})
    if kind not in known:
        shared: _Context = {}
        known[kind] = kind(context=shared), shared
    found, shared = known[kind]
    shared.clear()
    shared.update(context)
    return found
