"""What we ask sellers to pay of their debts: by a bank payment into the reserve that names us a
reference.

A request never moves money; what the bank says came in does (services/debts.record_repayment).
"""

import secrets
from datetime import datetime

import pghistory
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, FSMModelMixin, transition

from channels.reserve_accounts import ReserveAccount, find_reserve_account
from escrow.models.clawbacks import Debt
from ledger.fields import IdField
from ledger.triggers import StateGraph
from merchants.models import Platform
from notifications.sequence import Sequenced

# People type it at their bank: no letter or digit that is taken for another.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


class DebitRequestState(models.TextChoices):
    OPEN = "OPEN", _("Waits for the payment")
    PAID = "PAID", _("Paid")
    WITHDRAWN = "WITHDRAWN", _("Withdrawn: the debt ended another way")


def new_payment_reference() -> str:
    """Make a reference of ten letters and digits, such as `DR7K3M9QXA`."""
    return "DR" + "".join(secrets.choice(ALPHABET) for _each in range(8))


class DebitRequest(FSMModelMixin, Sequenced):
    """One request to a seller to pay one debt. It is in force until the debt is closed."""

    id = IdField(prefix="dbr", primary_key=True)
    platform = models.ForeignKey(Platform, models.PROTECT, related_name="+")
    debt = models.ForeignKey(Debt, models.PROTECT, related_name="requests")
    state = FSMField(
        default=DebitRequestState.OPEN, choices=DebitRequestState.choices, protected=True
    )
    payment_reference = models.CharField(
        max_length=16, unique=True, default=new_payment_reference
    )  # what the seller writes on the bank payment
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()  # minor units the seller owed us when it was asked
    custodian = models.CharField(max_length=64)  # whose reserve account the seller pays into
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    remind_at = models.DateTimeField(null=True, blank=True)  # empty: never, or done
    reminded_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True
    )  # empty: by itself

    class Meta:
        verbose_name = _("debit request")
        verbose_name_plural = _("debit requests")
        constraints = [
            models.UniqueConstraint(
                fields=["debt"], condition=Q(state="OPEN"), name="debitrequest_one_in_force"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="debitrequest_positive"),
            models.CheckConstraint(
                condition=Q(due_at__gt=F("created_at")), name="debitrequest_leaves_time"
            ),
            models.CheckConstraint(
                condition=Q(remind_at__isnull=True)
                | Q(state="OPEN", reminded_at__isnull=True, remind_at__lt=F("due_at")),
                name="debitrequest_reminds_once",
            ),
        ]
        indexes = [
            models.Index(
                "remind_at", "id", condition=Q(remind_at__isnull=False), name="debitrequest_remind"
            )
        ]
        triggers = [
            StateGraph(
                name="debitrequest_state_graph",
                field="state",
                transitions=[("OPEN", "PAID"), ("OPEN", "WITHDRAWN")],
                requires={"PAID": ("closed_at",), "WITHDRAWN": ("closed_at",)},
            )
        ]

    def __str__(self) -> str:
        return self.payment_reference

    @property
    def pay_to(self) -> ReserveAccount | None:
        """The account the seller pays into, as it is now. None: it is not configured any more."""
        return find_reserve_account(self.custodian)

    @transition(field=state, source=DebitRequestState.OPEN, target=DebitRequestState.PAID)
    def pay(self, *, at: datetime) -> None:
        self.closed_at, self.remind_at = at, None

    @transition(field=state, source=DebitRequestState.OPEN, target=DebitRequestState.WITHDRAWN)
    def withdraw(self, *, at: datetime) -> None:
        self.closed_at, self.remind_at = at, None


pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(),
    model_name="DebitRequestAudit",
    fields=["id", "state", "amount_minor", "due_at", "reminded_at", "closed_at", "asked_by"],
)(DebitRequest)
