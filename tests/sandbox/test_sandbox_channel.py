"""The sandbox channel must behave like a real one, or nothing proven against it means anything."""

import json
from datetime import timedelta

import httpx
import pytest

from sandbox import local, notices

CLOSED = {"code": "PAYMENT_CLOSED", "message": "This payment is closed."}


def told(postman):
    return [json.loads(body) for _url, _headers, body in postman.letters]


def paid_totals(**changes):
    sums = {"collected": 10001, "refunded": 0, "charged_back": 0, "remitted": 0, "fees": 0}
    return {"CNY": sums | {"unremitted": 10001} | changes}


def test_payment_is_created_once_when_asked_twice(sandbox, channel, payment):
    first, second = channel.post("/v1/payments", **payment), channel.post("/v1/payments", **payment)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert first.json()["status"] == "PENDING"
    assert first.json()["cashier_url"].startswith("http://channel.sandbox/cashier/")
    assert len(sandbox.channel.dump()["rows"]["payments"]) == 1


@pytest.mark.parametrize("change", [{"amount_minor": 10002}, {"currency": "USD"}])
def test_payment_conflicts_when_money_differs(sandbox, channel, payment, change):
    channel.post("/v1/payments", **payment)

    answer = channel.post("/v1/payments", **payment | change)

    assert (answer.status_code, answer.json()["code"]) == (409, "REFERENCE_CONFLICT")
    assert [row["amount_minor"] for row in sandbox.channel.dump()["rows"]["payments"]] == [10001]


@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": 0},
        {"amount_minor": -1},
        {"amount_minor": 1.5},
        {"amount_minor": True},
        {"amount_minor": 10**15 + 1},
        {"amount_minor": "100"},
        {"currency": "cny"},
        {"currency": None},
        {"reference": ""},
        {"reference": "../x"},
        {"reference": "x" * 65},
        {"expires_at": "2026-03-02T09:45:00"},
        {"expires_at": "soon"},
        {"return_url": "javascript:alert(1)"},
        {"notify_url": "file:///etc/passwd"},
    ],
)
def test_payment_is_refused_when_a_field_is_wrong(sandbox, channel, payment, change):
    answer = channel.post("/v1/payments", **payment | change)

    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    assert sandbox.channel.dump()["rows"]["payments"] == []


def test_payment_is_told_and_counted_when_paid(sandbox, channel, payment, postman, clock):
    number = channel.post("/v1/payments", **payment).json()["provider_reference"]

    channel.http.post("/sandbox/pay/pay_1")
    sandbox.tick(clock.now)

    assert channel.get("/v1/payments/pay_1").json()["status"] == "SUCCEEDED"
    assert told(postman)[0] | {"event_id": "", "cashier_url": ""} == {
        "event_id": "",
        "cashier_url": "",
        "subject": "payment",
        "reference": "pay_1",
        "provider_reference": number,
        "status": "SUCCEEDED",
        "amount_minor": 10001,
        "currency": "CNY",
        "code": "",
        "event_at": "2026-03-02T09:30:00+00:00",
    }
    assert sandbox.channel.totals() == paid_totals()


def test_payment_is_captured_once_when_paid_twice(sandbox, channel, payment, postman, clock):
    channel.post("/v1/payments", **payment)

    channel.http.post("/sandbox/pay/pay_1")
    channel.http.post("/sandbox/pay/pay_1")
    sandbox.tick(clock.now)

    assert sandbox.channel.totals() == paid_totals()
    assert len(postman.letters) == 1


@pytest.mark.parametrize("way", ["again", "fault"])
def test_payment_is_captured_twice_when_told(sandbox, channel, payment, postman, clock, way):
    channel.post("/v1/payments", **payment)
    if way == "fault":
        sandbox.channel.faults.add(operation="pay", fault="capture_twice")

    channel.http.post("/sandbox/pay/pay_1")
    if way == "again":
        channel.http.post("/sandbox/pay/pay_1", json={"again": True})
    sandbox.tick(clock.now)

    numbers = [one["provider_reference"] for one in told(postman)]
    assert len(set(numbers)) == 2
    assert sandbox.channel.totals() == paid_totals(collected=20002, unremitted=20002)


