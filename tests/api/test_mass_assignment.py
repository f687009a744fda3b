"""Why: what a body may not say must not be taken from it, at any depth: not who is paid, how much,
nor when (OWASP API3).
"""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from api.v1 import urls
from tests.api.estate import BODIES, Town, without_ids
from tests.api.shop import all_books, all_rows, pointers, problem

OF = {
    "merchant": "merchant",
    "bank-accounts": "merchant",
    "commission-plan": "commission_plan",
    "rules": "commission_plan",
    "import": "commission_plan",
    "explain": "commission_plan",
    "what-if": "commission_plan",
    "rule-replace": "rule",
    "rule-end": "rule",
    "orders": "merchant",
    "orders-bulk": "merchant",
    "order-ship": "paid",
    "order-parcels": "shipped",
    "order-parcel-correct": "shipped",
    "order-extend": "shipped",
    "order-cancel": "paid",
    "disputes": "shipped",
    "dispute-answer": "dispute",
    "dispute-return": "arriving_dispute",
    "dispute-evidence": "dispute",
    "payments": "new",
    "refunds": "paid",
    "sandbox-debt": "debt",
    "webhook-endpoint": "endpoint",
    "webhook-roll-secret": "endpoint",
    "webhook-resend": "endpoint",
}
# Read and understood, and then refused for what it is about: a plan of that name is there, nobody
# was asked to pay that debt.
CONFLICTS = {"commission-plans", "sandbox-debt"}
BODILESS = {
    "webhook-ping": "endpoint",
    "delivery-resend": "delivery",
    "sandbox-pay": "pending",
    "bank-account-cancel": "bank_account",
}
INTRUDERS = {
    "id": "ord_1",
    "pk": 1,
    "platform": "plt_1",
    "platform_id": "plt_1",
    "merchant_id": "mer_1",
    "payee": "PLATFORM",
    "payees": [],
    "split": [],
    "state": "PAID",
    "status": "paid",
    "amount_minor": 1,
    "service_fee_minor": 0,
    "service_fee_bps": 0,
    "commission_minor": 0,
    "terms": {},
    "created_at": "2026-03-02T09:00:00Z",
    "paid_at": "2026-03-02T09:00:00Z",
    "confirm_by": "2026-03-02T09:00:00Z",
    "buyer_token_hash": "0",
    "secret": "whsec_",
    "mode": "LIVE",
    "scopes": [],
    "role": "admin",
    "is_staff": True,
    "is_superuser": True,
    "__class__": "x",
}
PATTERNS = {pattern.name: pattern for pattern in urls.urlpatterns}


def path_of(town: Town, name: str, of: str) -> str:
    args = [town.ours.has.get(of, ""), town.ours.has["parcel"]]
    return reverse(f"v1:{name}", args=args[: len(PATTERNS[name].pattern.converters)])


def body_of(town: Town, name: str) -> dict[str, Any]:
    thing = town.ours.has.get(OF.get(name, ""), "")
    return copy.deepcopy(BODIES[name](town.ours, thing))


def objects(value: Any, pointer: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object in a body with its pointer, but one whose members are the caller's own."""
    if isinstance(value, dict):
        yield pointer, value
        below = ((name, each) for name, each in value.items() if name != "metadata")
    else:
        below = enumerate(value) if isinstance(value, list) else ()
    for name, each in below:
        yield from objects(each, f"{pointer}/{name}")


def test_every_address_that_takes_a_body_is_tested() -> None:
    taking = {
        name
        for name, pattern in PATTERNS.items()
        if getattr(pattern.callback.view_class, "scope", "")
        and hasattr(pattern.callback.view_class, "post")
    }

    assert taking == BODIES.keys() | BODILESS.keys()


@pytest.mark.parametrize("name", BODIES)
def test_body_says_nothing_that_it_may_not(town: Town, name: str) -> None:
    path = path_of(town, name, OF.get(name, ""))
    before = all_rows(), all_books()

    for pointer in [each for each, _object in objects(body_of(town, name))]:
        body = body_of(town, name)
        within = dict(objects(body))[pointer]
        unknown = {key: value for key, value in INTRUDERS.items() if key not in within}
        within |= unknown
        found = problem(town.ours.shop.post(path, body), 422, "request_invalid")
        assert pointers(found) == [(f"{pointer}/{key}", "unknown") for key in unknown]

    assert (all_rows(), all_books()) == before


@pytest.mark.parametrize("name", sorted(BODIES.keys() - {"sandbox-advance"}))  # it commits
def test_body_is_taken_without_the_intruders(town: Town, name: str) -> None:
    """The twin: what was refused above was refused for them alone."""
    answer = town.ours.shop.post(path_of(town, name, OF.get(name, "")), body_of(town, name))

    assert answer.status_code in ((409,) if name in CONFLICTS else (200, 201))


@pytest.mark.parametrize(("name", "of"), BODILESS.items())
def test_body_where_none_is_read_changes_nothing(town: Town, name: str, of: str) -> None:
    path = path_of(town, name, of)
    read = {"endpoint": "webhook-endpoints", "delivery": "deliveries", "pending": "payments"}
    read["bank_account"] = "bank-accounts"
    thing = f"/v1/{read[of]}/{town.ours.has[of]}"

    plain = town.ours.shop.post(path)
    seen = town.ours.shop.get(thing).json()
    more = town.ours.shop.post(path, INTRUDERS)

    assert more.status_code == plain.status_code
    assert town.ours.shop.get(thing).json() == seen
    if name != "webhook-ping":  # each is another event
        assert without_ids(more) == without_ids(plain)
