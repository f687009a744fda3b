"""What a view's method may refuse with, said beside it once: for the schema and for its readers.

It must never decide anything: api.errors answers whatever is raised, named or not.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from common.errors import DomainError

Refusal = type[DomainError]
Source = Refusal | Callable[..., Any]
F = TypeVar("F", bound=Callable[..., Any])

# A docstring's paragraph of refusals, up to the next word of the house's order of docstrings.
_RAISES = re.compile(r"\bRaises:(.*?)(?=\b(?:Idempotent|Locks|Source|Returns|Args):|\Z)", re.DOTALL)
_NAMES = re.compile(r"\b[A-Z][A-Za-z]+\b")


def refuses(*sources: Source) -> Callable[[F], F]:
    """Name what a view's method may refuse with.

    Args: sources: refusals, or functions it calls, whose docstrings say theirs after "Raises:".
    """

    def mark(method: F) -> F:
        method.refuses = sources  # type: ignore[attr-defined]
        return method

    return mark


def refusals_of(method: Callable[..., Any]) -> list[Refusal]:
    """Every refusal named beside a view's method, in that order, each once."""
    found: dict[Refusal, None] = {}
    for source in getattr(method, "refuses", ()):
        if isinstance(source, type) and issubclass(source, DomainError):
            found[source] = None
        else:
            found.update(dict.fromkeys(raised_by(source)))
    return list(found)


def raised_by(function: Callable[..., Any]) -> list[Refusal]:
    """The refusals a function's docstring names after "Raises:"."""
    known = {refusal.__name__: refusal for refusal in all_refusals()}
    return [known[name] for name in named_after_raises(function) if name in known]


def named_after_raises(function: Callable[..., Any]) -> list[str]:
    """The capitalized words after "Raises:" in a function's docstring."""
    found = _RAISES.search(inspect.getdoc(inspect.unwrap(function)) or "")
    return _NAMES.findall(found[1]) if found else []


def all_refusals(base: Refusal = DomainError) -> Iterator[Refusal]:
    """Every refusal there is, each before those that refine it."""
    for refusal in base.__subclasses__():
        yield refusal
        yield from all_refusals(refusal)


def meaning_of(refusal: Refusal) -> str:
    """Say a refusal in a sentence."""
    written = inspect.cleandoc(vars(refusal).get("__doc__") or "")
    return " ".join(written.split()) or f"{refusal.code.replace('_', ' ').capitalize()}."
