"""Orders, their lines and parcels: columns, constraints and the order's state graph."""

from datetime import datetime, timedelta

import pghistory
import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Collate, Least, Upper
from django.db.models.lookups import GreaterThanOrEqual
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, FSMModelMixin, transition

from common.money import MAX_AMOUNT_MINOR
from ledger.fields import IdField
from merchants.models import Merchant, Platform
from notifications.sequence import Sequenced
from orders import deadlines, triggers

MAX_PARCELS = 15  # of one order. Source: WeChat's shipping management

# People search by the beginning of a buyer's name. Only "C" has an index find beginnings.
SEARCHED_NAME = Collate(Upper("buyer_name"), "C")
NAMED = ~Q(buyer_name="")

# What a state requires to be set.
PAID = ("paid_at", "ship_by")
SHIPPED = (*PAID, "shipped_at", "confirm_by")
CONFIRMED = (*SHIPPED, "confirmed_at", "confirmed_by")


class OrderState(models.TextChoices):
    CREATED = "CREATED", _("Waiting for payment")
    PAID = "PAID", _("Paid, to be shipped")
    SHIPPED = "SHIPPED", _("Shipped")
    CONFIRMED = "CONFIRMED", _("Receipt confirmed")
    EXPIRED = "EXPIRED", _("Not paid in time")
    CANCELED = "CANCELED", _("Canceled")


class Delivery(models.TextChoices):
    COURIER = "COURIER", _("Courier")
    PICKUP = "PICKUP", _("Pickup")
    VIRTUAL = "VIRTUAL", _("Virtual goods")


class ConfirmedBy(models.TextChoices):
    BUYER = "BUYER", _("Buyer")
    AUTOMATIC = "AUTOMATIC", _("Automatic")
    OPERATOR = "OPERATOR", _("Operator")
    DISPUTE = "DISPUTE", _("Resolved dispute")


class CancelReason(models.TextChoices):
    NOT_SHIPPED = "NOT_SHIPPED", _("Not shipped in time")
    PLATFORM = "PLATFORM", _("Canceled by the platform")
    MERCHANT = "MERCHANT", _("Canceled by the seller")
    REFUNDED = "REFUNDED", _("Refunded whole")
    DISPUTE = "DISPUTE", _("Refunded after a dispute")
    CHARGEBACK = "CHARGEBACK", _("Taken back through the channel")


