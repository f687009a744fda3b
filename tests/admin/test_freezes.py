"""Why: stopping money takes one person, letting it go takes two, and the pages hold to that."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from escrow.models import Freeze, Hold
from merchants.models import User
from orders.models import Order
from payouts.models import Payout
from tests import freezing, ground
from tests.admin.conftest import page, pending_payout, url
from tests.signing import sign_in
from tests.world import START, World

OWN = "You proposed it yourself; another operator has to lift it."
WHY = "letter of the court"


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with time_machine.travel(START, tick=False):
        yield


@pytest.fixture
def other(second: User) -> Client:
    return sign_in(second)


def place(client: Client, what: str, **fields: Any) -> Any:
    body = {"kind": "LEGAL", "reason": WHY, **fields}
    return client.post(url(f"escrow_freeze_freeze_{what}"), body)


def test_order_is_frozen_by_one_and_let_go_by_two(
    signed_in: Client, other: Client, operator: User, second: User, market: World
) -> None:
    order = ground.shipped_order(market)
    assert place(signed_in, "order", order_id=order.id).status_code == 302
    freeze = Freeze.objects.get()
    frozen = freezing.standing(order)

    signed_in.post(url("escrow_freeze_propose", freeze.pk), {"reason": "the court let go"})
    own = signed_in.post(url("escrow_freeze_lift", freeze.pk), {"reason": "yes"})
    between = freezing.standing(order)
    shown = other.get(url("escrow_freeze_lift", freeze.pk)).content.decode()
    lifted = other.post(url("escrow_freeze_lift", freeze.pk), {"reason": "read the letter"})

    assert (frozen, between) == (("FROZEN", True), ("FROZEN", True))
    assert OWN in own.content.decode()
    assert "the court let go" in shown
    assert WHY in shown
    assert lifted.status_code == 302
    assert freezing.standing(order) == ("HELD", False)
    after = Freeze.objects.get()
    assert (after.placed_by, after.lift_proposed_by, after.lifted_by) == (
        operator,
        operator,
        second,
    )
    kept = after.audit.order_by("pgh_id").last()  # type: ignore[attr-defined]
    assert kept.pgh_context == {"actor": f"operator:{second.pk}", "reason": "read the letter"}


def test_seller_and_payout_are_frozen_by_their_ids(signed_in: Client, market: World) -> None:
    payout = pending_payout(market)

    place(signed_in, "seller", merchant_id=payout.merchant_id)
    place(signed_in, "payout", payout_id=payout.id, kind="RISK")

    placed = Freeze.objects.order_by("kind").values_list("kind", "merchant_id", "payout_id")
    assert list(placed) == [("LEGAL", payout.merchant_id, None), ("RISK", None, payout.id)]
    shown = signed_in.get(page(Payout, "change", payout.pk)).content.decode()
    assert "does not go to the bank" in shown


@pytest.mark.parametrize(
    ("what", "field", "sentence"),
    [
        ("order", "order_id", "There is no order"),
        ("seller", "merchant_id", "There is no seller"),
        ("payout", "payout_id", "There is no payout"),
    ],
)
def test_unknown_id_is_refused_in_the_form(
    signed_in: Client, market: World, what: str, field: str, sentence: str
) -> None:
    answer = place(signed_in, what, **{field: "none"})

    assert (answer.status_code, sentence in answer.content.decode()) == (200, True)
    assert not Freeze.objects.exists()


def test_proposal_is_turned_down_by_the_second_person(
    signed_in: Client, other: Client, market: World
) -> None:
    freeze = freezing.propose(freezing.freeze_in(market, "ACTIVE"))

    other.post(url("escrow_freeze_keep", freeze.pk), {"reason": "the letter is forged"})

    after = Freeze.objects.get()
    assert (after.state, after.lift_proposed_by, after.lift_reason) == ("ACTIVE", None, "")
    assert freezing.standing(freeze.order) == ("FROZEN", True)


def test_pages_offer_only_what_the_state_allows(signed_in: Client, market: World) -> None:
    offered = {}
    for state in freezing.STATES:
        freeze = freezing.freeze_in(market, state)
        text = signed_in.get(page(Freeze, "change", freeze.pk)).content.decode()
        verbs = ("propose", "lift", "keep")
        offered[state] = {verb for verb in verbs if url(f"escrow_freeze_{verb}", freeze.pk) in text}

    assert offered == {"ACTIVE": {"propose"}, "PROPOSED": {"lift", "keep"}, "LIFTED": set()}


def test_hold_and_payout_lead_to_the_form_filled_in(signed_in: Client, market: World) -> None:
    order, payout = ground.shipped_order(market), pending_payout(market)
    hold = Hold.objects.get(order=order)

    forms = [
        signed_in.get(url("escrow_hold_freeze", hold.pk), follow=True).content.decode(),
        signed_in.get(url("payouts_payout_freeze", payout.pk), follow=True).content.decode(),
    ]

    assert f'value="{order.id}"' in forms[0]
    assert f'value="{payout.id}"' in forms[1]
    assert (
        url("escrow_hold_freeze", hold.pk)
        in signed_in.get(page(Hold, "change", hold.pk)).content.decode()
    )


def test_released_money_is_not_offered_to_be_frozen(signed_in: Client, market: World) -> None:
    hold = Hold.objects.get(order=ground.released_order(market))

    shown = signed_in.get(page(Hold, "change", hold.pk)).content.decode()

    assert url("escrow_hold_freeze", hold.pk) not in shown


def test_clerk_may_neither_freeze_nor_lift(market: World) -> None:
    clerk = User.objects.create_user("clerk", "clerk@example.com", "long enough", is_staff=True)
    unwelcome = Client()
    unwelcome.force_login(clerk)
    freeze = freezing.propose(freezing.freeze_in(market, "ACTIVE"))
    free = ground.shipped_order(market)

    answers = [
        place(unwelcome, "order", order_id=free.id),
        unwelcome.post(url("escrow_freeze_lift", freeze.pk), {"reason": "yes"}),
        unwelcome.get(page(Freeze, "changelist")),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert freezing.standing(freeze.order) == ("FROZEN", True)
    assert freezing.standing(Order.objects.get(pk=free.pk)) == ("HELD", False)