def test_payment_is_taken_late_until_closed(sandbox, channel, payment, clock):
    channel.post("/v1/payments", **payment)
    channel.post("/v1/payments", **payment | {"reference": "pay_2"})
    clock.move(hours=2)

    late = channel.http.post("/sandbox/pay/pay_1")
    closed = channel.post("/v1/payments/pay_2/close")
    refused = channel.http.post("/sandbox/pay/pay_2")

    assert late.json()["status"] == "SUCCEEDED"
    assert (closed.json()["status"], closed.json()["code"]) == ("FAILED", "CLOSED")
    assert (refused.status_code, refused.json()) == (409, CLOSED)
    assert channel.post("/v1/payments/pay_1/close").json()["status"] == "SUCCEEDED"


def test_payment_expires_when_late_payment_is_off(tmp_path, clock, postman):
    world = local.LocalSandbox(
        tmp_path, clock=clock, deliver=postman, channel_options={"pay_late": False}
    )
    http = httpx.Client(transport=world.channel_transport, base_url=local.CHANNEL_URL)
    with world.channel.book.write() as write:
        write.execute(
            "INSERT INTO payments VALUES ('p','n','t','PENDING',5,'CNY','',?,'','','',0)",
            ((clock.now + timedelta(minutes=1)).timestamp(),),
        )

    clock.move(minutes=1)
    refused = http.post("/sandbox/pay/p")
    world.tick(clock.now)

    assert refused.json() == CLOSED
    assert world.channel.dump()["rows"]["payments"][0]["code"] == "EXPIRED"


def test_refund_succeeds_once_within_the_captured_sum(sandbox, channel, payment, postman, clock):
    channel.post("/v1/payments", **payment)
    channel.http.post("/sandbox/pay/pay_1")
    refund = {
        "reference": "rfd_1",
        "payment_reference": "pay_1",
        "amount_minor": 7001,
        "currency": "CNY",
        "reason": "",
        "notify_url": payment["notify_url"],
    }

    answers = [channel.post("/v1/refunds", **refund) for _ in range(2)]
    excess = channel.post("/v1/refunds", **refund | {"reference": "rfd_2", "amount_minor": 3001})
    changed = channel.post("/v1/refunds", **refund | {"amount_minor": 1})
    sandbox.tick(clock.now)

    assert [one.status_code for one in answers] == [201, 200]
    assert (excess.status_code, excess.json()["code"]) == (422, "REFUND_EXCEEDS_CAPTURED")
    assert changed.status_code == 409
    assert channel.get("/v1/refunds/rfd_1").json()["status"] == "SUCCEEDED"
    assert channel.get("/v1/refunds/rfd_2").status_code == 404
    assert [one["subject"] for one in told(postman)] == ["payment", "refund"]
    assert sandbox.channel.totals() == paid_totals(refunded=7001, unremitted=3000)


def test_refund_is_refused_when_nothing_was_paid(sandbox, channel, payment):
    channel.post("/v1/payments", **payment)
    refund = {"payment_reference": "pay_1", "amount_minor": 1, "currency": "CNY", "reason": ""}

    unpaid = channel.post("/v1/refunds", reference="r1", **refund)
    unknown = channel.post("/v1/refunds", reference="r2", **refund | {"payment_reference": "no"})

    assert unpaid.json()["code"] == "REFUND_EXCEEDS_CAPTURED"
    assert unknown.json()["code"] == "PAYMENT_NOT_FOUND"
    assert sandbox.channel.dump()["rows"]["refunds"] == []