class Order(FSMModelMixin, Sequenced):
    """What one buyer bought from one seller. Its terms are frozen at creation; later edits move
    nothing."""

    id = IdField(prefix="ord", primary_key=True)
    # Indexed by the unique reference, which begins with it.
    platform = models.ForeignKey(Platform, models.PROTECT, related_name="orders", db_index=False)
    # Indexed with `paid_at`: what a seller sold lately decides the tier of a commission rule.
    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="orders", db_index=False)
    reference = models.CharField(max_length=64)  # the platform's own order number
    state = FSMField(default=OrderState.CREATED, choices=OrderState.choices, protected=True)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()  # minor units the buyer pays: goods + shipping
    goods_minor = models.BigIntegerField()  # minor units, sum of the lines
    shipping_minor = models.BigIntegerField(default=0)  # minor units, paid by the buyer
    terms = models.JSONField()  # merchants.terms.Terms, frozen at creation
    delivery = models.CharField(max_length=8, choices=Delivery.choices, default=Delivery.COURIER)
    buyer_name = models.CharField(max_length=120, blank=True)
    buyer_email = models.EmailField(blank=True)
    # In which mails to the buyer write dates; the platform's when empty.
    buyer_time_zone = models.CharField(max_length=64, blank=True, default="", db_default="")
    buyer_token_hash = models.CharField(
        max_length=64, editable=False
    )  # sha256 of the confirmation token
    metadata = models.JSONField(default=dict, blank=True)

    created_at = models.DateTimeField()
    pay_by = models.DateTimeField()
    ship_seconds = models.IntegerField()  # frozen: time to ship, from payment
    # Frozen: business days from payment instead of seconds, of which calendar, in whose zone.
    ship_business_days = models.PositiveSmallIntegerField(null=True, blank=True)
    ship_calendar = models.CharField(max_length=10, blank=True, default="", db_default="")
    ship_time_zone = models.CharField(max_length=64, blank=True, default="", db_default="")
    ship_reminder_seconds = (
        models.IntegerField()
    )  # frozen: how long before `ship_by` the seller is reminded
    confirm_seconds = models.IntegerField()  # frozen: time to confirm, from shipping
    confirm_reminder_seconds = models.IntegerField()  # frozen: how long before `confirm_by`
    confirm_extension_seconds = models.IntegerField()  # frozen: how much later `confirm_by`, once
    # merchants.dispute_policy.DisputePolicy, frozen at creation; empty: older than disputes.
    dispute_policy = models.JSONField(null=True, blank=True)
    ship_by = models.DateTimeField(null=True, blank=True)
    confirm_by = models.DateTimeField(null=True, blank=True)
    expected_delivery_at = models.DateTimeField(null=True, blank=True)
    remind_ship_at = models.DateTimeField(
        null=True, blank=True
    )  # empty once the reminder is written
    remind_confirm_at = models.DateTimeField(null=True, blank=True)
    ship_extended_at = models.DateTimeField(null=True, blank=True)  # when `ship_by` was moved, once
    confirm_extended_at = models.DateTimeField(null=True, blank=True)
    # Since when the term to confirm stands still; `confirm_by` is the old date until it goes on.
    paused_at = models.DateTimeField(null=True, blank=True)
    # How long it has stood still in all, without the present pause.
    paused_for = models.DurationField(default=timedelta(0), db_default=timedelta(0))

    paid_at = models.DateTimeField(null=True, blank=True)
    shipped_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.CharField(max_length=9, choices=ConfirmedBy.choices, blank=True)
    canceled_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=12, choices=CancelReason.choices, blank=True)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            models.UniqueConstraint(fields=["platform", "reference"], name="order_reference_once"),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, amount_minor__lte=MAX_AMOUNT_MINOR),
                name="order_amount_in_range",
            ),
            models.CheckConstraint(
                condition=Q(
                    amount_minor=F("goods_minor") + F("shipping_minor"),
                    goods_minor__gte=0,
                    shipping_minor__gte=0,
                ),
                name="order_amount_is_goods_and_shipping",
            ),
            models.CheckConstraint(
                condition=GreaterThanOrEqual(
                    Least(
                        "ship_seconds",
                        "ship_reminder_seconds",
                        "confirm_seconds",
                        "confirm_reminder_seconds",
                        "confirm_extension_seconds",
                    ),
                    0,
                ),
                name="order_periods_not_negative",
            ),
        ]
        indexes = [
            models.Index("merchant", "paid_at", name="order_of_merchant"),
            models.Index(
                "platform",
                "id",
                condition=Q(state__in=["CANCELED", "EXPIRED"]),
                name="order_fallen_through",
            ),
            models.Index("platform", SEARCHED_NAME, condition=NAMED, name="order_buyer_name"),
            models.Index("pay_by", "id", condition=Q(state="CREATED"), name="order_due_payment"),
            models.Index("ship_by", "id", condition=Q(state="PAID"), name="order_due_shipment"),
            models.Index(
                "confirm_by",
                "id",
                condition=Q(state="SHIPPED", paused_at__isnull=True),
                name="order_due_confirmation",
            ),
            models.Index(
                "remind_ship_at",
                "id",
                condition=Q(remind_ship_at__isnull=False),
                name="order_due_ship_reminder",
            ),
            models.Index(
                "remind_confirm_at",
                "id",
                condition=Q(remind_confirm_at__isnull=False),
                name="order_due_confirm_reminder",
            ),
        ]
        triggers = [
            triggers.OrderGraph(
                name="order_state_graph",
                field="state",
                transitions=[
                    ("CREATED", "PAID"),
                    ("CREATED", "EXPIRED"),
                    ("CREATED", "CANCELED"),
                    ("PAID", "SHIPPED"),
                    ("PAID", "CANCELED"),
                    ("SHIPPED", "CONFIRMED"),
                    ("SHIPPED", "CANCELED"),
                ],
                requires={"PAID": PAID, "SHIPPED": SHIPPED, "CONFIRMED": CONFIRMED},
            ),
            triggers.deadlines_guarded(),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.reference})"

    @property
    def ship_term(self) -> deadlines.Term:
        """The frozen time to ship, from payment."""
        if self.ship_business_days is None:
            return deadlines.Seconds(self.ship_seconds)
        return deadlines.BusinessDays(
            self.ship_business_days, self.ship_calendar, self.ship_time_zone
        )

    @transition(field=state, source=OrderState.CREATED, target=OrderState.PAID)
    def pay(self, *, at: datetime, ship_by: datetime) -> None:
        self.paid_at = at
        self.ship_by = ship_by

    @transition(field=state, source=OrderState.PAID, target=OrderState.SHIPPED)
    def ship(self, *, at: datetime, confirm_by: datetime) -> None:
        self.shipped_at = at
        self.confirm_by = confirm_by
        self.remind_ship_at = None

    def extend_shipping(self, *, at: datetime, ship_by: datetime) -> None:
        """Move `ship_by` and the reminder before it. Not a transition: the order stays PAID."""
        self.ship_by = ship_by
        self.ship_extended_at = at
        self.remind_ship_at = _ahead(ship_by, seconds=self.ship_reminder_seconds, at=at)

    def extend_confirmation(self, *, at: datetime, confirm_by: datetime) -> None:
        """Move `confirm_by` and the reminder before it. Not a transition: it stays SHIPPED."""
        self.confirm_by = confirm_by
        self.confirm_extended_at = at
        self.remind_confirm_at = _ahead(confirm_by, seconds=self.confirm_reminder_seconds, at=at)

    def pause(self, *, at: datetime) -> None:
        """Stop the term to confirm, and the reminder with it. It stays SHIPPED."""
        self.paused_at = at
        self.remind_confirm_at = None

    def resume(self, *, at: datetime) -> None:
        """Let the term to confirm go on where it stopped: the date moves by the pause."""
        assert self.paused_at is not None
        assert self.confirm_by is not None
        pause = at - self.paused_at
        self.confirm_by += pause
        self.paused_for += pause
        self.paused_at = None
        self.remind_confirm_at = _ahead(
            self.confirm_by, seconds=self.confirm_reminder_seconds, at=at
        )

    @transition(field=state, source=OrderState.SHIPPED, target=OrderState.CONFIRMED)
    def confirm(self, *, at: datetime, confirmed_by: str) -> None:
        self.confirmed_at = at
        self.confirmed_by = confirmed_by
        self.remind_confirm_at = None

    @transition(field=state, source=OrderState.CREATED, target=OrderState.EXPIRED)
    def expire(self) -> None:
        pass

    @transition(
        field=state,
        source=[OrderState.CREATED, OrderState.PAID, OrderState.SHIPPED],
        target=OrderState.CANCELED,
    )
    def cancel(self, *, at: datetime, reason: str) -> None:
        self.canceled_at = at
        self.cancel_reason = reason
        self.remind_ship_at = self.remind_confirm_at = None


