"""Asking somebody to join a seller or a platform, and joining.

It must never say whether an address has an account elsewhere, but to whoever holds its link; nor
send a mail: that is written by notifications/services/invitations.py, with the row.
"""

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.db.models import QuerySet

from common.errors import DomainError
from common.ids import new_id
from ledger.usecases import use_case
from merchants.models import Invitation, User
from merchants.selectors import invitations_of, people_of
from merchants.services.checks import check_row, violates
from merchants.services.people import (
    PersonInvalid,
    clean_name,
    lock_people,
    refuse_unknown_role,
)

LASTS = timedelta(days=7)
MAX_OPEN = 50  # invitations of one seller or platform
MAX_ROUNDS = 10  # how often one invitation is sent


class PasswordTooWeak(DomainError):
    """The password is too short, too common or too much like the name."""

    code = "password_too_weak"
    status = 422


class PersonHere(DomainError):
    """Whoever has this address is one of the seller's or platform's people already."""

    code = "person_here"


class PersonElsewhere(DomainError):
    """The address has an account elsewhere; told to the holder of the link, not to the inviter."""

    code = "person_elsewhere"


class InvitationInvalid(DomainError):
    """No such address, role or language."""

    code = "invitation_invalid"
    status = 422


class InvitedAlready(DomainError):
    """The address has an open invitation; that one can be sent again."""

    code = "invited_already"


class InvitationLimit(DomainError):
    """Too many open invitations, or one was sent too often."""

    code = "invitation_limit"


class InvitationClosed(DomainError):
    """Not known, used, withdrawn, expired, or sent anew since: the answer is the same for all."""

    code = "invitation_closed"
    status = 410


def write_invitation(
    *, email: str, role: str, language: str, invited_by: User, at: datetime
) -> Invitation:
    """Write an invitation, for the service that also writes its mail.

    Whether the address has an account elsewhere is neither asked nor told.

    Args: at: the real time, as for all of this file.
    Raises: PeopleOwnersOnly, InvitationInvalid, PersonHere, InvitedAlready, InvitationLimit.
    Locks: the people of the seller or platform, so that of two at once the second sees the first.
    """
    assert connection.in_atomic_block, "an invitation is written with its mail"
    owner = lock_people(invited_by)[invited_by.pk]
    refuse_unknown_role(role, InvitationInvalid)
    invitation = Invitation(
        platform_id=_platform_of(owner),
        merchant_id=owner.merchant_id,
        email=email.strip().lower(),  # as sign-in looks it up
        role=role,
        language=language,
        invited_by=owner,
        sent_at=at,
        expires_at=at + LASTS,
    )
    check_row(invitation, InvitationInvalid)
    if people_of(owner).filter(email__iexact=invitation.email).exists():
        raise PersonHere("This person is one of your people already.")
    open_ones = invitations_of(owner).filter(accepted_at=None, withdrawn_at=None)
    if open_ones.filter(email__iexact=invitation.email).exists():
        raise InvitedAlready("This address is invited already; send that invitation again.")
    if open_ones.count() >= MAX_OPEN:
        raise InvitationLimit(f"At most {MAX_OPEN} invitations are open at a time.")
    invitation.save(force_insert=True)
    return invitation


def renew_invitation(*, invitation_id: str, by: User, at: datetime) -> Invitation:
    """Begin another round of an open invitation, for the service that also writes its mail.

    Links sent before open nothing any more; the new one is good for seven days.

    Raises: PeopleOwnersOnly, InvitationClosed, InvitationLimit.
    Locks: the people of the seller or platform, then the invitation.
    """
    assert connection.in_atomic_block, "an invitation is written with its mail"
    owner = lock_people(by)[by.pk]
    invitation = _lock_open_invitation(invitations_of(owner), invitation_id)
    if invitation.round >= MAX_ROUNDS:
        raise InvitationLimit(f"An invitation is sent {MAX_ROUNDS} times at most.")
    invitation.round += 1
    invitation.invited_by = owner
    invitation.sent_at, invitation.expires_at = at, at + LASTS
    invitation.save(update_fields=["round", "invited_by", "sent_at", "expires_at"])
    return invitation


@use_case()
def withdraw_invitation(*, invitation_id: str, by: User, at: datetime) -> Invitation:
    """Make an open invitation useless.

    Raises: PeopleOwnersOnly, InvitationClosed.
    Locks: the people of the seller or platform, then the invitation.
    """
    owner = lock_people(by)[by.pk]
    invitation = _lock_open_invitation(invitations_of(owner), invitation_id)
    invitation.withdrawn_at = at
    invitation.save(update_fields=["withdrawn_at"])
    return invitation


def find_invitation(*, invitation_id: str, round: int, at: datetime) -> Invitation:
    """Find what a link of this round opens. Raises: InvitationClosed."""
    rows = Invitation.objects.select_related("platform", "merchant", "invited_by")
    return _opened(rows.filter(pk=invitation_id).first(), round, at)


def accept_invitation(
    *, invitation_id: str, round: int, name: str, password: str, at: datetime
) -> User:
    """Take somebody in who was invited. The caller has checked the link's signature.

    Raises: InvitationClosed, PersonInvalid, PasswordTooWeak, PersonElsewhere.
    Idempotent: no: an invitation is used once, and the database refuses a second use.
    Locks: the invitation.
    """
    try:
        with use_case():
            return _join(invitation_id, round, name, password, at)
    except IntegrityError as error:
        if any(violates(error, name) for name in ("user_email_once", "unique_verified_email")):
            raise PersonElsewhere("This address has an account elsewhere.") from None
        raise


def _join(invitation_id: str, round: int, name: str, password: str, at: datetime) -> User:
    rows = Invitation.objects.select_for_update(of=("self",))
    invitation = _opened(rows.filter(pk=invitation_id).first(), round, at)
    person = User(
        username=new_id("usr"),
        email=invitation.email,
        first_name=clean_name(name),
        role=invitation.role,
        language=invitation.language,
        merchant_id=invitation.merchant_id,
        platform_id=None if invitation.merchant_id else invitation.platform_id,
    )
    try:
        validate_password(password, person)
    except ValidationError as weak:
        raise PasswordTooWeak(" ".join(weak.messages)) from None
    person.set_password(password)
    check_row(person, PersonInvalid)
    person.save(force_insert=True)
    # The link came by mail: the address is proven.
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    invitation.accepted_by, invitation.accepted_at = person, at
    invitation.save(update_fields=["accepted_by", "accepted_at"])
    return person


def _lock_open_invitation(rows: QuerySet[Invitation], invitation_id: str) -> Invitation:
    found = rows.select_for_update(of=("self",)).filter(pk=invitation_id).first()
    if found is None or found.accepted_at is not None or found.withdrawn_at is not None:
        raise _closed()
    return found


def _opened(invitation: Invitation | None, round: int, at: datetime) -> Invitation:
    if (
        invitation is None
        or invitation.round != round
        or invitation.accepted_at is not None
        or invitation.withdrawn_at is not None
        or invitation.expires_at <= at
    ):
        raise _closed()
    return invitation


def _closed() -> InvitationClosed:
    return InvitationClosed("This invitation is not open any more.")


def _platform_of(user: User) -> str:
    if user.merchant is not None:
        return user.merchant.platform_id
    assert user.platform_id is not None
    return user.platform_id
