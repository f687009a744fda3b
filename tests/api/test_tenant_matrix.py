"""Why: an address without a guard is found by whoever looks for one. Every address and method is
asked by everybody, about their own things, another platform's, and things that do not exist.

`POLICY` is the declaration. A new address or method that it does not name fails here.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import pytest
from django.urls import reverse

from api import clock
from api.v1 import urls
from api.v1.missing import MissingView
from merchants.scopes import SCOPES
from tests.api.estate import (
    BODIES,
    BUYER_BODIES,
    ID,
    Estate,
    Town,
    name_of,
    things,
    undone,
    without_ids,
)
from tests.api.shop import Answer, all_books, all_rows, problem

READS = ("GET", "HEAD")


@dataclass(frozen=True)
class Policy:
    """Whose door it is, what it is about, and what is answered.

    `of` names the thing in the estate, in the address or, where the address has none, in the body.
    """

    door: str  # "platform:<scope>", "buyer", "signed" or "public"
    of: str = ""  # empty: about nothing in particular
    status: int = 200  # to its owner
    missing: int = 404  # to all others


POLICY: dict[tuple[str, str], Policy] = {
    ("merchants", "GET"): Policy("platform:merchants"),
    ("merchants", "POST"): Policy("platform:merchants", status=201),
    ("merchant", "GET"): Policy("platform:merchants", "merchant"),
    ("merchant", "POST"): Policy("platform:merchants", "merchant"),
    ("bank-accounts", "GET"): Policy("platform:merchants"),
    ("bank-accounts", "POST"): Policy("platform:merchants", "merchant", 201, missing=422),
    ("bank-account", "GET"): Policy("platform:merchants", "bank_account"),
    ("bank-account-cancel", "POST"): Policy("platform:merchants", "bank_account", 409),  # in force
    ("parties", "GET"): Policy("platform:commission"),
    ("parties", "POST"): Policy("platform:commission", status=201),
    ("party", "GET"): Policy("platform:commission", "party"),
    ("commission-plans", "GET"): Policy("platform:commission"),
    ("commission-plans", "POST"): Policy("platform:commission", status=409),  # there is one
    ("commission-plan", "GET"): Policy("platform:commission", "commission_plan"),
    ("commission-plan", "POST"): Policy("platform:commission", "commission_plan"),
    ("rules", "GET"): Policy("platform:commission", "commission_plan"),
    ("rules", "POST"): Policy("platform:commission", "commission_plan", 201),
    ("import", "POST"): Policy("platform:commission", "commission_plan"),
    ("explain", "POST"): Policy("platform:commission", "commission_plan"),
    ("what-if", "POST"): Policy("platform:commission", "commission_plan"),
    ("rule-replace", "POST"): Policy("platform:commission", "rule", 201),
    ("rule-end", "POST"): Policy("platform:commission", "rule"),
    ("orders", "GET"): Policy("platform:orders"),
    ("orders", "POST"): Policy("platform:orders", "merchant", 201, missing=422),
    ("orders-bulk", "POST"): Policy("platform:orders", "merchant", 201, missing=422),
    ("order", "GET"): Policy("platform:orders", "released"),
    ("order-ship", "POST"): Policy("platform:orders", "paid"),
    ("order-parcels", "POST"): Policy("platform:orders", "shipped", 201),
    ("order-parcel-correct", "POST"): Policy("platform:orders", "shipped"),
    ("order-extend", "POST"): Policy("platform:orders", "shipped"),
    ("order-cancel", "POST"): Policy("platform:orders", "paid"),
    ("order-confirm", "POST"): Policy("buyer", "shipped", missing=403),
    ("order-dispute", "POST"): Policy("buyer", "shipped", 201, missing=403),
    ("order-dispute-view", "POST"): Policy("buyer", "disputed", missing=403),
    ("order-dispute-offer", "POST"): Policy("buyer", "offered", missing=403),
    ("order-dispute-withdraw", "POST"): Policy("buyer", "disputed", missing=403),
    ("order-dispute-send-back", "POST"): Policy("buyer", "returning", missing=403),
    ("order-dispute-evidence", "POST"): Policy("buyer", "disputed", 201, missing=403),
    ("order-dispute-file", "POST"): Policy("buyer", "disputed", missing=403),
    ("order-extend-receipt", "POST"): Policy("buyer", "shipped", missing=403),
    ("payments", "GET"): Policy("platform:payments"),
    ("payments", "POST"): Policy("platform:payments", "new", 201),
    ("payment", "GET"): Policy("platform:payments", "payment"),
    ("holds", "GET"): Policy("platform:orders"),
    ("hold", "GET"): Policy("platform:orders", "hold"),
    ("releases", "GET"): Policy("platform:orders"),
    ("release", "GET"): Policy("platform:orders", "release"),
    ("release-receipt", "GET"): Policy("platform:orders", "release"),
    ("receipt-keys", "GET"): Policy("public"),
    ("refunds", "GET"): Policy("platform:refunds"),
    ("refunds", "POST"): Policy("platform:refunds", "paid", 201),
    ("refund", "GET"): Policy("platform:refunds", "refund"),
    ("disputes", "GET"): Policy("platform:disputes"),
    ("disputes", "POST"): Policy("platform:disputes", "shipped", 201),
    ("dispute", "GET"): Policy("platform:disputes", "dispute"),
    ("dispute-answer", "POST"): Policy("platform:disputes", "dispute"),
    ("dispute-return", "POST"): Policy("platform:disputes", "arriving_dispute"),
    ("dispute-evidence", "POST"): Policy("platform:disputes", "dispute", 201),
    ("dispute-file", "GET"): Policy("platform:disputes", "dispute"),
    ("balances", "GET"): Policy("platform:balances"),
    ("debts", "GET"): Policy("platform:payouts"),
    ("debt", "GET"): Policy("platform:payouts", "debt"),
    ("settlements", "GET"): Policy("platform:payouts"),
    ("settlement", "GET"): Policy("platform:payouts", "settlement"),
    ("payouts", "GET"): Policy("platform:payouts"),
    ("payout", "GET"): Policy("platform:payouts", "payout"),
    ("events", "GET"): Policy("platform:events"),
    ("event", "GET"): Policy("platform:events", "event"),
    ("webhook-endpoints", "GET"): Policy("platform:webhooks"),
    ("webhook-endpoints", "POST"): Policy("platform:webhooks", status=201),
    ("webhook-endpoint", "GET"): Policy("platform:webhooks", "endpoint"),
    ("webhook-endpoint", "POST"): Policy("platform:webhooks", "endpoint"),
    ("webhook-endpoint", "DELETE"): Policy("platform:webhooks", "endpoint", 204),
    ("webhook-ping", "POST"): Policy("platform:webhooks", "endpoint", 201),
    ("webhook-roll-secret", "POST"): Policy("platform:webhooks", "endpoint", 201),
    ("webhook-resend", "POST"): Policy("platform:webhooks", "endpoint"),
    ("deliveries", "GET"): Policy("platform:webhooks"),
    ("delivery", "GET"): Policy("platform:webhooks", "delivery"),
    ("delivery-resend", "POST"): Policy("platform:webhooks", "delivery"),
    ("sandbox-clock", "GET"): Policy("platform:sandbox"),
    ("sandbox-advance", "POST"): Policy("platform:sandbox"),
    ("sandbox-pay", "POST"): Policy("platform:sandbox", "pending"),
    ("sandbox-debt", "POST"): Policy("platform:sandbox", "debt", 409),  # nobody was asked
    ("inbound-channel", "POST"): Policy("signed", "sandbox", missing=404),
    ("inbound-rail", "POST"): Policy("signed", "sandbox-bank", missing=404),
    ("openapi", "GET"): Policy("public"),
    ("problem", "GET"): Policy("public", "not_found"),
}
PATTERNS = {pattern.name: pattern for pattern in urls.urlpatterns}


def answered() -> set[tuple[str, str]]:
    """Every address and the methods its view has, but OPTIONS, which none answers."""
    return {
        (name, method.upper())
        for name, pattern in PATTERNS.items()
        for method in pattern.callback.view_class.http_method_names
        if method != "options" and hasattr(pattern.callback.view_class, method)
    }


def doors(kind: str) -> list[tuple[str, str]]:
    """The declared addresses of this kind of door, with their methods; HEAD goes with GET."""
    return [
        (name, each)
        for (name, method), policy in POLICY.items()
        if policy.door.startswith(kind)
        for each in (READS if method == "GET" else (method,))
    ]


def policy_of(name: str, method: str) -> Policy:
    return POLICY[name, "GET" if method == "HEAD" else method]


@dataclass(frozen=True)
class Caller:
    """Somebody at the door. `refused`: with what, whatever they ask for."""

    estate: Estate  # whose things they name in bodies, and own if they are not refused
    key: str
    refused: tuple[int, str] | None = None


def callers(town: Town, scope: str, method: str) -> dict[str, Caller]:
    ours, keys = town.ours, town.keys
    kind = scope.removeprefix("platform:")
    others = [each for each in SCOPES if not each.startswith(f"{kind}:")]
    unknown, unscoped = (401, "api_key_refused"), (403, "scope_missing")
    reads = method in READS
    found = {
        "platform": Caller(ours, ours.shop.key),
        "another platform": Caller(town.theirs, town.theirs.shop.key),
        "live platform": Caller(town.live, town.live.shop.key),
        "anonymous": Caller(ours, "", unknown),
        "malformed key": Caller(ours, "sk_test_nonsense", unknown),
        "revoked key": Caller(ours, keys["revoked"], unknown),
        "expired key": Caller(ours, keys["expired"], unknown),
        "without the scope": Caller(ours, ours.shop.add_key(scopes=others), unscoped),
        "read-only key": Caller(ours, keys["reading"], None if reads else unscoped),
        "write-only key": Caller(ours, keys["writing"], unscoped if reads else None),
        "its buyer": Caller(ours, ours.has["shipped_token"], unknown),
        "another buyer": Caller(ours, ours.has["neighbor_token"], unknown),
    }
    assert not [name for name, caller in found.items() if caller.key == "" and name != "anonymous"]
    return found


def ask(town: Town, name: str, method: str, caller: Caller, owner: Estate | None) -> Answer:
    """Ask at an address about something of `owner`."""
    policy = policy_of(name, method)
    thing = name_of(owner, policy.of, like=town.ours)
    second = "evidence" if name.startswith("dispute") else "parcel"
    args = [thing, name_of(owner, second, like=town.ours)]
    path = reverse(f"v1:{name}", args=args[: len(PATTERNS[name].pattern.converters)])
    body = BODIES[name](caller.estate, thing) if method == "POST" and name in BODIES else None
    return caller.estate.shop.door.send(method, path, body, key=caller.key)


# The matrix


def test_every_address_and_method_has_a_policy() -> None:
    nameless = [each for each in urls.urlpatterns if each.name is None]

    assert answered() == set(POLICY)
    assert [each.callback.view_class for each in nameless] == [MissingView]
    assert len(PATTERNS) == len(urls.urlpatterns)


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose clocks were to be moved; they stand still, for moving them commits."""
    found: list[str] = []

    def stand(platform_id: str, *, now: Any, **_how_far: Any) -> clock.AdvanceReport:
        found.append(platform_id)
        return clock.AdvanceReport(platform_id, now, now, now, (), ())

    monkeypatch.setattr(clock, "advance", stand)
    monkeypatch.setattr(clock, "advance_to", stand)
    return found