def test_remittance_brings_net_to_the_bank_and_tells_gross(
    sandbox, channel, payment, postman, clock
):
    channel.post("/v1/payments", **payment | {"notify_url": ""})
    channel.http.post("/sandbox/pay/pay_1")

    channel.http.post("/sandbox/remit")
    sandbox.tick(clock.now)
    again = channel.http.post("/sandbox/remit").json()

    (notice,) = told(postman)
    assert (notice["subject"], notice["amount_minor"], notice["fee_minor"]) == (
        "remittance",
        10001,
        60,
    )
    assert again == {"remittances": 0}
    assert sandbox.channel.totals() == paid_totals(remitted=10001, fees=60, unremitted=0)
    assert sandbox.bank.totals()["CNY"]["balance"] == 9941


def test_remittance_nets_later_refunds_and_is_never_negative(sandbox, channel, payment, clock):
    channel.post("/v1/payments", **payment)
    channel.http.post("/sandbox/pay/pay_1")
    channel.http.post("/sandbox/remit")
    sandbox.tick(clock.now)
    refund = {"payment_reference": "pay_1", "amount_minor": 501, "currency": "CNY", "reason": ""}
    channel.post("/v1/refunds", reference="rfd_1", **refund)
    sandbox.tick(clock.now)

    nothing = channel.http.post("/sandbox/remit").json()
    channel.post("/v1/payments", **payment | {"reference": "pay_2"})
    channel.http.post("/sandbox/pay/pay_2")
    channel.http.post("/sandbox/remit")
    sandbox.tick(clock.now)

    assert nothing == {"remittances": 0}
    rows = sandbox.channel.dump()["rows"]["remittances"]
    assert sorted(row["gross_minor"] for row in rows) == [9500, 10001]
    assert sandbox.channel.totals()["CNY"]["unremitted"] == 0


def test_remittance_goes_again_under_its_reference_when_the_bank_was_away(
    tmp_path, channel, payment, sandbox, clock
):
    calls = []

    def flaky(*, reference, amount_minor, currency):
        calls.append(reference)
        if len(calls) == 1:
            raise httpx.ConnectError("away")

    sandbox.channel.remittances._remit = flaky
    channel.post("/v1/payments", **payment)
    channel.http.post("/sandbox/pay/pay_1")
    channel.http.post("/sandbox/remit")

    sandbox.tick(clock.now)
    before = sandbox.channel.totals()["CNY"]["remitted"]
    sandbox.tick(clock.move(seconds=5))

    assert (before, sandbox.channel.totals()["CNY"]["remitted"]) == (0, 10001)
    assert len(calls) == 2
    assert calls[0] == calls[1]


def test_remittance_comes_by_itself_every_so_often(tmp_path, clock, postman):
    world = local.LocalSandbox(
        tmp_path, clock=clock, deliver=postman, channel_options={"remit_seconds": 60}
    )
    world.tick(clock.now)
    with world.channel.book.write() as write:
        write.execute(
            "INSERT INTO payments VALUES ('p','n','t','SUCCEEDED',5,'CNY','',0,'','','',0)"
        )
        write.execute("INSERT INTO captures VALUES ('n','p',5,'CNY',0)")

    counts = [world.tick(clock.move(seconds=span)) for span in (59, 1, 60)]

    assert counts == [0, 2, 0]
    assert world.bank.totals()["CNY"]["balance"] == 5


def test_notification_is_retried_on_schedule_until_acknowledged(
    sandbox, channel, payment, postman, clock
):
    channel.post("/v1/payments", **payment)
    channel.http.post("/sandbox/pay/pay_1")
    postman.status = 500

    attempts = [sandbox.tick(clock.now)]
    for seconds in (14, 1, 15, 29, 1):
        attempts.append(sandbox.tick(clock.move(seconds=seconds)))
    postman.status = 204
    attempts += [sandbox.tick(clock.move(seconds=180)), sandbox.tick(clock.move(days=2))]

    assert attempts == [1, 0, 1, 1, 0, 1, 1, 0]
    assert len({one["event_id"] for one in told(postman)}) == 1
    assert sandbox.channel.dump()["rows"]["notices"][0]["outcome"] == "ACKNOWLEDGED"


