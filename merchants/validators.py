"""What a column may hold beyond its type. It must never ask the database."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

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
