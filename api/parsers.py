"""Reading JSON strictly. It must never pass a document that two readers could read differently."""

import json
from typing import Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

MAX_DEPTH = 20
MAX_DIGITS = 20


class StrictJSONParser(JSONParser):
    """One JSON document in UTF-8: no name twice, no NaN, no NUL in any text, no deep nesting."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Parse the body. Raises: ParseError."""
        try:
            found = json.loads(
                stream.read().decode("utf-8"),
                object_pairs_hook=_no_duplicates,
                parse_constant=_no_constant,
                parse_int=_whole,
            )
        except UnicodeDecodeError:
            raise ParseError("The body is not UTF-8.") from None
        except RecursionError:
            raise _too_deep() from None
        except ValueError as broken:
            raise ParseError(f"The body is not JSON: {broken}.") from None
        _check(found, depth=0)
        return found


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name appears twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number has more than {MAX_DIGITS} digits")
    return int(digits)


def _check(value: Any, *, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _too_deep()
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for name, below in value.items():
            _check_text(name)
            _check(below, depth=depth + 1)
    elif isinstance(value, list):
        for below in value:
            _check(below, depth=depth + 1)


def _check_text(value: str) -> None:
    """PostgreSQL stores neither NUL nor a surrogate without its partner."""
    half = not value.isascii() and any("\ud800" <= one <= "\udfff" for one in value)
    if "\x00" in value or half:
        raise ParseError("A text in the body has a NUL or half a character in it.")


def _too_deep() -> ParseError:
    return ParseError(f"The body is nested deeper than {MAX_DEPTH} levels.")
