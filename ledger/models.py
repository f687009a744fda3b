"""The tables of the books, as Django sees them: for reading only.

Rows are written by the SQL functions in `ledger/sql/`, which `ledger/services.py` calls; a model
here must never be saved, and the database refuses an update or a deletion of most of them.
"""

from django.db import models
from django.db.models import Func, Q
from django.utils.translation import gettext_lazy as _

from common.money import MAX_AMOUNT_MINOR
from ledger import chart

# Accounts below this id are hot (no running balance); accounts of guarded classes start here.
FIRST_GUARDED_ID = 100_000


class AccountClass(models.Model):
    """A family of accounts.

    Seeded from `chart.CLASSES` by migration; the same list, for SQL to check.
    """

    code = models.CharField(primary_key=True, max_length=40)
    pattern = models.CharField(max_length=120)  # POSIX regular expression of the whole address
    kind = models.CharField(
        max_length=10, choices=[(each.value, each.value) for each in chart.Kind]
    )
    side = models.CharField(max_length=6, choices=[(each.value, each.value) for each in chart.Side])
    guarded = models.BooleanField()
    customers = models.BooleanField()
    meaning = models.CharField(max_length=200)

    class Meta:
        verbose_name_plural = _("account classes")
        constraints = (
            # The guard adds credits and takes debits off, so it can only keep accounts of the
            # credit side.
            models.CheckConstraint(
                name="ledger_accountclass_guarded_is_credit",
                condition=Q(guarded=False) | Q(side=chart.Side.CREDIT.value),
            ),
        )

    def __str__(self) -> str:
        return self.code


class Route(models.Model):
    """Permission for entries of a kind to touch a class of accounts on one side.

    Seeded from `entries.ROUTES`.
    """

    kind = models.CharField(max_length=40)  # entries.EntryKind
    account_class = models.ForeignKey(AccountClass, on_delete=models.PROTECT, db_index=False)
    side = models.CharField(max_length=1)  # D or C

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "account_class", "side"), name="ledger_route_once"
            ),
            models.CheckConstraint(name="ledger_route_side", condition=Q(side__in=("D", "C"))),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.side} {self.account_class_id}"


class Account(models.Model):
    """One address in one currency.

    A trigger gives the id: below `FIRST_GUARDED_ID` means hot, else guarded.
    """

    id = models.BigIntegerField(primary_key=True, editable=False)
    address = models.CharField(max_length=120)
    currency = models.CharField(max_length=3)
    account_class = models.ForeignKey(AccountClass, on_delete=models.PROTECT)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("address", "currency"), name="ledger_account_once"),
            models.CheckConstraint(
                name="ledger_account_currency", condition=Q(currency__regex="^[A-Z]{3}$")
            ),
        )

    def __str__(self) -> str:
        return f"{self.address} {self.currency}"

    @property
    def is_guarded(self) -> bool:
        return self.id >= FIRST_GUARDED_ID


class GuardedBalance(models.Model):
    """The running balance of a guarded account.

    Written only by the posting trigger, which no door avoids.
    """

    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True)
    # Minor units of the account's currency, credits less debits: what we owe the payee, less
    # waiting credits.
    balance_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="ledger_guardedbalance_not_below_zero", condition=Q(balance_minor__gte=0)
            ),
        )

    def __str__(self) -> str:
        return f"{self.account_id}: {self.balance_minor}"


class WaitingCredit(models.Model):
    """A credit to a guarded account whose balance row somebody else held at that moment.

    The next debit folds it in. The balance of a guarded account is its `GuardedBalance` and its
    waiting credits, at every snapshot.
    """

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, db_constraint=False)
    amount_minor = (
        models.BigIntegerField()
    )  # minor units of the account's currency, a credit, above zero

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="ledger_waitingcredit_above_zero", condition=Q(amount_minor__gt=0)
            ),
        )

    def __str__(self) -> str:
        return f"{self.account_id}: {self.amount_minor}"


class HotCheckpoint(models.Model):
    """A hot account's balance up to one entry, so that a reading adds up only later postings.

    Every checkpoint writes all hot accounts with the same mark, so an account without a row has no
    posting at or below the highest mark.
    """

    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True)
    through_entry_id = models.BigIntegerField()
    # Minor units of the account's currency, debits less credits over postings with entry id <= the
    # mark.
    balance_minor = models.BigIntegerField()
    taken_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.account_id} through {self.through_entry_id}: {self.balance_minor}"


class JournalEntry(models.Model):
    """One business fact about money in one currency, with its postings: written once, for ever."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(
        max_length=40
    )  # entries.EntryKind; a reversal keeps the kind it reverses
    reference = models.CharField(max_length=200)  # the business fact; unique for ever
    subject = models.CharField(
        max_length=80
    )  # id of the order, payout or payment whose timeline shows it
    currency = models.CharField(max_length=3)
    legs = models.SmallIntegerField()  # how many postings the entry has; sealed by this number
    event_at = models.DateTimeField()  # when it happened in the world
    created_at = models.DateTimeField(  # when we wrote it down
        db_default=Func(function="clock_timestamp", output_field=models.DateTimeField()),
        editable=False,
    )
    # No foreign key in the database: Django's would be checked at commit, the posting trigger
    # checks at once.
    reverses = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="reversals",
    )

    class Meta:
        verbose_name_plural = _("journal entries")
        # Indexes by name and not `unique=True` or `db_index=True`: those would add a second (LIKE)
        # index.
        indexes = (models.Index(fields=("subject",), name="ledger_entry_subject"),)
        constraints = (
            models.UniqueConstraint(fields=("reference",), name="ledger_entry_reference_once"),
            models.UniqueConstraint(
                fields=("reverses",),
                name="ledger_entry_reversed_once",
                condition=Q(reverses__isnull=False),
            ),
            models.CheckConstraint(name="ledger_entry_two_legs", condition=Q(legs__gte=2)),
        )

    def __str__(self) -> str:
        return f"{self.id} {self.reference}"


class Posting(models.Model):
    """One leg of an entry.

    No foreign key in the database to the entry or the account: the posting trigger checks both for
    every row, entries and accounts cannot be deleted, and a key would lock the hot account's row
    for each posting (measured: 0.75 of the speed at 16 clients).
    """

    pk = models.CompositePrimaryKey("entry_id", "leg")
    entry = models.ForeignKey(
        JournalEntry,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="postings",
    )
    leg = models.SmallIntegerField()  # 1 to the entry's `legs`
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="postings",
    )
    # Minor units of the entry's currency: a debit is positive, a credit negative.
    amount_minor = models.BigIntegerField()

    class Meta:
        indexes = (
            # Hot accounts have two thirds of the postings and are read by checkpoint: no index for
            # them.
            models.Index(
                fields=("account", "entry"),
                include=("amount_minor",),
                condition=Q(account_id__gte=FIRST_GUARDED_ID),
                name="ledger_posting_guarded",
            ),
        )
        constraints = (
            # One constraint and not two: each is read anew by every statement that inserts.
            models.CheckConstraint(
                name="ledger_posting_amount",
                condition=~Q(amount_minor=0)
                & Q(amount_minor__gte=-MAX_AMOUNT_MINOR)
                & Q(amount_minor__lte=MAX_AMOUNT_MINOR),
            ),
        )

    def __str__(self) -> str:
        return f"{self.entry_id}/{self.leg}: {self.amount_minor}"
