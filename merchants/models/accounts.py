"""What opens doors and takes money in: bank accounts and API keys.

It must never hold an account number or a key in clear.
"""

from datetime import datetime

import pghistory
import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, FSMModelMixin, transition

from ledger.fields import IdField
from ledger.triggers import StateGraph
from merchants.encryption import SealedField
from merchants.models.parties import Party
from merchants.models.payees import payee_check, payee_field
from merchants.models.people import Merchant, Mode, Platform
from merchants.scopes import all_scopes


class BankAccountState(models.TextChoices):
    PROPOSED = "PROPOSED", _("Waits for a second person")
    WAITING = "WAITING", _("Waits")
    IN_FORCE = "IN_FORCE", _("In force")
    REPLACED = "REPLACED", _("Replaced")
    CANCELED = "CANCELED", _("Canceled")


TOLD = (BankAccountState.WAITING, BankAccountState.IN_FORCE)  # a payee has one of each at most


class BankAccount(FSMModelMixin, models.Model):
    """Where a payee wants to be paid. Never edited: another account is another row.

    A payee's first account of a currency is in force at once; another one waits for a cool-off.
    """

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
    state = FSMField(
        _("State"),
        default=BankAccountState.PROPOSED,
        choices=BankAccountState.choices,
        protected=True,
    )
    # When payouts go there, or were to; empty until a second operator has approved it.
    effective_at = models.DateTimeField(_("In force from"), null=True, blank=True)
    event_sequence = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("bank account")
        verbose_name_plural = _("bank accounts")
        constraints = [
            payee_check("bank_account_of_one_payee"),
            models.UniqueConstraint(
                fields=["merchant", "currency", "state"],
                condition=Q(state__in=TOLD, merchant__isnull=False),
                name="bank_account_one_per_merchant",
            ),
            models.UniqueConstraint(
                fields=["platform", "currency", "state"],
                condition=Q(state__in=TOLD, payee="PLATFORM"),
                name="bank_account_one_per_platform",
            ),
            models.UniqueConstraint(
                fields=["party", "currency", "state"],
                condition=Q(state__in=TOLD, party__isnull=False),
                name="bank_account_one_per_party",
            ),
        ]
        indexes = [
            models.Index("account_number_hash", name="bank_account_search"),
            models.Index("effective_at", condition=Q(state="WAITING"), name="bank_account_waiting"),
        ]
        triggers = [
            StateGraph(
                name="bank_account_state_graph",
                field="state",
                transitions=[
                    ("PROPOSED", "WAITING"),
                    ("PROPOSED", "IN_FORCE"),
                    ("PROPOSED", "CANCELED"),
                    ("WAITING", "IN_FORCE"),
                    ("WAITING", "CANCELED"),
                    ("IN_FORCE", "REPLACED"),
                ],
                requires={
                    "WAITING": ("effective_at",),
                    "IN_FORCE": ("effective_at",),
                    "REPLACED": ("effective_at",),
                },
            ),
            # A cool-off that has begun is neither shortened nor drawn out.
            pgtrigger.Protect(
                name="bank_account_in_force_as_told",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__effective_at__isnull=False)
                & pgtrigger.Q(old__effective_at__df=pgtrigger.F("new__effective_at")),
            ),
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

    @property
    def active(self) -> bool:
        """Whether payouts go there."""
        return self.state == BankAccountState.IN_FORCE

    def waits(self, *, at: datetime) -> bool:
        """Say whether it can still be canceled: its cool-off is not over, or never began."""
        if self.state == BankAccountState.PROPOSED:
            return True
        due = self.effective_at
        return self.state == BankAccountState.WAITING and due is not None and due > at

    @transition(field=state, source=BankAccountState.PROPOSED, target=BankAccountState.WAITING)
    def wait(self, *, until: datetime) -> None:
        self.effective_at = until

    @transition(
        field=state,
        source=[BankAccountState.PROPOSED, BankAccountState.WAITING],
        target=BankAccountState.IN_FORCE,
    )
    def enter(self, *, at: datetime) -> None:
        self.effective_at = self.effective_at or at

    @transition(field=state, source=BankAccountState.IN_FORCE, target=BankAccountState.REPLACED)
    def leave(self) -> None:
        pass

    @transition(
        field=state,
        source=[BankAccountState.PROPOSED, BankAccountState.WAITING],
        target=BankAccountState.CANCELED,
    )
    def cancel(self) -> None:
        pass


pghistory.track(
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
        "state",
        "effective_at",
    ],
)(BankAccount)


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
