"""Why: a caller who did not hear our answer asks again, and must neither pay nor ship twice."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from api import idempotency
from api.models import StoredAnswer
from api.v1 import urls
from orders.models import Order, Payment
from orders.services import payments
from tests.api.shop import Door, Shop, problem

KEY = {"Idempotency_Key": "cart-17"}


def test_the_same_request_again_is_answered_byte_for_byte(shop: Shop) -> None:
    body = shop.order_body()
    first = shop.post("/v1/orders", body, **KEY)
    again = shop.post("/v1/orders", body, **KEY)

    assert first.status_code == again.status_code == 201
    assert again.content == first.content
    assert again["Location"] == first["Location"]
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert Order.objects.count() == 1


def test_the_stored_answer_keeps_no_token_in_clear(shop: Shop) -> None:
    token = shop.post("/v1/orders", shop.order_body(), **KEY).json()["buyer_token"]

    with connection.cursor() as cursor:
        cursor.execute("SELECT s::text, encode(body, 'escape') FROM api_storedanswer s")
        assert not any(token in column for column in cursor.fetchone())


def test_another_request_under_the_same_key_is_refused(shop: Shop) -> None:
    shop.post("/v1/orders", shop.order_body(), **KEY)

    problem(shop.post("/v1/orders", shop.order_body(), **KEY), 422, "idempotency_key_reused")
    assert Order.objects.count() == 1


def test_a_refused_request_leaves_nothing_and_may_be_mended(shop: Shop) -> None:
    problem(
        shop.post("/v1/orders", shop.order_body(merchant="mer_no"), **KEY),
        422,
        "merchant_unavailable",
    )
    assert StoredAnswer.objects.count() == 0

    assert shop.post("/v1/orders", shop.order_body(), **KEY).status_code == 201


def test_keys_of_two_platforms_are_strangers(shop: Shop, rival: Shop) -> None:
    mine = shop.post("/v1/orders", shop.order_body(), **KEY).json()
    theirs = rival.post("/v1/orders", rival.order_body(), **KEY).json()

    assert mine["id"] != theirs["id"]


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256])
def test_a_malformed_key_is_refused(shop: Shop, key: str) -> None:
    answer = shop.post("/v1/orders", shop.order_body(), Idempotency_Key=key)
    problem(answer, 400, "idempotency_key_invalid")


def test_sixteen_at_once_have_one_effect(shop: Shop) -> None:
    """Show 3: one effect, and 16 equal answers or 409."""
    body = shop.order_body()
    barrier = threading.Barrier(16)

    def send(_number: int) -> tuple[int, bytes]:
        door = Door(Client(raise_request_exception=False))
        barrier.wait()
        try:
            answer = door.send("POST", "/v1/orders", body, key=shop.key, **KEY)
            return answer.status_code, answer.content
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(16)))

    made = {content for status, content in answers if status == 201}
    running = [json.loads(content)["code"] for status, content in answers if status == 409]
    assert len(made) == 1
    assert set(running) <= {"idempotency_key_running"}
    assert len(running) + sum(status == 201 for status, _ in answers) == 16
    assert Order.objects.count() == 1


class Killed(BaseException):
    """The server dies here."""


def test_killed_after_the_effect_the_retry_gets_the_stored_answer(shop: Shop) -> None:
    body = shop.order_body()
    with (
        mock.patch.object(idempotency, "_answer", side_effect=Killed),
        pytest.raises(Killed),
    ):
        shop.post("/v1/orders", body, **KEY)
    order = Order.objects.get()

    again = shop.post("/v1/orders", body, **KEY)

    assert again.status_code == 201
    assert again.json()["id"] == order.id
    assert again.json()["buyer_token"]  # it is nowhere else
    assert Order.objects.count() == 1


def test_killed_before_the_commit_nothing_is_left(shop: Shop) -> None:
    body = shop.order_body()
    with mock.patch.object(StoredAnswer, "save", side_effect=Killed), pytest.raises(Killed):
        shop.post("/v1/orders", body, **KEY)
    assert Order.objects.count() == 0

    assert shop.post("/v1/orders", body, **KEY).status_code == 201


def test_killed_while_the_channel_is_asked_the_retry_asks_for_the_same_payment(shop: Shop) -> None:
    order = shop.create_order()
    body = {"orders": [order["id"]], "channel": "sandbox"}
    with mock.patch.object(payments, "submit_payment", side_effect=Killed), pytest.raises(Killed):
        shop.post("/v1/payments", body, **KEY)
    problem(shop.post("/v1/payments", body, **KEY), 409, "idempotency_key_running")

    shop.time.shift(idempotency.CONCLUDED_WITHIN + timedelta(seconds=1))
    again = shop.post("/v1/payments", body, **KEY)

    assert again.status_code == 201
    assert again.json()["cashier_url"]
    assert Payment.objects.count() == 1
    assert shop.post("/v1/payments", body, **KEY).content == again.content


def test_what_the_channel_answered_is_stored_too(shop: Shop) -> None:
    order = shop.create_order()
    body = {"orders": [order["id"]], "channel": "sandbox"}
    first = shop.post("/v1/payments", body, **KEY)
    again = shop.post("/v1/payments", body, **KEY)

    assert first.json()["cashier_url"]
    assert again.content == first.content


def test_old_answers_are_forgotten_and_the_effect_stays_unique(shop: Shop) -> None:
    body = shop.order_body()
    shop.post("/v1/orders", body, **KEY)
    shop.time.shift(idempotency.KEPT + timedelta(days=1))

    assert idempotency.forget_old_answers(at=timezone.now()) == 1
    problem(shop.post("/v1/orders", body, **KEY), 409, "order_reference_taken")
    assert Order.objects.count() == 1


def test_without_a_key_nothing_is_stored(shop: Shop) -> None:
    shop.post("/v1/orders", shop.order_body())

    assert StoredAnswer.objects.count() == 0


def test_every_post_with_a_key_is_idempotent() -> None:
    """A new view that forgets it fails here."""
    forgotten: list[Any] = []
    for pattern in urls.urlpatterns:
        view: Any = getattr(pattern.callback, "view_class", None)
        post = getattr(view, "post", None)
        if post is None or not view.authentication_classes or not view.scope:
            continue
        if not hasattr(post, "__wrapped__"):
            forgotten.append(view.__name__)
    assert forgotten == []
