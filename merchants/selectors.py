"""Questions about people, accounts and rules. It must never change a row or open a number."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q

from merchants import encryption, terms
from merchants.models import BankAccount, CommissionPlan, CommissionRule


def active_bank_account(
    *, platform_id: str, merchant_id: str | None, currency: str
) -> BankAccount | None:
    """Where a payee is paid in a currency; without `merchant_id`, the platform itself."""
    return BankAccount.objects.filter(
        platform_id=platform_id, merchant_id=merchant_id, currency=currency, active=True
    ).first()


def list_bank_accounts_by_number(*, account_number: str) -> list[BankAccount]:
    """Every account, active or not, that was added with this number, oldest first."""
    hashes = encryption.search_hashes(compact_number(account_number))
    return list(BankAccount.objects.filter(account_number_hash__in=hashes).order_by("id"))


def compact_number(account_number: str) -> str:
    """Leave out the spaces and dashes people type between groups of digits."""
    return account_number.replace(" ", "").replace("-", "").upper()


def active_plan_id(*, platform_id: str) -> str | None:
    """The commission plan in force on a platform."""
    return (
        CommissionPlan.objects.filter(platform_id=platform_id, active=True)
        .values_list("id", flat=True)
        .first()
    )


def list_matching_rules(
    *,
    plan_id: str,
    merchant_id: str,
    categories: Collection[str],
    currency: str,
    at: datetime,
) -> list[terms.Rule]:
    """The rules of a plan that may speak about such lines at that instant, as plain values."""
    rows = CommissionRule.objects.filter(
        Q(merchant_id=merchant_id) | Q(merchant_id__isnull=True),
        Q(effective_to__isnull=True) | Q(effective_to__gt=at),
        plan_id=plan_id,
        currency=currency,
        category__in={"", *categories},
        effective_from__lte=at,
    ).order_by("id")
    return [snapshot(row) for row in rows]


def snapshot(row: CommissionRule) -> terms.Rule:
    """Copy a rule out of the database, as it is to be frozen on orders."""
    return terms.Rule(
        id=row.id,
        priority=row.priority,
        merchant_id=row.merchant_id,
        category=row.category,
        currency=row.currency,
        rate_bps=row.rate_bps,
        fixed_minor=row.fixed_minor,
        floor_minor=row.floor_minor,
        cap_minor=row.cap_minor,
        base=terms.CommissionBase(row.base),
        effective_from=row.effective_from,
        effective_to=row.effective_to,
    )
