"""The forms of the operators' pages about disputes, fields named as the services' arguments."""

from django import forms
from django.utils.translation import gettext_lazy as _

from merchants.admin_pages import ServiceForm


class DecisionForm(ServiceForm):
    amount_minor = forms.IntegerField(
        label=_("To the buyer (minor units)"),
        min_value=0,
        help_text=_("0: nothing. The rest goes to the payees."),
    )
    needs_return = forms.BooleanField(
        label=_("Only when the goods come back"),
        required=False,
    )
