"""What a buyer fills in. It must never repeat a rule about money: the services refuse."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.money import exponent
from escrow.models import MAX_TEXT, DisputeReason
from orders.models import OrderLine

ACCEPTED = ".pdf,.png,.jpg,.jpeg,.webp,.txt"
FILE_HINT = _("A picture (JPEG, PNG, WEBP), a PDF or plain text, 5 MB at most.")
REASONS = [each for each in DisputeReason.choices if each[0] != DisputeReason.CHARGEBACK]


class AmountField(forms.DecimalField):
    """An amount as people write it. Cleaned: minor units."""

    def __init__(self, *, currency: str, most_minor: int, **kwargs: Any) -> None:
        self.places = exponent(currency)
        super().__init__(
            decimal_places=self.places,
            min_value=self.major(1),
            max_value=self.major(most_minor),
            **kwargs,
        )

    def major(self, amount_minor: int) -> Decimal:
        return Decimal(amount_minor).scaleb(-self.places)

    def clean(self, value: Any) -> Any:
        amount = super().clean(value)
        return None if amount is None else int(amount.scaleb(self.places))


def _words(label: Any, **kwargs: Any) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 4})
    return forms.CharField(label=label, max_length=MAX_TEXT, widget=widget, **kwargs)


def _file(*, required: bool) -> forms.FileField:
    widget = forms.FileInput(attrs={"accept": ACCEPTED})
    return forms.FileField(
        label=_("Show it"), help_text=FILE_HINT, widget=widget, required=required
    )


class ComplaintForm(forms.Form):
    """What is wrong, and with which goods."""

    reason = forms.ChoiceField(label=_("What is wrong?"), choices=REASONS)
    lines = forms.TypedMultipleChoiceField(
        label=_("With which goods?"),
        coerce=int,
        error_messages={"required": _("Choose the goods it is about.")},
    )
    text = _words(
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
        self.fields["file"] = _file(required=False)


class FileForm(forms.Form):
    """A file the buyer shows."""

    file = _file(required=True)


class WordsForm(forms.Form):
    """A few words of the buyer's."""

    text = _words(_("Do you want to say why?"), required=False)


class ParcelForm(forms.Form):
    """The parcel the goods go back in."""

    carrier = forms.CharField(label=_("Carrier"), max_length=64)
    tracking_number = forms.CharField(label=_("Number of the parcel"), max_length=64)
