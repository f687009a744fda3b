"""Which mails a person wants, of those that are not always sent. It must never send anything."""

from collections.abc import Collection
from datetime import datetime

from common.errors import DomainError
from ledger.usecases import use_case
from merchants.models import User
from notifications.kinds import OPTIONAL
from notifications.models import MailChoice


class MailKindInvalid(DomainError):
    """There is no such kind of mails, or it is always sent."""

    code = "mail_kind_invalid"
    status = 422


@use_case()
def choose_mails(*, user: User, wanted: Collection[str], at: datetime) -> None:
    """Write down which kinds of mails a person wants; the others are not wanted from now on.

    Args: wanted: of notifications.kinds.OPTIONAL.
    Raises: MailKindInvalid.
    Idempotent: yes. Locks: the person's choices, in the order of the kinds.
    """
    unknown = sorted(set(wanted) - set(OPTIONAL))
    if unknown:
        raise MailKindInvalid(f"Mails of the kind {unknown[0]!r} cannot be chosen.")
    MailChoice.objects.bulk_create(
        [
            MailChoice(user=user, kind=kind, wanted=kind in wanted, changed_at=at)
            for kind in OPTIONAL
        ],
        update_conflicts=True,
        unique_fields=["user", "kind"],
        update_fields=["wanted", "changed_at"],
    )
