"""Why: however a dispute ends, every minor unit has one owner and nothing stays frozen."""

from datetime import timedelta
from typing import Any

import pytest

from escrow.models import Dispute, Hold, Refund, Release, SellerAnswer
from escrow.services import order_refunds
from escrow.services import release as releases
from escrow.services.disputes import opening
from escrow.sweeps import lapse_due_disputes, release_due_confirmations
from ledger import selectors as books
from orders.models import Order
from tests import disputing, ground
from tests.world import World

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def ending(dispute: Dispute) -> dict[str, Any]:
    """Where order, hold and money are."""
    order = Order.objects.get(pk=dispute.order_id)
    lines = Release.objects.filter(hold__order=order).values_list(
        "lines__payee", "lines__amount_minor"
    )
    refunds = Refund.objects.filter(hold__order=order).values_list("amount_minor", "reason")
    entries = sorted(entry.kind for entry in books.subject_entries(order.id))
    return {
        "order": order.state,
        "why": order.confirmed_by or order.cancel_reason,
        "hold": order.hold.state,
        "released": dict(lines),
        "refunds": list(refunds),
        "entries": entries,
    }


FULL = {
    "order": "CANCELED",
    "why": "DISPUTE",
    "hold": "REFUNDED",
    "released": {},
    "refunds": [(10001, "DISPUTE")],
    "entries": ["capture", "refund-asked"],
}
NONE = {
    "order": "CONFIRMED",
    "why": "DISPUTE",
    "hold": "RELEASED",
    "released": {"MERCHANT": 9491, "PLATFORM": 450, "SERVICE_FEE": 60},
    "refunds": [],
    "entries": ["capture", "release"],
}
# 6668 of 10001 are left: 9491, 450 and 60 in proportion are 6328.01, 300.02 and 39.99.
PARTIAL = {
    "order": "CONFIRMED",
    "why": "DISPUTE",
    "hold": "RELEASED",
    "released": {"MERCHANT": 6328, "PLATFORM": 300, "SERVICE_FEE": 40},
    "refunds": [(3333, "DISPUTE")],
    "entries": ["capture", "refund-asked", "release"],
}


def test_seller_who_accepts_gives_everything_back(market: World) -> None:
    dispute = disputing.open_dispute(market)

    disputing.answer(dispute, SellerAnswer.ACCEPT)

    after = disputing.fresh(dispute)
    assert (after.resolution, after.resolved_minor, after.resolved_by) == (
        "FULL",
        10001,
        "MERCHANT",
    )
    assert ending(dispute) == FULL
    assert market.balance("held") == 0


@pytest.mark.parametrize(
    ("amount_minor", "resolution", "wanted"),
    [(10001, "FULL", FULL), (3333, "PARTIAL", PARTIAL), (0, "NONE", NONE)],
)
def test_decision_divides_the_held_money_exactly(
    market: World, amount_minor: int, resolution: str, wanted: dict[str, Any]
) -> None:
    dispute = disputing.dispute_in(market, "ANSWERED/OPERATOR")

    disputing.decide(dispute, amount_minor)

    after = disputing.fresh(dispute)
    assert (after.resolution, after.resolved_minor) == (resolution, amount_minor)
    assert ending(dispute) == wanted
    assert market.balance("held") == 0


def test_part_that_leaves_one_minor_unit_goes_to_one_payee(market: World) -> None:
    dispute = disputing.dispute_in(market, "ANSWERED/OPERATOR")

    disputing.decide(dispute, 10000)

    assert ending(dispute)["released"] == {"MERCHANT": 1}


@pytest.mark.parametrize(
    ("phase", "amount_minor", "kinds"),
    [
        ("OPEN/OPERATOR", 10001, ["UNDECIDED", "RESOLVED"]),
        ("ANSWERED/OPERATOR", 10001, ["UNDECIDED", "RESOLVED"]),
        ("ANSWERED/BUYER", 3333, ["OFFER_STOOD", "RESOLVED"]),
        ("RETURNING/BUYER", 0, ["NOT_SENT_BACK", "RESOLVED"]),
        ("RETURNING/MERCHANT", 3333, ["RETURN_TAKEN", "RESOLVED"]),
        ("RETURNING/OPERATOR", 3333, ["UNDECIDED", "RESOLVED"]),
    ],
)
def test_silence_ends_a_dispute(
    market: World, phase: str, amount_minor: int, kinds: list[str]
) -> None:
    dispute = disputing.dispute_in(market, phase)

    disputing.lapse(dispute)

    after = disputing.fresh(dispute)
    assert (after.state, after.resolved_minor, after.resolved_by) == (
        "RESOLVED",
        amount_minor,
        "DEADLINE",
    )
    steps = list(dispute.steps.order_by("position").values_list("kind", flat=True))
    assert steps[-2:] == kinds
    assert ending(dispute) == {10001: FULL, 3333: PARTIAL, 0: NONE}[amount_minor]


