"""Money and time as a person reads them: by language, currency and the reader's time zone.

It must never round: amounts are minor units, and every one of them is shown.
"""

from copy import copy
from datetime import date, datetime, timedelta
from decimal import Decimal

from babel import Locale, dates, numbers
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from common.money import exponent

LOCALES = {"zh-hans": "zh_Hans_CN"}  # all others are babel's own names
MINUTE, HOUR, DAY = 60, 3600, 86400


def locale() -> Locale:
    """The reader's."""
    language = get_language() or "en"
    return Locale.parse(LOCALES.get(language, language.replace("-", "_")))


def money(amount_minor: int, currency: str) -> str:
    """Write an amount with its currency: `CN¥1,280.00`, in Chinese `¥1,280.00`.

    The digits are ISO 4217's, not babel's, which differ for some currencies.
    """
    places = exponent(currency)
    pattern = copy(locale().currency_formats["standard"])
    pattern.frac_prec = (places, places)
    amount = Decimal(amount_minor).scaleb(-places)
    return str(pattern.apply(amount, locale(), currency=currency, currency_digits=False))


def short_money(amount_minor: int, currency: str) -> str:
    """Write about how much, for axes and tight places: `CN¥1.2M`."""
    whole = Decimal(amount_minor).scaleb(-exponent(currency))
    return numbers.format_compact_currency(whole, currency, locale=locale(), fraction_digits=1)


def number(amount: int) -> str:
    """Write a count with its thousands apart."""
    return numbers.format_decimal(amount, locale=locale())


def percent(rate_bps: int) -> str:
    """Write basis points: 550 is `5.5%`."""
    return numbers.format_percent(Decimal(rate_bps) / 10_000, "#,##0.##%", locale=locale())


def instant(at: datetime | None) -> str:
    """Write date and time in the reader's zone: `23 Nov 2026, 14:05`."""
    if at is None:
        return ""
    local = timezone.localtime(at)
    return f"{day(local)} {dates.format_time(local, 'HH:mm', locale=locale())}"


def day(at: datetime | date | None) -> str:
    """Write a date in the reader's zone: `23 Nov 2026`."""
    if at is None:
        return ""
    local = timezone.localtime(at).date() if isinstance(at, datetime) else at
    shape = "y年M月d日" if locale().language == "zh" else "d MMM y"
    return dates.format_date(local, shape, locale=locale())


def time_left(until: datetime, *, at: datetime) -> str:
    """Say how long it is to an instant, in the largest unit that says it: `in 6 days`."""
    seconds = int((until - at) / timedelta(seconds=1))
    if seconds <= 0:
        return _("overdue")
    if seconds < HOUR:
        count = max(1, seconds // MINUTE)
        return ngettext("in %(count)d minute", "in %(count)d minutes", count) % {"count": count}
    if seconds < 2 * DAY:
        count = seconds // HOUR
        return ngettext("in %(count)d hour", "in %(count)d hours", count) % {"count": count}
    count = seconds // DAY
    return ngettext("in %(count)d day", "in %(count)d days", count) % {"count": count}
