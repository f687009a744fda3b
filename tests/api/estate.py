"""Two shopping platforms with one of everything the API knows, and a live one: built once for all
tests of a worker, each of which is rolled back.

It must never be changed by a test that commits.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import time_machine
from django.db import transaction
from django.test import Client

from api import nudge
from demo.local_sandbox import Clock, LocalSandbox, open_sandbox
from escrow.services.remittance import record_topup
from merchants import services as merchants
from merchants.models import Mode
from merchants.scopes import SCOPES
from notifications import dialing
from notifications.dialing import Answer as Heard
from notifications.models import Delivery, WebhookEndpoint
from notifications.services import attempts
from tests.api.shop import Answer, Door, Shop
from tests.world import PAYS, RAIL, START, add_payee, make_platform

DAY = timedelta(days=1)
ID = re.compile(r"\b[a-z]{2,4}_[0-9a-f]{32}\b")
LISTS = (
    "merchants",
    "bank-accounts",
    "commission-plans",
    "parties",
    "orders",
    "payments",
    "holds",
    "releases",
    "refunds",
    "disputes",
    "debts",
    "settlements",
    "payouts",
    "events",
    "webhook-endpoints",
    "deliveries",
)
HOOK = "https://shop.example.com/hooks"
FILE = {"name": "lid.txt", "content": "dGhlIGxpZCBpcyBicm9rZW4K"}
PARCEL = {"carrier": "SF Express", "tracking_number": "SF2002"}
ACCOUNT = {
    "currency": "CNY",
    "holder_name": "Garden",
    "bank_code": "102100099996",
    "account_number": "6222 0000 0000 0017",
}
RULE = {"currency": "CNY", "rate_bps": 700, "category": "cups"}
SALE = {"currency": "CNY", "lines": [{"category": "tea", "amount_minor": 9001}]}


@dataclass
class Estate:
    """One platform and the ids of what it has, by the name of the thing.

    An order's `<name>_token` is its buyer's.
    """

    shop: Shop
    has: dict[str, str] = field(default_factory=dict)
    ids: frozenset[str] = frozenset()  # every id in any list the platform can read


@dataclass
class Town:
    """All who are in the world. `keys`: ours that do not open everything, by what ails them."""

    ours: Estate
    theirs: Estate
    live: Estate  # the live side of ours
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def everybody(self) -> tuple[Estate, ...]:
        return self.ours, self.theirs, self.live


def build_town(folder: Path) -> Town:
    """Build the world on an empty database, and the sandbox's books in `folder`, with the clock
    standing at START.
    """
    with _standing_still() as (time, door):
        with open_sandbox(folder, clock=Clock(now=START), deliver=door.deliver) as sandbox:
            live = make_platform(at=START, slug="teahouse-live", mode=Mode.LIVE)
            platforms = (
                make_platform(at=START, live_platform=live),
                make_platform(at=START, name="Rival", slug="rival"),
                live,
            )
            estates = [Estate(Shop(door, sandbox, time, platform)) for platform in platforms]
            for estate in estates:
                estate.shop.open()
            town = Town(*estates, keys=_other_keys(estates[0].shop))
            _live_there(town)
        return town


@contextmanager
def open_town(built: Town, folder: Path) -> Iterator[Town]:
    """Go on where `build_town` stopped, on a copy of its sandbox's books in `folder`.

    Whoever is in it may be changed: the town as it was built is not.
    """
    now = built.ours.shop.sandbox.clock.now
    with (
        _standing_still() as (time, door),
        open_sandbox(folder, clock=Clock(now=now), deliver=door.deliver) as sandbox,
    ):
        time.move_to(now)
        yield Town(*(_moved(each, door, sandbox, time) for each in built.everybody), built.keys)


def _moved(estate: Estate, door: Door, sandbox: LocalSandbox, time: Any) -> Estate:
    shop = replace(
        estate.shop, door=door, sandbox=sandbox, time=time, merchants=[*estate.shop.merchants]
    )
    return replace(estate, shop=shop, has=dict(estate.has))


@contextmanager
def _standing_still() -> Iterator[tuple[time_machine.Traveller, Door]]:
    """No time passes, no sweep is rung for, and no webhook leaves the house."""
    heard = Heard(status_code=200)
    with (
        time_machine.travel(START, tick=False) as time,
        mock.patch.object(nudge, "_ring"),
        mock.patch.object(dialing, "post", return_value=heard),
    ):
        yield time, Door(Client(raise_request_exception=False))


def _live_there(town: Town) -> None:
    for estate in (town.ours, town.theirs):
        _trade(estate)
    _work_off(town.ours.shop)
    for estate in (town.ours, town.theirs):
        estate.shop.released_order()
    _work_off(town.ours.shop)
    for estate in (town.ours, town.theirs):
        _owe(estate)
    _work_off(town.ours.shop)
    for estate in (town.ours, town.theirs):
        _listen(estate)
        _take_stock(estate)
    for estate in town.everybody:
        pages = (estate.shop.get(f"/v1/{name}?limit=100").content.decode() for name in LISTS)
        estate.ids = frozenset(found for page in pages for found in ID.findall(page))


def _other_keys(shop: Shop) -> dict[str, str]:
    revoked = shop.add_key()
    merchants.revoke_api_key(public_id=revoked.split("_")[2], at=START)
    return {
        "revoked": revoked,
        "expired": shop.add_key(at=START - 2 * DAY, expires_at=START - DAY),
        "reading": shop.add_key(scopes=[each for each in SCOPES if each.endswith(":read")]),
        "writing": shop.add_key(scopes=[each for each in SCOPES if each.endswith(":write")]),
    }


def _trade(estate: Estate) -> None:
    """Orders in every state; three of whatever can be listed."""
    shop = estate.shop
    add_payee(shop.platform, None, PAYS, at=START)
    for number in range(2):
        shop.add_merchant()
        merchants.create_plan(platform=shop.platform, name=f"{number}", at=START, active=False)
    for number in range(3):
        merchants.create_party(platform=shop.platform, reference=f"{number}", name="P", at=START)
    made: dict[str, Callable[[], dict[str, Any]]] = {
        "new": shop.create_order,
        "paid": shop.paid_order,
        "shipped": shop.shipped_order,
        "neighbor": shop.shipped_order,
        "canceled": shop.paid_order,
        "returned": shop.paid_order,
        "refused": shop.paid_order,
        "released": shop.released_order,
        "confirmed": shop.released_order,
        "disputed": shop.shipped_order,
        "offered": shop.shipped_order,
        "returning": shop.shipped_order,
        "arriving": shop.shipped_order,
    }
    for name, make in made.items():
        order = make()
        estate.has[name] = order["id"]
        estate.has[f"{name}_token"] = order["buyer_token"]
        shop.wait(seconds=1)  # or ids would not sort as they were made
    for name in ("canceled", "returned", "refused"):
        assert shop.post(f"/v1/orders/{estate.has[name]}/cancel").status_code == 200
    _quarrel(estate)


def _quarrel(estate: Estate) -> None:
    """A dispute that waits for the seller, and three that are further; a file in the first."""
    shop, has = estate.shop, estate.has
    for name in ("disputed", "offered", "returning", "arriving"):
        body = {"token": has[f"{name}_token"], "reason": "DAMAGED"}
        answer = shop.door.send("POST", f"/v1/orders/{has[name]}/dispute", body)
        assert answer.status_code == 201, answer.content
        has[f"{name}_dispute"] = answer.json()["id"]
        shop.wait(seconds=1)
    for name in ("offered", "returning", "arriving"):
        offer = {"answer": "OFFER", "offer_minor": 3333, "needs_return": name != "offered"}
        assert shop.post(f"/v1/disputes/{has[f'{name}_dispute']}/answer", offer).status_code == 200
    for name in ("returning", "arriving"):
        _say(estate, name, "offer", accept=True)
    _say(estate, "arriving", "send-back", **PARCEL)
    has["dispute"] = has["disputed_dispute"]
    shown = shop.post(f"/v1/disputes/{has['dispute']}/evidence", FILE)
    assert shown.status_code == 201, shown.content
    has["evidence"] = shown.json()["id"]


def _say(estate: Estate, order: str, what: str, **body: Any) -> None:
    path = f"/v1/orders/{estate.has[order]}/dispute/{what}"
    answer = estate.shop.door.send("POST", path, {"token": estate.has[f"{order}_token"], **body})
    assert answer.status_code == 200, answer.content


def _owe(estate: Estate) -> None:
    """Two refunds of an order that was paid out: the seller and the platform owe their parts."""
    shop = estate.shop
    record_topup(
        custodian=RAIL,
        bank_reference=f"T-{shop.platform.slug}",
        amount_minor=1001,
        currency="CNY",
        at=START,
    )
    for amount_minor in (101, 203):
        body = {"order": estate.has["confirmed"], "amount_minor": amount_minor, "reason": "late"}
        answer = shop.post("/v1/refunds", body)
        assert answer.status_code == 201, answer.content
        shop.wait(seconds=1)


def _work_off(shop: Shop) -> None:
    shop.remit()
    shop.settle()
    shop.wait(minutes=6)  # refunds are asked about again
    shop.settle()


def _listen(estate: Estate) -> None:
    """Endpoints with deliveries that wait, one of which was tried."""
    shop = estate.shop
    for types in (["order.paid"], ["payout.paid"], []):
        body = {"url": HOOK, "event_types": types}
        answer = shop.post("/v1/webhook-endpoints", body)
        assert answer.status_code == 201, answer.content
        estate.has["endpoint"] = answer.json()["id"]
    since = {"since": (START - DAY).isoformat()}
    resent = shop.post(f"/v1/webhook-endpoints/{estate.has['endpoint']}/resend", since)
    assert resent.json()["deliveries"] > 3, resent.content
    endpoint = WebhookEndpoint.objects.get(pk=estate.has["endpoint"])
    delivery = Delivery.objects.filter(recipient=endpoint.pk).latest("public_id")
    assert attempts.count_attempt(delivery)
    attempts.record_attempt(
        delivery=delivery,
        endpoint=endpoint,
        answer=Heard(status_code=503, failure="STATUS", excerpt="closed", duration_ms=17),
        began_at=START,
        at=START,
    )
    estate.has["delivery"] = delivery.public_id
    estate.has["told"] = delivery.event.public_id


def _take_stock(estate: Estate) -> None:
    """Note one id of each list, and what hangs on others."""
    shop, has = estate.shop, estate.has
    for name in LISTS:
        rows = shop.get(f"/v1/{name}?limit=100").json()["data"]
        assert rows, name
        has[f"first_{name}"] = rows[-1]["id"]
        has.setdefault(name.replace("-", "_").removesuffix("s"), rows[0]["id"])
    has["merchant"] = shop.merchants[0].id
    plans = shop.get("/v1/commission-plans").json()["data"]
    (plan,) = (each for each in plans if each["active"])
    has["party"] = has["first_parties"]
    has["commission_plan"], has["rule"] = plan["id"], plan["rules"][0]["id"]
    has["parcel"] = shop.get(f"/v1/orders/{has['shipped']}").json()["shipments"][0]["id"]
    has["paid_payment"] = shop.get(f"/v1/refunds/{has['refund']}").json()["payment"]
    has["pending"] = shop.start_payment({"id": has["new"]})["id"]


# Somebody's things in requests


@contextmanager
def undone() -> Iterator[None]:
    """Roll back what the block commits, inside the test's own transaction."""
    here = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(here)