@pytest.mark.parametrize(("name", "method"), doors("platform:"))
def test_door_of_a_platform_opens_to_its_own_keys_only(
    town: Town, moved: list[str], name: str, method: str
) -> None:
    policy = policy_of(name, method)
    asking = callers(town, policy.door, method)
    wrong, before = [], (all_rows(), all_books())

    for who, caller in asking.items():
        said: dict[int, set[str]] = {}
        for whose, owner in things(town, policy.of).items():
            status, code = expected(town, name, method, caller, owner)
            with undone() if status < 400 else nullcontext():
                answer = ask(town, name, method, caller, owner)
            if answer.status_code != status or (
                code and method != "HEAD" and not says(answer, code)
            ):
                wrong.append((who, whose, answer.status_code, answer.content))
            if status < 400:
                wrong += [(who, whose, leaked) for leaked in foreign_ids(town, caller, answer)]
            elif owner is not caller.estate:
                said.setdefault(status, set()).add(without_ids(answer))
        if any(len(documents) > 1 for documents in said.values()):
            wrong.append((who, "a foreign thing is not answered as a missing one", said))

    assert wrong == []
    assert (all_rows(), all_books()) == before
    assert set(moved) <= {town.ours.shop.platform.pk, town.theirs.shop.platform.pk}


