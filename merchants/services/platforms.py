"""Taking in shopping platforms and their sellers. It must never touch money."""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import IntegrityError

from common.errors import DomainError
from ledger.usecases import use_case
from merchants.models import DAY, HOUR, Language, Merchant, Platform
from merchants.services.checks import check_row, violates


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

    Source: shared defaults of the product (docs/states.md).
    """

    pay_seconds: int = 30 * 60
    ship_seconds: int = 72 * HOUR
    ship_reminder_seconds: int = 24 * HOUR
    confirm_seconds: int = 10 * DAY
    confirm_virtual_seconds: int = 2 * DAY
    confirm_reminder_seconds: int = 2 * DAY


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
) -> Platform:
    """Take in a shopping platform.

    Args: service_fee_bps: 0 to 10000, of every order amount, ours.
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
        created_at=at,
        **asdict(deadlines),
    )
    check_row(platform, PlatformInvalid)
    try:
        with use_case():
            platform.save(force_insert=True)
    except IntegrityError as error:
        if "slug" in str(error):
            raise PlatformSlugTaken(f"There is a platform {slug!r} already.", slug=slug) from None
        raise
    return platform


def create_merchant(
    *,
    platform: Platform,
    reference: str,
    name: str,
    at: datetime,
    email: str = "",
    language: str = Language.ENGLISH,
    active: bool = True,
) -> Merchant:
    """Take in a seller of a platform.

    Args: reference: the platform's own name for the seller.
    Raises: MerchantInvalid, MerchantReferenceTaken.
    Idempotent: by (platform, reference): the second one is refused.
    """
    merchant = Merchant(
        platform=platform,
        reference=reference,
        name=name,
        email=email,
        language=language,
        active=active,
        created_at=at,
    )
    check_row(merchant, MerchantInvalid)
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
