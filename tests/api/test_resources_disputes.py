"""Why: a dispute is read by both sides and fed by strangers. Both read the same, each does only its
own, and nothing a stranger sends ever becomes a page of ours.
"""

import base64
import hashlib
from datetime import datetime, timedelta
from typing import Any

import pytest

from api.middleware import BODY_LIMIT, UPLOAD_BODY_LIMIT, limit_of
from escrow.models import Evidence
from tests.api.estate import Estate, Town
from tests.api.shop import Answer, Shop, nothing_moves, pointers, problem

PAGE = "<!DOCTYPE html><script>alert(1)</script>"


@pytest.fixture
def ours(town: Town) -> Estate:
    return town.ours


@pytest.fixture
def shop(town: Town) -> Shop:
    return town.ours.shop


def encoded(content: str | bytes) -> str:
    return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()


def buyer(ours: Estate, order: str, what: str = "", **body: Any) -> Answer:
    """The buyer of an order says something."""
    path = f"/v1/orders/{ours.has[order]}/dispute{what and '/'}{what}"
    body = {"token": ours.has[f"{order}_token"], **body}
    return ours.shop.door.send("POST", path, body)


def test_buyer_opens_a_dispute_and_the_money_is_frozen(ours: Estate, shop: Shop) -> None:
    answer = buyer(
        ours, "shipped", reason="DAMAGED", asked_minor=3333, lines=[1], text="The lid is broken."
    )

    found = answer.json()
    assert answer.status_code == 201
    assert {name: found[name] for name in ("state", "waits_for", "asked_minor", "lines")} == {
        "state": "OPEN",
        "waits_for": "MERCHANT",
        "asked_minor": 3333,
        "lines": [1],
    }
    answers_by = datetime.fromisoformat(found["opened_at"]) + timedelta(hours=48)
    assert datetime.fromisoformat(found["due_at"]) == answers_by
    assert found["stake_minor"] == 10001
    assert shop.status({"id": ours.has["shipped"]}) == "frozen"
    order = {"id": ours.has["shipped"], "buyer_token": ours.has["shipped_token"]}
    with nothing_moves():
        problem(shop.confirm(order), 409, "hold_frozen")


def test_both_sides_read_the_same(ours: Estate, shop: Shop) -> None:
    theirs = shop.get(f"/v1/disputes/{ours.has['arriving_dispute']}").json()

    assert buyer(ours, "arriving", "view").json() == theirs
    assert [step["kind"] for step in theirs["timeline"]] == [
        "OPENED",
        "OFFERED",
        "OFFER_ACCEPTED",
        "SENT_BACK",
    ]
    assert [step["position"] for step in theirs["timeline"]] == [1, 2, 3, 4]
    assert "proposed_minor" not in theirs


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=OPEN", ["disputed_dispute"]),
        ("state=ANSWERED,RETURNING&waits_for=BUYER", ["returning_dispute", "offered_dispute"]),
        ("kind=CHARGEBACK", []),
        ("due_before=2026-03-05T09:00:00Z", ["disputed_dispute"]),
    ],
)
def test_disputes_are_listed_by_what_is_to_be_done(
    ours: Estate, shop: Shop, query: str, found: list[str]
) -> None:
    listed = shop.get(f"/v1/disputes?{query}").json()["data"]

    assert [each["id"] for each in listed] == [ours.has[name] for name in found]


def test_dispute_of_an_order_is_found_by_it(ours: Estate, shop: Shop) -> None:
    [found] = shop.get(f"/v1/disputes?order={ours.has['offered']}").json()["data"]

    assert found["id"] == ours.has["offered_dispute"]


def test_seller_accepts_and_the_refund_is_named(ours: Estate, shop: Shop) -> None:
    answer = shop.post(f"/v1/disputes/{ours.has['dispute']}/answer", {"answer": "ACCEPT"})

    found = answer.json()
    assert (found["state"], found["resolution"], found["resolved_minor"]) == (
        "RESOLVED",
        "FULL",
        10001,
    )
    refund = shop.get(f"/v1/refunds/{found['refund']}").json()
    assert (refund["amount_minor"], refund["reason"]) == (10001, "DISPUTE")
    order = shop.get(f"/v1/orders/{ours.has['disputed']}").json()
    assert (order["status"], order["cancel_reason"]) == ("refunding", "DISPUTE")


def test_declined_offer_waits_for_an_operator(ours: Estate) -> None:
    found = buyer(ours, "offered", "offer", accept=False, text="Too little").json()

    assert (found["state"], found["waits_for"]) == ("ANSWERED", "OPERATOR")
    assert found["timeline"][-1]["text"] == "Too little"


def test_return_is_refused_with_a_reason(ours: Estate, shop: Shop) -> None:
    path = f"/v1/disputes/{ours.has['arriving_dispute']}/return"

    found = shop.post(path, {"received": False, "text": "An empty box"}).json()

    assert (found["state"], found["waits_for"]) == ("RETURNING", "OPERATOR")


@pytest.mark.parametrize(
    ("what", "body", "code"),
    [
        ("", {"reason": "DAMAGED"}, "dispute_open_already"),
        ("offer", {"accept": True}, "dispute_state_conflict"),
        ("send-back", {"carrier": "SF", "tracking_number": "1"}, "dispute_state_conflict"),
    ],
)
def test_buyer_is_refused_out_of_turn(
    ours: Estate, what: str, body: dict[str, Any], code: str
) -> None:
    with nothing_moves():
        problem(buyer(ours, "disputed", what, **body), 409, code)


