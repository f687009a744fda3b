"""How values look on the wire: whole numbers, plain text, instants with an offset.

It must never convert: a value of another JSON type is refused, not guessed at.
"""

import base64
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from common.money import MAX_AMOUNT_MINOR
from merchants.validators import check_time_zone

INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


class StrictSerializer(serializers.Serializer):
    """A JSON object whose every member is known; unknown ones are refused beside other errors."""

    def to_internal_value(self, data: Any) -> Any:
        """Validate the object. Raises: ValidationError."""
        unknown = _unknown_members(
            data, {name for name, field in self.fields.items() if not field.read_only}
        )
        try:
            found = super().to_internal_value(data)
        except ValidationError as refused:
            if not unknown or not isinstance(refused.detail, dict):
                raise
            raise ValidationError({**refused.detail, **unknown}) from None
        if unknown:
            raise ValidationError(unknown)
        return found


def _unknown_members(data: Any, known: set[str]) -> dict[str, list[ErrorDetail]]:
    if not isinstance(data, Mapping):
        return {}
    return {
        name: [ErrorDetail("There is no such field.", code="unknown")]
        for name in data
        if name not in known
    }


class WholeNumberField(serializers.IntegerField):
    """A JSON integer; not a float, a boolean or a text that looks like one."""

    default_error_messages = {"invalid": "Send a whole number as a JSON integer."}

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return data


class AmountField(WholeNumberField):
    """An amount in minor units, 0 to 10^15."""

    default_error_messages = {
        "invalid": "Send the amount as a JSON integer, in minor units of the currency."
    }

    def __init__(self, **options: Any) -> None:
        if not options.get("read_only"):
            options = {"min_value": 0, "max_value": MAX_AMOUNT_MINOR} | options
        super().__init__(**options)


class TextField(serializers.CharField):
    """One line of text, kept as it is sent: not trimmed, no control characters."""

    default_error_messages = {
        "invalid": "Send a JSON string.",
        "control": "Control characters and line breaks are not allowed.",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False} | options)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, str) and not data.strip():
            data = ""
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if not is_one_line(data):
            self.fail("control")
        return data


class DocumentField(serializers.CharField):
    """A text of many lines, from a JSON string only, kept as it is sent."""

    default_error_messages = {"invalid": "Send a JSON string."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False} | options)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data


def is_one_line(text: str) -> bool:
    """Whether a text has no control characters and no line or paragraph separators."""
    return not any(unicodedata.category(one) in ("Cc", "Zl", "Zp") for one in text)


class FileField(serializers.CharField):
    """The bytes of a file, as base64 in a JSON string."""

    default_error_messages = {"base64": "Send the file in base64."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False} | options)

    def to_internal_value(self, data: Any) -> bytes:  # type: ignore[override]
        if not isinstance(data, str):
            self.fail("invalid")
        try:
            return base64.b64decode(data, validate=True)
        except ValueError:
            self.fail("base64")


class EmailField(serializers.EmailField):
    """An email address, from a JSON string only."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class TruthField(serializers.BooleanField):
    """true or false; not 1, "yes" or null."""

    default_error_messages = {"invalid": "Send true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if type(data) is not bool:
            self.fail("invalid")
        return data


class TimeZoneField(TextField):
    """The name of a time zone of the IANA database."""

    default_error_messages = {"time_zone": "Send a time zone such as Asia/Shanghai."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 64} | options)

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        try:
            check_time_zone(name)
        except DjangoValidationError:
            self.fail("time_zone")
        return name


class MetadataField(serializers.DictField):
    """Your own notes: a few names with texts."""

    MOST_NAMES = 20
    LONGEST_NAME = 40
    LONGEST_TEXT = 500
    child = TextField(max_length=LONGEST_TEXT, allow_blank=True)
    default_error_messages = {
        "too_many": "At most {most} names.",
        "name_length": "Names have 1 to {longest} characters.",
        "control": "Control characters and line breaks are not allowed in names.",
    }

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if isinstance(data, Mapping) and len(data) > self.MOST_NAMES:
            self.fail("too_many", most=self.MOST_NAMES)
        found = super().to_internal_value(data)
        if not all(1 <= len(name) <= self.LONGEST_NAME for name in found):
            self.fail("name_length", longest=self.LONGEST_NAME)
        if not all(is_one_line(name) for name in found):
            self.fail("control")
        return found


class WebAddressField(TextField):
    """An http or https address without credentials in it."""

    default_error_messages = {"address": "Send an http or https address without a user name in it."}

    def to_internal_value(self, data: Any) -> str:
        address = super().to_internal_value(data)
        try:
            parts = urlsplit(address)
            _ = parts.port  # a port out of range shows only when it is read
        except ValueError:
            self.fail("address")
        plain = re.fullmatch(r"[!-~]*", address) is not None and "\\" not in address
        if (
            not plain
            or parts.scheme not in ("http", "https")
            or not parts.hostname
            or "@" in parts.netloc
        ):
            self.fail("address")
        return address


class InstantField(serializers.DateTimeField):
    """An instant as RFC 3339 with its offset; answered in UTC."""

    default_error_messages = {
        "invalid": "Send an instant with its offset, such as 2026-11-23T08:00:00+08:00."
    }

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str) or not INSTANT.fullmatch(value):
            self.fail("invalid")
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("invalid")

    def to_representation(self, value: datetime | None) -> str | None:
        return None if value is None else instant(value)


def instant(value: datetime) -> str:
    """Write an instant in UTC, to the microsecond."""
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
