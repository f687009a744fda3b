"""Which mails are of which kind, which are always sent, and to which roles. Values only.

A mail nobody has given a kind counts as SECURITY: it is always sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from merchants.models import Role
from notifications.models import Audience, MailKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """`always`: nobody can switch it off; then `roles` are those who can do something about it."""

    types: frozenset[str]
    audience: Audience = Audience.SELLER
    always: bool = False
    roles: frozenset[str] = frozenset(Role.values)


_SALES = frozenset({Role.OWNER.value, Role.SUPPORT.value})
_MONEY = frozenset({Role.OWNER.value, Role.FINANCE.value})

KINDS: Mapping[MailKind, Kind] = {
    MailKind.ORDERS: Kind(
        types=frozenset(
            {"order.paid", "order.ship_extended", "order.confirm_extended", "order.canceled"}
        )
    ),
    MailKind.SHIPPING: Kind(types=frozenset({"order.ship_reminder"}), always=True, roles=_SALES),
    MailKind.DISPUTES: Kind(
        types=frozenset({"dispute.opened", "dispute.return_awaited", "dispute.sent_back"}),
        always=True,
        roles=_SALES,
    ),
    MailKind.DISPUTE_ENDS: Kind(types=frozenset({"dispute.resolved", "dispute.withdrawn"})),
    MailKind.PAYOUTS: Kind(types=frozenset({"payout.paid"})),
    MailKind.PAYOUT_PROBLEMS: Kind(
        types=frozenset({"payout.failed", "payout.returned"}), always=True, roles=_MONEY
    ),
    MailKind.DEBTS: Kind(
        types=frozenset(
            {"debit_request.created", "debit_request.reminder", "debit_request.withdrawn"}
        ),
        always=True,
        roles=_MONEY,
    ),
    MailKind.WEBHOOKS: Kind(
        types=frozenset({"webhook_endpoint.disabled"}),
        audience=Audience.PLATFORM,
        always=True,
        roles=frozenset({Role.OWNER.value}),
    ),
    MailKind.SECURITY: Kind(
        types=frozenset({"bank_account.waiting", "bank_account.in_force", "bank_account.canceled"}),
        always=True,
        roles=_MONEY,
    ),
}
OPTIONAL = tuple(kind for kind, each in KINDS.items() if not each.always)
_KIND_OF = {type: kind for kind, each in KINDS.items() for type in each.types}


def kind_of(type: str) -> MailKind:
    """The kind of the mails that tell of an event of this type."""
    return _KIND_OF.get(type, MailKind.SECURITY)


def kinds_for(audience: Audience) -> list[MailKind]:
    """What people of a seller, or of a platform, can be told, in the order of reading."""
    return [
        kind
        for kind, each in KINDS.items()
        if each.audience == audience or kind == MailKind.SECURITY
    ]
