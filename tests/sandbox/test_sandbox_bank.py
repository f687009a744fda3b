"""The sandbox bank: the oracle for every double payout."""

import json

import pytest

from sandbox import local

FUNDS = {"reference": "SBM1", "amount_minor": 100_003, "currency": "CNY"}


def told(postman):
    found = [json.loads(body) for _url, _headers, body in postman.letters]
    return [(one["reference"], one["status"], one["code"]) for one in found]


def cny(bank, *names):
    totals = bank.totals()["CNY"]
    return tuple(totals[name] for name in names)


def test_deposit_counts_once_per_reference(sandbox, bank):
    codes = [bank.post("/v1/deposits", **FUNDS).status_code for _ in range(2)]
    changed = bank.post("/v1/deposits", **FUNDS | {"amount_minor": 1})

    assert codes == [201, 200]
    assert changed.status_code == 409
    assert cny(sandbox.bank, "deposited", "balance") == (100_003, 100_003)


def test_payout_is_accepted_then_paid_and_told(sandbox, bank, payout, postman, clock):
    sandbox.bank.deposit(**FUNDS)

    accepted = bank.post("/v1/payouts", **payout)
    available = cny(sandbox.bank, "balance", "available")
    sandbox.tick(clock.now)

    assert (accepted.status_code, accepted.json()["status"]) == (202, "PENDING")
    assert available == (100_003, 90_996)
    assert bank.get("/v1/payouts/pyt_1").json()["status"] == "SUCCEEDED"
    assert told(postman) == [("pyt_1", "SUCCEEDED", "")]
    assert cny(sandbox.bank, "balance", "available", "paid") == (90_996, 90_996, 9007)


def test_payout_waits_for_its_result(tmp_path, payout, clock, postman):
    world = local.LocalSandbox(
        tmp_path, clock=clock, deliver=postman, bank_options={"result_seconds": 3}
    )
    world.bank.deposit(**FUNDS)
    with world.bank.app.test_request_context(), world.bank.book.write() as write:
        world.bank._accept(write, payout)

    counts = [world.tick(clock.move(seconds=span)) for span in (2.9, 0.1)]

    assert counts == [0, 2]
    assert world.bank.executions() == {"pyt_1": 1}


def test_payout_executes_once_when_the_bank_remembers(sandbox, bank, payout, clock):
    sandbox.bank.deposit(**FUNDS)

    numbers = {bank.post("/v1/payouts", **payout).json()["provider_reference"] for _ in range(3)}
    sandbox.tick(clock.now)
    changed = bank.post("/v1/payouts", **payout | {"amount_minor": 9008})

    assert len(numbers) == 1
    assert changed.status_code == 409
    assert sandbox.bank.executions() == {"pyt_1": 1}
    assert cny(sandbox.bank, "paid", "executions") == (9007, 1)


def test_payout_executes_again_when_the_bank_is_forgetful(sandbox, bank, payout, clock):
    sandbox.bank.remembers_references = False
    sandbox.bank.deposit(**FUNDS)

    numbers = {bank.post("/v1/payouts", **payout).json()["provider_reference"] for _ in range(2)}
    sandbox.tick(clock.now)

    assert len(numbers) == 2
    assert sandbox.bank.dump()["executions"] == {"pyt_1": 2}
    assert cny(sandbox.bank, "paid", "balance", "executions") == (18_014, 81_989, 2)


def test_payout_fails_when_the_reserve_does_not_cover_it(sandbox, bank, payout, postman, clock):
    sandbox.bank.deposit(**FUNDS | {"amount_minor": 9006})

    answer = bank.post("/v1/payouts", **payout)
    sandbox.tick(clock.now)

    assert (answer.json()["status"], answer.json()["code"]) == ("FAILED", "INSUFFICIENT_FUNDS")
    assert told(postman) == [("pyt_1", "FAILED", "INSUFFICIENT_FUNDS")]
    assert cny(sandbox.bank, "balance", "available", "executions") == (9006, 9006, 0)


