"""The cashier page: the only part of the sandbox a person sees."""

import pytest


@pytest.fixture
def cashier(channel, payment):
    def open_payment(**changes):
        url = channel.post("/v1/payments", **payment | changes).json()["cashier_url"]
        return url.removeprefix("http://channel.sandbox")

    return open_payment


def test_page_shows_amount_and_words_when_open(channel, cashier):
    path = cashier()

    chinese = channel.http.get(path, headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    english = channel.http.get(f"{path}?lang=en")

    assert chinese.status_code == 200
    assert "确认支付 100.01 CNY" in chinese.text
    assert '<html lang="zh-CN">' in chinese.text
    assert "Pay 100.01 CNY" in english.text
    assert "2026-03-02 09:45 UTC" in english.text
    assert 'name="viewport"' in english.text


@pytest.mark.parametrize(
    ("currency", "shown"), [("JPY", "1,234,567 "), ("KWD", "1,234.567 "), ("CNY", "12,345.67 ")]
)
def test_page_shows_minor_units_of_the_currency(channel, cashier, currency, shown):
    page = channel.http.get(cashier(currency=currency, amount_minor=1234567))

    assert f'<p class="sum">{shown}<small>{currency}' in page.text


def test_page_escapes_everything_it_was_given(channel, cashier):
    evil = '"><script>alert(1)</script>{{7*7}}'
    address = "https://shop.example/?a='\"><img src=x>"

    page = channel.http.get(cashier(description=evil, return_url=address))
    channel.http.post("/sandbox/pay/pay_1")
    paid = channel.http.get(page.url)

    assert "<script" not in page.text
    assert "{{7*7}}" in page.text
    assert "<img" not in paid.text
    assert "&gt;&lt;img src=x&gt;" in paid.text


def test_page_locks_the_browser_down(channel, cashier):
    headers = channel.http.get(cashier()).headers

    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'nonce-")
    assert "form-action 'self' https://shop.example;" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_pay_captures_once_and_goes_back_when_pressed_twice(sandbox, channel, cashier):
    path = cashier()

    first = channel.http.post(path, data={"action": "pay"})
    second = channel.http.post(path, data={"action": "pay"})
    page = channel.http.get(f"{path}?lang=en")

    assert first.status_code == 303
    assert first.headers["Location"] == "https://shop.example/back?order=1"
    assert second.status_code == 200
    assert "Payment received" in page.text
    assert "<form" not in page.text
    assert sandbox.channel.totals()["CNY"]["collected"] == 10001


def test_cancel_goes_back_and_takes_nothing(sandbox, channel, cashier):
    path = cashier()

    answer = channel.http.post(path, data={"action": "cancel"})

    assert answer.headers["Location"] == "https://shop.example/back?order=1"
    assert channel.get("/v1/payments/pay_1").json()["status"] == "PENDING"
    assert sandbox.channel.totals()["CNY"]["collected"] == 0


def test_page_says_closed_and_takes_nothing_when_closed(sandbox, channel, cashier):
    path = cashier()
    channel.post("/v1/payments/pay_1/close")

    page = channel.http.post(f"{path}?lang=en", data={"action": "pay"})

    assert page.status_code == 200
    assert "Payment closed" in page.text
    assert sandbox.channel.totals()["CNY"]["collected"] == 0


def test_page_is_not_found_when_the_token_is_wrong(channel):
    shown = channel.http.get("/cashier/nothing-here?lang=en")
    pressed = channel.http.post("/cashier/nothing-here", data={"action": "pay"})

    assert (shown.status_code, pressed.status_code) == (404, 404)
    assert "Page not found" in shown.text


def test_cashier_stays_when_the_shop_named_no_address(channel, cashier):
    path = cashier(return_url="")

    answer = channel.http.post(path, data={"action": "pay"})

    assert answer.headers["Location"] == path
