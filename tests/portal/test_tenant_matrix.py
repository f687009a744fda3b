"""Why: nobody may learn from any address of the portal what is another seller's or platform's, nor
change it. Every address with somebody's thing in it is tried by strangers, as are those to come.
"""

from collections.abc import Callable, Mapping

from django.test import Client
from django.urls import URLPattern, reverse

from escrow.models import Evidence
from ledger import selectors as books
from merchants import services as merchants
from merchants.models import ApiKey, BankAccount, Invitation
from orders.models import Shipment
from payouts.models import Payout
from portal import urls
from portal.models import SavedView
from tests.admin.conftest import full, market
from tests.browser import gallery, sights
from tests.world import World

__all__ = ["full", "market"]

SignIn = Callable[..., Client]
ACTS = {"webhook-act": "ping", "invitation-act": "withdraw"}
UPLOADS = ("ship-review", "ship-faults")  # jobs of their own kind
NOBODYS = {"form"}  # the ending of a file that is everybody's


def things(world: World) -> dict[str, str | int]:
    """One of everything an address can name, of the seller or the platform of the world."""
    people = gallery.make_people(world)
    payout = Payout.objects.filter(merchant=world.merchants[0]).earliest("pk")
    view = SavedView.objects.create(
        user=people["seller"], page="orders", name="mine", query="q=x", created_at=world.now
    )
    sights.invitation(world)
    key, _secret = merchants.create_api_key(platform=world.platform, name="mine", at=world.now)
    parcel = Shipment.objects.filter(order__merchant=world.merchants[0]).earliest("pk")
    return {
        "order_id": parcel.order_id,
        "parcel_id": parcel.pk,
        "payout_id": payout.pk,
        "settlement_id": payout.settlement_id,
        "kind": "csv",
        "dispute_id": sights.contested(world),
        "evidence_id": Evidence.objects.filter(dispute=sights.contested(world)).earliest("pk").pk,
        "job_id": sights.trial(world),
        "upload": gallery.upload(world),
        "role": "result",
        "account_id": BankAccount.objects.filter(merchant=world.merchants[0]).earliest("pk").pk,
        "payee": world.merchants[0].pk,
        "merchant_id": world.merchants[0].pk,
        "plan_id": sights.draft(world),
        "rule_id": sights.rule(world),
        "public_id": ApiKey.objects.get(pk=key.pk).public_id,
        "endpoint_id": gallery.endpoint(world),
        "delivery_id": gallery.delivery(world),
        "request_id": sights.request(world),
        "view_id": view.pk,
        "person_id": people["platform"].pk,
        "invitation_id": Invitation.objects.get(platform=world.platform).pk,
    }


def addresses(known: Mapping[str, str | int]) -> list[str]:
    """Every address of the portal with somebody's thing in it. Fails for a thing nobody made."""
    found = []
    for pattern in urls.urlpatterns:
        assert isinstance(pattern, URLPattern)
        names = set(pattern.pattern.converters)
        if str(pattern.pattern).startswith("portal/") and names - NOBODYS:
            own = {"act": ACTS[str(pattern.name)]} if "act" in names else {}
            own |= {"job_id": known["upload"]} if pattern.name in UPLOADS else {}
            of = {name: known[name] for name in names - own.keys()} | own
            found.append(reverse(f"portal:{pattern.name}", kwargs=of))
    return found


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
