"""Answers as frozen dataclasses. Fields that are not known here are kept in `raw`."""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

T = TypeVar("T")
Reader = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A JSON object that Holdfast answered.

    `raw` is the object as it was, for fields that are newer than this client.
    """

    raw: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False, compare=False)


_READERS: dict[Any, Reader] = {}


def reader(kind: Any) -> Reader:
    """How a JSON value becomes a value of a type: built once per type.

    The reader raises ValueError, naming the field.
    """
    if kind not in _READERS:
        _READERS[kind] = _reader(kind)
    return _READERS[kind]


def read(kind: type[T], value: Any) -> T:
    """Read a JSON value as a type. Raises: ValueError."""
    found: T = reader(kind)(value)
    return found


def _reader(kind: Any) -> Reader:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in (Any, None, type(None)):
        return lambda value: value
    if kind is datetime:
        return _instant
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _object(kind)
    if origin is tuple:
        return _list(reader(arguments[0]))
    if origin is types.UnionType:
        return _either(arguments)
    return _plain(origin or kind)


def _object(kind: type) -> Reader:
    hints = typing.get_type_hints(kind)
    wanted = [field for field in dataclasses.fields(kind) if field.name != "raw"]

    def read_object(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _unfit(value, kind.__name__)
        found: dict[str, Any] = {"raw": value}
        for field in wanted:
            if field.name in value:
                found[field.name] = _within(field.name, hints[field.name], value[field.name])
            elif not _has_default(field):
                raise ValueError(f"the field {field.name!r} is missing")
        return kind(**found)

    return read_object


def _has_default(field: "dataclasses.Field[Any]") -> bool:
    missing = dataclasses.MISSING
    return field.default is not missing or field.default_factory is not missing


def _within(name: str, kind: Any, value: Any) -> Any:
    try:
        return reader(kind)(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _list(read_each: Reader) -> Reader:
    def read_list(value: Any) -> Any:
        if not isinstance(value, list):
            raise _unfit(value, "a list")
        return tuple(read_each(each) for each in value)

    return read_list


def _either(kinds: tuple[Any, ...]) -> Reader:
    """Null, or text, or an object: what JSON itself tells apart."""
    others = [kind for kind in kinds if kind is not type(None)]
    objects = [kind for kind in others if dataclasses.is_dataclass(kind)]
    rest = [kind for kind in others if kind not in objects]

    def read_either(value: Any) -> Any:
        if value is None and type(None) in kinds:
            return None
        fitting = objects if isinstance(value, dict) and objects else rest or objects
        return reader(fitting[0])(value)

    return read_either


def _instant(value: Any) -> datetime:
    if not isinstance(value, str):
        raise _unfit(value, "an instant")
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise _unfit(value, "an instant with its offset")
    return found


def _plain(kind: Any) -> Reader:
    wanted: type = dict if kind in (dict, Mapping) or kind.__name__ == "Mapping" else kind

    def read_plain(value: Any) -> Any:
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            raise _unfit(value, wanted.__name__)
        return value

    return read_plain


def _unfit(value: Any, wanted: str) -> ValueError:
    return ValueError(f"{type(value).__name__} instead of {wanted}")
