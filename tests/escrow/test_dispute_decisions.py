"""Why: who decides about other people's money does so with a second person, and what was said stays
said.
"""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from escrow.models import Actor
from escrow.services.disputes import deciding
from tests import disputing, ground
from tests.ground import US
from tests.world import World

# Two persons


def test_proposer_may_not_approve(market: World) -> None:
    dispute = disputing.dispute_in(market, "ANSWERED/OPERATOR")
    disputing.moves(dispute)["propose"]()
    first = ground.operator("first")

    refused = ground.refusal(
        lambda: deciding.approve_decision(
            dispute_id=dispute.id, operator=first, at=dispute.opened_at
        )
    )

    assert (refused.code, refused.status) == ("decision_needs_second_person", 403)
    now = disputing.fresh(dispute)
    now.approved_by = first
    with pytest.raises(DatabaseError, match="dispute_two_persons"), transaction.atomic():
        now.save()


def test_database_refuses_a_decision_by_one_person(market: World) -> None:
    dispute = disputing.dispute_in(market, "ANSWERED/OPERATOR")
    disputing.moves(dispute)["propose"]()
    now = disputing.fresh(dispute)
    now.resolve(at=market.now, amount_minor=0, by=Actor.OPERATOR)

    with pytest.raises(DatabaseError, match="dispute_decided_by_two"), transaction.atomic():
        now.save()


@pytest.mark.parametrize(("limit_minor", "state"), [(10000, "ANSWERED"), (10001, "RESOLVED")])
def test_one_person_decides_up_to_the_limit(market: World, limit_minor: int, state: str) -> None:
    market.platform.dispute_approval_above_minor = limit_minor
    market.platform.save()
    dispute = disputing.dispute_in(market, "ANSWERED/OPERATOR")

    disputing.moves(dispute)["propose"]()

    assert disputing.fresh(dispute).state == state


def test_later_proposal_replaces_the_first(market: World) -> None:
    dispute = disputing.dispute_in(market, "ANSWERED/OPERATOR")
    disputing.moves(dispute)["propose"]()
    second = ground.operator("second")
    at = dispute.opened_at
    deciding.propose_decision(
        dispute_id=dispute.id, amount_minor=1, operator=second, reason="less", at=at
    )

    assert ground.refusal(disputing.moves(dispute)["approve"]).code == (
        "decision_needs_second_person"
    )
    deciding.approve_decision(dispute_id=dispute.id, operator=ground.operator("first"), at=at)
    assert disputing.fresh(dispute).resolved_minor == 1


@pytest.mark.parametrize("amount_minor", [-1, 10002])
def test_decision_out_of_range_is_refused(market: World, amount_minor: int) -> None:
    dispute = disputing.dispute_in(market, "ANSWERED/OPERATOR")

    assert (
        ground.refusal(lambda: disputing.decide(dispute, amount_minor)).code == "decision_invalid"
    )


def test_decision_may_ask_for_the_goods_first(market: World) -> None:
    dispute = disputing.dispute_in(market, "OPEN/OPERATOR")

    disputing.decide(dispute, 10001, needs_return=True)
    for move in ("send_back", "receive_return"):
        disputing.moves(dispute)[move]()

    after = disputing.fresh(dispute)
    assert (after.resolution, after.resolved_by) == ("FULL", "MERCHANT")
    assert after.order.hold.refunded_minor == 10001


def test_return_is_decided_once(market: World) -> None:
    dispute = disputing.dispute_in(market, "RETURNING/OPERATOR")

    refused = ground.refusal(lambda: disputing.decide(dispute, 3333, needs_return=True))

    assert refused.code == "decision_invalid"


# The timeline


def test_timeline_tells_everything_in_order(market: World) -> None:
    dispute = disputing.open_dispute(market, text="broken", line_positions=[1])
    disputing.moves(dispute)["evidence"]()
    disputing.offer(dispute, needs_return=True, text="send it back")
    for move in ("accept_offer", "send_back", "refuse_return"):
        disputing.moves(dispute)[move]()
    disputing.decide(dispute, 5001)

    steps = dispute.steps.order_by("position")
    assert list(steps.values_list("position", "kind", "by", "amount_minor")) == [
        (1, "OPENED", "BUYER", 10001),
        (2, "EVIDENCE", "BUYER", None),
        (3, "OFFERED", "MERCHANT", 3333),
        (4, "OFFER_ACCEPTED", "BUYER", 3333),
        (5, "SENT_BACK", "BUYER", None),
        (6, "RETURN_REFUSED", "MERCHANT", None),
        (7, "DECIDED", "OPERATOR", 5001),
        (8, "RESOLVED", "OPERATOR", 5001),
    ]
    assert [step.text for step in steps if step.text][:3] == ["broken", "lid.txt", "send it back"]
    assert disputing.fresh(dispute).event_sequence == 7  # what is decided is told with the end


def test_timeline_is_never_rewritten(market: World) -> None:
    dispute = disputing.open_dispute(market)
    step = dispute.steps.get()

    with pytest.raises(DatabaseError), transaction.atomic():
        dispute.steps.update(text="never said")
    with pytest.raises(DatabaseError), transaction.atomic():
        step.delete()

    assert dispute.steps.get().text == ""


def test_policy_frozen_on_the_order_decides(market: World) -> None:
    order = ground.shipped_order(market)
    market.platform.dispute_answer_seconds = 1
    market.platform.save()

    dispute = disputing.open_dispute(market, order)

    assert dispute.due_at == dispute.opened_at + timedelta(days=2)
    assert not disputing.lapse(dispute, after=-US)
