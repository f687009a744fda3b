"""Fields in which people type rates as percent and amounts in whole units of a currency.

It must never round: what has more digits than basis points or the currency is refused.
"""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.errors import DomainError
from common.money import MAX_AMOUNT_MINOR, Money, exponent

CATEGORIES = {"list": "categories", "autocomplete": "off"}  # a datalist of the page
TYPED = {"inputmode": "decimal", "autocomplete": "off"}


class PercentField(forms.DecimalField):
    """Percent with two digits; its value are basis points."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs=TYPED)
        bounds = {"min_value": 0, "max_value": 100, "decimal_places": 2}
        super().__init__(**{"widget": widget, **bounds, **options})

    def clean(self, value: Any) -> Any:
        found = super().clean(str(value or "").strip().removesuffix("%"))
        return None if found is None else int(found.scaleb(2))

    def prepare_value(self, value: Any) -> Any:
        return plain(value, 2) if isinstance(value, int) else value


class AmountField(forms.DecimalField):
    """An amount in a currency that its form knows: `minor` makes it minor units."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs=TYPED)
        bounds = {"min_value": 0, "max_digits": 20}
        super().__init__(**{"widget": widget, "required": False, **bounds, **options})


def minor(form: forms.BaseForm, name: str, currency: str) -> int | None:
    """Read an amount of a form in minor units; a wrong one becomes the field's error."""
    amount = form.cleaned_data.get(name)
    if amount is None:
        return None
    try:
        found = amount.scaleb(exponent(currency))
    except DomainError:
        return None  # the currency has its own error
    if found > MAX_AMOUNT_MINOR or found != found.to_integral_value():
        smallest = Money(1, currency)
        words = {"smallest": str(smallest)}
        form.add_error(name, gettext("Give an amount in steps of %(smallest)s.") % words)
        return None
    return int(found)


def plain(value: int, places: int) -> str:
    """Write an integer of small units as a person types it: 550 with two places is `5.5`."""
    text = f"{Decimal(value).scaleb(-places):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class SellerField(forms.CharField):
    """A seller by its id or reference; its form looks it up."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs={"list": "sellers", "autocomplete": "off"})
        super().__init__(**{"label": _("Seller"), "max_length": 64, "widget": widget, **options})
