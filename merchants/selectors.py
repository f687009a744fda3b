"""Questions about people, accounts and rules. It must never change a row or open a number.

What ends in `_of` is a platform's own rows with what an answer needs beside them, for lists.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import F, Prefetch, Q, QuerySet, Value, Window
from django.db.models.functions import Greatest, RowNumber

from ledger.prepared import columns, prepared_cursor, row_of
from merchants import encryption
from merchants.models import (
    BankAccount,
    BankAccountState,
    CommissionPlan,
    CommissionRule,
    Invitation,
    Merchant,
    Mode,
    Party,
    Platform,
    User,
)
from merchants.rules import CommissionBase, PartyShare, Rule, Sale, Tier

_MERCHANT = f"""
SELECT {columns(Merchant, "merchant")} FROM merchants_merchant AS merchant
WHERE merchant.platform_id = %s AND merchant.id = %s
"""


class OnboardingStatus(StrEnum):
    PENDING = "pending"  # something is missing: released money may have to wait
    READY = "ready"
    SUSPENDED = "suspended"  # takes no new orders; what is owed is still paid


class Requirement(StrEnum):
    """What a seller needs before everything works."""

    ACTIVE = "active"  # suspended: reactivate it
    EMAIL = "email"  # told of payments and of the date to ship by
    BANK_ACCOUNT = "bank_account"  # an active one in the platform's currency


@dataclass(frozen=True, slots=True)
class Onboarding:
    """How far a seller has come, and what is missing, in the order of `Requirement`."""

    status: OnboardingStatus
    missing: tuple[Requirement, ...]


def is_live(*, platform_id: str) -> bool:
    """Whether a platform's money is real."""
    return Platform.objects.filter(pk=platform_id, mode=Mode.LIVE).exists()


def merchants_of(*, platform_id: str) -> QuerySet[Merchant]:
    """A platform's sellers, each with its platform."""
    return Merchant.objects.filter(platform_id=platform_id).select_related("platform")


def merchants_by_id(*, platform_id: str, merchant_ids: Iterable[str]) -> dict[str, Merchant]:
    """A platform's sellers among these ids, in one query; unknown and foreign ones are left out."""
    return merchants_of(platform_id=platform_id).in_bulk(list(set(merchant_ids)))


def get_merchant(*, platform_id: str, merchant_id: str) -> Merchant | None:
    """A platform's seller, in one prepared statement."""
    with prepared_cursor() as cursor:
        cursor.execute(_MERCHANT, [platform_id, merchant_id])
        found = cursor.fetchone()
    return None if found is None else row_of(Merchant, found)


def onboarding_of(merchant: Merchant) -> Onboarding:
    """Say what a seller still needs to be paid."""
    return onboarding_of_all([merchant])[merchant.pk]


def onboarding_of_all(merchants: Collection[Merchant]) -> dict[str, Onboarding]:
    """Say what each of several sellers still needs, in one query. They come with `platform`.

    Returns: by seller id.
    """
    accounts = BankAccount.objects.filter(merchant__in=merchants, state=BankAccountState.IN_FORCE)
    known = set(accounts.values_list("merchant_id", "currency"))
    return {
        merchant.pk: _onboarding(
            merchant, has_account=(merchant.pk, merchant.platform.currency) in known
        )
        for merchant in merchants
    }


def _onboarding(merchant: Merchant, *, has_account: bool) -> Onboarding:
    met = {
        Requirement.ACTIVE: merchant.active,
        Requirement.EMAIL: bool(merchant.email),
        Requirement.BANK_ACCOUNT: has_account,
    }
    missing = tuple(requirement for requirement in Requirement if not met[requirement])
    if not merchant.active:
        return Onboarding(OnboardingStatus.SUSPENDED, missing)
    return Onboarding(OnboardingStatus.PENDING if missing else OnboardingStatus.READY, missing)


def bank_accounts_of(*, platform_id: str) -> QuerySet[BankAccount]:
    """Accounts of a platform, its sellers and its further parties, in force or not, but none that
    operators only propose."""
    told = BankAccount.objects.filter(platform_id=platform_id, effective_at__isnull=False)
    return told.select_related("merchant", "party")


