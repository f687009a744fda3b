"""Who decides about the people of a seller or a platform: roles, being switched off and on.

It must never touch money, nor a person of another seller or platform.
"""

from datetime import datetime

from allauth.usersessions.models import UserSession

from common.errors import DomainError
from ledger.usecases import use_case
from merchants.models import Invitation, Role, User
from merchants.selectors import people_of
from merchants.services.checks import check_row


class PeopleOwnersOnly(DomainError):
    """Only an owner who is not switched off decides about people."""

    code = "people_owners_only"
    status = 403


class PersonNotFound(DomainError):
    """There is no such person at this seller or platform."""

    code = "person_not_found"
    status = 404


class PersonInvalid(DomainError):
    """Role, name, language or time zone do not fit."""

    code = "person_invalid"
    status = 422


class LastOwner(DomainError):
    """A seller or platform keeps at least one owner who can sign in."""

    code = "last_owner"


class OwnAccount(DomainError):
    """Nobody switches themselves off."""

    code = "own_account"


@use_case()
def change_role(*, person_id: int, role: str, by: User, at: datetime) -> User:
    """Give a person another role. Whoever stops being an owner has invited nobody any more.

    Raises: PeopleOwnersOnly, PersonNotFound, PersonInvalid, LastOwner.
    Idempotent: the same role again changes nothing.
    Locks: the people of the seller or platform, then the invitations the person made.
    """
    people = lock_people(by)
    person = _find(people, person_id)
    refuse_unknown_role(role, PersonInvalid)
    if person.role == role:
        return person
    if role != Role.OWNER:
        _require_other_owner(people, person)
        _withdraw_invitations_by(person, at)
    person.role = role
    person.save(update_fields=["role"])
    return person


@use_case()
def switch_off(*, person_id: int, by: User, at: datetime) -> User:
    """Let a person sign in no more, from now on; sessions end, and invitations the person made.

    Raises: PeopleOwnersOnly, PersonNotFound, OwnAccount, LastOwner.
    Idempotent: by person. Locks: the people of the seller or platform, then the invitations.
    """
    people = lock_people(by)
    person = _find(people, person_id)
    if person.pk == by.pk:
        raise OwnAccount("You cannot switch yourself off.")
    _require_other_owner(people, person)
    _withdraw_invitations_by(person, at)
    person.is_active = False
    person.save(update_fields=["is_active"])
    for session in UserSession.objects.filter(user=person):
        session.end()
    return person


@use_case()
def switch_on(*, person_id: int, by: User) -> User:
    """Let a person sign in again, with the same password and second factor.

    Raises: PeopleOwnersOnly, PersonNotFound.
    Idempotent: by person. Locks: the people of the seller or platform.
    """
    person = _find(lock_people(by), person_id)
    person.is_active = True
    person.save(update_fields=["is_active"])
    return person


@use_case()
def update_profile(*, user: User, name: str, language: str, time_zone: str) -> User:
    """Change what people say about themselves.

    Args: time_zone: IANA name; empty: that of the seller or platform.
    Raises: PersonInvalid. Locks: the person.
    """
    person = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
    person.first_name, person.last_name = clean_name(name), ""
    person.language, person.time_zone = language, time_zone
    check_row(person, PersonInvalid)
    person.save(update_fields=["first_name", "last_name", "language", "time_zone"])
    return person


def clean_name(name: str) -> str:
    """Take a name in one field: not everywhere has everybody a first and a last one.

    Raises: PersonInvalid.
    """
    words = " ".join(name.replace("\x00", "").split())
    if not words:
        raise PersonInvalid("A person has a name.", fields=["name"])
    return words


def lock_people(by: User) -> dict[int, User]:
    """Lock everybody of a seller or platform, so that they decide about each other in turn.

    Raises: PeopleOwnersOnly when the one who decides is no owner any more.
    """
    rows = people_of(by).select_for_update(of=("self",), no_key=True).order_by("pk")
    people = {row.pk: row for row in rows}
    owner = people.get(by.pk)
    if owner is None or not _is_owner(owner):
        raise PeopleOwnersOnly("Only an owner decides about people.")
    return people


def refuse_unknown_role(role: str, refusal: type[DomainError]) -> None:
    """Raises: `refusal`."""
    if role not in Role.values:
        raise refusal(f"There is no role {role!r}.", fields=["role"])


def _is_owner(person: User) -> bool:
    return person.is_active and person.role == Role.OWNER


def _find(people: dict[int, User], person_id: int) -> User:
    if person_id not in people:
        raise PersonNotFound("There is no such person here.")
    return people[person_id]


def _require_other_owner(people: dict[int, User], person: User) -> None:
    others = [each for each in people.values() if _is_owner(each) and each.pk != person.pk]
    if _is_owner(person) and not others:
        raise LastOwner("There must be another owner first.")


def _withdraw_invitations_by(person: User, at: datetime) -> None:
    """Or somebody who has to go could come back by an invitation to another address."""
    rows = Invitation.objects.filter(invited_by=person, accepted_at=None, withdrawn_at=None)
    for invitation in rows.select_for_update(of=("self",)).order_by("pk"):
        invitation.withdrawn_at = at
        invitation.save(update_fields=["withdrawn_at"])
