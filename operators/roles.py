"""What operators may do by their role: one table, written into the database as Django groups.

A role gives rights to see, to add ("create") or to change ("operate") rows of a model; what a page
or an action asks for stands beside it in its app's admin. It must never give a right to delete, nor
one about users, sign-ins or API keys: those stay with administrators (superusers). That two persons
decide about money is a rule of the services and the database, whatever their roles.
"""

from collections.abc import Iterable
from enum import StrEnum

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission

APPS = ("ledger", "merchants", "channels", "notifications", "orders", "escrow", "payouts")


class Role(StrEnum):
    """The names of the groups."""

    FINANCE = "finance"
    SUPPORT = "support"
    RISK = "risk"
    AUDITOR = "auditor"


# What everybody at the desk may see: what was sold, paid, held, sent back and argued about.
SALES = (
    "merchants.platform",
    "merchants.merchant",
    "merchants.party",
    "orders.order",
    "orders.payment",
    "escrow.hold",
    "escrow.release",
    "escrow.refund",
    "escrow.surplus",
    "escrow.dispute",
    "payouts.settlement",
    "payouts.payout",
    "payouts.payoutschedule",
)
DECISIONS = ("merchants.proposal",)  # what two persons change
BOOKS = (
    "ledger.account",
    "ledger.accountclass",
    "ledger.journalentry",
    "ledger.route",
    "escrow.correction",
)
RESERVE = ("escrow.remittance", "escrow.reserveslice", "escrow.debt", "escrow.bankrefund")
TERMS = ("merchants.commissionplan", "merchants.commissionrule")
ACCOUNTS = ("merchants.bankaccount",)
FREEZES = ("escrow.freeze",)
MESSAGES = (
    "channels.inboundnotification",
    "notifications.event",
    "notifications.delivery",
    "notifications.deliveryattempt",
    "notifications.webhookendpoint",
)
KEYS = ("merchants.apikey",)

# Role -> verb -> models.
ROLES: dict[Role, dict[str, tuple[str, ...]]] = {
    Role.FINANCE: {
        "view": (*SALES, *BOOKS, *RESERVE, *TERMS, *ACCOUNTS, *FREEZES, *DECISIONS),
        "add": ("merchants.party", "escrow.correction", *TERMS, *ACCOUNTS),
        "change": (
            "escrow.refund",
            "escrow.debt",
            "escrow.bankrefund",
            "escrow.correction",
            "payouts.payout",
            "payouts.payoutschedule",
            *DECISIONS,
            *TERMS,
            *ACCOUNTS,
        ),
    },
    Role.SUPPORT: {
        "view": (*SALES, *MESSAGES),
        "add": ("merchants.merchant",),
        "change": (
            "merchants.merchant",
            "escrow.dispute",
            "channels.inboundnotification",
            "notifications.delivery",
        ),
    },
    Role.RISK: {
        "view": (*SALES, *RESERVE, *ACCOUNTS, *FREEZES),
        "add": FREEZES,
        "change": (*FREEZES, "escrow.dispute", *ACCOUNTS),
    },
    Role.AUDITOR: {
        "view": (
            *SALES,
            *BOOKS,
            *RESERVE,
            *TERMS,
            *ACCOUNTS,
            *FREEZES,
            *MESSAGES,
            *KEYS,
            *DECISIONS,
            "merchants.user",
        ),
    },
}


def write_roles() -> None:
    """Make each role's group have exactly the rights of the table above.

    Django writes its permissions only after all migrations have run; what is missing is written
    first. For migrations: each change of the table brings one that calls this.

    Idempotent: yes.
    """
    for label in APPS:
        create_permissions(apps.get_app_config(label), verbosity=0)
    for role, rights in ROLES.items():
        group, _made = Group.objects.get_or_create(name=role.value)
        group.permissions.set(_permissions(rights))


def _permissions(rights: dict[str, tuple[str, ...]]) -> Iterable[Permission]:
    for verb, models in rights.items():
        for model in models:
            app, name = model.split(".")
            yield Permission.objects.get(
                content_type__app_label=app, codename=f"{verb}_{name}", content_type__model=name
            )
