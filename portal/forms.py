"""What people of every kind fill in.

It must never repeat a rule about money: the services refuse.
"""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.money import exponent
from escrow.models import MAX_TEXT

ACCEPTED = ".pdf,.png,.jpg,.jpeg,.webp,.txt"
FILE_HINT = _("A picture (JPEG, PNG, WEBP), a PDF or plain text, 5 MB at most.")


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


def words_field(label: Any, **kwargs: Any) -> forms.CharField:
    """A few words of somebody's, as many as a dispute keeps."""
    widget = forms.Textarea(attrs={"rows": 4})
    return forms.CharField(label=label, max_length=MAX_TEXT, widget=widget, **kwargs)


def file_field(*, required: bool) -> forms.FileField:
    """A file somebody shows in a dispute; what it may be is found in its bytes, by escrow."""
    widget = forms.FileInput(attrs={"accept": ACCEPTED})
    return forms.FileField(
        label=_("Show it"), help_text=FILE_HINT, widget=widget, required=required
    )


class FileForm(forms.Form):
    """A file somebody shows."""

    file = file_field(required=True)


class WordsForm(forms.Form):
    """A few words, which may be left out."""

    text = words_field(_("Do you want to say why?"), required=False)