@pytest.mark.parametrize(
    ("phase", "term"),
    [
        ("OPEN/MERCHANT", 2 * DAY),
        ("ANSWERED/BUYER", 7 * DAY),
        ("RETURNING/BUYER", 7 * DAY),
        ("RETURNING/MERCHANT", 10 * DAY),
        ("ANSWERED/OPERATOR", 60 * DAY),
    ],
)
def test_deadline_passes_a_second_after_it_and_not_before(
    market: World, phase: str, term: timedelta
) -> None:
    dispute = disputing.dispute_in(market, phase)
    due = dispute.opened_at + term
    assert dispute.due_at == due

    early = lapse_due_disputes(at=due - SECOND), lapse_due_disputes(at=due)

    assert early == (0, 0)
    assert disputing.fresh(dispute).due_at == due
    assert lapse_due_disputes(at=due + SECOND) == 1
    assert lapse_due_disputes(at=due + SECOND) == 0


def test_undecided_deadline_counts_from_the_opening(market: World) -> None:
    dispute = disputing.dispute_in(market, "OPEN/OPERATOR")

    assert dispute.due_at == dispute.opened_at + 60 * DAY


@pytest.mark.parametrize(
    ("phase", "move"),
    [
        ("OPEN/MERCHANT", "accept"),
        ("OPEN/MERCHANT", "offer"),
        ("OPEN/MERCHANT", "contest"),
        ("ANSWERED/BUYER", "accept_offer"),
        ("ANSWERED/BUYER", "decline_offer"),
        ("RETURNING/BUYER", "send_back"),
        ("RETURNING/MERCHANT", "receive_return"),
        ("RETURNING/MERCHANT", "refuse_return"),
        ("ANSWERED/OPERATOR", "propose"),
    ],
)
def test_move_is_in_time_at_its_deadline_and_late_a_second_after(
    market: World, phase: str, move: str
) -> None:
    dispute, late = disputing.dispute_in(market, phase), disputing.dispute_in(market, phase)
    assert dispute.due_at is not None
    assert late.due_at is not None

    disputing.moves(dispute, at=dispute.due_at)[move]()
    refused = ground.refusal(disputing.moves(late, at=late.due_at + SECOND)[move])

    assert refused.code == "dispute_deadline_passed"


def test_open_dispute_stops_the_automatic_confirmation(market: World) -> None:
    order = ground.shipped_order(market)
    dispute = disputing.open_dispute(market, order)

    refused = ground.refusal(lambda: releases.confirm_receipt(order_id=order.id, at=market.now))
    released = release_due_confirmations(at=order.confirm_by + 30 * DAY)

    assert (refused.code, released) == ("hold_frozen", 0)
    disputing.moves(dispute)["withdraw"]()
    assert Hold.objects.get(order=order).state == "HELD"


def test_second_dispute_is_refused_while_one_is_open_and_after_its_end(market: World) -> None:
    order = ground.shipped_order(market)
    dispute = disputing.open_dispute(market, order)

    again = ground.refusal(lambda: disputing.open_dispute(market, order))
    disputing.moves(dispute)["contest"]()
    disputing.decide(dispute, 0)
    after = ground.refusal(lambda: disputing.open_dispute(market, order))

    assert (again.code, after.code) == ("dispute_open_already", "dispute_decided_already")


def test_dispute_is_withdrawn_and_opened_again_three_times(market: World) -> None:
    order = ground.shipped_order(market)
    for _ in range(opening.MAX_DISPUTES):
        disputing.moves(disputing.open_dispute(market, order))["withdraw"]()

    refused = ground.refusal(lambda: disputing.open_dispute(market, order))

    assert refused.code == "too_many_disputes"