def expected(
    town: Town, name: str, method: str, caller: Caller, owner: Estate | None
) -> tuple[int, str]:
    """The status, and the code where it does not depend on the address."""
    policy = policy_of(name, method)
    if caller.refused:
        return caller.refused
    if caller.estate is town.live and name.startswith("sandbox"):
        return 403, "clock_is_live"
    own = not policy.of or owner is caller.estate
    return (policy.status if own else policy.missing), ""


def says(answer: Answer, code: str) -> bool:
    return answer.json().get("code") == code


def foreign_ids(town: Town, caller: Caller, answer: Answer) -> set[str]:
    """Ids of others in an answer."""
    others = [estate.ids for estate in town.everybody if estate is not caller.estate]
    return set().union(*others).intersection(ID.findall(answer.content.decode()))


# Doors without a key


@pytest.mark.parametrize(("name", "method"), doors("buyer"))
def test_door_of_a_buyer_opens_to_the_token_of_that_order_only(
    town: Town, name: str, method: str
) -> None:
    policy = policy_of(name, method)
    tokens = {
        "its buyer": town.ours.has[f"{policy.of}_token"],
        "another buyer": town.ours.has["neighbor_token"],
        "another platform's buyer": town.theirs.has[f"{policy.of}_token"],
        "key": town.ours.shop.key,
        "nonsense": 43 * "x",
    }
    opened, said, before = [], set(), all_rows()

    for who, token in tokens.items():
        for whose, owner in things(town, policy.of).items():
            thing = name_of(owner, policy.of, like=town.ours)
            for key in ("", town.ours.shop.key):
                more = BUYER_BODIES.get(name, lambda _mine: {})(owner or town.ours)
                with undone():
                    answer = town.ours.shop.door.send(
                        method,
                        reverse(f"v1:{name}", args=[thing]),
                        {"token": token, **more},
                        key=key,
                    )
                    if answer.status_code == policy.status:
                        opened.append((who, whose))
                        continue
                    problem(answer, policy.missing, "buyer_token_invalid")
                    assert all_rows() == before
                said.add(without_ids(answer))

    mine, others = ("its buyer", "own"), ("another platform's buyer", "another platform's")
    assert opened == [mine, mine, others, others]
    assert len(said) == 1


