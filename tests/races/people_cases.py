"""Races over people: two owners removing each other, and an invitation used while withdrawn."""

from typing import Any

from merchants import services as merchants
from merchants.models import Invitation, Role, User
from notifications import services as notifications
from tests import world as worlds
from tests.factories import UserFactory
from tests.races.starting_line import Case, Pair, one_of, one_winner


def off_and_off(world: worlds.World) -> Case:
    """One owner stays, whoever was first; being switched off again is a no-op."""
    seller = world.add_merchant()
    first, second = (UserFactory(merchant=seller) for _ in range(2))
    at = world.now
    off = merchants.switch_off
    return Case(
        [
            ("first", lambda: off(person_id=second.pk, by=first, at=at)),
            ("second", lambda: off(person_id=first.pk, by=second, at=at)),
        ],
        one_of(lambda: _owners(seller.pk), {"owners": 1}),
    )


def off_and_step_down(world: worlds.World) -> Case:
    """An owner steps down while the other one is being switched off."""
    seller = world.add_merchant()
    first, second = (UserFactory(merchant=seller) for _ in range(2))
    at = world.now
    return Case(
        [
            ("off", lambda: merchants.switch_off(person_id=second.pk, by=first, at=at)),
            (
                "down",
                lambda: merchants.change_role(
                    person_id=first.pk, role=Role.VIEWER, by=first, at=at
                ),
            ),
        ],
        one_of(lambda: _owners(seller.pk), {"owners": 1}),
    )


def join_and_withdraw(world: worlds.World) -> Case:
    seller = world.add_merchant()
    owner = UserFactory(merchant=seller)
    at = world.now
    invitation = notifications.invite_person(
        email=f"guest-{seller.pk}@example.com",
        role=Role.VIEWER,
        language="en",
        invited_by=owner,
        at=at,
    )
    key = invitation.pk

    def join() -> User:
        return merchants.accept_invitation(
            invitation_id=key, round=1, name="Li", password="horses staple correctly", at=at
        )

    def found() -> dict[str, Any]:
        row = Invitation.objects.get(pk=key)
        people = User.objects.filter(merchant=seller).count()
        return {"people": people, "withdrawn": row.withdrawn_at is not None}

    return Case(
        [
            ("join", join),
            (
                "withdraw",
                lambda: merchants.withdraw_invitation(invitation_id=key, by=owner, at=at),
            ),
        ],
        one_winner(
            found,
            {
                "join": {"people": 2, "withdrawn": False},
                "withdraw": {"people": 1, "withdrawn": True},
            },
        ),
    )


def _owners(seller_id: str) -> dict[str, int]:
    owners = User.objects.filter(merchant_id=seller_id, role=Role.OWNER, is_active=True)
    return {"owners": owners.count()}


PAIRS = [
    Pair("switch off / switch off the other owner", off_and_off),
    Pair("switch off / step down as owner", off_and_step_down),
    Pair("join / withdraw invitation", join_and_withdraw),
]
