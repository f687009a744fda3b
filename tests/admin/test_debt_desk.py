"""Why: a debt that nobody sees is a loss that nobody has decided on; and one person must not be
able to make it one.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from escrow import ageing
from escrow.models import Debt
from merchants.models import Platform, Proposal, User
from tests import ground, owing
from tests.admin.conftest import page, url
from tests.signing import sign_in
from tests.world import RAIL, START, World

DAY = timedelta(days=1)
WHY = "the firm is dissolved"
OWN = "You proposed this yourself; another operator has to decide."


@pytest.fixture(autouse=True)
def today() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def debt(market: World) -> Debt:
    return owing.seller_in_debt(market)


def fresh(debt: Debt) -> Debt:
    return Debt.objects.get(pk=debt.pk)


def act(client: Client, debt: Debt, what: str, **fields: Any) -> Any:
    return client.post(url(f"escrow_debt_{what}", debt.pk), {"reason": WHY, **fields})


def test_write_off_is_proposed_by_one_and_decided_by_another(
    signed_in: Client, operator: User, second: User, debt: Debt
) -> None:
    assert signed_in.get(url("escrow_debt_propose", debt.pk)).status_code == 200
    assert act(signed_in, debt, "propose").status_code == 302
    before = ground.trial()
    own = act(signed_in, debt, "write_off")
    assert (ground.trial(), fresh(debt).state) == (before, "OPEN")
    shown = sign_in(second).get(url("escrow_debt_write_off", debt.pk)).content.decode()
    done = act(sign_in(second), debt, "write_off")

    assert OWN in own.content.decode()
    assert WHY in shown
    assert done.status_code == 302
    after = fresh(debt)
    assert (after.state, after.open_minor, after.proposed_by) == ("WRITTEN_OFF", 0, operator)
    step = after.steps.get()
    assert (step.kind, step.amount_minor, step.reason) == ("WRITTEN_OFF", 9491, WHY)
    assert (step.requested_by, step.approved_by) == (operator, second)
    detail = signed_in.get(page(Debt, "change", debt.pk)).content.decode()
    assert "94.91" in detail
    assert WHY in detail


def test_proposal_waits_on_the_overview(signed_in: Client, debt: Debt) -> None:
    act(signed_in, debt, "propose")

    (waits,) = [
        each
        for each in signed_in.get(url("index")).context["waiting"]
        if each.label == "Write-offs to be decided"
    ]

    assert waits.count == "1"
    assert list(signed_in.get(waits.link).context["cl"].result_list) == [debt]


def test_second_person_lets_a_debt_stand(signed_in: Client, second: User, debt: Debt) -> None:
    act(signed_in, debt, "propose")
    before = ground.trial()

    done = act(sign_in(second), debt, "keep")

    assert done.status_code == 302
    after = fresh(debt)
    assert (after.state, after.proposed_by, after.open_minor) == ("OPEN", None, 9491)
    assert ground.trial() == before


def decide(client: Client, what: str) -> Any:
    return client.post(
        url(f"merchants_proposal_{what}", Proposal.objects.get().pk), {"reason": WHY}
    )


def test_payment_of_the_debtor_is_booked_by_a_second_person_once(
    signed_in: Client, second: User, debt: Debt
) -> None:
    fields = {"amount_minor": 3333, "rail": RAIL, "provider_reference": "STMT-7"}
    books = ground.trial()

    first, again = (act(signed_in, debt, "repay", **fields) for _ in range(2))
    own = decide(signed_in, "approve")
    assert (ground.trial(), fresh(debt).open_minor) == (books, 9491)
    done, twice = (decide(sign_in(second), "approve") for _ in range(2))

    assert (first.status_code, again.status_code, done.status_code) == (302, 200, 302)
    assert "You proposed it yourself" in own.content.decode()
    assert "DONE already" in twice.content.decode()
    after = fresh(debt)
    assert (after.state, after.open_minor) == ("OPEN", 6158)
    assert list(after.steps.values_list("kind", "amount_minor", "provider_reference")) == [
        ("REPAID", 3333, "STMT-7")
    ]
    assert "STMT-7" in signed_in.get(page(Debt, "change", debt.pk)).content.decode()


def test_payment_above_the_debt_is_refused_and_nothing_moves(
    signed_in: Client, second: User, debt: Debt
) -> None:
    before = ground.trial()
    act(signed_in, debt, "repay", amount_minor=9492, rail=RAIL, provider_reference="STMT-8")

    answer = decide(sign_in(second), "approve")

    assert "9491 minor units" in answer.content.decode()
    assert (ground.trial(), fresh(debt).open_minor) == (before, 9491)
    assert Proposal.objects.get().state == "PROPOSED"


def test_decisions_are_offered_only_where_they_are_wanted(
    signed_in: Client, second: User, debt: Debt
) -> None:
    actions = ("repay", "propose", "write_off", "keep")

    def offered() -> list[str]:
        shown = signed_in.get(page(Debt, "change", debt.pk)).content.decode()
        return [each for each in actions if url(f"escrow_debt_{each}", debt.pk) in shown]

    assert offered() == ["repay", "propose"]
    act(signed_in, debt, "propose")
    assert offered() == ["repay", "write_off", "keep"]
    act(sign_in(second), debt, "write_off")
    assert offered() == []


@pytest.mark.parametrize(
    ("days", "band"),
    [(0, "0-30"), (30, "0-30"), (31, "31-60"), (60, "31-60"), (61, "61-90"), (91, "90+")],
)
def test_debts_are_listed_by_age(
    signed_in: Client, debt: Debt, today: time_machine.Traveller, days: int, band: str
) -> None:
    today.move_to(debt.created_at + days * DAY)
    sign_in(User.objects.get(username="op"), client=signed_in)  # sessions age too

    found = {
        each.name: len(
            signed_in.get(page(Debt, "changelist"), {"age": each.name}).context["cl"].result_list
        )
        for each in ageing.BANDS
    }
    shown = signed_in.get(page(Debt, "changelist")).content.decode()

    assert found == {each.name: int(each.name == band) for each in ageing.BANDS}
    assert f"{days} ({band})" in shown
    sums = ageing.open_by_band(now=debt.created_at + days * DAY)
    assert sums == {"CNY": [9491 if each.name == band else 0 for each in ageing.BANDS]}


def test_second_before_the_day_is_over_counts_as_the_day_before(debt: Debt) -> None:
    instant = debt.created_at + 31 * DAY - timedelta(seconds=1)

    assert ageing.age_days(debt, now=instant) == 30
    assert [len(band.within(Debt.objects.all(), now=instant)) for band in ageing.BANDS] == [
        1,
        0,
        0,
        0,
    ]


def test_debt_ages_by_the_clock_of_its_platform(debt: Debt) -> None:
    Platform.objects.filter(pk=debt.platform_id).update(clock_offset=61 * DAY)

    found = [
        band.name
        for band in ageing.BANDS
        if band.within(Debt.objects.all(), now=debt.created_at).exists()
    ]

    assert found == ["61-90"]
    assert ageing.age_days(fresh(debt), now=debt.created_at) == 61


def test_operator_asks_the_seller_to_pay_once(
    signed_in: Client, operator: User, debt: Debt
) -> None:
    before = ground.trial()
    path = url("escrow_debt_ask", debt.pk)
    offered = path in signed_in.get(page(Debt, "change", debt.pk)).content.decode()

    answers = [act(signed_in, debt, "ask").status_code for _ in range(2)]

    request = debt.requests.get()
    assert (offered, answers) == (True, [302, 200])
    assert (request.state, request.amount_minor, request.asked_by) == ("OPEN", 9491, operator)
    assert ground.trial() == before
    shown = signed_in.get(page(Debt, "change", debt.pk)).content.decode()
    assert request.payment_reference in shown
    assert path not in shown
