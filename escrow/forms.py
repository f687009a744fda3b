"""The forms of the operators' pages about disputes and debts, fields named as the services'
arguments."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from escrow.services import corrections
from ledger.routes import C, D
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


class RepaymentForm(ServiceForm):
    amount_minor = forms.IntegerField(label=_("Received (minor units)"), min_value=1)
    rail = forms.ChoiceField(
        label=_("Bank"), choices=lambda: [(name, name) for name in settings.RAILS]
    )
    provider_reference = forms.CharField(
        label=_("The bank's reference"),
        max_length=64,
        help_text=_("Of the line on the statement; the same one is booked once."),
    )


class BankRefundForm(ServiceForm):
    holder_name = forms.CharField(label=_("Holder"), max_length=120)
    bank_code = forms.CharField(label=_("Bank code"), max_length=20)
    account_number = forms.CharField(
        label=_("Account number"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Sealed at once; only the last four characters are shown again."),
    )
    rail = forms.ChoiceField(
        label=_("Rail"), choices=lambda: [(name, name) for name in settings.RAILS]
    )


def _by_hand(side: str) -> list[tuple[str, str]]:
    """The accounts an entry by hand may touch on one side."""
    return [(address, address) for address in corrections.addresses(side=side)]


class CorrectionForm(ServiceForm):
    debit_address = forms.ChoiceField(label=_("Debit"), choices=lambda: _by_hand(D))
    credit_address = forms.ChoiceField(label=_("Credit"), choices=lambda: _by_hand(C))
    amount_minor = forms.IntegerField(label=_("Amount (minor units)"), min_value=1)
    currency = forms.RegexField(
        label=_("Currency"), regex="^[A-Z]{3}$", help_text=_("Three letters, such as CNY.")
    )
    evidence = forms.CharField(
        label=_("Evidence"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Where it can be read: the line of the bank's statement, a letter."),
    )
