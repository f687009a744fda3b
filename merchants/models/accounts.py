"""What opens doors and takes money in: bank accounts and API keys.

It must never hold an account number or a key in clear.
"""

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ledger.fields import IdField
from merchants.encryption import SealedField
from merchants.models.parties import Party
from merchants.models.payees import payee_check, payee_field
from merchants.models.people import Merchant, Mode, Platform
from merchants.scopes import all_scopes


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="BankAccountAudit",
    fields=[
        "platform",
        "merchant",
        "party",
        "currency",
        "holder_name",
        "bank_code",
        "bank_name",
        "last_four",
        "active",
    ],
)
class BankAccount(models.Model):
    """Where a payee wants to be paid. Never edited: another account is another row."""

    id = IdField(prefix="bac", primary_key=True)
    platform = models.ForeignKey(Platform, models.PROTECT, related_name="bank_accounts")
    payee = payee_field()
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, null=True, blank=True, related_name="bank_accounts"
    )
    # Of its own platform, like the seller, by a composite foreign key (migration 0013).
    party = models.ForeignKey(
        Party, models.PROTECT, null=True, blank=True, related_name="bank_accounts"
    )
    currency = models.CharField(_("currency"), max_length=3)
    holder_name = models.CharField(_("holder"), max_length=120)
    bank_code = models.CharField(_("bank code"), max_length=20)
    bank_name = models.CharField(_("bank"), max_length=120, blank=True)
    account_number = SealedField(_("account number"))
    account_number_hash = models.CharField(max_length=100, editable=False)  # keyed, for search
    last_four = models.CharField(_("last four"), max_length=4)
    active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("bank account")
        verbose_name_plural = _("bank accounts")
        constraints = [
            payee_check("bank_account_of_one_payee"),
            models.UniqueConstraint(
                fields=["merchant", "currency"],
                condition=Q(active=True, merchant__isnull=False),
                name="bank_account_one_active_per_merchant",
            ),
            models.UniqueConstraint(
                fields=["platform", "currency"],
                condition=Q(active=True, payee="PLATFORM"),
                name="bank_account_one_active_per_platform",
            ),
            models.UniqueConstraint(
                fields=["party", "currency"],
                condition=Q(active=True, party__isnull=False),
                name="bank_account_one_active_per_party",
            ),
        ]
        indexes = [models.Index("account_number_hash", name="bank_account_search")]
        triggers = [
            pgtrigger.ReadOnly(
                name="bank_account_new_row_instead",
                fields=[
                    "platform",
                    "payee",
                    "merchant",
                    "party",
                    "currency",
                    "holder_name",
                    "bank_code",
                    "bank_name",
                    "last_four",
                ],
            ),
            pgtrigger.Protect(name="bank_account_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.holder_name} •••• {self.last_four}"


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="ApiKeyAudit",
    fields=["platform", "public_id", "mode", "name", "scopes", "expires_at", "revoked_at"],
)
class ApiKey(models.Model):
    """A platform's key to the API. Only a hash of it is kept; the key itself is shown once."""

    platform = models.ForeignKey(Platform, models.PROTECT, related_name="api_keys")
    public_id = models.CharField(_("public part"), max_length=8, unique=True, editable=False)
    # Its platform's, by a composite foreign key (migration 0005).
    mode = models.CharField(_("mode"), max_length=4, choices=Mode.choices, default=Mode.TEST)
    name = models.CharField(_("name"), max_length=80)
    scopes = models.JSONField(_("scopes"), default=all_scopes)  # of merchants.scopes.SCOPES
    api_version = models.CharField(_("API version"), max_length=10)
    secret_hash = models.CharField(max_length=64, editable=False)  # sha256 of the whole key, hex
    created_at = models.DateTimeField(_("created"))
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)  # empty: never
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"sk_{self.mode.lower()}_{self.public_id}_…"