@pytest.mark.parametrize(("name", "method"), doors("signed"))
def test_signed_door_opens_to_no_key(town: Town, name: str, method: str) -> None:
    policy = policy_of(name, method)
    asking = callers(town, "platform:orders", method)
    before = all_rows()

    for caller in asking.values():
        door = caller.estate.shop.door
        here = door.send(method, reverse(f"v1:{name}", args=[policy.of]), {}, key=caller.key)
        nowhere = door.send(method, reverse(f"v1:{name}", args=["nobody"]), {}, key=caller.key)
        problem(here, 401, "notification_signature_invalid")
        problem(nowhere, policy.missing, "source_not_found")

    assert all_rows() == before


@pytest.mark.parametrize(("name", "method"), doors("public"))
def test_public_door_opens_to_everybody(town: Town, name: str, method: str) -> None:
    policy = policy_of(name, method)

    asked = {policy.of: policy.status, **({"nonsense": policy.missing} if policy.of else {})}

    for caller in callers(town, "platform:orders", method).values():
        for thing, status in asked.items():
            path = reverse(f"v1:{name}", args=[thing] if thing else [])
            assert caller.estate.shop.door.send(method, path, key=caller.key).status_code == status


@pytest.mark.parametrize("name", [name for name in PATTERNS if name])
def test_method_that_an_address_has_not_is_refused(town: Town, name: str) -> None:
    args = len(PATTERNS[name].pattern.converters) * ["ord_0"]
    mine = {method for each, method in POLICY if each == name}
    mine |= {"HEAD"} if "GET" in mine else set()
    before = all_rows()

    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - mine:
        answer = town.ours.shop.door.send(
            method, reverse(f"v1:{name}", args=args), {}, key=town.ours.shop.key
        )
        problem(answer, 405, "method_not_allowed")
        assert mine <= set(answer.headers["Allow"].split(", "))

    assert all_rows() == before
