"""The contract, method by method and fault by fault: trouble is UNKNOWN, never a guess."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from channels.contract import Answer, Status
from sandbox import local

# Which faults let the sandbox act although the client learns nothing.
ACTED = {
    "timeout_before": False,
    "timeout_after": True,
    "error_before": False,
    "error_after": True,
    "torn": True,
}
faulty = pytest.mark.parametrize(("fault", "acted"), ACTED.items())


def pay(sandbox):
    http = httpx.Client(transport=sandbox.channel_transport, base_url=local.CHANNEL_URL)
    http.post("/sandbox/pay/pay_1").raise_for_status()


def fund(sandbox, amount_minor=100_003):
    sandbox.bank.deposit(reference="SBM1", amount_minor=amount_minor, currency="CNY")


def count(service, table):
    return len(service.dump()["rows"][table])


def test_payment_answers_with_cashier_when_created(channel, payment, clock):
    answer = channel.create_payment(payment)

    assert answer == Answer(
        status=Status.PENDING,
        reference="pay_1",
        provider_reference=answer.provider_reference,
        amount_minor=10001,
        currency="CNY",
        cashier_url=answer.cashier_url,
        event_at=clock.now,
    )
    assert answer.cashier_url.startswith("http://channel.sandbox/cashier/")
    assert channel.create_payment(payment) == answer


def test_payment_goes_from_unheard_of_to_paid(sandbox, channel, payment):
    statuses = [channel.query_payment(reference="pay_1").status]
    channel.create_payment(payment)
    statuses.append(channel.query_payment(reference="pay_1").status)
    pay(sandbox)
    paid = channel.query_payment(reference="pay_1")

    assert statuses == [Status.NOT_FOUND, Status.PENDING]
    assert (paid.status, paid.amount_minor, paid.currency) == (Status.SUCCEEDED, 10001, "CNY")
    assert channel.close_payment(reference="pay_1").status == Status.SUCCEEDED


def test_payment_closes_for_good(channel, payment):
    unknown = channel.close_payment(reference="pay_1")
    channel.create_payment(payment)

    closed = channel.close_payment(reference="pay_1")

    assert unknown.status == Status.NOT_FOUND
    assert (closed.status, closed.code) == (Status.FAILED, "CLOSED")
    assert channel.create_payment(payment).status == Status.FAILED


def test_payment_is_unknown_when_the_reference_asked_for_another_amount(channel, payment):
    channel.create_payment(payment)

    answer = channel.create_payment(replace(payment, amount_minor=10002))

    assert (answer.status, answer.code) == (Status.UNKNOWN, "REFERENCE_CONFLICT")
    assert channel.query_payment(reference="pay_1").amount_minor == 10001


def test_payment_fails_when_the_channel_refuses_it(sandbox, channel, payment):
    sandbox.channel.faults.add(operation="create_payment", fault="refuse")

    refused = channel.create_payment(payment)

    assert (refused.status, refused.code) == (Status.FAILED, "REFUSED")
    assert refused.message == "The sandbox was told to refuse."
    assert channel.query_payment(reference="pay_1").status == Status.NOT_FOUND


@faulty
def test_payment_is_unknown_then_found_when_creation_breaks(
    sandbox, channel, payment, fault, acted
):
    sandbox.channel.faults.add(operation="create_payment", fault=fault)

    broken = channel.create_payment(payment)
    found = channel.query_payment(reference="pay_1")
    again = channel.create_payment(payment)

    assert (broken.status, broken.reference) == (Status.UNKNOWN, "pay_1")
    assert found.status == (Status.PENDING if acted else Status.NOT_FOUND)
    assert again.status == Status.PENDING
    assert count(sandbox.channel, "payments") == 1


@faulty
def test_queries_are_unknown_when_they_break(
    sandbox, channel, rail, payment, refund, payout, fault, acted
):
    channel.create_payment(payment)
    pay(sandbox)
    channel.create_refund(refund)
    fund(sandbox)
    rail.send_payout(payout)
    for operation in ("query_payment", "query_refund"):
        sandbox.channel.faults.add(operation=operation, fault=fault)
    sandbox.bank.faults.add(operation="query_payout", fault=fault)

    broken = [
        channel.query_payment(reference="pay_1"),
        channel.query_refund(reference="rfd_1"),
        rail.query_payout(reference="pyt_1"),
    ]

    assert [one.status for one in broken] == [Status.UNKNOWN] * 3
    assert channel.query_payment(reference="pay_1").status == Status.SUCCEEDED
    assert channel.query_refund(reference="rfd_1").status == Status.PENDING
    assert rail.query_payout(reference="pyt_1").status == Status.PENDING


@faulty
def test_close_is_unknown_when_it_breaks(sandbox, channel, payment, fault, acted):
    channel.create_payment(payment)
    sandbox.channel.faults.add(operation="close_payment", fault=fault)

    broken = channel.close_payment(reference="pay_1")

    assert broken.status == Status.UNKNOWN
    found = channel.query_payment(reference="pay_1").status
    assert found == (Status.FAILED if acted else Status.PENDING)


@pytest.mark.parametrize("operation", ["query_payment", "query_refund"])
def test_query_is_unknown_when_it_is_refused(sandbox, channel, payment, operation):
    channel.create_payment(payment)
    sandbox.channel.faults.add(operation=operation, fault="refuse")

    ask = channel.query_payment if operation == "query_payment" else channel.query_refund
    answer = ask(reference="pay_1")

    assert answer.status == Status.UNKNOWN


def test_answer_comes_through_when_the_channel_is_slow(sandbox, channel, payment):
    sandbox.channel.faults.add(operation="create_payment", fault="slow")

    assert channel.create_payment(payment).status == Status.PENDING


def test_answer_tells_their_amount_when_they_lie(sandbox, channel, payment):
    sandbox.channel.faults.add(operation="create_payment", fault="wrong_amount")

    assert channel.create_payment(payment).amount_minor == 10002
    assert channel.query_payment(reference="pay_1").amount_minor == 10001


def test_refund_succeeds_once(sandbox, channel, payment, refund, clock):
    channel.create_payment(payment)
    pay(sandbox)

    asked = [channel.create_refund(refund) for _ in range(2)]
    sandbox.tick(clock.now)
    done = channel.query_refund(reference="rfd_1")

    assert [one.status for one in asked] == [Status.PENDING] * 2
    assert (done.status, done.amount_minor) == (Status.SUCCEEDED, 10001)
    assert sandbox.channel.totals()["CNY"]["refunded"] == 10001


def test_refund_fails_when_above_the_captured_sum(sandbox, channel, payment, refund):
    channel.create_payment(payment)
    pay(sandbox)

    answer = channel.create_refund(replace(refund, amount_minor=10002))

    assert (answer.status, answer.code) == (Status.FAILED, "REFUND_EXCEEDS_CAPTURED")
    assert channel.query_refund(reference="rfd_1").status == Status.NOT_FOUND


def test_refund_fails_afterwards_when_told_to(sandbox, channel, payment, refund, clock):
    channel.create_payment(payment)
    pay(sandbox)
    sandbox.channel.faults.add(operation="refund", fault="fail_later")

    accepted = channel.create_refund(refund)
    sandbox.tick(clock.now)

    assert accepted.status == Status.PENDING
    assert channel.query_refund(reference="rfd_1").status == Status.FAILED
    assert sandbox.channel.totals()["CNY"]["refunded"] == 0


@faulty
def test_refund_is_unknown_then_found_when_it_breaks(
    sandbox, channel, payment, refund, fault, acted
):
    channel.create_payment(payment)
    pay(sandbox)
    sandbox.channel.faults.add(operation="refund", fault=fault)

    broken = channel.create_refund(refund)
    found = channel.query_refund(reference="rfd_1")
    again = channel.create_refund(refund)

    assert broken.status == Status.UNKNOWN
    assert found.status == (Status.PENDING if acted else Status.NOT_FOUND)
    assert again.status == Status.PENDING
    assert count(sandbox.channel, "refunds") == 1


def test_payout_is_paid(sandbox, rail, payout, clock):
    fund(sandbox)

    sent = rail.send_payout(payout)
    sandbox.tick(clock.now)
    paid = rail.query_payout(reference="pyt_1")

    assert sent.status == Status.PENDING
    assert (paid.status, paid.amount_minor, paid.currency) == (Status.SUCCEEDED, 9007, "CNY")
    assert paid.provider_reference == sent.provider_reference


@pytest.mark.parametrize(
    ("account", "ticks", "status", "code"),
    [
        ("62220002", 1, Status.FAILED, "ACCOUNT_CLOSED"),
        ("62220003", 1, Status.SUCCEEDED, ""),
        ("62220003", 2, Status.RETURNED, "RETURNED_BY_BENEFICIARY_BANK"),
        ("62220004", 2, Status.PENDING, ""),
    ],
)
def test_payout_ends_as_the_account_says(
    sandbox, rail, payout, clock, account, ticks, status, code
):
    fund(sandbox)
    rail.send_payout(replace(payout, account_number=account))

    for _ in range(ticks):
        sandbox.tick(clock.now)
    answer = rail.query_payout(reference="pyt_1")

    assert (answer.status, answer.code) == (status, code)


def test_payout_fails_when_the_reserve_is_short(sandbox, rail, payout):
    fund(sandbox, amount_minor=9006)

    answer = rail.send_payout(payout)

    assert (answer.status, answer.code) == (Status.FAILED, "INSUFFICIENT_FUNDS")


@faulty
@pytest.mark.parametrize("remembers", [True, False])
def test_payout_is_unknown_when_it_breaks_and_doubles_only_at_a_forgetful_bank(
    sandbox, rail, payout, clock, fault, acted, remembers
):
    fund(sandbox)
    sandbox.bank.remembers_references = remembers
    sandbox.bank.faults.add(operation="payout", fault=fault)

    broken = rail.send_payout(payout)
    found = rail.query_payout(reference="pyt_1")
    rail.send_payout(payout)
    sandbox.tick(clock.now)

    assert broken.status == Status.UNKNOWN
    assert found.status == (Status.PENDING if acted else Status.NOT_FOUND)
    assert sandbox.bank.executions() == {"pyt_1": 2 if acted and not remembers else 1}


def test_requests_are_unknown_when_the_keys_are_wrong(
    sandbox, make_channel, make_rail, payment, payout
):
    channel, rail = make_channel(secret="other"), make_rail(key_id="other")

    answers = [
        channel.create_payment(payment),
        channel.query_payment(reference="pay_1"),
        rail.send_payout(payout),
    ]

    assert [one.status for one in answers] == [Status.UNKNOWN] * 3
    assert answers[0].code == "SIGNATURE_INVALID"
    assert count(sandbox.channel, "payments") == count(sandbox.bank, "payouts") == 0


def test_requests_are_unknown_when_our_clock_is_six_minutes_off(make_channel, payment, clock):
    late = clock.now + timedelta(minutes=6)

    answer = make_channel(clock=lambda: late).create_payment(payment)

    assert (answer.status, answer.code) == (Status.UNKNOWN, "SIGNATURE_EXPIRED")


@pytest.mark.parametrize("reference", ["", "..", "a/b", "a?b=c", "a b"])
def test_query_is_unknown_when_the_reference_has_an_odd_shape(channel, reference):
    assert channel.query_payment(reference=reference).status in (Status.UNKNOWN, Status.NOT_FOUND)


def test_client_needs_its_keys(make_channel):
    with pytest.raises(ValueError, match="needs a key id and a secret"):
        make_channel(secret="")