def test_order_that_was_never_disputed_has_nothing_to_show(ours: Estate) -> None:
    problem(buyer(ours, "shipped", "view"), 404, "dispute_not_found")


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"reason": "CHARGEBACK"}, "#/reason", "invalid_choice"),
        ({"asked_minor": 0}, "#/asked_minor", "min_value"),
        ({"asked_minor": 1.0}, "#/asked_minor", "invalid"),
        ({"lines": [0]}, "#/lines/0", "min_value"),
        ({"text": "two\nlines"}, "#/text", "control"),
        ({"text": "x" * 2001}, "#/text", "max_length"),
        ({"state": "RESOLVED"}, "#/state", "unknown"),
        ({"by": "OPERATOR"}, "#/by", "unknown"),
        ({"resolved_minor": 10001}, "#/resolved_minor", "unknown"),
    ],
)
def test_body_of_a_buyer_says_nothing_that_it_may_not(
    ours: Estate, body: dict[str, Any], pointer: str, code: str
) -> None:
    with nothing_moves():
        found = problem(
            buyer(ours, "shipped", **{"reason": "DAMAGED", **body}), 422, "request_invalid"
        )

    assert pointers(found) == [(pointer, code)]


# Files


def add(ours: Estate, content: str | bytes, *, name: str = "lid.png") -> Answer:
    return buyer(ours, "disputed", "evidence", name=name, content=encoded(content))


def test_file_comes_back_as_an_attachment_and_as_nothing_else(ours: Estate, shop: Shop) -> None:
    made = add(ours, "a broken lid", name="../../etc/passwd\u202egnp.exe").json()

    file = shop.get(f"/v1/disputes/{ours.has['dispute']}/evidence/{made['id']}")
    same = buyer(ours, "disputed", "file", evidence=made["id"])

    assert file.content == same.content == b"a broken lid"
    assert made["sha256"] == hashlib.sha256(b"a broken lid").hexdigest()
    assert made["media_type"] == "text/plain"
    for answer in (file, same):
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"] == (f'attachment; filename="{made["id"]}.txt"')
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["page.png", "page.txt", "page.pdf"])
def test_page_is_refused_whatever_it_is_called(ours: Estate, name: str) -> None:
    with nothing_moves():
        found = problem(add(ours, PAGE, name=name), 422, "evidence_type_refused")

    assert pointers(found) == [("#/content", "evidence_type_refused")]


@pytest.mark.parametrize("content", ["not base64!", "YQ", "Y Q==", "YQ==\n"])
def test_content_that_is_no_base64_is_refused(ours: Estate, content: str) -> None:
    answer = buyer(ours, "disputed", "evidence", name="lid", content=content)

    assert pointers(problem(answer, 422, "request_invalid")) == [("#/content", "base64")]


def test_largest_file_is_taken_and_one_byte_more_is_not(ours: Estate) -> None:
    assert add(ours, b"a" * 5 * 1024 * 1024).status_code == 201
    problem(add(ours, b"a" * (5 * 1024 * 1024 + 1)), 422, "evidence_too_large")


def test_body_beyond_the_largest_file_is_refused_unread(ours: Estate) -> None:
    problem(add(ours, b"a" * 6 * 1024 * 1024), 413, "body_too_large")


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/v1/disputes/dsp_1/evidence", UPLOAD_BODY_LIMIT),
        ("/v1/orders/ord_1/dispute/evidence", UPLOAD_BODY_LIMIT),
        ("/v1/orders/ord_1/dispute", BODY_LIMIT),
        ("/v1/disputes/dsp_1/evidence/", BODY_LIMIT),
        ("/v1/disputes/a/b/evidence", BODY_LIMIT),
        ("/v1/orders", BODY_LIMIT),
        ("/admin/v1/disputes/dsp_1/evidence", BODY_LIMIT),
    ],
)
def test_only_addresses_of_files_take_large_bodies(path: str, limit: int) -> None:
    assert limit_of(path) == limit


def test_same_file_sent_again_is_there_once(ours: Estate) -> None:
    first, again = add(ours, "one").json(), add(ours, "one").json()

    assert again == first
    assert Evidence.objects.filter(dispute_id=ours.has["dispute"], side="BUYER").count() == 1


def test_file_of_another_dispute_is_not_found(ours: Estate, shop: Shop) -> None:
    theirs = f"/v1/disputes/{ours.has['offered_dispute']}/evidence/{ours.has['evidence']}"

    problem(shop.get(theirs), 404, "evidence_not_found")
    problem(
        buyer(ours, "offered", "file", evidence=ours.has["evidence"]), 404, "evidence_not_found"
    )


def test_platform_hands_in_what_its_buyer_shows(ours: Estate, shop: Shop) -> None:
    body = {"name": "lid", "content": encoded("seen by the buyer"), "side": "BUYER"}

    made = shop.post(f"/v1/disputes/{ours.has['dispute']}/evidence", body).json()

    steps = shop.get(f"/v1/disputes/{ours.has['dispute']}").json()["timeline"]
    assert made["side"] == "BUYER"
    assert (steps[-1]["by"], steps[-1]["evidence"]) == ("PLATFORM", made["id"])


def test_events_tell_of_a_dispute(ours: Estate, shop: Shop) -> None:
    found = shop.get("/v1/events?limit=100").json()["data"]

    mine = [each for each in found if each["subject"] == ours.has["arriving_dispute"]]
    assert [each["type"] for each in sorted(mine, key=lambda each: each["sequence"])] == [
        "dispute.opened",
        "dispute.answered",
        "dispute.return_awaited",
        "dispute.sent_back",
    ]
