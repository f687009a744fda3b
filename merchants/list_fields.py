"""Form fields for the lists of a rule: its further parties and its tiers, each in one line."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from merchants import rule_texts


class PartySharesField(forms.CharField):
    """Further parties of a rule, in one line."""

    def __init__(self, **options: Any) -> None:
        example = _("Id, rate and fixed part of each: pty_1 250 0; pty_2 0 30")
        super().__init__(**{"help_text": example, **options})

    def clean(self, value: Any) -> Any:
        try:
            return rule_texts.read_shares(super().clean(value))
        except ValueError as part:
            raise ValidationError(
                _("%(part)s is no party with a rate and a fixed part."), params={"part": str(part)}
            ) from None


class TiersField(forms.CharField):
    """Tiers of a rule, in one line."""

    def __init__(self, **options: Any) -> None:
        example = _("Volume in 30 days and rate of each, rising: 100000 400; 500000 300")
        super().__init__(**{"help_text": example, **options})

    def clean(self, value: Any) -> Any:
        try:
            return rule_texts.read_tiers(super().clean(value))
        except ValueError as part:
            raise ValidationError(
                _("%(part)s is no volume with a rate."), params={"part": str(part)}
            ) from None
