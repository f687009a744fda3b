"""How answers are written: each field is read-only and says its unit.

An answer must never show a token, a hash or a sealed number.
"""

from operator import attrgetter
from typing import Any

from rest_framework import serializers

from api import kept
from api.fields import AmountField, InstantField


def text(help_text: str, **options: Any) -> serializers.CharField:
    return serializers.CharField(help_text=help_text, read_only=True, **options)


def whole(help_text: str, **options: Any) -> serializers.IntegerField:
    return serializers.IntegerField(help_text=help_text, read_only=True, **options)


def truth(help_text: str, **options: Any) -> serializers.BooleanField:
    return serializers.BooleanField(help_text=help_text, read_only=True, **options)


def amount(help_text: str, **options: Any) -> AmountField:
    return AmountField(help_text=help_text, read_only=True, **options)


def instant(help_text: str, **options: Any) -> InstantField:
    return InstantField(help_text=f"{help_text} RFC 3339, UTC.", read_only=True, **options)


def later(help_text: str, **options: Any) -> InstantField:
    """An instant that may not have come yet."""
    return InstantField(
        help_text=f"{help_text} RFC 3339, UTC; null: not yet.",
        read_only=True,
        allow_null=True,
        **options,
    )


class CodeField(serializers.CharField):
    """A code, or null when there is none."""

    def to_representation(self, value: Any) -> str | None:
        return super().to_representation(value) or None


def code(help_text: str, **options: Any) -> CodeField:
    return CodeField(
        help_text=f"{help_text} null: none.", read_only=True, allow_null=True, **options
    )


class Answer(serializers.Serializer):
    """A JSON object that is answered. `context["expand"]` names the relations written whole."""


class Related(serializers.Field):
    """A relation: its id, or the whole object when `expand` names it.

    Args: whole: the answer it is written as; attribute: where the object is on the row;
        named_by: where its id is, when not at `<attribute>_id`.
    """

    def __init__(
        self, *, whole: type[Answer], attribute: str, help_text: str, named_by: str = ""
    ) -> None:
        self.whole = whole
        self.attribute = attribute
        self.named_by = attrgetter(named_by or f"{attribute}_id")
        super().__init__(
            help_text=f"{help_text} An id, or the whole object when `expand` names it.",
            read_only=True,
            source="*",
        )

    def to_representation(self, row: Any) -> Any:
        if self.field_name not in self.context.get("expand", ()):
            return self.named_by(row)
        found = getattr(row, self.attribute)
        return None if found is None else kept.write(self.whole, found)
