"""One of everything an address of the portal can name, and every such address: for tests that try
them all, those to come as well.
"""

from collections.abc import Iterator, Mapping

from django.urls import URLPattern, reverse

from escrow.models import Evidence
from merchants import services as merchants
from merchants.models import ApiKey, BankAccount, Invitation
from orders.models import Shipment
from payouts.models import Payout
from portal import urls
from portal.models import SavedView
from tests.browser import gallery, sights
from tests.world import World

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
    return [
        reverse(f"portal:{pattern.name}", kwargs=_named(pattern, known))
        for pattern in patterns()
        if set(pattern.pattern.converters) - NOBODYS
    ]


def plain_addresses() -> list[str]:
    """Every address of the portal without one: lists, first pages, forms."""
    return [
        reverse(f"portal:{pattern.name}")
        for pattern in patterns()
        if not pattern.pattern.converters
    ]


def patterns() -> Iterator[URLPattern]:
    """What is behind a sign-in. Buyers' pages have tests of their own."""
    for pattern in urls.urlpatterns:
        assert isinstance(pattern, URLPattern)
        if str(pattern.pattern).startswith("portal/"):
            yield pattern


def _named(pattern: URLPattern, known: Mapping[str, str | int]) -> dict[str, str | int]:
    names = set(pattern.pattern.converters)
    own: dict[str, str | int] = {"act": ACTS[str(pattern.name)]} if "act" in names else {}
    own |= {"job_id": known["upload"]} if pattern.name in UPLOADS else {}
    return {name: known[name] for name in names - own.keys()} | own