def _ahead(deadline: datetime, *, seconds: int, at: datetime) -> datetime | None:
    """When to remind of a deadline that has just been told; None when that would be at once."""
    remind_at = deadline - timedelta(seconds=seconds)
    return remind_at if remind_at > at else None


class OrderLine(models.Model):
    """One kind of goods in an order."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200)
    category = models.CharField(max_length=64, blank=True)
    quantity = models.PositiveIntegerField(default=1)
    amount_minor = (
        models.BigIntegerField()
    )  # minor units of the order's currency, for the whole line

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="orderline_position_once"),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=0, quantity__gt=0), name="orderline_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} × {self.quantity}"


class Shipment(models.Model):
    """A parcel on its way. What it was called at first is in the event of its correction."""

    id = IdField(prefix="shp", primary_key=True)
    order = models.ForeignKey(Order, models.PROTECT, related_name="shipments")
    position = models.PositiveSmallIntegerField()  # 1, 2, 3 … in the order
    carrier = models.CharField(max_length=64)
    tracking_number = models.CharField(max_length=64)
    shipped_at = models.DateTimeField()
    corrected_at = models.DateTimeField(null=True, blank=True)  # a parcel is corrected once

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order", "carrier", "tracking_number"], name="shipment_parcel_once"
            ),
            models.UniqueConstraint(fields=["order", "position"], name="shipment_position_once"),
            models.CheckConstraint(
                condition=Q(position__gte=1, position__lte=MAX_PARCELS),
                name="shipment_position_in_range",
            ),
        ]
        triggers = [
            triggers.corrected_once(),
            pgtrigger.ReadOnly(
                name="shipment_stays_sent", fields=["order", "position", "shipped_at"]
            ),
            pgtrigger.Protect(name="shipment_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.carrier} {self.tracking_number}"


pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="OrderAudit",
    fields=[
        "id",
        "state",
        "amount_minor",
        "pay_by",
        "ship_by",
        "confirm_by",
        "paused_at",
        "paid_at",
        "shipped_at",
        "confirmed_at",
        "confirmed_by",
        "canceled_at",
        "cancel_reason",
    ],
)(Order)
