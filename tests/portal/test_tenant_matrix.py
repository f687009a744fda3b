"""Why: nobody may learn from any address of the portal what is another seller's or platform's, nor
change it. Every address with somebody's thing in it is tried by strangers, as are those to come.
"""

from collections.abc import Callable

from django.test import Client

from ledger import selectors as books
from merchants import services as merchants
from tests.admin.conftest import full, market
from tests.portal.things import addresses, things
from tests.world import World

__all__ = ["full", "market"]

SignIn = Callable[..., Client]


def test_no_address_opens_or_does_anything_for_a_stranger(full: World, sign_in: SignIn) -> None:
    rival = merchants.create_platform(name="Rival", slug="rival", at=full.now)
    far = merchants.create_merchant(platform=rival, reference="far", name="Far", at=full.now)
    strangers = {
        "another seller": sign_in(merchant=full.add_merchant(), fresh=True),
        "another platform": sign_in(platform=rival, fresh=True),
        "a seller there": sign_in(merchant=far, fresh=True),
    }
    found = addresses(things(full))
    before = books.trial_balance()

    said = {
        (who, send.__name__, address): send(address).status_code
        for who, client in strangers.items()
        for address in found
        for send in (client.get, client.post)
    }

    assert len(found) >= 50
    assert {where: code for where, code in said.items() if code not in (404, 405)} == {}
    assert books.trial_balance() == before


def test_addresses_of_the_matrix_open_for_those_whose_things_they_are(
    full: World, sign_in: SignIn
) -> None:
    found = addresses(things(full))
    seller = sign_in(merchant=full.merchants[0], fresh=True)
    platform = sign_in(platform=full.platform, fresh=True)

    missing = {
        address
        for address in found
        if {seller.get(address).status_code, platform.get(address).status_code} == {404}
    }

    assert missing == set()
