"""To whom an event is told by e-mail: contact addresses, and the people of sellers and platforms.

A contact address is told everything, as long as nobody of the house chose otherwise for it. People
are told what is always sent, as far as their role can do something about it, and of the rest what
they chose. It must never tell somebody who is switched off, nor one address twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.db.models.functions import Lower

from merchants.models import Merchant, Platform, User
from notifications.kinds import KINDS, kind_of
from notifications.models import Audience, Delivery, Event, MailChoice

Addressee = tuple[str, str]  # address and language


@dataclass(frozen=True, slots=True)
class Houses:
    """The sellers some events are about, and the people of them and of the platforms."""

    merchants: Mapping[str, Merchant]
    people: Mapping[str, Sequence[User]]  # by id of a seller or a platform
    choices: Mapping[tuple[int, str], bool]  # by user and kind


def load_houses(*, merchant_ids: Iterable[str], platforms: Iterable[Platform]) -> Houses:
    """Read who may be told, in three queries however many there are."""
    merchants = Merchant.objects.in_bulk(set(merchant_ids))
    people: dict[str, list[User]] = defaultdict(list)
    rows = User.objects.filter(
        Q(merchant_id__in=list(merchants))
        | Q(platform_id__in={_live_side(each) for each in platforms}),
        is_active=True,
    ).exclude(email="")
    for each in rows.order_by("pk"):
        people[each.merchant_id or each.platform_id or ""].append(each)
    ids = [each.pk for house in people.values() for each in house]
    chosen = MailChoice.objects.filter(user__in=ids) if ids else MailChoice.objects.none()
    choices = {(each.user_id, each.kind): each.wanted for each in chosen}
    return Houses(merchants, people, choices)


def addressees(event: Event, audience: Audience, houses: Houses) -> list[Addressee]:
    """List who is told of an event, each address once, the contact address first."""
    if audience == Audience.BUYER:
        language = event.data.get("buyer_language") or event.platform.language
        return _those([(event.data["buyer_email"], language)])
    if audience == Audience.INVITED:
        return _those([(event.data["email"], event.data["language"])])
    if audience == Audience.PLATFORM:
        contact = (event.platform.contact_email, event.platform.language)
        return _of_house(contact, houses.people.get(_live_side(event.platform), ()), event, houses)
    merchant = houses.merchants.get(event.data.get("merchant") or "")
    if merchant is None:
        return []
    contact = (merchant.email, merchant.language)
    return _of_house(contact, houses.people.get(merchant.pk, ()), event, houses)


def find_person(delivery: Delivery) -> User | None:
    """Who of a seller or a platform has the address a mail goes to; none for contact addresses."""
    if delivery.audience not in (Audience.SELLER, Audience.PLATFORM):
        return None
    # As the unique index on addresses reads them.
    rows = User.objects.annotate(address=Lower("email")).exclude(email="")
    return rows.filter(address=delivery.recipient.lower()).first()


def _of_house(
    contact: Addressee, people: Sequence[User], event: Event, houses: Houses
) -> list[Addressee]:
    kind = kind_of(event.type)
    rule = KINDS[kind]

    def wants(person: User) -> bool | None:
        return houses.choices.get((person.pk, kind))

    holder = next((each for each in people if _same(each.email, contact[0])), None)
    silenced = holder is not None and not rule.always and wants(holder) is False
    told = [] if silenced else [contact]
    told += [
        (each.email, each.language)
        for each in people
        if (each.role in rule.roles if rule.always else wants(each))
    ]
    return _those(told)


def _those(told: Iterable[Addressee]) -> list[Addressee]:
    """Those with an address, each address once."""
    found: dict[str, Addressee] = {}
    for address, language in told:
        if address:
            found.setdefault(address.lower(), (address, language))
    return list(found.values())


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()


def _live_side(platform: Platform) -> str:
    """Whose people look after a platform: those of its live side."""
    return platform.live_platform_id or platform.pk
