"""What a buyer fills in. It must never repeat a rule about money: the services refuse."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from escrow.models import DisputeReason
from orders.models import OrderLine
from portal.forms import AmountField, file_field, words_field

REASONS = [each for each in DisputeReason.choices if each[0] != DisputeReason.CHARGEBACK]


class ComplaintForm(forms.Form):
    """What is wrong, and with which goods."""

    reason = forms.ChoiceField(label=_("What is wrong?"), choices=REASONS)
    lines = forms.TypedMultipleChoiceField(
        label=_("With which goods?"),
        coerce=int,
        error_messages={"required": _("Choose the goods it is about.")},
    )
    text = words_field(
        _("What happened?"), required=False, help_text=_("The seller and our staff read this.")
    )

    def __init__(self, *args: Any, lines: list[OrderLine], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["lines"]
        assert isinstance(field, forms.TypedMultipleChoiceField)
        field.choices = [(line.position, line.title) for line in lines]


class ClaimForm(forms.Form):
    """How much the buyer wants back, and a file to show."""

    def __init__(self, *args: Any, currency: str, most_minor: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["asked"] = AmountField(
            label=_("How much do you want back?"), currency=currency, most_minor=most_minor
        )
        self.fields["file"] = file_field(required=False)


class ParcelForm(forms.Form):
    """The parcel the goods go back in."""

    carrier = forms.CharField(label=_("Carrier"), max_length=64)
    tracking_number = forms.CharField(label=_("Number of the parcel"), max_length=64)