def active_bank_account(
    *, platform_id: str, merchant_id: str | None, currency: str, party_id: str | None = None
) -> BankAccount | None:
    """Where a payee is paid in a currency; without seller and party, the platform itself."""
    return BankAccount.objects.filter(
        platform_id=platform_id,
        merchant_id=merchant_id,
        party_id=party_id,
        currency=currency,
        state=BankAccountState.IN_FORCE,
    ).first()


def waiting_bank_accounts() -> QuerySet[BankAccount]:
    """Changed accounts whose cool-off is not over, or that no sweep has brought in force yet."""
    return BankAccount.objects.filter(state=BankAccountState.WAITING)


def list_due_bank_accounts(
    *, platform_id: str, merchant_id: str | None, party_id: str | None, at: datetime
) -> list[str]:
    """Ids of a payee's changed accounts whose cool-off is over at `at`, of each currency."""
    due = waiting_bank_accounts().filter(
        platform_id=platform_id, merchant_id=merchant_id, party_id=party_id, effective_at__lte=at
    )
    return list(due.order_by("pk").values_list("pk", flat=True))


def list_former_addresses(payee: Merchant | Platform, *, since: datetime) -> list[str]:
    """E-mail addresses a payee's contact had at some time after `since`, but has no more.

    Args: since: by the real clock, as the audit rows it is read from.
    """
    field = "email" if isinstance(payee, Merchant) else "contact_email"
    rows = payee.audit.order_by("pgh_id").values_list("pgh_created_at", field)  # type: ignore[union-attr]
    kept = list(rows)
    ends = [begin for begin, _address in kept[1:]]
    former = [address for (_, address), end in zip(kept, ends, strict=False) if end > since]
    return [each for each in dict.fromkeys(former) if each and each != getattr(payee, field)]


def list_bank_accounts_by_number(*, account_number: str) -> list[BankAccount]:
    """Every account, active or not, that was added with this number, oldest first."""
    hashes = encryption.search_hashes(compact_number(account_number))
    return list(BankAccount.objects.filter(account_number_hash__in=hashes).order_by("id"))


def compact_number(account_number: str) -> str:
    """Leave out the spaces and dashes people type between groups of digits."""
    return account_number.replace(" ", "").replace("-", "").upper()


def plans_of(*, platform_id: str) -> QuerySet[CommissionPlan]:
    """A platform's plans with all their rules, ended ones too: `rules.all()`, by what they match,
    the highest priority first. Each rule has its `version`: 1, 2, 3 … of the rules for the same
    sales with the same priority, as they were written."""
    version = Window(
        RowNumber(),
        partition_by=[
            "plan_id",
            "currency",
            "priority",
            "merchant_id",
            "category",
            "channel",
            "min_order_minor",
            "max_order_minor",
        ],
        order_by=["created_at", "effective_from", "id"],
    )
    rules = CommissionRule.objects.annotate(version=version).order_by(
        "currency",
        F("priority").desc(),
        "merchant_id",
        "category",
        "channel",
        "min_order_minor",
        "max_order_minor",
        "created_at",
        "effective_from",
        "id",
    )
    plans = CommissionPlan.objects.filter(platform_id=platform_id)
    return plans.prefetch_related(Prefetch("rules", rules))


def parties_of(*, platform_id: str) -> QuerySet[Party]:
    """A platform's further parties."""
    return Party.objects.filter(platform_id=platform_id)


def rules_of(*, platform_id: str) -> QuerySet[CommissionRule]:
    """A platform's rules of all its plans."""
    return CommissionRule.objects.filter(plan__platform_id=platform_id).select_related("plan")


def active_plan(*, platform_id: str) -> CommissionPlan | None:
    """The commission plan in force on a platform."""
    return CommissionPlan.objects.filter(platform_id=platform_id, active=True).first()


