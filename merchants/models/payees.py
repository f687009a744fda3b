"""Whom an account, a statement or a payout is for: a seller, a further party, or the platform.

It must never be guessed: each row says the kind, and the database holds it against the names.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ledger import chart
from merchants.models.parties import Party
from merchants.models.people import Merchant


class PayeeKind(models.TextChoices):
    MERCHANT = "MERCHANT", _("Seller")
    PARTY = "PARTY", _("Further party")
    PLATFORM = "PLATFORM", _("Platform")


def payee_field() -> models.CharField:
    """The column `payee`; beside it a row has `platform`, `merchant` and `party`."""
    return models.CharField(_("payee"), max_length=8, choices=PayeeKind.choices)


def payee_check(name: str) -> models.CheckConstraint:
    """The CHECK that a row names exactly the payee its kind says."""
    return models.CheckConstraint(
        condition=Q(payee=PayeeKind.MERCHANT, merchant__isnull=False, party__isnull=True)
        | Q(payee=PayeeKind.PARTY, merchant__isnull=True, party__isnull=False)
        | Q(payee=PayeeKind.PLATFORM, merchant__isnull=True, party__isnull=True),
        name=name,
        violation_error_message=_("Name a seller or a further party, not both."),
    )


def kind_of(*, merchant: Merchant | None, party: Party | None) -> PayeeKind:
    """Say who is meant: the platform itself when neither is named. Both are for the CHECK to
    refuse."""
    if merchant is not None:
        return PayeeKind.MERCHANT
    return PayeeKind.PLATFORM if party is None else PayeeKind.PARTY


def address_of(*, platform_id: str, merchant_id: str | None, party_id: str | None) -> str:
    """The ledger account of what a payee is owed."""
    if merchant_id is not None:
        return chart.merchant_payable(merchant_id)
    if party_id is not None:
        return chart.party_payable(party_id)
    return chart.platform_commission(platform_id)
