"""The forms of the operators' pages: one per service, fields named as its arguments."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.money import BPS
from merchants.admin_pages import ServiceForm
from merchants.guarantee_policy import MAX_GUARANTEE_DAYS
from merchants.list_fields import PartySharesField, TiersField
from merchants.models import (
    MAX_COOLOFF_HOURS,
    BaseChoice,
    CommissionPlan,
    Language,
    Merchant,
    Mode,
    Party,
    Platform,
)
from merchants.reserve_policy import MAX_RESERVE_DAYS
from merchants.scopes import SCOPES


def _instant(label: Any, **options: Any) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"})
    return forms.DateTimeField(label=label, widget=widget, **options)


def _returned(label: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        initial=BPS,
        min_value=0,
        max_value=BPS,
        help_text=_("10000: the seller gets it back whole; 0: it is kept."),
    )


class PlatformForm(ServiceForm):
    name = forms.CharField(label=_("Name"), max_length=120)
    name_zh = forms.CharField(label=_("Chinese name"), max_length=120, required=False)
    slug = forms.SlugField(label=_("Short name"), max_length=60)
    mode = forms.ChoiceField(label=_("Mode"), choices=Mode.choices, help_text=_("For ever."))
    live_platform = forms.ModelChoiceField(
        Platform.objects.filter(mode=Mode.LIVE).order_by("name"),
        label=_("Live side"),
        required=False,
        help_text=_("For a platform in test mode: its live side."),
    )
    currency = forms.CharField(label=_("Default currency"), max_length=3, initial="CNY")
    language = forms.ChoiceField(label=_("Language"), choices=Language.choices)
    time_zone = forms.CharField(label=_("Time zone"), initial="Asia/Shanghai")
    service_fee_bps = forms.IntegerField(label=_("Service fee (basis points)"), initial=60)


def _reserve_bps(**options: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=_("Held back of each release (basis points)"), min_value=0, max_value=BPS, **options
    )


def _reserve_days(**options: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=_("Held back for (days)"), min_value=0, max_value=MAX_RESERVE_DAYS, **options
    )


class ReserveForm(ServiceForm):
    reserve_bps = _reserve_bps(help_text=_("0: nothing is held back."))
    reserve_days = _reserve_days()
    required_reserve_bps = forms.IntegerField(
        label=_("Held back at least (basis points)"),
        min_value=0,
        max_value=BPS,
        help_text=_("Neither the platform nor a seller's own word goes below; 0: no such limit."),
    )
    required_reserve_days = forms.IntegerField(
        label=_("Held back at least for (days)"), min_value=0, max_value=MAX_RESERVE_DAYS
    )


class GuaranteeForm(ServiceForm):
    days = forms.IntegerField(
        label=_("Platform pays sellers' debts after (days)"),
        required=False,
        min_value=0,
        max_value=MAX_GUARANTEE_DAYS,
        help_text=_("Leave empty: it never does."),
    )


class MerchantForm(ServiceForm):
    platform = forms.ModelChoiceField(Platform.objects.order_by("name"), label=_("Platform"))
    reference = forms.CharField(label=_("Reference"), max_length=64)
    name = forms.CharField(label=_("Name"), max_length=120)
    email = forms.EmailField(label=_("E-mail"), required=False)
    language = forms.ChoiceField(label=_("Language"), choices=Language.choices)
    time_zone = forms.CharField(label=_("Time zone"), max_length=64, required=False)
    reserve_bps = _reserve_bps(required=False, help_text=_("Leave both empty: as the plan says."))
    reserve_days = _reserve_days(required=False)


class BankAccountForm(ServiceForm):
    platform = forms.ModelChoiceField(Platform.objects.order_by("name"), label=_("Platform"))
    merchant = forms.ModelChoiceField(
        Merchant.objects.order_by("name"),
        label=_("Merchant"),
        required=False,
        help_text=_("Leave empty for the account of a further party or of the platform itself."),
    )
    party = forms.ModelChoiceField(
        Party.objects.order_by("name"), label=_("Further party"), required=False
    )
    currency = forms.CharField(label=_("Currency"), max_length=3, initial="CNY")
    holder_name = forms.CharField(label=_("Holder"), max_length=120)
    bank_code = forms.CharField(label=_("Bank code"), max_length=20)
    bank_name = forms.CharField(label=_("Bank"), max_length=120, required=False)
    account_number = forms.CharField(
        label=_("Account number"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class CooloffForm(ServiceForm):
    hours = forms.IntegerField(
        label=_("A changed bank account waits (hours)"),
        required=False,
        min_value=0,
        max_value=MAX_COOLOFF_HOURS,
        help_text=_("Leave empty: 24 on a live platform, none in test mode."),
    )


class ApiKeyForm(ServiceForm):
    platform = forms.ModelChoiceField(Platform.objects.order_by("name"), label=_("Platform"))
    name = forms.CharField(label=_("Name"), max_length=80)
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"), choices=[(scope, scope) for scope in SCOPES], initial=SCOPES
    )
    expires_at = _instant(_("Expires"), required=False)


class ApiKeyRollForm(ServiceForm):
    overlap = forms.TypedChoiceField(
        label=_("The old key stays valid for"),
        choices=[(0, _("no time")), (1, _("1 hour")), (24, _("1 day")), (168, _("7 days"))],
        coerce=lambda hours: timedelta(hours=int(hours)),
        initial=24,
    )


class RefundPolicyForm(ServiceForm):
    commission_returned_bps = _returned(_("Commission returned on refund (basis points)"))
    service_fee_returned_bps = _returned(_("Service fee returned on refund (basis points)"))
    party_returned_bps = _returned(_("Further parties' parts returned on refund (basis points)"))
    channel_fee_bps = forms.IntegerField(
        label=_("Channel's fee inside the service fee (basis points)"),
        initial=0,
        min_value=0,
        max_value=BPS,
        help_text=_("Of the whole order: what the payment channel keeps when it is refunded."),
    )
    channel_fee_returned_bps = _returned(_("Channel's fee returned on refund (basis points)"))


class PlanForm(RefundPolicyForm):
    platform = forms.ModelChoiceField(Platform.objects.order_by("name"), label=_("Platform"))
    name = forms.CharField(label=_("Name"), max_length=120)


class PartyForm(ServiceForm):
    platform = forms.ModelChoiceField(Platform.objects.order_by("name"), label=_("Platform"))
    reference = forms.CharField(label=_("Reference"), max_length=64)
    name = forms.CharField(label=_("Name"), max_length=120)


class RuleForm(ServiceForm):
    plan = forms.ModelChoiceField(
        CommissionPlan.objects.select_related("platform").order_by("platform__name", "name"),
        label=_("Commission plan"),
    )
    priority = forms.IntegerField(label=_("Priority"), initial=0)
    merchant = forms.ModelChoiceField(
        Merchant.objects.order_by("name"), label=_("Merchant"), required=False
    )
    category = forms.CharField(label=_("Category"), max_length=64, required=False)
    currency = forms.CharField(label=_("Currency"), max_length=3, initial="CNY")
    rate_bps = forms.IntegerField(label=_("Rate (basis points)"))
    fixed_minor = forms.IntegerField(label=_("Fixed part (minor units)"), initial=0)
    floor_minor = forms.IntegerField(label=_("Floor (minor units)"), required=False)
    cap_minor = forms.IntegerField(label=_("Cap (minor units)"), required=False)
    base = forms.ChoiceField(label=_("Base"), choices=BaseChoice.choices)
    tax_bps = forms.IntegerField(label=_("Tax on the commission (basis points)"), initial=0)
    parties = PartySharesField(label=_("Further parties"), required=False)
    tiers = TiersField(label=_("Tiers"), required=False)
    channel = forms.CharField(label=_("Payment channel"), max_length=32, required=False)
    min_order_minor = forms.IntegerField(label=_("From order amount"), required=False)
    max_order_minor = forms.IntegerField(label=_("To order amount"), required=False)
    effective_from = _instant(_("Effective from"))
    effective_to = _instant(_("Effective to"), required=False)


class RuleEndForm(ServiceForm):
    effective_to = _instant(_("Effective to"))
