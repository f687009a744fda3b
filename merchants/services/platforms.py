"""Taking in shopping platforms and their sellers. It must never touch money."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError

from common.errors import DomainError
from ledger.usecases import use_case
from merchants import selectors
from merchants.clocks import require_test
from merchants.models import DAY, HOUR, MAX_CLOCK_OFFSET, Language, Merchant, Mode, Platform
from merchants.services.checks import check_row, violates
from merchants.services.reserves import refuse_below_required


class PlatformInvalid(DomainError):
    code = "platform_invalid"
    status = 422


class PlatformSlugTaken(DomainError):
    code = "platform_slug_taken"


class MerchantInvalid(DomainError):
    code = "merchant_invalid"
    status = 422


class MerchantReferenceTaken(DomainError):
    code = "merchant_reference_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlinePolicy:
    """A platform's deadlines in seconds; reminders count back from their deadline.

    `ship_business_days`, with a calendar such as CN or GB-SCT, count instead of `ship_seconds`.

    Source: shared defaults of the product (docs/states.md).
    """

    pay_seconds: int = 30 * 60
    ship_seconds: int = 72 * HOUR
    ship_business_days: int | None = None
    ship_calendar: str = ""
    ship_reminder_seconds: int = 24 * HOUR
    confirm_seconds: int = 10 * DAY
    confirm_virtual_seconds: int = 2 * DAY
    confirm_reminder_seconds: int = 2 * DAY
    confirm_extension_seconds: int = 5 * DAY
    dispute_window_seconds: int = 7 * DAY
    dispute_answer_seconds: int = 48 * HOUR
    dispute_offer_seconds: int = 7 * DAY
    dispute_return_seconds: int = 7 * DAY
    dispute_receive_seconds: int = 10 * DAY
    dispute_decide_seconds: int = 60 * DAY


DEFAULT_DEADLINES = DeadlinePolicy()


def create_platform(
    *,
    name: str,
    slug: str,
    at: datetime,
    name_zh: str = "",
    currency: str = "CNY",
    language: str = Language.ENGLISH,
    time_zone: str = "Asia/Shanghai",
    service_fee_bps: int = 0,
    deadlines: DeadlinePolicy = DEFAULT_DEADLINES,
    mode: str = Mode.TEST,
    live_platform: Platform | None = None,
) -> Platform:
    """Take in a shopping platform.

    Args: service_fee_bps: 0 to 10000, of every order amount, ours. mode: TEST or LIVE, for ever.
        live_platform: the live side of a platform in test mode; it has one test side at most.
    Raises: PlatformInvalid, PlatformSlugTaken, UnknownCurrency.
    Idempotent: by slug: the second one is refused.
    """
    platform = Platform(
        name=name,
        slug=slug,
        name_zh=name_zh,
        currency=currency,
        language=language,
        time_zone=time_zone,
        service_fee_bps=service_fee_bps,
        mode=mode,
        live_platform=live_platform,
        created_at=at,
        **asdict(deadlines),
    )
    check_row(platform, PlatformInvalid)
    if live_platform is not None and live_platform.mode != Mode.LIVE:
        raise PlatformInvalid("The live side must be a live platform.", fields=["live_platform"])
    try:
        with use_case():
            platform.save(force_insert=True)
    except IntegrityError as error:
        if "slug" in str(error):
            raise PlatformSlugTaken(f"There is a platform {slug!r} already.", slug=slug) from None
        if "live_platform" in str(error):
            raise PlatformInvalid(
                "That live platform has a test side already.", fields=["live_platform"]
            ) from None
        raise
    return platform


@use_case()
def move_clock(*, platform_id: str, offset: timedelta) -> Platform:
    """Set how far a platform's own clock is ahead of the real one. It never goes back.

    It works nothing off: api.clock does, instant by instant.

    Raises: LivePlatform, PlatformInvalid. Locks: the platform.
    """
    platform = Platform.objects.select_for_update(of=("self",), no_key=True).get(pk=platform_id)
    require_test(platform)
    if not platform.clock_offset <= offset <= MAX_CLOCK_OFFSET:
        raise PlatformInvalid(
            f"A clock is never turned back, nor further ahead than {MAX_CLOCK_OFFSET.days} days.",
            fields=["clock_offset"],
        )
    platform.clock_offset = offset
    platform.save(update_fields=["clock_offset"])
    return platform


def create_merchant(
    *,
    platform: Platform,
    reference: str,
    name: str,
    at: datetime,
    email: str = "",
    language: str = Language.ENGLISH,
    time_zone: str = "",
    active: bool = True,
    reserve_bps: int | None = None,
    reserve_days: int | None = None,
) -> Merchant:
    """Take in a seller of a platform.

    Args: reference: the platform's own name for the seller. time_zone: IANA name, in which mails
        to the seller write dates; empty: the platform's. reserve_bps, reserve_days: held back of
        each release, for so long; both 0: nothing; both None: as the plan says.
    Raises: MerchantInvalid, MerchantReferenceTaken, ReserveBelowRequired.
    Idempotent: by (platform, reference): the second one is refused.
    """
    merchant = Merchant(
        platform=platform,
        reference=reference,
        name=name,
        email=email,
        language=language,
        time_zone=time_zone,
        active=active,
        reserve_bps=reserve_bps,
        reserve_days=reserve_days,
        created_at=at,
    )
    check_row(merchant, MerchantInvalid)
    _refuse_low_reserve(merchant)
    try:
        with use_case():
            merchant.save(force_insert=True)
    except IntegrityError as error:
        if violates(error, "merchant_reference_once"):
            raise MerchantReferenceTaken(
                f"This platform already has a seller {reference!r}.", reference=reference
            ) from None
        raise
    return merchant


@use_case()
def update_merchant(
    *,
    merchant: Merchant,
    name: str | None = None,
    email: str | None = None,
    language: str | None = None,
    time_zone: str | None = None,
    active: bool | None = None,
    reserve: tuple[int | None, int | None] | None = None,
) -> Merchant:
    """Change what is given about a seller. The audit keeps what it was.

    Args: active: False takes no new orders; orders under way go on, and what is owed is paid.
        reserve: basis points held back of each release of orders to come, and days; (0, 0):
            nothing; (None, None): as the plan says.
    Raises: MerchantInvalid, ReserveBelowRequired.
    Idempotent: the same values again change nothing. Locks: the seller.
    """
    row = Merchant.objects.select_for_update(of=("self",), no_key=True).get(pk=merchant.pk)
    wanted: dict[str, object] = {
        "name": name,
        "email": email,
        "language": language,
        "time_zone": time_zone,
        "active": active,
    }
    given = {field: value for field, value in wanted.items() if value is not None}
    if reserve is not None:
        given |= {"reserve_bps": reserve[0], "reserve_days": reserve[1]}
    changed = [field for field, value in given.items() if value != getattr(row, field)]
    for field in changed:
        setattr(row, field, given[field])
    if changed:
        check_row(row, MerchantInvalid)
        if "reserve_bps" in changed or "reserve_days" in changed:
            _refuse_low_reserve(row)
        row.save(update_fields=changed)
    return row


def _refuse_low_reserve(merchant: Merchant) -> None:
    if merchant.reserve_bps is not None:
        refuse_below_required(
            selectors.active_plan(platform_id=merchant.platform_id),
            reserve=(merchant.reserve_bps, merchant.reserve_days),
        )


def suspend_merchant(*, merchant: Merchant) -> Merchant:
    """Take no new orders for a seller. See `update_merchant`."""
    return update_merchant(merchant=merchant, active=False)


def reactivate_merchant(*, merchant: Merchant) -> Merchant:
    """Take orders for a suspended seller again. See `update_merchant`."""
    return update_merchant(merchant=merchant, active=True)
