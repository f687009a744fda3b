"""Why: at the desk one person proposes and another approves; and what a stranger handed in is
saved, never shown.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from escrow.models import Dispute, Evidence
from merchants.models import User
from tests import disputing, ground
from tests.admin.conftest import disputed, page, url
from tests.signing import sign_in
from tests.world import START, World

WHY = "the photos show it"
OWN = "You proposed this yourself; another operator has to approve it."


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    """The day the disputes are of: later, their deadlines have passed."""
    with time_machine.travel(START, tick=False):
        yield


def propose(client: Client, dispute: Dispute, **fields: Any) -> Any:
    body = {"amount_minor": 3333, "reason": WHY, **fields}
    return client.post(url("escrow_dispute_propose", dispute.pk), body)


def test_decision_is_proposed_by_one_and_approved_by_another(
    signed_in: Client, operator: User, second: User, market: World
) -> None:
    dispute = disputed(market)
    assert signed_in.get(url("escrow_dispute_propose", dispute.pk)).status_code == 200

    assert propose(signed_in, dispute).status_code == 302
    own = signed_in.post(url("escrow_dispute_approve", dispute.pk), {"reason": "yes"})
    proposed = disputing.fresh(dispute)
    other = sign_in(second)
    shown = other.get(url("escrow_dispute_approve", dispute.pk)).content.decode()
    approved = other.post(url("escrow_dispute_approve", dispute.pk), {"reason": "yes"})

    assert OWN in own.content.decode()
    assert (proposed.state, proposed.proposed_by) == ("ANSWERED", operator)
    assert WHY in shown
    assert approved.status_code == 302
    after = disputing.fresh(dispute)
    assert (after.state, after.resolved_minor, after.approved_by) == ("RESOLVED", 3333, second)
    step = dispute.steps.get(kind="DECIDED")
    assert (step.text, step.by) == (WHY, "OPERATOR")
    kept = after.audit.order_by("pgh_id").last()
    assert kept.pgh_context == {"actor": f"operator:{second.pk}", "reason": "yes"}


def test_refusal_of_the_service_is_shown_and_nothing_moves(
    signed_in: Client, market: World
) -> None:
    dispute = disputed(market)
    before = ground.trial()

    answer = propose(signed_in, dispute, amount_minor=10002)

    assert (answer.status_code, "0 to 10001" in answer.content.decode()) == (200, True)
    assert disputing.fresh(dispute).proposed_by is None
    assert ground.trial() == before


def test_decision_is_offered_only_where_one_is_wanted(signed_in: Client, market: World) -> None:
    waiting, open_ = disputed(market), disputing.open_dispute(market)

    pages = [
        signed_in.get(page(Dispute, "change", each.pk)).content.decode()
        for each in (waiting, open_)
    ]

    address = url("escrow_dispute_propose", waiting.pk)
    assert address in pages[0]
    assert url("escrow_dispute_approve", waiting.pk) not in pages[0]
    assert url("escrow_dispute_propose", open_.pk) not in pages[1]


def test_queue_begins_with_what_is_due_first(signed_in: Client, market: World) -> None:
    late, soon = disputed(market), disputing.open_dispute(market)

    found = signed_in.get(page(Dispute, "changelist")).content.decode()

    assert found.index(soon.order.reference) < found.index(late.order.reference)


def test_file_is_saved_by_an_operator_and_by_nobody_else(signed_in: Client, market: World) -> None:
    dispute = disputed(market)
    file = Evidence.objects.get(dispute=dispute)
    address = url("escrow_dispute_evidence", dispute.pk, file.pk)
    clerk = User.objects.create_user("clerk", "clerk@example.com", "long enough", is_staff=True)
    unwelcome = Client()
    unwelcome.force_login(clerk)

    answer = signed_in.get(address)

    assert answer.content == disputing.TEXT_FILE
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == f'attachment; filename="{file.pk}.txt"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert unwelcome.get(address).status_code == 403
    assert Client().get(address).status_code == 302
    elsewhere = url("escrow_dispute_evidence", disputing.open_dispute(market).pk, file.pk)
    assert signed_in.get(elsewhere).status_code == 404
