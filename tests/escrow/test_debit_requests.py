"""Why: a seller pays a debt once, exactly as asked; whatever else comes in is nobody's until a
person has said whose.
"""

from datetime import timedelta
from typing import Any

import pytest

from api import inbound
from channels import services as inbox
from channels.models import InboundNotification
from escrow import sweeps
from escrow.models import DebitRequest, Debt, DebtState
from escrow.services import debit_requests, debts
from ledger import chart
from notifications.models import Event
from tests import ground, owing
from tests.world import RAIL, World

TERM = timedelta(days=14)
SECOND = timedelta(seconds=1)


@pytest.fixture
def debt(world: World) -> Debt:
    return owing.seller_in_debt(world)


def fresh(debt: Debt) -> Debt:
    return Debt.objects.get(pk=debt.pk)


def ask(world: World, debt: Debt) -> DebitRequest:
    return debit_requests.request_debit(
        debt_id=debt.pk, asked_by=ground.operator("first"), at=world.now
    )


def pay(world: World, reference: str, amount_minor: int, currency: str = "CNY") -> None:
    """Somebody pays into the reserve, and the bank tells us of it."""
    world.sandbox.bank.receive(reference=reference, amount_minor=amount_minor, currency=currency)
    world.sandbox.tick()


def told() -> list[tuple[str, str]]:
    """What became of the messages about money that came in."""
    rows = InboundNotification.objects.filter(subject="incoming").order_by("pk")
    return [(state, note.split(":")[0]) for state, note in rows.values_list("state", "note")]


def types(request: DebitRequest) -> list[str]:
    rows = Event.objects.filter(subject_id=request.pk).order_by("sequence")
    return [type.removeprefix("debit_request.") for type in rows.values_list("type", flat=True)]


def test_payment_of_all_that_was_asked_settles_the_debt(world: World, debt: Debt) -> None:
    request = ask(world, debt)
    before = world.balance(chart.reserve(RAIL))

    pay(world, request.payment_reference.lower(), 9491)

    request.refresh_from_db()
    assert (request.state, request.closed_at, request.remind_at) == ("PAID", world.now, None)
    assert (fresh(debt).state, told()) == ("SETTLED", [("APPLIED", "")])
    step = debt.steps.get()
    assert (step.kind, step.amount_minor) == ("REPAID", 9491)
    assert world.balance(chart.reserve(RAIL)) - before == 9491
    assert types(request) == ["created", "paid"]


def test_payment_of_a_part_leaves_the_request_in_force_for_the_rest(
    world: World, debt: Debt
) -> None:
    request = ask(world, debt)

    pay(world, request.payment_reference, 3333)
    request.refresh_from_db()
    between = (request.state, fresh(debt).open_minor)
    pay(world, request.payment_reference, 6158)

    request.refresh_from_db()
    assert between == ("OPEN", 6158)
    assert (request.state, fresh(debt).state) == ("PAID", "SETTLED")
    assert list(debt.steps.order_by("id").values_list("amount_minor", flat=True)) == [3333, 6158]


def test_payment_told_twice_is_booked_once(world: World, debt: Debt) -> None:
    request = ask(world, debt)
    faults = world.sandbox.bank.faults
    faults.add(operation="notify_incoming", fault="send_twice_new_id", times=2)

    pay(world, request.payment_reference, 3333)
    pay(world, request.payment_reference, 6158)

    assert told() == [("APPLIED", "")] * 4
    assert list(debt.steps.order_by("id").values_list("amount_minor", flat=True)) == [3333, 6158]
    assert fresh(debt).state == "SETTLED"


def test_payment_told_again_with_another_amount_is_refused(world: World, debt: Debt) -> None:
    request = ask(world, debt)
    said = {"payment_reference": request.payment_reference, "currency": "CNY", "rail": RAIL}
    said |= {"provider_reference": "SBI1", "at": world.now}
    debit_requests.record_debit_payment(amount_minor=3333, **said)
    before = ground.trial()

    refusal = ground.refusal(lambda: debit_requests.record_debit_payment(amount_minor=3334, **said))

    assert (refusal.code, ground.trial()) == ("repayment_mismatch", before)


@pytest.mark.parametrize(
    ("reference", "amount_minor", "currency", "note"),
    [
        ("", 9492, "CNY", "repayment_too_large"),
        ("", 9491, "USD", "repayment_mismatch"),
        ("DRUNKNOWN2", 9491, "CNY", "debit_request_unknown"),
    ],
)
def test_payment_that_fits_no_request_is_flagged_and_nothing_moves(
    world: World, debt: Debt, reference: str, amount_minor: int, currency: str, note: str
) -> None:
    request = ask(world, debt)
    before = ground.trial()

    pay(world, reference or request.payment_reference, amount_minor, currency)

    request.refresh_from_db()
    assert told() == [("FLAGGED", note)]
    assert (ground.trial(), fresh(debt).open_minor, request.state) == (before, 9491, "OPEN")


def test_payment_for_a_withdrawn_request_is_flagged_and_nothing_moves(
    world: World, debt: Debt
) -> None:
    request = ask(world, debt)
    write_off(world, debt)
    before = ground.trial()

    pay(world, request.payment_reference, 9491)

    request.refresh_from_db()
    assert (request.state, types(request)) == ("WITHDRAWN", ["created", "withdrawn"])
    assert (told(), ground.trial()) == ([("FLAGGED", "debt_closed")], before)


