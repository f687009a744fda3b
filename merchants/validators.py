"""What a column may hold beyond its type. It must never ask the database."""

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _


def check_time_zone(time_zone: str) -> None:
    """Refuse what is no IANA time zone (a validator)."""
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValidationError(
            _("%(name)s is not a time zone; write for example Asia/Shanghai."),
            params={"name": time_zone},
        ) from None


channel_name = RegexValidator(
    r"^[a-z0-9_-]+\Z", _("The name of a payment channel has small letters, digits, - and _.")
)


def check_calendar(calendar: str) -> None:
    """Refuse what is no country, nor a part of one, whose holidays are known (a validator)."""
    country, dash, part = calendar.partition("-")
    parts = holidays.list_supported_countries(include_aliases=False).get(country)
    known = re.fullmatch(r"[A-Z]{2}", country) and parts is not None
    if not known or (dash and part not in parts):
        raise ValidationError(
            _("%(name)s is not a calendar; write a country such as CN, or a part such as GB-SCT."),
            params={"name": calendar},
        )