def test_payouts_cannot_spend_the_same_money_while_pending(sandbox, bank, payout):
    sandbox.bank.deposit(**FUNDS | {"amount_minor": 10_000})

    first = bank.post("/v1/payouts", **payout).json()
    second = bank.post("/v1/payouts", **payout | {"reference": "pyt_2"}).json()

    assert (first["status"], second["code"]) == ("PENDING", "INSUFFICIENT_FUNDS")


def test_payout_fails_when_the_account_ends_in_0002(sandbox, bank, payout, postman, clock):
    sandbox.bank.deposit(**FUNDS)

    bank.post("/v1/payouts", **payout | {"account_number": "62220002"})
    sandbox.tick(clock.now)

    assert told(postman) == [("pyt_1", "FAILED", "ACCOUNT_CLOSED")]
    assert cny(sandbox.bank, "balance", "available") == (100_003, 100_003)
    assert sandbox.bank.executions() == {"pyt_1": 0}


def test_payout_is_paid_then_returned_when_the_account_ends_in_0003(
    sandbox, bank, payout, postman, clock
):
    sandbox.bank.deposit(**FUNDS)
    bank.post("/v1/payouts", **payout | {"account_number": "62220003"})

    sandbox.tick(clock.now)
    paid = cny(sandbox.bank, "balance", "paid", "returned")
    sandbox.tick(clock.now)

    assert paid == (90_996, 9007, 0)
    assert told(postman) == [
        ("pyt_1", "SUCCEEDED", ""),
        ("pyt_1", "RETURNED", "RETURNED_BY_BENEFICIARY_BANK"),
    ]
    assert cny(sandbox.bank, "balance", "paid", "returned") == (100_003, 9007, 9007)


@pytest.mark.parametrize(("status", "paid"), [("SUCCEEDED", 9007), ("FAILED", 0)])
def test_payout_stays_pending_until_decided_when_the_account_ends_in_0004(
    sandbox, bank, payout, postman, clock, status, paid
):
    sandbox.bank.deposit(**FUNDS)
    bank.post("/v1/payouts", **payout | {"account_number": "62220004"})

    quiet = sandbox.tick(clock.move(days=9))
    answer = bank.http.post("/sandbox/decide/pyt_1", json={"status": status, "code": "TOLD"})
    again = bank.http.post("/sandbox/decide/pyt_1", json={"status": status})
    sandbox.tick(clock.now)

    assert quiet == 0
    assert answer.json()["status"] == status
    assert again.status_code == 409
    assert told(postman) == [("pyt_1", status, "TOLD")]
    assert cny(sandbox.bank, "paid") == (paid,)


def test_payout_is_returned_days_later_when_told(sandbox, bank, payout, postman, clock):
    sandbox.bank.deposit(**FUNDS)
    bank.post("/v1/payouts", **payout)
    early = bank.http.post("/sandbox/return/pyt_1")
    sandbox.tick(clock.now)
    clock.move(days=3)

    answer = bank.http.post("/sandbox/return/pyt_1")
    again = bank.http.post("/sandbox/return/pyt_1")
    sandbox.tick(clock.now)

    assert (early.status_code, again.status_code) == (409, 409)
    assert answer.json()["status"] == "RETURNED"
    assert [status for _reference, status, _code in told(postman)] == ["SUCCEEDED", "RETURNED"]
    assert cny(sandbox.bank, "balance") == (100_003,)


def test_payout_fails_afterwards_when_told_to(sandbox, bank, payout, clock):
    sandbox.bank.deposit(**FUNDS)
    sandbox.bank.faults.add(operation="payout", fault="fail_later")

    accepted = bank.post("/v1/payouts", **payout).json()
    sandbox.tick(clock.now)

    assert accepted["status"] == "PENDING"
    assert bank.get("/v1/payouts/pyt_1").json()["code"] == "REFUSED_BY_BENEFICIARY_BANK"


def test_payout_is_not_found_when_unknown(bank):
    answer = bank.get("/v1/payouts/pyt_9")

    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
