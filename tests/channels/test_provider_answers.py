"""Provider answers are untrusted: odd ones are UNKNOWN, never booked."""

import gzip
import json

import httpx
import pytest

from channels.contract import Status

GOOD = {
    "reference": "pay_1",
    "provider_reference": "SBP1",
    "status": "PENDING",
    "amount_minor": 10001,
    "currency": "CNY",
    "cashier_url": "https://cashier.example/t",
    "code": "",
    "event_at": "2026-03-02T17:30:00+08:00",
}


@pytest.fixture
def answer_with(make_channel, payment):
    """Create a payment at a provider that answers so."""

    def create(body=None, status=201, headers=None, **changes):
        if body is None:
            body = json.dumps(GOOD | changes).encode()

        def answer(request):
            return httpx.Response(status, stream=httpx.ByteStream(body), headers=headers)

        return make_channel(transport=httpx.MockTransport(answer)).create_payment(payment)

    return create


def test_answer_is_read_when_well_formed(answer_with, clock):
    answer = answer_with()

    assert (answer.status, answer.amount_minor, answer.currency) == (Status.PENDING, 10001, "CNY")
    assert answer.event_at == clock.now


@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": 10001.0},
        {"amount_minor": True},
        {"amount_minor": "10001"},
        {"amount_minor": None},
        {"amount_minor": 0},
        {"amount_minor": -10001},
        {"amount_minor": 10**15 + 1},
        {"amount_minor": 10**400},
        {"amount_minor": [10001]},
        {"currency": "cny"},
        {"currency": "CNYX"},
        {"currency": 156},
        {"status": "paid"},
        {"status": "RETURNED"},
        {"status": "NOT_FOUND"},
        {"status": ["PENDING"]},
        {"status": None},
        {"reference": "pay_2"},
        {"reference": None},
        {"provider_reference": ""},
        {"provider_reference": "x" * 65},
        {"provider_reference": "a\x00b"},
        {"provider_reference": 7},
        {"cashier_url": "javascript:alert(1)"},
        {"cashier_url": "https://"},
        {"cashier_url": "https://[half"},
        {"cashier_url": "https://x.example/\r\nSet-Cookie: a=b"},
        {"cashier_url": "https://x.example/" + "a" * 2048},
        {"cashier_url": None},
        {"event_at": "yesterday"},
        {"event_at": "2026-03-02T09:30:00"},
        {"event_at": 1772443800},
        {"event_at": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_answer_is_unknown_when_a_field_is_odd(answer_with, change):
    answer = answer_with(**change)

    assert (answer.status, answer.amount_minor, answer.cashier_url) == (Status.UNKNOWN, 0, "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"OK",
        b"<html>",
        b"\xff\xfe",
        b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
        json.dumps(GOOD).encode()[:-9],
        json.dumps(GOOD).encode() + b"{}",
        json.dumps(GOOD)[:-1].encode() + b', "status": "SUCCEEDED"}',
        json.dumps(GOOD).replace("10001", "1" * 5000).encode(),
        json.dumps(GOOD).replace("10001", "NaN").encode(),
        json.dumps(GOOD).replace("10001", "1e4").encode(),
        b"[" * 60_000,
        json.dumps(GOOD | {"message": "x" * 1_000_000}).encode(),
    ],
    ids=range(15),
)
def test_answer_is_unknown_when_the_body_is_odd(answer_with, body):
    assert answer_with(body).status == Status.UNKNOWN


@pytest.mark.parametrize("status", [204, 301, 302, 400, 401, 403, 404, 409, 429, 500, 502, 503])
def test_answer_is_unknown_when_http_says_anything_but_done(answer_with, status):
    assert answer_with(status=status).status == Status.UNKNOWN
    assert answer_with(b"<html>no</html>", status=status).status == Status.UNKNOWN