# A plan and those of its rules that may speak about a sale: asked for with every new order.
_RULES_FOR_SALE = f"""
SELECT {columns(CommissionPlan, "plan")}, {columns(CommissionRule, "rule")}
FROM merchants_commissionplan AS plan LEFT JOIN merchants_commissionrule AS rule
    ON rule.plan_id = plan.id AND rule.currency = %(currency)s
    AND rule.category = ANY (%(categories)s)
    AND (rule.merchant_id IS NULL OR rule.merchant_id = %(merchant)s)
    AND (rule.min_order_minor IS NULL OR rule.min_order_minor <= %(amount)s)
    AND (rule.max_order_minor IS NULL OR rule.max_order_minor >= %(amount)s)
    AND rule.effective_from <= %(at)s AND (rule.effective_to IS NULL OR rule.effective_to > %(at)s)
WHERE {{which}} ORDER BY rule.id
"""
_OF_PLAN = _RULES_FOR_SALE.format(which="plan.id = %(which)s")
_IN_FORCE = _RULES_FOR_SALE.format(which="plan.platform_id = %(which)s AND plan.active")


def list_matching_rules(*, plan_id: str, sale: Sale, at: datetime) -> list[Rule]:
    """The rules of a plan that may speak about a sale at that instant, as plain values."""
    return _rules_for_sale(_OF_PLAN, plan_id, sale, at)[1]


def find_plan_in_force(
    *, platform_id: str, sale: Sale, at: datetime
) -> tuple[CommissionPlan | None, list[Rule]]:
    """The plan in force on a platform, and its rules as `list_matching_rules` gives them. Without
    a plan: None, and no rules."""
    return _rules_for_sale(_IN_FORCE, platform_id, sale, at)


def _rules_for_sale(
    query: str, which: str, sale: Sale, at: datetime
) -> tuple[CommissionPlan | None, list[Rule]]:
    asked = {
        "which": which,
        "merchant": sale.merchant_id,
        "categories": ["", *{line.category for line in sale.lines}],
        "currency": sale.currency,
        "amount": sale.amount_minor,
        "at": at,
    }
    with prepared_cursor() as cursor:
        cursor.execute(query, asked)
        found = cursor.fetchall()
    width = len(CommissionPlan._meta.concrete_fields)
    plan = row_of(CommissionPlan, found[0][:width]) if found else None
    rules = [snapshot(row_of(CommissionRule, row[width:])) for row in found if row[width]]
    return plan, rules


def list_rules_in_force(*, plan_id: str, at: datetime) -> list[Rule]:
    """All rules of a plan that count for orders created at that instant, as plain values."""
    rows = CommissionRule.objects.filter(
        Q(effective_to__isnull=True) | Q(effective_to__gt=at),
        plan_id=plan_id,
        effective_from__lte=at,
    ).order_by("id")
    return [snapshot(row) for row in rows]


def open_rules(*, plan_id: str, at: datetime) -> QuerySet[CommissionRule]:
    """The rules of a plan that count at that instant or will later, oldest first."""
    return CommissionRule.objects.filter(
        Q(effective_to__isnull=True) | Q(effective_to__gt=Greatest(F("effective_from"), Value(at))),
        plan_id=plan_id,
    ).order_by("id")


def snapshot(row: CommissionRule) -> Rule:
    """Copy a rule out of the database, as it is to be frozen on orders."""
    return Rule(
        id=row.id,
        priority=row.priority,
        merchant_id=row.merchant_id,
        category=row.category,
        currency=row.currency,
        rate_bps=row.rate_bps,
        fixed_minor=row.fixed_minor,
        floor_minor=row.floor_minor,
        cap_minor=row.cap_minor,
        base=CommissionBase(row.base),
        effective_from=row.effective_from,
        effective_to=row.effective_to,
        tax_bps=row.tax_bps,
        parties=tuple(PartyShare(**each) for each in row.parties),
        channel=row.channel,
        min_order_minor=row.min_order_minor,
        max_order_minor=row.max_order_minor,
        tiers=tuple(Tier(**each) for each in row.tiers),
    )


def people_of(user: User) -> QuerySet[User]:
    """Everybody of the same seller or platform, in no order; nobody for an operator."""
    if user.merchant_id is not None:
        return User.objects.filter(merchant_id=user.merchant_id)
    if user.platform_id is None:
        return User.objects.none()
    return User.objects.filter(platform_id=user.platform_id)


def invitations_of(user: User) -> QuerySet[Invitation]:
    """Invitations to the same seller or platform, in no order; ids sort by time."""
    if user.merchant_id is not None:
        return Invitation.objects.filter(merchant_id=user.merchant_id)
    return Invitation.objects.filter(platform_id=user.platform_id, merchant=None)
