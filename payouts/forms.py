"""The forms of the operators' pages about payouts, fields named as the services' arguments."""

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from common.ids import MAX_LENGTH
from escrow.models import FreezeKind
from merchants.admin_pages import ServiceForm
from payouts.models import Cadence, Outcome


class ClaimForm(ServiceForm):
    outcome = forms.ChoiceField(label=_("What became of it"), choices=Outcome.choices)
    evidence = forms.CharField(
        label=_("Evidence"),
        max_length=200,
        help_text=_("Where it can be read: the line of the bank's statement, a letter."),
    )


class ConfirmForm(ServiceForm):
    outcome = forms.ChoiceField(label=_("What became of it"), choices=Outcome.choices)


class ScheduleForm(ServiceForm):
    cadence = forms.ChoiceField(label=_("Cadence"), choices=Cadence.choices)
    weekday = forms.TypedChoiceField(
        label=_("Weekday"),
        choices=list(WEEKDAYS.items()),
        coerce=int,
        help_text=_("Counts for weekly payouts only."),
    )
    minimum_minor = forms.IntegerField(label=_("Minimum (minor units)"), min_value=1)
    approval_above_minor = forms.IntegerField(
        label=_("Approval above (minor units)"),
        min_value=0,
        required=False,
        help_text=_("Above it a second person must approve. Empty: never."),
    )


class FreezeForm(ServiceForm):
    """`subject`: the field that names what is frozen."""

    subject = ""

    kind = forms.ChoiceField(label=_("Kind"), choices=FreezeKind.choices)


class FreezeOrderForm(FreezeForm):
    subject = "order_id"

    order_id = forms.CharField(label=_("Id of the order"), max_length=MAX_LENGTH)


class FreezeSellerForm(FreezeForm):
    subject = "merchant_id"

    merchant_id = forms.CharField(label=_("Id of the seller"), max_length=MAX_LENGTH)


class FreezePayoutForm(FreezeForm):
    subject = "payout_id"

    payout_id = forms.CharField(label=_("Id of the payout"), max_length=MAX_LENGTH)