def test_payment_told_by_an_unknown_rail_is_refused(world: World, debt: Debt) -> None:
    request = ask(world, debt)
    before = ground.trial()

    refusal = ground.refusal(
        lambda: debit_requests.record_debit_payment(
            payment_reference=request.payment_reference,
            amount_minor=9491,
            currency="CNY",
            rail="other-bank",
            provider_reference="SBI1",
            at=world.now,
        )
    )

    assert (refusal.code, ground.trial()) == ("channel_disabled", before)


def test_flagged_payment_is_booked_once_when_it_is_tried_again(world: World, debt: Debt) -> None:
    pay(world, "DR22222222", 9491)
    request = ask(world, debt)
    DebitRequest.objects.filter(pk=request.pk).update(payment_reference="DR22222222")
    row = InboundNotification.objects.get(subject="incoming")

    inbox.retry_notification(notification_id=row.pk, at=world.now)
    inbound.apply_due_notifications(at=world.now)

    assert (told(), fresh(debt).state) == ([("APPLIED", "")], "SETTLED")


def test_seller_is_asked_after_the_term_and_once(world: World, debt: Debt) -> None:
    due = debt.created_at + TERM

    early = sweeps.request_due_debits(at=due - SECOND)
    punctual = sweeps.request_due_debits(at=due)
    late = sweeps.request_due_debits(at=due + SECOND)
    again = sweeps.request_due_debits(at=due + TERM)

    assert (early, punctual, late, again) == (0, 0, 1, 0)
    request = DebitRequest.objects.get()
    assert (request.debt, request.amount_minor, request.asked_by) == (debt, 9491, None)
    assert (request.created_at, request.due_at) == (due + SECOND, due + SECOND + TERM)
    assert (len(request.payment_reference), request.custodian) == (10, RAIL)


def test_seller_without_a_rail_is_asked_when_there_is_one(
    world: World, debt: Debt, settings: Any
) -> None:
    due = debt.created_at + TERM + SECOND
    rails, settings.RAILS = settings.RAILS, {}
    sweeps.request_due_debits(at=due)
    between = DebitRequest.objects.count()
    settings.RAILS = rails

    sweeps.request_due_debits(at=due + debit_requests.ASK_AGAIN + SECOND)

    assert (between, DebitRequest.objects.count()) == (0, 1)


def test_seller_is_not_asked_before_the_account_is_configured(
    world: World, debt: Debt, settings: Any
) -> None:
    due = debt.created_at + TERM + SECOND
    accounts, settings.RESERVE_ACCOUNTS = settings.RESERVE_ACCOUNTS, {}
    before = ground.trial()

    refusal = ground.refusal(lambda: ask(world, debt))
    sweeps.request_due_debits(at=due)
    between = DebitRequest.objects.count()
    settings.RESERVE_ACCOUNTS = accounts
    sweeps.request_due_debits(at=due + debit_requests.ASK_AGAIN + SECOND)

    assert (refusal.code, refusal.sentence) == (
        "no_reserve_to_pay_into",
        f"RESERVE_ACCOUNTS names no account at {RAIL}.",
    )
    assert (between, DebitRequest.objects.count(), ground.trial()) == (0, 1, before)


def test_seller_is_told_the_account_that_is_configured(
    world: World, debt: Debt, settings: Any
) -> None:
    account = {"account_name": "Reserve", "account_number": "DE02 1203 0000 0000 2020 51"}
    settings.RESERVE_ACCOUNTS = {RAIL: account | {"bank_name": "Bundesbank"}}

    request = ask(world, debt)

    facts = Event.objects.get(subject_id=request.pk).data
    assert account.items() <= facts.items()
    assert (facts["bank_name"], facts["bank_code"]) == ("Bundesbank", "")
    assert (facts["amount_minor"], facts["payment_reference"]) == (9491, request.payment_reference)


def test_seller_is_reminded_once_before_the_due_date(world: World, debt: Debt) -> None:
    request = ask(world, debt)
    due = request.due_at - timedelta(days=3)

    early = sweeps.remind_due_debits(at=due - SECOND)
    late = sweeps.remind_due_debits(at=due + SECOND)
    again = sweeps.remind_due_debits(at=due + TERM)

    request.refresh_from_db()
    assert (early, late, again) == (0, 1, 0)
    assert (request.reminded_at, request.remind_at) == (due + SECOND, None)
    assert types(request) == ["created", "reminder"]


def test_settled_debt_is_neither_asked_for_nor_reminded_of(world: World, debt: Debt) -> None:
    request = ask(world, debt)
    other = owing.seller_in_debt(world)
    pay(world, request.payment_reference, 9491)
    write_off(world, other)

    assert sweeps.request_due_debits(at=world.now + 3 * TERM) == 0
    assert sweeps.remind_due_debits(at=world.now + 3 * TERM) == 0
    assert DebitRequest.objects.count() == 1


def test_seller_is_not_asked_twice_nor_for_a_closed_debt(world: World, debt: Debt) -> None:
    ask(world, debt)
    again = ground.refusal(lambda: ask(world, debt))
    write_off(world, debt)
    before = ground.trial()

    closed = ground.refusal(lambda: ask(world, debt))

    assert (again.code, closed.code) == ("debit_request_in_force", "debt_closed")
    assert (DebitRequest.objects.count(), ground.trial()) == (1, before)


def write_off(world: World, debt: Debt) -> None:
    first, second = ground.operator("first"), ground.operator("second")
    debts.propose_write_off(debt_id=debt.pk, reason="gone", proposed_by=first, at=world.now)
    debts.decide_write_off(debt_id=debt.pk, decided_by=second, approve=True, at=world.now)
    assert fresh(debt).state == DebtState.WRITTEN_OFF
