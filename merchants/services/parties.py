"""Further parties of a platform, and what a rule may give them. It must never touch money."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError

from common.errors import DomainError
from ledger.usecases import use_case
from merchants.models import Party, Platform
from merchants.rules import NewPartyShare
from merchants.services.checks import check_row, violates

MAX_PARTIES = 10  # that one rule names: each is a leg of every release


class PartyInvalid(DomainError):
    code = "party_invalid"
    status = 422


class PartyReferenceTaken(DomainError):
    """The platform has a party of that reference."""

    code = "party_reference_taken"


class PartyShareInvalid(DomainError):
    """A rule gives to a party that is none of the platform's, twice to one, or to too many."""

    code = "party_share_invalid"
    status = 422


def create_party(*, platform: Platform, reference: str, name: str, at: datetime) -> Party:
    """Take in a further party, for rules to name.

    Args: reference: the platform's own name for it.
    Raises: PartyInvalid, PartyReferenceTaken.
    Idempotent: by (platform, reference): the second one is refused.
    """
    party = Party(platform=platform, reference=reference, name=name, created_at=at)
    check_row(party, PartyInvalid)
    try:
        with use_case():
            party.save(force_insert=True)
    except IntegrityError as error:
        if violates(error, "party_reference_once"):
            raise PartyReferenceTaken(
                f"This platform has a further party {reference!r} already.", reference=reference
            ) from None
        raise
    return party


def named_shares(*, platform_id: str, wanted: Sequence[NewPartyShare]) -> list[dict[str, Any]]:
    """Check whom a rule gives a part, and name them as they are called now.

    Returns: what `CommissionRule.parties` keeps, in the order given.
    Raises: PartyShareInvalid.
    """
    names = party_names(platform_id=platform_id, party_ids={each.party_id for each in wanted})
    return write_shares(wanted, names)


def party_names(*, platform_id: str, party_ids: Collection[str]) -> dict[str, str]:
    """The names of a platform's parties among these ids; none of them: no query."""
    if not party_ids:
        return {}
    rows = Party.objects.filter(platform_id=platform_id, pk__in=party_ids)
    return dict(rows.values_list("pk", "name"))


def write_shares(wanted: Iterable[NewPartyShare], names: dict[str, str]) -> list[dict[str, Any]]:
    """As `named_shares`, with the names at hand. Raises: PartyShareInvalid."""
    found = []
    for each in wanted:
        if each.party_id not in names:
            raise PartyShareInvalid(
                f"{each.party_id!r} is no further party of the platform.", fields=["parties"]
            )
        found.append(
            {
                "party_id": each.party_id,
                "name": names[each.party_id],
                "rate_bps": each.rate_bps,
                "fixed_minor": each.fixed_minor,
            }
        )
    if len({each["party_id"] for each in found}) < len(found):
        raise PartyShareInvalid("A rule names each further party once.", fields=["parties"])
    if len(found) > MAX_PARTIES:
        raise PartyShareInvalid(
            f"A rule names at most {MAX_PARTIES} further parties.", fields=["parties"]
        )
    return found
