"""Commission plans and their rules. Orders copy what they need and never point here."""

import pghistory
import pgtrigger
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from common.money import BPS, MAX_AMOUNT_MINOR
from ledger.fields import IdField
from merchants import triggers
from merchants.guarantee_policy import MAX_GUARANTEE_DAYS, GuaranteePolicy
from merchants.models.people import RESERVE_IN_RANGE, RESERVE_RULE, Merchant, Platform
from merchants.refund_policy import RefundPolicy
from merchants.reserve_policy import MAX_RESERVE_DAYS, ReservePolicy
from merchants.rules import CommissionBase
from merchants.validators import channel_name


class BaseChoice(models.TextChoices):
    """What a commission rate is taken of; the same codes as `terms.CommissionBase`."""

    GOODS = CommissionBase.GOODS.value, _("Goods")
    GOODS_AND_SHIPPING = CommissionBase.GOODS_AND_SHIPPING.value, _("Goods and shipping")


def _none_outside(column: str, **bounds: tuple[int, int]) -> Exact:
    """Say of a JSON list of objects that each has these whole numbers, each within its bounds."""
    wrong = " || ".join(
        f'@.{name}.type() != "number" || !(@.{name} >= {least} && @.{name} <= {most})'
        for name, (least, most) in bounds.items()
    )
    found = Func(
        F(column),
        Value(f"$[*] ? ({wrong})"),
        template="jsonb_path_exists(%(expressions)s::jsonpath)",
        output_field=models.BooleanField(),
    )
    return Exact(found, Value(False))


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="CommissionPlanAudit",
    fields=[
        "platform",
        "name",
        "active",
        "commission_returned_bps",
        "service_fee_returned_bps",
        "party_returned_bps",
        "channel_fee_bps",
        "channel_fee_returned_bps",
        "guarantee_days",
        "reserve_bps",
        "reserve_days",
        "required_reserve_bps",
        "required_reserve_days",
        "activated_at",
        "ended_at",
    ],
)
class CommissionPlan(models.Model):
    """A platform's list of commission rules. At most one plan of a platform is in force.

    One that never was is a draft; one that another has replaced, or a draft that was dropped, has
    ended, and stays so.
    """

    id = IdField(prefix="cpl", primary_key=True)
    platform = models.ForeignKey(Platform, models.PROTECT, related_name="commission_plans")
    name = models.CharField(_("name"), max_length=120)
    active = models.BooleanField(_("active"), default=True)
    # Basis points of each cut that a seller gets back when an order is refunded; orders freeze it.
    commission_returned_bps = models.PositiveIntegerField(
        _("commission returned on refund (basis points)"), default=BPS
    )
    service_fee_returned_bps = models.PositiveIntegerField(
        _("service fee returned on refund (basis points)"), default=BPS
    )
    party_returned_bps = models.PositiveIntegerField(
        _("further parties' parts returned on refund (basis points)"), default=BPS
    )
    # Basis points of an order that its payment channel keeps, a part inside the service fee, and
    # how much of that part a seller gets back; orders freeze both.
    channel_fee_bps = models.PositiveIntegerField(
        _("channel's fee inside the service fee (basis points)"), default=0, db_default=0
    )
    channel_fee_returned_bps = models.PositiveIntegerField(
        _("channel's fee returned on refund (basis points)"), default=BPS, db_default=BPS
    )
    # Days after which the platform's commission pays what a seller still owes of a refund.
    guarantee_days = models.PositiveSmallIntegerField(
        _("platform pays sellers' debts after (days)"), null=True, blank=True
    )
    # Basis points of a seller's share held back at each release, and for how many days; 0: nothing.
    # Orders freeze both; a seller may have its own.
    reserve_bps = models.PositiveSmallIntegerField(
        _("held back of each release (basis points)"), default=0, db_default=0
    )
    reserve_days = models.PositiveSmallIntegerField(
        _("held back for (days)"), default=0, db_default=0
    )
    # What the operator wants held back at least, whatever platform or seller say; 0: nothing.
    required_reserve_bps = models.PositiveSmallIntegerField(
        _("held back at least (basis points)"), default=0, db_default=0
    )
    required_reserve_days = models.PositiveSmallIntegerField(
        _("held back at least for (days)"), default=0, db_default=0
    )
    # When it was brought into force, and when another one replaced it or the draft was dropped.
    activated_at = models.DateTimeField(_("in force from"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    # The number of the plan's latest event; taken under the row's lock.
    event_sequence = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("commission plan")
        verbose_name_plural = _("commission plans")
        constraints = [
            models.UniqueConstraint(
                fields=["platform"], condition=Q(active=True), name="commission_plan_one_active"
            ),
            models.CheckConstraint(
                condition=Q(
                    commission_returned_bps__lte=BPS,
                    service_fee_returned_bps__lte=BPS,
                    party_returned_bps__lte=BPS,
                ),
                name="plan_returned_in_range",
                violation_error_message=_("What is returned is 0 to 10000 basis points."),
            ),
            models.CheckConstraint(
                condition=Q(channel_fee_bps__lte=BPS, channel_fee_returned_bps__lte=BPS)
                & (Q(channel_fee_bps__gt=0) | Q(channel_fee_returned_bps=BPS)),
                name="plan_channel_fee_in_range",
                violation_error_message=_(
                    "The channel's fee and what is returned of it are 0 to 10000 basis points; of "
                    "no fee, everything is returned."
                ),
            ),
            models.CheckConstraint(
                condition=RESERVE_IN_RANGE,
                name="plan_reserve_in_range",
                violation_error_message=RESERVE_RULE,
            ),
            models.CheckConstraint(
                condition=Q(required_reserve_bps=0, required_reserve_days=0)
                | Q(
                    required_reserve_bps__range=(1, BPS),
                    required_reserve_days__range=(1, MAX_RESERVE_DAYS),
                ),
                name="plan_required_reserve_in_range",
                violation_error_message=RESERVE_RULE,
            ),
            models.CheckConstraint(
                condition=Q(
                    reserve_bps__gte=F("required_reserve_bps"),
                    reserve_days__gte=F("required_reserve_days"),
                ),
                name="plan_reserve_as_required",
                violation_error_message=_("The reserve is below what the operator requires."),
            ),
            models.CheckConstraint(
                condition=Q(guarantee_days__isnull=True)
                | Q(guarantee_days__lte=MAX_GUARANTEE_DAYS),
                name="plan_guarantee_in_range",
                violation_error_message=_("A guarantee begins 0 to 365 days after a debt."),
            ),
            models.CheckConstraint(
                condition=Q(active=False) | Q(activated_at__isnull=False, ended_at__isnull=True),
                name="plan_in_force_since",
                violation_error_message=_("A plan in force says since when, and has not ended."),
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="plan_stays_ended",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__ended_at__isnull=False)
                & pgtrigger.Q(old__ended_at__df=pgtrigger.F("new__ended_at")),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_draft(self) -> bool:
        """Whether it may still be changed before it counts for any order."""
        return self.activated_at is None and self.ended_at is None

    @property
    def refund_policy(self) -> RefundPolicy:
        """What new orders freeze about being refunded."""
        return RefundPolicy(
            commission_returned_bps=self.commission_returned_bps,
            service_fee_returned_bps=self.service_fee_returned_bps,
            party_returned_bps=self.party_returned_bps,
            channel_fee_bps=self.channel_fee_bps,
            channel_fee_returned_bps=self.channel_fee_returned_bps,
        )

    @property
    def reserve_policy(self) -> ReservePolicy:
        """What new orders of sellers without their own freeze about being held back."""
        return ReservePolicy(bps=self.reserve_bps, days=self.reserve_days)

    @property
    def required_reserve(self) -> ReservePolicy:
        """What new orders hold back at least, whatever their seller's own word."""
        return ReservePolicy(bps=self.required_reserve_bps, days=self.required_reserve_days)

    @property
    def guarantee_policy(self) -> GuaranteePolicy:
        """What new orders freeze about debts of their seller."""
        return GuaranteePolicy(days=self.guarantee_days)


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="CommissionRuleAudit",
    fields=[
        "plan",
        "priority",
        "merchant",
        "category",
        "rate_bps",
        "fixed_minor",
        "floor_minor",
        "cap_minor",
        "base",
        "currency",
        "tax_bps",
        "parties",
        "channel",
        "min_order_minor",
        "max_order_minor",
        "tiers",
        "effective_from",
        "effective_to",
    ],
)
class CommissionRule(models.Model):
    """What a platform takes of a sale. Only its end is ever edited: another rate, another rule."""

    id = IdField(prefix="crl", primary_key=True)
    plan = models.ForeignKey(CommissionPlan, models.PROTECT, related_name="rules")
    priority = models.IntegerField(_("priority"), default=0)  # the higher one wins
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, null=True, blank=True, related_name="commission_rules"
    )
    category = models.CharField(_("category"), max_length=64, blank=True)  # empty: any
    currency = models.CharField(_("currency"), max_length=3)
    rate_bps = models.PositiveIntegerField(_("rate (basis points)"))
    # Minor units of `currency`, per order and rule, from the seller to the platform.
    fixed_minor = models.BigIntegerField(_("fixed part (minor units)"), default=0)
    floor_minor = models.BigIntegerField(_("floor (minor units)"), null=True, blank=True)
    cap_minor = models.BigIntegerField(_("cap (minor units)"), null=True, blank=True)
    base = models.CharField(
        _("base"), max_length=20, choices=BaseChoice.choices, default=BaseChoice.GOODS
    )
    tax_bps = models.PositiveIntegerField(_("tax on the commission (basis points)"), default=0)
    # What further parties get of the base: [{party_id, name, rate_bps, fixed_minor}], in order.
    parties = models.JSONField(_("further parties"), default=list, blank=True)
    channel = models.CharField(
        _("payment channel"), max_length=32, blank=True, validators=[channel_name]
    )  # empty: any
    # Minor units of goods and shipping, both included; empty: no bound.
    min_order_minor = models.BigIntegerField(_("from order amount"), null=True, blank=True)
    max_order_minor = models.BigIntegerField(_("to order amount"), null=True, blank=True)
    # Other rates by the seller's trailing volume: [{from_minor, rate_bps}], rising.
    tiers = models.JSONField(_("tiers"), default=list, blank=True)
    effective_from = models.DateTimeField(_("effective from"))
    # Not included; equal to `effective_from` for a rule withdrawn before it began.
    effective_to = models.DateTimeField(_("effective to"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("commission rule")
        verbose_name_plural = _("commission rules")
        constraints = [
            models.CheckConstraint(
                condition=Q(rate_bps__lte=BPS),
                name="rule_rate_in_range",
                violation_error_message=_("The rate is 0 to 10000 basis points."),
            ),
            models.CheckConstraint(
                condition=Q(fixed_minor__gte=0, fixed_minor__lte=MAX_AMOUNT_MINOR)
                & (Q(floor_minor__isnull=True) | Q(floor_minor__gte=0))
                & (
                    Q(cap_minor__isnull=True) | Q(cap_minor__gte=0, cap_minor__lte=MAX_AMOUNT_MINOR)
                ),
                name="rule_amounts_in_range",
                violation_error_message=_("Amounts are zero or more, up to 10^15 minor units."),
            ),
            models.CheckConstraint(
                condition=Q(floor_minor__isnull=True)
                | Q(floor_minor__lte=MAX_AMOUNT_MINOR)
                & (Q(cap_minor__isnull=True) | Q(floor_minor__lte=F("cap_minor"))),
                name="rule_floor_below_cap",
                violation_error_message=_("The floor must not be above the cap."),
            ),
            models.CheckConstraint(
                condition=Q(tax_bps__lte=BPS),
                name="rule_tax_in_range",
                violation_error_message=_("The tax is 0 to 10000 basis points."),
            ),
            models.CheckConstraint(
                condition=(
                    Q(min_order_minor__isnull=True)
                    | Q(min_order_minor__gte=1, min_order_minor__lte=MAX_AMOUNT_MINOR)
                )
                & (
                    Q(max_order_minor__isnull=True)
                    | Q(max_order_minor__gte=1, max_order_minor__lte=MAX_AMOUNT_MINOR)
                    & (
                        Q(min_order_minor__isnull=True)
                        | Q(max_order_minor__gte=F("min_order_minor"))
                    )
                ),
                name="rule_order_amounts_in_range",
                violation_error_message=_("Order amounts are from 1, the lower one first."),
            ),
            models.CheckConstraint(
                condition=_none_outside(
                    "parties", rate_bps=(0, BPS), fixed_minor=(0, MAX_AMOUNT_MINOR)
                ),
                name="rule_parties_in_range",
                violation_error_message=_(
                    "A party gets 0 to 10000 basis points and a fixed part of zero or more."
                ),
            ),
            models.CheckConstraint(
                condition=_none_outside(
                    "tiers", rate_bps=(0, BPS), from_minor=(1, MAX_AMOUNT_MINOR)
                ),
                name="rule_tiers_in_range",
                violation_error_message=_(
                    "A tier starts above zero, with a rate of 0 to 10000 basis points."
                ),
            ),
            models.CheckConstraint(
                condition=Q(effective_to__isnull=True) | Q(effective_to__gte=F("effective_from")),
                name="rule_ends_after_start",
                violation_error_message=_("A rule must not end before it starts."),
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="rule_only_ends", exclude=["effective_to"]),
            pgtrigger.Protect(name="rule_kept", operation=pgtrigger.Delete),
            triggers.refuse_overlap(),
        ]

    def __str__(self) -> str:
        return self.id
