"""Turns a signature into an operation of the API, for the blocking and the asyncio client alike.

Resources are written once: the path, the parameters with their types, and what is answered.
Parameters that stand in the path go there; the others are the body of a POST and the query of a
GET, under their own names; those that are None are left out.
"""

import base64
import functools
import inspect
import json
import re
import typing
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload
from urllib.parse import quote

from holdfast._decode import reader
from holdfast._exchange import Call
from holdfast.pages import AsyncPages, Page, Pages

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")


class Blocking:
    """Marks resources of `Holdfast`."""


class Asynchronous:
    """Marks resources of `AsyncHoldfast`."""


Mode = TypeVar("Mode")  # Blocking or Asynchronous


class Caller(Protocol):
    """What makes a call: a client. What it returns is a value, or one to be awaited."""

    def call(self, call: Call[T]) -> Any: ...


class Resource(Generic[Mode]):
    """A group of operations of one client."""

    def __init__(self, client: Caller) -> None:
        self._client = client


class Operation(Generic[P, T]):
    """A method of a resource: returns its answer, or a coroutine of it."""

    def __init__(self, declared: "Declaration") -> None:
        self.declared = declared
        self.__doc__ = declared.function.__doc__

    @overload
    def __get__(self, resource: None, owner: Any) -> "Operation[P, T]": ...
    @overload
    def __get__(self, resource: Resource[Blocking], owner: Any) -> Callable[P, T]: ...
    @overload
    def __get__(
        self, resource: Resource[Asynchronous], owner: Any
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, resource: Any, owner: Any) -> Any:
        if resource is None:
            return self
        return _bound(
            self.declared, resource, lambda *args, **named: self._call(resource, args, named)
        )

    def _call(self, resource: Any, args: Any, named: Any) -> Any:
        return resource._client.call(self.declared.call(args, named))


class Listing(Generic[P, T]):
    """A method of a resource that lists: returns an iterator over all pages."""

    def __init__(self, declared: "Declaration") -> None:
        self.declared = declared
        self.__doc__ = declared.function.__doc__

    @overload
    def __get__(self, resource: None, owner: Any) -> "Listing[P, T]": ...
    @overload
    def __get__(self, resource: Resource[Blocking], owner: Any) -> Callable[P, Pages[T]]: ...
    @overload
    def __get__(
        self, resource: Resource[Asynchronous], owner: Any
    ) -> Callable[P, AsyncPages[T]]: ...
    def __get__(self, resource: Any, owner: Any) -> Any:
        if resource is None:
            return self
        return _bound(
            self.declared, resource, lambda *args, **named: self._pages(resource, args, named)
        )

    def _pages(self, resource: Any, args: Any, named: Any) -> Any:
        pages: Any = AsyncPages if _is_asynchronous(resource) else Pages
        first = self.declared.call(args, named)  # wrong arguments are refused here and now
        return pages(lambda cursor: resource._client.call(_at(first, cursor)))


class Declaration:
    """What is known of an operation: method, path, signature, and how its answer is read."""

    def __init__(
        self, method: str, path: str, function: Callable[..., Any], under: str = ""
    ) -> None:
        self.method, self.path, self.function, self.under = method, path, function, under
        self.keyless = False
        signature = inspect.signature(function)
        self.signature = signature.replace(parameters=list(signature.parameters.values())[1:])
        self.in_path = tuple(re.findall(r"{(\w+)}", path))

    @property
    def answer(self) -> Any:
        """The type of what is answered, or of each item of a list."""
        return typing.get_type_hints(self.function)["return"]

    @property
    def fields(self) -> tuple[str, ...]:
        """The names that are sent in the body of a POST, or in the query of a GET."""
        return tuple(
            name
            for name in self.signature.parameters
            if name not in (*self.in_path, "idempotency_key")
        )

    def call(self, args: Any, named: Any) -> Call[Any]:
        """Make the request these arguments mean. Raises: TypeError, ValueError."""
        bound = self.signature.bind(*args, **named).arguments
        path = self.path.format(**{name: _segment(name, bound[name]) for name in self.in_path})
        given = {name: bound[name] for name in self.fields if bound.get(name) is not None}
        raw = self.answer is bytes
        call = Call(self.method, path, self.read, keyless=self.keyless, raw=raw)
        if self.method == "POST":
            key = bound.get("idempotency_key")
            key = str(uuid.uuid4()) if key is None else key
            content = _json(given) if self.fields else None
            return replace(call, content=content, idempotency_key=key)
        return replace(call, query={name: _text(value) for name, value in given.items()})

    def read(self, value: Any) -> Any:
        """Read the answer. Raises: ValueError."""
        if self.answer is bytes:
            return value
        if self.under:
            value = value[self.under] if isinstance(value, dict) and self.under in value else None
        return reader(self.answer)(value)


class _ListDeclaration(Declaration):
    def read(self, value: Any) -> Page[Any]:
        if not isinstance(value, dict) or not isinstance(value.get("data"), list):
            raise ValueError("a page has a list under 'data'")
        read_each = reader(self.answer)
        data = tuple(read_each(each) for each in value["data"])
        return Page(data, bool(value.get("has_more")), value.get("next_cursor"))


def get(
    path: str, *, under: str = ""
) -> Callable[[Callable[Concatenate[R, P], T]], Operation[P, T]]:
    """Declare an operation that reads. Args: under: the member of the answer that is returned."""
    return lambda function: Operation(Declaration("GET", path, function, under))


def post(
    path: str, *, under: str = "", keyless: bool = False
) -> Callable[[Callable[Concatenate[R, P], T]], Operation[P, T]]:
    """Declare an operation that writes. It has one effect per Idempotency-Key.

    Args: keyless: the API key is not sent; something in the body is the authority.
    """

    def declare(function: Callable[Concatenate[R, P], T]) -> Operation[P, T]:
        declared = Declaration("POST", path, function, under)
        declared.keyless = keyless
        return Operation(declared)

    return declare


def delete(path: str) -> Callable[[Callable[Concatenate[R, P], T]], Operation[P, T]]:
    """Declare an operation that takes something away."""
    return lambda function: Operation(Declaration("DELETE", path, function))


def listing(path: str) -> Callable[[Callable[Concatenate[R, P], T]], Listing[P, T]]:
    """Declare an operation that lists; the function returns what a page is made of."""
    return lambda function: Listing(_ListDeclaration("GET", path, function))


def _bound(declared: Declaration, resource: Any, made: Callable[..., Any]) -> Any:
    """Give a method its name, sentence and signature, for `help()` and editors."""
    found: Any = functools.wraps(declared.function)(made)
    found.__signature__ = declared.signature
    del found.__wrapped__  # it would show `self` again
    return found


def _is_asynchronous(resource: Any) -> bool:
    return bool(resource._client.asynchronous)


def _at(call: Call[Any], cursor: str | None) -> Call[Any]:
    return call if cursor is None else replace(call, query={**call.query, "cursor": cursor})


def _segment(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value or "/" in value:
        raise ValueError(f"{name} is an id such as ord_…, not {value!r}.")
    return quote(value, safe="")


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=_json_of).encode()


def _json_of(value: Any) -> Any:
    if isinstance(value, datetime):
        return _text(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"A {type(value).__name__} cannot be sent.")


def _text(value: Any) -> str:
    """Write a query parameter, or an instant. Raises: ValueError for an instant without offset."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("An instant needs its time zone: datetime.now(UTC), not utcnow().")
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return ",".join(_text(each) for each in value)
    return str(value)
