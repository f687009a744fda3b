"""Which orders a list or an export shows: words, state, dates, amounts, seller.

It must never widen what it is handed: a filter only leaves rows out.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from common.money import MAX_AMOUNT_MINOR, exponent
from escrow.models import HoldState
from orders.models import NAMED, SEARCHED_NAME, Order, OrderState
from portal.days import midnight

MOST_QUERY = 500  # characters of a query string that is kept

STATES: dict[str, tuple[str | Promise, Q]] = {
    "": (_("All"), Q()),
    "unpaid": (_("Awaiting payment"), Q(state=OrderState.CREATED)),
    "to-ship": (_("To ship"), Q(state=OrderState.PAID)),
    "shipped": (_("On their way"), Q(state=OrderState.SHIPPED)),
    "frozen": (_("Frozen"), Q(hold__state=HoldState.FROZEN)),
    "confirmed": (_("Confirmed"), Q(state=OrderState.CONFIRMED)),
    "canceled": (_("Canceled"), Q(state__in=[OrderState.CANCELED, OrderState.EXPIRED])),
}


class OrderFilters(forms.Form):
    """What a person may filter by. Amounts are of the platform's own currency."""

    q = forms.CharField(label=_("Search"), max_length=120, required=False)
    state = forms.ChoiceField(
        choices=[(name, label) for name, (label, _rows) in STATES.items()],
        required=False,
        widget=forms.HiddenInput,
    )
    since = forms.DateField(
        label=_("Created from"), required=False, widget=forms.DateInput({"type": "date"})
    )
    until = forms.DateField(
        label=_("Created until"), required=False, widget=forms.DateInput({"type": "date"})
    )
    lowest = forms.DecimalField(label=_("Amount from"), required=False, min_value=0)
    highest = forms.DecimalField(label=_("Amount to"), required=False, min_value=0)
    seller = forms.CharField(label=_("Seller"), max_length=120, required=False)

    def __init__(self, asked: QueryDict, *, currency: str, with_seller: bool) -> None:
        super().__init__(asked)
        self.currency = currency
        if not with_seller:
            del self.fields["seller"]

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if found.get("since") and found.get("until") and found["since"] > found["until"]:
            self.add_error("until", _("This is before the first date."))
        return found

    @property
    def chosen(self) -> str:
        """The state, or `""` for all."""
        return self.cleaned_data.get("state", "") if self.is_valid() else ""

    @property
    def narrows(self) -> bool:
        """Whether anything but state and words is filtered by."""
        return any(self[name].value() for name in self.fields if name not in ("q", "state"))

    def among(self, rows: QuerySet[Order]) -> QuerySet[Order]:
        """The rows that pass. Filters that make no sense leave nothing."""
        if not self.is_valid():
            return rows.none()
        said = self.cleaned_data
        rows = rows.filter(STATES[said["state"]][1])
        if words := said["q"]:
            rows = _named(rows, words)
        if said["since"]:
            rows = rows.filter(created_at__gte=midnight(said["since"]))
        if said["until"]:
            rows = rows.filter(created_at__lt=midnight(said["until"] + timedelta(days=1)))
        if seller := said.get("seller"):
            rows = rows.filter(
                Q(merchant__reference=seller) | Q(merchant__name__istartswith=seller)
            )
        return rows.filter(self._amounts())

    def _amounts(self) -> Q:
        lowest, highest = (self.cleaned_data[name] for name in ("lowest", "highest"))
        if lowest is None and highest is None:
            return Q()
        found = Q(currency=self.currency)
        if lowest is not None:
            found &= Q(amount_minor__gte=self._minor(lowest))
        return found if highest is None else found & Q(amount_minor__lte=self._minor(highest))

    def _minor(self, amount: Decimal) -> int:
        return min(int(amount.scaleb(exponent(self.currency))), MAX_AMOUNT_MINOR)


def _named(rows: QuerySet[Order], words: str) -> QuerySet[Order]:
    """Find by id, reference or the beginning of a name, each by its own index."""
    called = rows.filter(NAMED).annotate(searched=SEARCHED_NAME)
    first, *others = (
        found.order_by().values("pk")
        for found in (
            rows.filter(pk=words),
            rows.filter(reference=words),
            called.filter(searched__startswith=words.upper()),
        )
    )
    return rows.filter(pk__in=first.union(*others))
