"""Platforms, their merchants, and the people who sign in.

It must never hold a balance: what somebody is owed is known to the books alone.
"""

from datetime import timedelta

import pghistory
import pgtrigger
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from common.money import BPS
from ledger.fields import IdField
from merchants import triggers
from merchants.reserve_policy import MAX_RESERVE_DAYS, ReservePolicy
from merchants.validators import check_calendar, check_time_zone

HOUR = 3600
DAY = 24 * HOUR
MAX_BUSINESS_DAYS = 60
COOLOFF_HOURS = 24  # before money goes to a changed account of a live platform
MAX_COOLOFF_HOURS = 720
MAX_CLOCK_OFFSET = timedelta(days=3650)  # ten years: no instant it gives is out of range
RESERVE_IN_RANGE = Q(reserve_bps=0, reserve_days=0) | Q(
    reserve_bps__range=(1, BPS), reserve_days__range=(1, MAX_RESERVE_DAYS)
)
RESERVE_RULE = _("A reserve is 1 to 10000 basis points for 1 to 365 days; none is 0 for 0.")


class Mode(models.TextChoices):
    TEST = "TEST", _("Test")
    LIVE = "LIVE", _("Live")


class Language(models.TextChoices):
    ENGLISH = "en", _("English")
    CHINESE = "zh-hans", _("Simplified Chinese")


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="PlatformAudit",
    fields=[
        "name",
        "slug",
        "mode",
        "live_platform",
        "clock_offset",
        "currency",
        "service_fee_bps",
        "pay_seconds",
        "ship_seconds",
        "ship_business_days",
        "ship_calendar",
        "ship_reminder_seconds",
        "confirm_seconds",
        "confirm_virtual_seconds",
        "confirm_reminder_seconds",
        "confirm_extension_seconds",
        "dispute_window_seconds",
        "dispute_answer_seconds",
        "dispute_offer_seconds",
        "dispute_return_seconds",
        "dispute_receive_seconds",
        "dispute_decide_seconds",
        "dispute_approval_above_minor",
        "contact_email",
        "account_cooloff_hours",
    ],
)
class Platform(models.Model):
    """A shopping platform, our tenant. Its deadlines are copied onto every order it creates."""

    id = IdField(prefix="plt", primary_key=True)
    name = models.CharField(_("name"), max_length=120)
    name_zh = models.CharField(_("Chinese name"), max_length=120, blank=True)
    slug = models.SlugField(_("short name"), max_length=60, unique=True)
    # For ever: what a platform in test mode has is never money, what a live one has always is.
    mode = models.CharField(_("mode"), max_length=4, choices=Mode.choices, default=Mode.TEST)
    live_platform = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="test_platform",
        verbose_name=_("live side"),
    )
    # How far the platform's own clock is ahead of the real one; it never goes back.
    clock_offset = models.DurationField(_("clock ahead by"), default=timedelta(0))
    currency = models.CharField(_("default currency"), max_length=3, default="CNY")
    language = models.CharField(
        _("language"), max_length=10, choices=Language.choices, default=Language.ENGLISH
    )
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="Asia/Shanghai", validators=[check_time_zone]
    )
    # Who is told when something of the platform's own stops working, such as its webhooks.
    contact_email = models.EmailField(_("contact e-mail"), blank=True)
    # Basis points of the whole order amount, kept by us at release, borne by the seller.
    service_fee_bps = models.PositiveIntegerField(_("service fee (basis points)"), default=0)
    pay_seconds = models.PositiveIntegerField(_("time to pay, seconds"), default=30 * 60)
    ship_seconds = models.PositiveIntegerField(_("time to ship, seconds"), default=72 * HOUR)
    # Instead of the seconds: so many business days of a country, in the platform's time zone.
    ship_business_days = models.PositiveSmallIntegerField(
        _("time to ship, business days"), null=True, blank=True
    )
    ship_calendar = models.CharField(
        _("calendar of business days"),
        max_length=10,
        blank=True,
        default="",
        db_default="",
        validators=[check_calendar],
    )
    ship_reminder_seconds = models.PositiveIntegerField(
        _("remind the seller this long before, seconds"), default=24 * HOUR
    )
    confirm_seconds = models.PositiveIntegerField(
        _("automatic confirmation after, seconds"), default=10 * DAY
    )
    confirm_virtual_seconds = models.PositiveIntegerField(
        _("automatic confirmation of pickup and virtual goods after, seconds"), default=2 * DAY
    )
    confirm_reminder_seconds = models.PositiveIntegerField(
        _("remind the buyer this long before, seconds"), default=2 * DAY
    )
    confirm_extension_seconds = models.PositiveIntegerField(
        _("the buyer may take this much longer, once, seconds"), default=5 * DAY
    )
    dispute_window_seconds = models.PositiveIntegerField(
        _("a dispute may be opened this long after receipt, seconds"), default=7 * DAY
    )
    dispute_answer_seconds = models.PositiveIntegerField(
        _("time for the seller to answer a dispute, seconds"), default=48 * HOUR
    )
    dispute_offer_seconds = models.PositiveIntegerField(
        _("time for the buyer to answer an offer, seconds"), default=7 * DAY
    )
    dispute_return_seconds = models.PositiveIntegerField(
        _("time for the buyer to send goods back, seconds"), default=7 * DAY
    )
    dispute_receive_seconds = models.PositiveIntegerField(
        _("time for the seller to receive returned goods, seconds"), default=10 * DAY
    )
    dispute_decide_seconds = models.PositiveIntegerField(
        _("a dispute nobody decides is the buyer's after, seconds"), default=60 * DAY
    )
    # Minor units of the disputed order's currency; empty: each decision needs a second person.
    dispute_approval_above_minor = models.BigIntegerField(
        _("a second person decides disputes above (minor units)"), null=True, blank=True
    )
    # Empty: a day on a live platform, none in test mode. Operators change it, two persons together.
    account_cooloff_hours = models.PositiveSmallIntegerField(
        _("cool-off of changed bank accounts, hours"), null=True, blank=True
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("platform")
        verbose_name_plural = _("platforms")
        constraints = [
            models.CheckConstraint(
                condition=Q(service_fee_bps__lte=BPS),
                name="platform_service_fee_in_range",
                violation_error_message=_("The service fee is 0 to 10000 basis points."),
            ),
            models.CheckConstraint(
                condition=Q(
                    pay_seconds__gt=0,
                    ship_seconds__gt=0,
                    ship_reminder_seconds__gt=0,
                    confirm_seconds__gt=0,
                    confirm_virtual_seconds__gt=0,
                    confirm_reminder_seconds__gt=0,
                    confirm_extension_seconds__gt=0,
                ),
                name="platform_deadlines_positive",
                violation_error_message=_("Deadlines are at least one second."),
            ),
            models.CheckConstraint(
                condition=Q(
                    dispute_answer_seconds__gt=0,
                    dispute_offer_seconds__gt=0,
                    dispute_return_seconds__gt=0,
                    dispute_receive_seconds__gt=0,
                    dispute_decide_seconds__gt=F("dispute_answer_seconds")
                    + F("dispute_offer_seconds")
                    + F("dispute_return_seconds")
                    + F("dispute_receive_seconds"),
                ),
                name="platform_dispute_deadlines_in_order",
                violation_error_message=_(
                    "A dispute must be decided later than all its other deadlines together."
                ),
            ),
            models.CheckConstraint(
                condition=Q(dispute_approval_above_minor__isnull=True)
                | Q(dispute_approval_above_minor__gte=0),
                name="platform_dispute_limit_in_range",
                violation_error_message=_("The limit is 0 or more minor units."),
            ),
            models.CheckConstraint(
                condition=Q(
                    ship_reminder_seconds__lt=F("ship_seconds"),
                    confirm_reminder_seconds__lt=F("confirm_seconds"),
                ),
                name="platform_reminders_before_deadlines",
                violation_error_message=_("A reminder must lie within the time it reminds of."),
            ),
            models.CheckConstraint(
                condition=Q(ship_business_days__isnull=True, ship_calendar="")
                | Q(
                    ship_business_days__isnull=False,  # or the range of nothing is unknown: allowed
                    ship_business_days__range=(1, MAX_BUSINESS_DAYS),
                    ship_calendar__gt="",
                ),
                name="platform_business_days_of_calendar",
                violation_error_message=_("Business days are 1 to 60, of a calendar."),
            ),
            models.CheckConstraint(
                condition=Q(clock_offset=timedelta(0))
                | Q(
                    mode=Mode.TEST,
                    clock_offset__gt=timedelta(0),
                    clock_offset__lte=MAX_CLOCK_OFFSET,
                ),
                name="platform_clock_in_range",
                violation_error_message=_("Only a platform in test mode has a clock of its own."),
            ),
            models.CheckConstraint(
                condition=Q(account_cooloff_hours__isnull=True)
                | Q(account_cooloff_hours__range=(1, MAX_COOLOFF_HOURS))
                | Q(account_cooloff_hours=0, mode=Mode.TEST),
                name="platform_cooloff_in_range",
                violation_error_message=_("A cool-off is 1 to 720 hours; in test mode also 0."),
            ),
            models.CheckConstraint(
                condition=Q(live_platform__isnull=True) | Q(mode=Mode.TEST),
                name="platform_live_side_of_test",
                violation_error_message=_("Only a platform in test mode has a live side."),
            ),
            # Target of a composite foreign key: a key's mode is its platform's.
            models.UniqueConstraint(fields=["id", "mode"], name="platform_of_mode"),
        ]
        indexes = [
            models.Index(
                "id", condition=Q(clock_offset__gt=timedelta(0)), name="platform_clock_moved"
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="platform_mode_fixed", fields=["mode"]),
            triggers.clock_forward(),
            triggers.live_side_is_live(),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def account_cooloff(self) -> timedelta:
        """How long a changed bank account of a payee waits before money goes there."""
        hours = self.account_cooloff_hours
        if hours is None:
            hours = COOLOFF_HOURS if self.mode == Mode.LIVE else 0
        return timedelta(hours=hours)


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="MerchantAudit",
    fields=["platform", "reference", "name", "email", "active", "reserve_bps", "reserve_days"],
)
class Merchant(models.Model):
    """A seller on one platform. `reference` is the platform's own name for it."""

    id = IdField(prefix="mer", primary_key=True)
    platform = models.ForeignKey(Platform, models.PROTECT, related_name="merchants")
    reference = models.CharField(_("reference"), max_length=64)
    name = models.CharField(_("name"), max_length=120)
    email = models.EmailField(_("e-mail"), blank=True)
    language = models.CharField(
        _("language"), max_length=10, choices=Language.choices, default=Language.ENGLISH
    )
    # The platform's when empty.
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        default="",
        db_default="",
        validators=[check_time_zone],
    )
    active = models.BooleanField(_("active"), default=True)
    # Basis points of its share held back at each release, and for how many days; 0: nothing; both
    # empty: as the plan says. Orders freeze both.
    reserve_bps = models.PositiveSmallIntegerField(
        _("held back of each release (basis points)"), null=True, blank=True
    )
    reserve_days = models.PositiveSmallIntegerField(
        _("held back for (days)"), null=True, blank=True
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("merchant")
        verbose_name_plural = _("merchants")
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "reference"], name="merchant_reference_once"
            ),
            # Target of composite foreign keys: no account can point at another tenant's seller.
            models.UniqueConstraint(fields=["platform", "id"], name="merchant_of_platform"),
            models.CheckConstraint(
                condition=Q(reserve_bps__isnull=True, reserve_days__isnull=True)
                # Said of both, or the range of nothing is unknown: allowed.
                | Q(reserve_bps__isnull=False, reserve_days__isnull=False) & RESERVE_IN_RANGE,
                name="merchant_reserve_in_range",
                violation_error_message=RESERVE_RULE,
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def reserve_policy(self) -> ReservePolicy | None:
        """What its new orders freeze about being held back; None: what the plan says."""
        if self.reserve_bps is None or self.reserve_days is None:
            return None
        return ReservePolicy(bps=self.reserve_bps, days=self.reserve_days)


class Role(models.TextChoices):
    """What a person may do at their seller or platform. Reading is everybody's."""

    OWNER = "OWNER", _("Owner")
    FINANCE = "FINANCE", _("Finance")
    SUPPORT = "SUPPORT", _("Support")
    VIEWER = "VIEWER", _("Viewer")


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="UserAudit",
    fields=["email", "role", "is_active", "platform", "merchant"],
)
class User(AbstractUser):
    """Somebody who can sign in: an operator (neither platform nor merchant) or staff of one."""

    role = models.CharField(
        _("role"), max_length=7, choices=Role.choices, default=Role.OWNER, db_default=Role.OWNER
    )

    language = models.CharField(
        _("language"), max_length=10, choices=Language.choices, default=Language.ENGLISH
    )
    # That of the seller or the platform when empty.
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        default="",
        db_default="",
        validators=[check_time_zone],
    )
    platform = models.ForeignKey(
        Platform, models.PROTECT, null=True, blank=True, related_name="users"
    )
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, null=True, blank=True, related_name="users"
    )

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.UniqueConstraint(Lower("email"), condition=~Q(email=""), name="user_email_once"),
            models.CheckConstraint(
                condition=Q(platform__isnull=True) | Q(merchant__isnull=True),
                name="user_of_platform_or_merchant",
            ),
        ]
