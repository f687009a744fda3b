"""What changed between two versions of a plan's rules: added, ended, replaced. Pure values."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from merchants.rules import Rule

# What a rule matches stays when it is replaced; the rest is what it says.
MATCH = (
    "currency",
    "priority",
    "merchant_id",
    "category",
    "channel",
    "min_order_minor",
    "max_order_minor",
)
UNSAID = {*MATCH, "id", "effective_from", "effective_to"}
SAID = tuple(field.name for field in fields(Rule) if field.name not in UNSAID)


class Change(StrEnum):
    ADDED = "ADDED"
    ENDED = "ENDED"
    REPLACED = "REPLACED"


@dataclass(frozen=True, slots=True)
class Value:
    """One value that differs. A rule that was added has no old one, a rule that ended no new."""

    name: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of the rules for the same sales. `rule` is the new one, or the one that ended."""

    change: Change
    rule: Rule
    values: tuple[Value, ...]


def differences(*, old: Iterable[Rule], new: Iterable[Rule]) -> tuple[Difference, ...]:
    """Compare the rules in force at two instants.

    Args: old, new: no two of each tie, so no two match the same.
    Returns: ended and replaced in the order of `old`, then the added ones in that of `new`; a rule
        replaced by one that says the same is left out.
    """
    before = {_match(rule): rule for rule in old}
    after = {_match(rule): rule for rule in new}
    found = []
    for key, rule in before.items():
        other = after.get(key)
        if other is None:
            found.append(Difference(Change.ENDED, rule, _values(rule, None)))
        elif values := _values(rule, other):
            found.append(Difference(Change.REPLACED, other, values))
    added = (rule for key, rule in after.items() if key not in before)
    return (*found, *(Difference(Change.ADDED, rule, _values(None, rule)) for rule in added))


def _match(rule: Rule) -> tuple[Any, ...]:
    return tuple(getattr(rule, name) for name in MATCH)


def _values(old: Rule | None, new: Rule | None) -> tuple[Value, ...]:
    """What differs; of one rule alone, its rate and what else it says."""
    values = (Value(name, old and getattr(old, name), new and getattr(new, name)) for name in SAID)
    if old and new:
        return tuple(value for value in values if value.old != value.new)
    return tuple(value for value in values if value.old or value.new or value.name == "rate_bps")