@pytest.mark.parametrize("state", ["CREATED", "PAID", "EXPIRED", "CANCELED", "VOID"])
def test_order_in_another_state_is_not_disputed(market: World, state: str) -> None:
    order = ground.order_in(market, state)

    refused = ground.refusal(lambda: disputing.open_dispute(market, order))

    assert refused.code == "order_state_conflict"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"asked_minor": 0}, "asked_minor"),
        ({"asked_minor": 10002}, "asked_minor"),
        ({"reason": "CHARGEBACK"}, "reason"),
        ({"line_positions": [2]}, "lines"),
        ({"text": "x" * 2001}, "text"),
    ],
)
def test_dispute_that_makes_no_sense_is_refused(
    market: World, wrong: dict[str, Any], field: str
) -> None:
    order = ground.shipped_order(market)

    refused = ground.refusal(lambda: disputing.open_dispute(market, order, **wrong))

    assert (refused.code, refused.facts["field"]) == ("dispute_invalid", field)
    assert Hold.objects.get(order=order).state == "HELD"


@pytest.mark.parametrize("offer_minor", [None, 0, -1, 5002])
def test_offer_is_between_nothing_and_what_is_asked(market: World, offer_minor: int | None) -> None:
    dispute = disputing.open_dispute(market, asked_minor=5001)

    refused = ground.refusal(
        lambda: disputing.answer(dispute, SellerAnswer.OFFER, offer_minor=offer_minor)
    )

    assert refused.code == "offer_invalid"


def test_received_order_is_disputed_within_the_window_only(market: World) -> None:
    order, late = ground.released_order(market), ground.released_order(market)
    confirmed = Order.objects.get(pk=order.pk).confirmed_at
    assert confirmed is not None

    dispute = disputing.open_dispute(market, order, at=confirmed + 7 * DAY)
    refused = ground.refusal(
        lambda: disputing.open_dispute(market, late, at=confirmed + 7 * DAY + SECOND)
    )

    assert refused.code == "dispute_deadline_passed"
    assert dispute.state == "OPEN"


def test_released_money_is_taken_back_when_the_buyer_wins(market: World) -> None:
    dispute = disputing.open_dispute(market, ground.released_order(market))

    disputing.offer(dispute)
    disputing.moves(dispute)["accept_offer"]()

    after = disputing.fresh(dispute)
    assert (after.state, after.resolution, after.refund.amount_minor) == (
        "RESOLVED",
        "PARTIAL",
        3333,
    )
    assert ending(dispute)["entries"] == ["capture", "clawback", "refund-asked", "release"]
    assert market.balance(f"merchant:{market.merchants[0].id}:payable") == 6328


def test_released_money_that_is_not_there_is_tried_again_until_it_is(market: World) -> None:
    payout = ground.sent_payout(market)  # the seller's whole share is at the bank
    order = Order.objects.get(hold__releases__lines__settlement_id=payout.settlement_id)
    dispute = disputing.open_dispute(market, order)
    before = ground.trial()

    disputing.answer(dispute, SellerAnswer.ACCEPT)
    parked = disputing.fresh(dispute)
    disputing.lapse(dispute)

    assert (parked.state, parked.waits_for, parked.parked_minor) == ("OPEN", "OPERATOR", 10001)
    assert parked.due_at == dispute.opened_at + DAY
    assert [line for line in ground.trial() if line not in before] == [("CNY", "own_topup", 0)]
    refused = ground.refusal(disputing.moves(dispute)["propose"])
    assert refused.code == "dispute_state_conflict"
    ground.released_order(market)  # a later sale
    ground.released_order(market)
    disputing.lapse(dispute)
    after = disputing.fresh(dispute)
    assert (after.state, after.resolved_minor, after.resolved_by) == (
        "RESOLVED",
        10001,
        "MERCHANT",
    )
    kinds = list(dispute.steps.order_by("position").values_list("kind", flat=True))
    assert kinds == ["OPENED", "ACCEPTED", "PARKED", "RESOLVED"]


def test_dispute_after_the_release_ends_when_the_seller_wins(market: World) -> None:
    dispute = disputing.open_dispute(market, ground.released_order(market))
    disputing.moves(dispute)["contest"]()

    disputing.decide(dispute, 0)

    assert disputing.fresh(dispute).resolution == "NONE"


def test_released_order_is_not_refunded_beside_its_dispute(market: World) -> None:
    """What is decided would be more than is left: the buyer would get it twice, or nobody could
    decide."""
    dispute = disputing.open_dispute(market, ground.released_order(market))

    refused = ground.refusal(
        lambda: order_refunds.refund_order(
            order_id=dispute.order_id, amount_minor=3333, reason="kind", at=market.now
        )
    )
    kinds = [entry.kind for entry in books.subject_entries(dispute.order_id)]
    disputing.answer(dispute, SellerAnswer.ACCEPT)

    assert refused.code == "hold_frozen"
    assert kinds == ["capture", "release"]
    assert Refund.objects.get().amount_minor == 10001
