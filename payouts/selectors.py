"""Reading statements and payouts, and what is due here. It must never lock or write."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import (
    Case,
    CharField,
    DateTimeField,
    Exists,
    F,
    Min,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Concat, Greatest

from escrow import selectors as escrow
from escrow.models import Freeze, Payee, ReleaseLine
from escrow.reserve_statement import ReserveStatement, reserve_between
from escrow.selectors import freezes_in_force
from merchants.selectors import waiting_bank_accounts
from orders.claims import earliest, first_of
from payouts.models import Cadence, Payout, PayoutSchedule, PayoutState, Settlement


def settlements_of(*, platform_id: str) -> QuerySet[Settlement]:
    """A platform's statements with their payees and payouts, oldest payout first; for the lines
    see escrow.selectors."""
    payouts = Prefetch("payouts", Payout.objects.order_by("id"))
    statements = Settlement.objects.filter(platform_id=platform_id)
    return statements.select_related("merchant", "party").prefetch_related(payouts)


def reserve_of(settlement: Settlement) -> ReserveStatement | None:
    """What the seller's rolling reserve kept, freed and lost since the statement before; None for
    other payees, and for a seller of whom nothing was ever held back."""
    if settlement.merchant_id is None:
        return None
    own = Settlement.objects.filter(
        merchant_id=settlement.merchant_id, currency=settlement.currency
    )
    earlier = own.filter(cutoff_at__lt=settlement.cutoff_at).order_by("-cutoff_at")
    found = reserve_between(
        merchant_id=settlement.merchant_id,
        currency=settlement.currency,
        since=earlier.values_list("cutoff_at", flat=True).first(),
        until=settlement.cutoff_at,
    )
    return None if found.is_empty else found


def payouts_of(*, platform_id: str) -> QuerySet[Payout]:
    """A platform's payouts with their statements and payees; `frozen`: whether a freeze keeps it,
    or its seller, from the bank."""
    payouts = Payout.objects.filter(platform_id=platform_id)
    unsent = Q(state__in=[PayoutState.PENDING, PayoutState.APPROVED])
    frozen = Exists(_freezes_of_seller()) | Exists(_freezes_of_payout())
    shown = payouts.annotate(frozen=Q(unsent & frozen))
    return shown.select_related("settlement", "merchant", "party")


def latest_payouts(*, settlement_ids: Iterable[str]) -> dict[str, Payout]:
    """The last attempt to pay each of these statements, in one query; with the statement.

    Returns: by statement id; a statement always has a payout.
    """
    rows = Payout.objects.filter(settlement_id__in=set(settlement_ids))
    rows = rows.select_related("settlement").order_by("created_at", "id")
    return {payout.settlement_id: payout for payout in rows}


def waiting_schedules() -> QuerySet[PayoutSchedule, Any]:
    """Schedules to whose payee something was released that is on no settlement yet; those of frozen
    sellers wait."""
    return _with_address().filter(Exists(_open_lines())).exclude(Exists(_freezes_of_seller()))


def due_schedules() -> QuerySet[PayoutSchedule, Any]:
    """The same with `due_at`, since when each can be cut: its cutoff has come, and something had
    been released or, of a reserve, freed."""
    owed_since = Coalesce("freed_slice__closed_at", "release__released_at")
    first = _open_lines().values("address").annotate(first=Min(owed_since))
    return (
        _with_address()
        .annotate(owed_since=Subquery(first.values("first"), output_field=DateTimeField()))
        .filter(owed_since__isnull=False)
        .exclude(Exists(_freezes_of_seller()))
        .annotate(due_at=Greatest(F("next_cutoff_at"), F("owed_since")))
    )


def _with_address() -> QuerySet[PayoutSchedule, Any]:
    """Every schedule with the ledger account it empties, as `PayoutSchedule.address` says it."""
    address = Case(
        When(
            merchant__isnull=False,
            then=Concat(Value("merchant:"), "merchant_id", Value(":payable")),
        ),
        When(party__isnull=False, then=Concat(Value("party:"), "party_id", Value(":payable"))),
        default=Concat(Value("platform:"), "platform_id", Value(":commission")),
        output_field=CharField(),
    )
    return PayoutSchedule.objects.annotate(payable=address)


def _open_lines() -> QuerySet[ReleaseLine]:
    return ReleaseLine.objects.filter(
        ~Q(payee=Payee.SERVICE_FEE), address=OuterRef("payable"), settlement_id__isnull=True
    )


def unsent_payouts() -> QuerySet[Payout]:
    """Payouts the bank is to be sent; those that are frozen, or whose seller is, wait."""
    approved = Payout.objects.filter(state=PayoutState.APPROVED)
    return approved.exclude(Exists(_freezes_of_seller())).exclude(Exists(_freezes_of_payout()))


def frozen_payouts() -> QuerySet[Payout]:
    """Payouts that are frozen, or whose seller is, in whatever state they are."""
    return Payout.objects.filter(Exists(_freezes_of_seller()) | Exists(_freezes_of_payout()))


def _freezes_of_seller() -> QuerySet[Freeze]:
    return freezes_in_force().filter(merchant_id=OuterRef("merchant_id"))


def _freezes_of_payout() -> QuerySet[Freeze]:
    return freezes_in_force().filter(payout_id=OuterRef("pk"))


def open_payouts() -> QuerySet[Payout]:
    """Payouts the bank is asked about."""
    return Payout.objects.filter(state__in=Payout.OPEN)


def next_due(*, platform_id: str, after: datetime | None = None) -> datetime | None:
    """Return when a platform's next daily or weekly cutoff has something to cut, or a changed bank
    account is in force.

    Args: after: only what is due later than this instant.
    """
    schedules = due_schedules().filter(platform_id=platform_id)
    accounts = waiting_bank_accounts().filter(platform_id=platform_id)
    return first_of(
        earliest(schedules.exclude(cadence=Cadence.INSTANT), "due_at", after=after),
        earliest(accounts, "effective_at", after=after),
    )


def next_question(*, platform_id: str, after: datetime | None = None) -> datetime | None:
    """Return when a bank is to be asked next about, or for, something of a platform's, or an
    instant schedule looks whether its money need wait no more.

    Args: after: only what is due later than this instant.
    """
    asked = (
        due_schedules().filter(cadence=Cadence.INSTANT),
        unsent_payouts(),
        open_payouts(),
        escrow.unsent_bank_refunds(),
        escrow.open_bank_refunds(),
    )
    return first_of(
        *(earliest(rows.filter(platform_id=platform_id), "due_at", after=after) for rows in asked)
    )