@pytest.mark.parametrize("status", [400, 402, 422])
def test_answer_is_failed_when_a_refusal_is_documented(answer_with, status):
    body = json.dumps({"code": "RISK", "message": "No."}).encode()

    answer = answer_with(body, status=status)

    assert (answer.status, answer.code, answer.message) == (Status.FAILED, "RISK", "No.")


@pytest.mark.parametrize("status", [401, 403, 404, 409, 429, 500])
def test_answer_is_unknown_when_a_coded_refusal_may_not_be_one(answer_with, status):
    body = json.dumps({"code": "NOT_FOUND", "message": "No."}).encode()

    assert answer_with(body, status=status).status == Status.UNKNOWN


def test_not_found_counts_only_in_the_words_of_the_provider(make_channel):
    bodies = [b"", b"<h1>404</h1>", b'{"code":"NO_ROUTE"}', b'{"code":"NOT_FOUND"}']
    answers = iter(bodies)
    transport = httpx.MockTransport(
        lambda _request: httpx.Response(404, stream=httpx.ByteStream(next(answers)))
    )
    channel = make_channel(transport=transport)

    statuses = [channel.query_payment(reference="pay_1").status for _ in bodies]

    assert statuses == [Status.UNKNOWN, Status.UNKNOWN, Status.UNKNOWN, Status.NOT_FOUND]


def test_words_are_cut_and_cleaned(answer_with):
    message = "a\x00b\ud800c\n" + "<b>" * 100

    answer = answer_with(message=message, code="X" * 300)

    assert answer.code == "X" * 200
    assert answer.message == ("a b c " + "<b>" * 100)[:200]


def test_redirect_is_not_followed(make_channel, payment):
    seen = []

    def answer(request):
        seen.append(str(request.url))
        return httpx.Response(307, headers={"Location": "http://169.254.169.254/"})

    channel = make_channel(transport=httpx.MockTransport(answer))

    assert channel.create_payment(payment).status == Status.UNKNOWN
    assert seen == ["http://channel.sandbox/v1/payments"]


def test_cookies_are_not_kept(make_channel, payment):
    seen = []

    def answer(request):
        seen.append(request.headers.get("Cookie"))
        body = httpx.ByteStream(json.dumps(GOOD).encode())
        return httpx.Response(201, stream=body, headers={"Set-Cookie": "a=b"})

    channel = make_channel(transport=httpx.MockTransport(answer))
    channel.create_payment(payment)
    channel.create_payment(payment)

    assert seen == [None, None]


def test_compressed_answer_is_not_unpacked(answer_with):
    body = gzip.compress(b" " * 10_000_000)

    answer = answer_with(body, headers={"Content-Encoding": "gzip"})

    assert answer.status == Status.UNKNOWN


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("no"),
        httpx.ConnectTimeout("no"),
        httpx.ReadTimeout("no"),
        httpx.WriteError("no"),
        httpx.PoolTimeout("no"),
        httpx.RemoteProtocolError("no"),
        ConnectionResetError("no"),
    ],
)
def test_trouble_on_the_way_is_unknown(make_channel, make_rail, payment, payout, trouble):
    def answer(request):
        raise trouble

    transport = httpx.MockTransport(answer)

    assert make_channel(transport=transport).create_payment(payment).status == Status.UNKNOWN
    paid = make_rail(transport=transport).send_payout(payout)
    assert (paid.status, paid.message) == (Status.UNKNOWN, type(trouble).__name__)


def test_answer_is_unknown_when_it_drips(make_channel, payment, monkeypatch):
    ticks = iter(range(0, 1000, 15))
    monkeypatch.setattr("channels.providers.exchange.time.monotonic", lambda: next(ticks))

    class Drip(httpx.SyncByteStream):
        def __iter__(self):
            yield from (bytes([one]) for one in json.dumps(GOOD).encode())

    transport = httpx.MockTransport(lambda _request: httpx.Response(201, stream=Drip()))

    answer = make_channel(transport=transport).create_payment(payment)

    assert (answer.status, answer.message) == (Status.UNKNOWN, "the answer is too slow")