def test_notification_is_given_up_after_the_whole_schedule(
    sandbox, channel, payment, postman, clock
):
    channel.post("/v1/payments", **payment)
    channel.http.post("/sandbox/pay/pay_1")
    postman.status = 0

    sandbox.tick(clock.now)
    for seconds in notices.RETRY_SECONDS:
        sandbox.tick(clock.move(seconds=seconds))

    assert len(postman.letters) == 16
    assert sum(notices.RETRY_SECONDS) == 24 * 3600 + 240
    assert sandbox.channel.dump()["rows"]["notices"][0]["outcome"] == "GIVEN_UP"


@pytest.mark.parametrize(
    ("fault", "letters", "events", "outcome"),
    [
        ("send_twice", 2, 1, "ACKNOWLEDGED"),
        ("send_twice_new_id", 2, 2, "ACKNOWLEDGED"),
        ("drop", 0, 0, "LOST"),
        ("slow", 0, 0, "DUE"),
        ("reorder", 0, 0, "DUE"),
        ("timeout_after", 1, 1, "DUE"),
    ],
)
def test_notification_plays_its_fault(
    sandbox, channel, payment, postman, clock, fault, letters, events, outcome
):
    channel.post("/v1/payments", **payment)
    channel.http.post("/sandbox/pay/pay_1")
    sandbox.channel.faults.add(operation="notify_payment", fault=fault)

    sandbox.tick(clock.now)

    assert len(postman.letters) == letters
    assert len({one["event_id"] for one in told(postman)}) == events
    assert sandbox.channel.dump()["rows"]["notices"][0]["outcome"] == outcome


def test_notification_is_passed_by_the_next_when_reordered(
    sandbox, channel, payment, postman, clock
):
    for reference in ("pay_1", "pay_2"):
        channel.post("/v1/payments", **payment | {"reference": reference})
        channel.http.post(f"/sandbox/pay/{reference}")
    sandbox.channel.faults.add(operation="notify", fault="reorder")

    sandbox.tick(clock.now)
    sandbox.tick(clock.move(seconds=5))

    assert [one["reference"] for one in told(postman)] == ["pay_2", "pay_1"]


def test_book_survives_a_restart(tmp_path, sandbox, channel, payment, clock, postman):
    channel.post("/v1/payments", **payment)
    channel.http.post("/sandbox/pay/pay_1")

    reopened = local.LocalSandbox(tmp_path, clock=clock, deliver=postman)
    reopened.tick(clock.now)

    assert reopened.channel.totals() == paid_totals()
    assert [one["reference"] for one in told(postman)] == ["pay_1"]


def test_part_is_taken_back_and_told(sandbox, channel, payment, clock, postman):
    channel.post("/v1/payments", **payment)
    channel.http.post("/sandbox/pay/pay_1")
    sandbox.tick(clock.now)

    taken = channel.http.post("/sandbox/chargeback/pay_1", content=json.dumps({"amount_minor": 1}))
    sandbox.tick(clock.now)

    notice = told(postman)[-1]
    assert taken.status_code == 200
    assert (notice["subject"], notice["reference"], notice["amount_minor"]) == (
        "chargeback",
        "pay_1",
        1,
    )
    assert sandbox.channel.totals() == paid_totals(charged_back=1, unremitted=10000)


def test_no_more_is_taken_back_or_refunded_than_is_left(channel, payment):
    channel.post("/v1/payments", **payment)
    channel.http.post("/sandbox/pay/pay_1")

    whole = channel.http.post("/sandbox/chargeback/pay_1")
    again = channel.http.post("/sandbox/chargeback/pay_1")

    assert whole.json()["amount_minor"] == 10001
    assert (again.status_code, again.json()["code"]) == (422, "CHARGEBACK_EXCEEDS_CAPTURED")


def test_payment_nobody_paid_is_not_charged_back(channel, payment):
    channel.post("/v1/payments", **payment)

    assert channel.http.post("/sandbox/chargeback/pay_1").status_code == 422
    assert channel.http.post("/sandbox/chargeback/pay_2").status_code == 404
