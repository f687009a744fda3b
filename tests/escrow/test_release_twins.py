"""The three release paths write the same rows: the SQL function for one order, that for all that
are due, and the readable Python beside them.

Pairs of equal orders are made; one of each pair is released by one path, the other by the other.
Then everything there is about them is compared but ids, clocks of the database and what belongs to
one order only by name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pghistory
import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from common.errors import DomainError
from escrow.services import release as releases
from merchants import services as merchants
from merchants.models import BaseChoice, CommissionPlan
from orders.models import ConfirmedBy, Delivery, Order
from orders.services.creation import NewLine
from tests import ground
from tests import world as worlds

CURRENCIES = ["CNY", "JPY", "KWD"]
TWIN_SETTINGS = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass(frozen=True)
class Terms:
    currency: str
    rate_bps: int
    fixed_minor: int
    floor_minor: int | None
    cap_minor: int | None
    base: str


@dataclass(frozen=True)
class Ordered:
    """One order of a batch. `stage` is how far it has come: only SHIPPED ones may be released."""

    currency: str
    goods: tuple[int, ...]
    shipping: int
    merchant: int
    delivery: str
    expected: bool
    email: str
    stage: str


AMOUNTS = st.one_of(st.integers(0, 3), st.integers(0, 10**6), st.integers(0, 10**13))
ORDERED = st.builds(
    Ordered,
    currency=st.sampled_from(CURRENCIES),
    goods=st.lists(AMOUNTS, min_size=1, max_size=3).map(tuple),
    shipping=AMOUNTS,
    merchant=st.integers(0, 1),
    delivery=st.sampled_from(Delivery.values),
    expected=st.booleans(),
    email=st.sampled_from(["", "buyer@example.com", 'q"uote\\d@example.com', "顾客@example.com"]),
    stage=st.sampled_from(["SHIPPED", "SHIPPED", "SHIPPED", "PAID", "CREATED"]),
).filter(lambda each: sum(each.goods) + each.shipping > 0)
TERMS = st.fixed_dictionaries(
    {
        currency: st.none()
        | st.builds(
            Terms,
            currency=st.just(currency),
            rate_bps=st.one_of(st.sampled_from([0, 10_000]), st.integers(0, 10_000)),
            fixed_minor=st.integers(0, 500),
            floor_minor=st.none() | st.integers(0, 500),
            cap_minor=st.none() | st.integers(500, 10**6),
            base=st.sampled_from(BaseChoice.values),
        )
        for currency in CURRENCIES
    }
)
WORKED = Terms("CNY", 500, 0, 100, 5000, BaseChoice.GOODS)
WORKED_ORDER = Ordered(
    "CNY", (9001,), 1000, 0, Delivery.COURIER, False, "buyer@example.com", "SHIPPED"
)


@TWIN_SETTINGS
@given(
    TERMS,
    st.one_of(st.sampled_from([0, 60, 10_000]), st.integers(0, 10_000)),
    st.lists(ORDERED, min_size=1, max_size=5),
    st.sampled_from([*ConfirmedBy.values, None]),
    st.sampled_from([(0, 0), (1, 1), (1500, 30), (10_000, 365)]),
)
@example(
    {"CNY": WORKED, "JPY": None, "KWD": None}, 60, [WORKED_ORDER] * 3, ConfirmedBy.BUYER, (1500, 30)
)
@example({"CNY": WORKED, "JPY": None, "KWD": None}, 60, [WORKED_ORDER] * 3, None, (1500, 30))
def test_release_paths_write_the_same_rows(
    transactional_db: None,
    terms: dict[str, Terms | None],
    service_fee_bps: int,
    batch: list[Ordered],
    confirmed_by: str | None,
    reserve: tuple[int, int],
) -> None:
    """`confirmed_by` of none: nobody confirms, all that are due are released at once."""
    world = open_marketplace(terms, service_fee_bps, reserve)
    fast = [make_order(world, each) for each in batch]
    slow = [make_order(world, each) for each in batch]
    at = world.now + timedelta(days=3 if confirmed_by else 90, microseconds=1)

    for order_id in slow:
        release_slowly(order_id, confirmed_by=confirmed_by or ConfirmedBy.AUTOMATIC, at=at)
    if confirmed_by is None:
        released = releases.release_due_orders(limit=100, at=at)
    else:
        released = sum(
            releases.release_order(order_id=each, confirmed_by=confirmed_by, at=at) is not None
            for each in fast
        )

    assert released == sum(each.stage == "SHIPPED" for each in batch)
    assert [rows_of(order_id) for order_id in fast] == [rows_of(order_id) for order_id in slow]
    assert worlds.audit() == []


def test_the_release_says_who_acts(transactional_db: None) -> None:
    world = open_marketplace({"CNY": WORKED}, 60)
    order_id = make_order(world, WORKED_ORDER)

    with pghistory.context(actor="buyer"):
        releases.confirm_receipt(order_id=order_id, at=world.now)
    named = Order.objects.get(pk=order_id).audit.latest("pgh_id")
    other_id = make_order(world, WORKED_ORDER)
    releases.confirm_receipt(order_id=other_id, at=world.now)
    unnamed = Order.objects.get(pk=other_id).audit.latest("pgh_id")

    assert (named.state, named.pgh_context) == ("CONFIRMED", {"actor": "buyer"})
    assert (unnamed.state, unnamed.pgh_context) == ("CONFIRMED", None)


def release_slowly(order_id: str, **how: Any) -> None:
    if Order.objects.get(pk=order_id).state == "SHIPPED":
        releases.release_order_slowly(order_id=order_id, **how)
        return
    with pytest.raises(DomainError) as refusal:
        releases.release_order_slowly(order_id=order_id, **how)
    assert refusal.value.code == "order_state_conflict"


def open_marketplace(
    terms: dict[str, Terms | None], service_fee_bps: int, reserve: tuple[int, int] = (0, 0)
) -> worlds.World:
    world = ground.open_world()
    world.add_merchant()
    world.platform.service_fee_bps = service_fee_bps
    world.platform.save(update_fields=["service_fee_bps"])
    plan = CommissionPlan.objects.get(platform=world.platform)
    reserve_bps, reserve_days = reserve
    merchants.set_plan_reserve(
        plan_id=plan.pk, reserve_bps=reserve_bps, reserve_days=reserve_days, at=world.now
    )
    for rule in plan.rules.all():
        merchants.end_rule(rule_id=rule.id, effective_to=world.now, at=world.now)
    for each in filter(None, terms.values()):
        merchants.add_rule(
            plan=plan,
            currency=each.currency,
            rate_bps=each.rate_bps,
            fixed_minor=each.fixed_minor,
            floor_minor=each.floor_minor,
            cap_minor=each.cap_minor,
            base=each.base,
            effective_from=world.now,
            at=world.now,
        )
    return world


def make_order(world: worlds.World, each: Ordered) -> str:
    order, _token = world.create_order(
        world.merchants[each.merchant],
        currency=each.currency,
        lines=[NewLine(title="Tea", amount_minor=amount, category="tea") for amount in each.goods],
        shipping_minor=each.shipping,
        delivery=each.delivery,
        buyer_email=each.email,
        expected_delivery_at=world.now + timedelta(days=20) if each.expected else None,
    )
    if each.stage != "CREATED":
        ground.capture(ground.make_payment(world, order))
    if each.stage == "SHIPPED":
        world.ship(order)
    return order.id


# Everything there is about one order. Ids become the place of their row; clocks of the database are
# left out.
CLOCKS_AND_IDS = "'id', 'pgh_id', 'pgh_obj_id', 'pgh_created_at', 'pgh_context_id'"
QUERIES = {
    "order": """SELECT to_jsonb(o) - ARRAY['id', 'reference', 'buyer_token_hash']
                FROM orders_order o WHERE o.id = %s""",
    "hold": """SELECT to_jsonb(h) - ARRAY['id', 'order_id', 'payment_id', 'capture_entry_id']
               FROM escrow_hold h WHERE h.order_id = %s""",
    "release": """SELECT to_jsonb(r) - ARRAY['id', 'hold_id', 'entry_id']
                  FROM escrow_release r JOIN escrow_hold h ON h.id = r.hold_id
                  WHERE h.order_id = %s""",
    "lines": """SELECT to_jsonb(l) - ARRAY['id', 'release_id']
                FROM escrow_releaseline l JOIN escrow_release r ON r.id = l.release_id
                JOIN escrow_hold h ON h.id = r.hold_id WHERE h.order_id = %s ORDER BY l.id""",
    "slices": """SELECT to_jsonb(s) - ARRAY['id', 'release_id']
                 FROM escrow_reserveslice s JOIN escrow_release r ON r.id = s.release_id
                 JOIN escrow_hold h ON h.id = r.hold_id WHERE h.order_id = %s""",
    "slice events": """SELECT to_jsonb(v) - ARRAY['id', 'public_id', 'subject_id', 'data'],
                              v.data - ARRAY['reserve', 'release', 'order'],
                              v.data ->> 'reserve' = s.id, v.data ->> 'release' = s.release_id,
                              v.data ->> 'order' = h.order_id
                       FROM notifications_event v JOIN escrow_reserveslice s ON s.id = v.subject_id
                       JOIN escrow_release r ON r.id = s.release_id
                       JOIN escrow_hold h ON h.id = r.hold_id WHERE h.order_id = %s""",
    "slice audit": f"""SELECT to_jsonb(x) - ARRAY[{CLOCKS_AND_IDS}]
                      FROM escrow_reservesliceaudit x
                      JOIN escrow_reserveslice s ON s.id = x.pgh_obj_id
                      JOIN escrow_release r ON r.id = s.release_id
                      JOIN escrow_hold h ON h.id = r.hold_id WHERE h.order_id = %s""",
    "entry": """SELECT to_jsonb(e) - ARRAY['id', 'subject', 'reference', 'created_at', 'posted_at']
                       || jsonb_build_object('named', e.reference = 'release:' || r.id)
                FROM ledger_journalentry e LEFT JOIN escrow_release r ON r.entry_id = e.id
                WHERE e.subject = %s ORDER BY e.id""",
    "postings": """SELECT p.leg, a.address, a.currency, p.amount_minor
                   FROM ledger_posting p JOIN ledger_journalentry e ON e.id = p.entry_id
                   JOIN ledger_account a ON a.id = p.account_id
                   WHERE e.subject = %s ORDER BY e.id, p.leg""",
    "events": """SELECT to_jsonb(v) - ARRAY['id', 'public_id', 'subject_id', 'data'],
                        v.data - ARRAY['order', 'order_reference'],
                        v.data ->> 'order' = v.subject_id
                 FROM notifications_event v WHERE v.subject_id = %s ORDER BY v.sequence""",
    "order audit": f"""SELECT to_jsonb(x) - ARRAY[{CLOCKS_AND_IDS}]
                      FROM orders_orderaudit x WHERE x.pgh_obj_id = %s ORDER BY x.pgh_id""",
    "hold audit": f"""SELECT to_jsonb(x) - ARRAY[{CLOCKS_AND_IDS}, 'order_id']
                     FROM escrow_holdaudit x WHERE x.order_id = %s ORDER BY x.pgh_id""",
}


def rows_of(order_id: str) -> dict[str, Sequence[Any]]:
    found = {}
    with connection.cursor() as cursor:
        for name, query in QUERIES.items():
            cursor.execute(query, [order_id])
            found[name] = cursor.fetchall()
    return found
