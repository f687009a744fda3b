"""The people of a seller or a platform in words: what each may do, and what was changed by whom.

It must never show what somebody was or did at another seller or platform.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from allauth.mfa.models import Authenticator
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from merchants.admin_sign_in import SECOND_FACTORS
from merchants.models import Invitation, Role, User
from portal.access import Member

SHOWN = 50  # changes of one person
ROLE_WORDS: dict[str, str | Promise] = {
    Role.OWNER: _("Everything: money, people, and how things are set up."),
    Role.FINANCE: _("Sees everything; changes bank accounts and asks for statements."),
    Role.SUPPORT: _("Sees everything; ships, refunds and answers disputes."),
    Role.VIEWER: _("Sees everything, changes nothing."),
}
_STAFF = ("seller", "platform")  # what audit rows call people of the portal


@dataclass(frozen=True, slots=True)
class Row:
    """Somebody, as the list shows them."""

    person: User
    name: str
    may: str | Promise
    second_factor: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What was changed, when, and by whom: a step of `<c-steps>`."""

    title: str
    at: datetime
    note: str
    tone: str = "done"


def name_of(person: User) -> str:
    return person.get_full_name() or person.username


def rows_of(people: Sequence[User]) -> list[Row]:
    """Show people, with one query for the second factors of all."""
    protected = set(
        Authenticator.objects.filter(user__in=people, type__in=SECOND_FACTORS).values_list(
            "user_id", flat=True
        )
    )
    return [
        Row(each, name_of(each), ROLE_WORDS[each.role], each.pk in protected) for each in people
    ]


def changes_of(person: User, *, member: Member) -> list[Change]:
    """List what changed about somebody here, newest first."""
    audit: Any = person.audit  # type: ignore[attr-defined]
    here = audit.filter(merchant_id=person.merchant_id, platform_id=person.platform_id)
    rows = list(here.order_by("-pgh_id")[: SHOWN + 1])
    names = _actors(rows, member)
    return [
        Change(title, newer.pgh_created_at, names.get(_actor(newer), ""))
        for newer, older in pairwise([*rows[:SHOWN], *(rows[SHOWN:] or [None])])
        for title in _titles(newer, older)
    ]


def _titles(row: Any, before: Any) -> Iterable[str]:
    role = Role(row.role).label
    if before is None:
        words = _now("Joined as %(role)s") if row.pgh_label == "insert" else _now("Is %(role)s")
        yield words % {"role": role}
        return
    if row.role != before.role:
        yield _now("Role changed from %(old)s to %(new)s") % {
            "old": Role(before.role).label,
            "new": role,
        }
    if row.is_active != before.is_active:
        yield _now("Switched on") if row.is_active else _now("Switched off")
    if row.email != before.email:
        yield _now("E-mail changed from %(old)s to %(new)s") % {
            "old": before.email or "–",
            "new": row.email or "–",
        }


def _actors(rows: Iterable[Any], member: Member) -> dict[str, str]:
    """Who changed something, by name: people and invitations of the member's own, in two queries.

    Operators are not named: they are one office to everybody outside.
    """
    actors = {_actor(row) for row in rows}
    keys = {actor: actor.partition(":")[2] for actor in actors}
    ids = [key for actor, key in keys.items() if actor.startswith(_STAFF) and key.isdigit()]
    people = {str(each.pk): each for each in member.people().filter(pk__in=ids)}
    invited = _inviters(member, [keys[each] for each in actors if each.startswith("invitation:")])
    names = {}
    for actor, key in keys.items():
        if actor.startswith(_STAFF) and key in people:
            names[actor] = name_of(people[key])
        elif actor.startswith("operator:"):
            names[actor] = _now("Holdfast staff")
        elif key in invited:
            names[actor] = _now("invited by %(name)s") % {"name": invited[key]}
    return names


def _inviters(member: Member, ids: list[str]) -> dict[str, str]:
    found: Iterable[Invitation] = member.invitations().filter(pk__in=ids)
    return {each.pk: name_of(each.invited_by) for each in found.select_related("invited_by")}


def _actor(row: Any) -> str:
    return str((row.pgh_context or {}).get("actor", ""))
