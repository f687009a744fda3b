"""Why: at this desk money goes to an account that nobody has paid from. One person proposes it,
another lets it go.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from channels.contract import Status
from escrow.models import BankRefund, Refund
from merchants.models import User
from tests import ground, rerouting
from tests.admin.conftest import page, url
from tests.signing import sign_in
from tests.world import START, World

OWN = "You proposed this yourself; another operator has to approve it."
ACCOUNT = {**rerouting.ACCOUNT, "reason": "her letter of today"}


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with time_machine.travel(START, tick=False):
        yield


def post(client: Client, name: str, key: str, **fields: Any) -> Any:
    return client.post(url(f"escrow_{name}", key), {"reason": "why", **fields})


def offered(client: Client, model: Any, key: str, *actions: str) -> list[str]:
    shown = client.get(page(model, "change", key)).content.decode()
    name = f"escrow_{model._meta.model_name}"
    return [each for each in actions if url(f"{name}_{each}", key) in shown]


def test_refused_refund_is_proposed_by_one_and_approved_by_another(
    signed_in: Client, operator: User, second: User, market: World
) -> None:
    refund = rerouting.refused_refund(market)
    assert offered(signed_in, Refund, refund.pk, "reroute", "ask_again") == ["reroute", "ask_again"]
    assert signed_in.get(url("escrow_refund_reroute", refund.pk)).status_code == 200

    assert post(signed_in, "refund_reroute", refund.pk, **ACCOUNT).status_code == 302
    found = BankRefund.objects.get()
    own = post(signed_in, "bankrefund_approve", found.pk)
    assert rerouting.phase_of(found) == ("PROPOSED", "FAILED")
    done = post(sign_in(second), "bankrefund_approve", found.pk)

    assert OWN in own.content.decode()
    assert done.status_code == 302
    after = rerouting.fresh(found)
    assert (after.state, after.proposed_by, after.approved_by) == ("APPROVED", operator, second)
    assert (after.reason, after.last_four) == ("her letter of today", "0001")
    assert offered(signed_in, Refund, refund.pk, "reroute", "ask_again") == []
    assert "0000 0000" not in signed_in.get(page(BankRefund, "change", found.pk)).content.decode()
    kept = after.audit.order_by("pgh_id").last()
    assert kept.pgh_context["actor"] == f"operator:{second.pk}"


def test_account_that_is_none_is_told_in_the_form(signed_in: Client, market: World) -> None:
    refund = rerouting.refused_refund(market)
    before = ground.trial()

    answer = post(signed_in, "refund_reroute", refund.pk, **{**ACCOUNT, "account_number": "12"})

    assert "6 to 34 digits or letters" in answer.content.decode()
    assert (BankRefund.objects.count(), ground.trial()) == (0, before)


def test_channel_is_asked_again_at_the_desk(signed_in: Client, market: World) -> None:
    refund = rerouting.refused_refund(market)

    assert post(signed_in, "refund_ask_again", refund.pk).status_code == 302

    assert Refund.objects.get(pk=refund.pk).state == "PENDING"
    assert offered(signed_in, Refund, refund.pk, "reroute", "ask_again") == []


def test_proposal_is_given_up_with_a_reason(signed_in: Client, market: World) -> None:
    found = rerouting.in_phase(market, "APPROVED")

    assert post(signed_in, "bankrefund_drop", found.pk).status_code == 302

    after = rerouting.fresh(found)
    assert (after.state, after.failure_message) == ("DROPPED", "why")


@pytest.mark.parametrize(
    ("phase", "wanted"),
    [
        ("PROPOSED", ["approve", "drop"]),
        ("APPROVED", ["drop"]),
        ("SENDING", []),
        ("PARKED", ["claim", "confirm"]),
        ("PAID", []),
    ],
)
def test_only_what_makes_sense_is_offered(
    signed_in: Client, market: World, phase: str, wanted: list[str]
) -> None:
    found = rerouting.in_phase(market, phase)

    actions = offered(signed_in, BankRefund, found.pk, "approve", "drop", "claim", "confirm")

    assert actions == wanted


def test_parked_one_ends_by_the_word_of_two(signed_in: Client, second: User, market: World) -> None:
    found = rerouting.in_phase(market, "PARKED")
    said = {"outcome": "PAID", "evidence": "line 7"}

    assert post(signed_in, "bankrefund_claim", found.pk, **said).status_code == 302
    own = post(signed_in, "bankrefund_confirm", found.pk, outcome="PAID")
    assert rerouting.phase_of(found) == ("PARKED", "FAILED")
    assert post(sign_in(second), "bankrefund_confirm", found.pk, outcome="PAID").status_code == 302

    assert "another operator has to confirm it" in own.content.decode()
    assert rerouting.phase_of(found) == ("PAID", "SUCCEEDED")


def test_double_payment_is_shown_on_the_page_and_the_overview(
    signed_in: Client, market: World
) -> None:
    found = rerouting.in_phase(market, "PAID")
    rerouting.channel_says(market, found.refund, Status.SUCCEEDED)

    shown = signed_in.get(page(BankRefund, "change", found.pk)).content.decode()
    waits = {
        str(each.label): (each.count, each.link)
        for each in signed_in.get(url("index")).context["waiting"]
    }

    assert "The buyer has been paid twice" in shown
    count, link = waits["Refunds paid twice"]
    assert count == "1"
    assert len(signed_in.get(link).context["cl"].result_list) == 1