def things(town: Town, of: str) -> dict[str, Estate | None]:
    """Whose such a thing may be. What is nothing in particular is everybody's own."""
    if not of:
        return {"own": town.ours}
    return {"own": town.ours, "another platform's": town.theirs, "missing": None}


def name_of(owner: Estate | None, of: str, *, like: Estate) -> str:
    """The id of `owner`'s thing; of nobody's, one that looks like it and does not exist."""
    if not of:
        return ""
    return owner.has[of] if owner else like.has[of][:-32] + 32 * "0"


def without_ids(answer: Answer) -> str:
    """A document without what differs by the request itself."""
    return re.sub(r"req_\w+", "", ID.sub("ID", answer.content.decode()))


# What can be sent to each address that reads a body: by its name, for who asks and for the object
# the body names or the address is about.
Body = Callable[[Estate, str], dict[str, Any]]
BODIES: dict[str, Body] = {
    "merchants": lambda asker, thing: {"reference": "new", "name": "Garden", "email": "g@a.cn"},
    "merchant": lambda asker, thing: {"name": "Garden of tea"},
    "bank-accounts": lambda asker, thing: {"merchant": thing, **ACCOUNT},
    "commission-plans": lambda asker, thing: {"name": "Another"},
    "commission-plan": lambda asker, thing: {"name": "Other", "guarantee_days": 30},
    "rules": lambda asker, thing: {
        **RULE,
        "tiers": [{"from_minor": 100_000, "rate_bps": 400}],
    },
    "import": lambda asker, thing: {"csv": "currency,rate_bps\nUSD,500\n"},
    "parties": lambda asker, thing: {"reference": "carrier", "name": "Carrier"},
    "rule-replace": lambda asker, thing: {"rate_bps": 600},
    "rule-end": lambda asker, thing: {},
    "explain": lambda asker, thing: {"merchant": asker.shop.merchants[0].id, **SALE},
    "what-if": lambda asker, thing: {"rules": [RULE]},
    "orders": lambda asker, thing: asker.shop.order_body(merchant=thing),
    "orders-bulk": lambda asker, thing: {"orders": [asker.shop.order_body(merchant=thing)]},
    "order-ship": lambda asker, thing: {**PARCEL, "further": [PARCEL | {"carrier": "EMS"}]},
    "order-parcels": lambda asker, thing: PARCEL,
    "order-parcel-correct": lambda asker, thing: PARCEL,
    "order-extend": lambda asker, thing: {},
    "order-cancel": lambda asker, thing: {"reason": "MERCHANT"},
    "payments": lambda asker, thing: {"orders": [thing], "channel": "sandbox"},
    "refunds": lambda asker, thing: {"order": thing, "amount_minor": 1, "reason": "broken"},
    "disputes": lambda asker, thing: {"order": thing, "reason": "DAMAGED"},
    "dispute-answer": lambda asker, thing: {"answer": "CONTEST"},
    "dispute-return": lambda asker, thing: {"received": True},
    "dispute-evidence": lambda asker, thing: FILE | {"content": "Ym94"},
    "webhook-endpoints": lambda asker, thing: {"url": HOOK},
    "webhook-endpoint": lambda asker, thing: {"description": "mine"},
    "webhook-roll-secret": lambda asker, thing: {"overlap_hours": 1},
    "webhook-resend": lambda asker, thing: {"since": START.isoformat()},
    "sandbox-advance": lambda asker, thing: {"seconds": 60},
    "sandbox-debt": lambda asker, thing: {"amount_minor": 95},
}

# What a buyer sends besides the token, by the name of the address.
BUYER_BODIES: dict[str, Callable[[Estate], dict[str, Any]]] = {
    "order-dispute": lambda mine: {"reason": "DAMAGED"},
    "order-dispute-offer": lambda mine: {"accept": True},
    "order-dispute-send-back": lambda mine: PARCEL,
    "order-dispute-evidence": lambda mine: FILE | {"content": "Ym94"},
    "order-dispute-file": lambda mine: {"evidence": mine.has["evidence"]},
}
