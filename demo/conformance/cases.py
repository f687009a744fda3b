"""The cases: each tries one thing a receiver must do, and raises when it does not.

A case must never depend on another one, nor on how a receiver is built.
"""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from demo.conformance.receiver import Known, Receiver, ReceiverFailed, Reply
from demo.conformance.trial import NotObservable, Trial
from notifications import webhooks

OLD = timedelta(minutes=10)  # twice what the specification of Standard Webhooks tolerates
SLOWEST_SECONDS = 15.0  # Holdfast waits no longer (notifications/dialing.py)
AT_ONCE = 16
UNKNOWN_TYPE = "order.conformance_probe"


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the table."""

    title: str
    run: Callable[[Trial], str | None]  # what was seen, for the table


CASES: list[Case] = []


def case(title: str) -> Callable[[Callable[[Trial], str | None]], Callable[[Trial], str | None]]:
    """Add a function to the cases."""

    def add(run: Callable[[Trial], str | None]) -> Callable[[Trial], str | None]:
        CASES.append(Case(title, run))
        return run

    return add


# Who may speak


@case("no signature is refused")
def refuse_unsigned(trial: Trial) -> str:
    return _refuses(trial, lambda receiver, body, _event: receiver.post(body, _JSON))


@case("a signature by another secret is refused")
def refuse_stranger(trial: Trial) -> str:
    stranger = [secrets.token_bytes(32)]
    return _refuses(trial, lambda receiver, _body, event: receiver.tell(event, keys=stranger))


@case("a body changed after signing is refused")
def refuse_changed_body(trial: Trial) -> str:
    def send(receiver: Receiver, body: bytes, event: dict[str, Any]) -> Reply:
        harmless = event | {"type": UNKNOWN_TYPE}
        return receiver.tell(harmless, instead=body)

    return _refuses(trial, send)


@case("an event id changed after signing is refused")
def refuse_changed_id(trial: Trial) -> str:
    def send(receiver: Receiver, body: bytes, event: dict[str, Any]) -> Reply:
        at = datetime.now(UTC)
        headers = webhooks.sign(keys=receiver.keys, event_id="evt_of_another", at=at, body=body)
        return receiver.post(body, {**_JSON, **headers, "webhook-id": str(event["id"])})

    return _refuses(trial, send)


@case("a signature of ten minutes ago is refused")
def refuse_old(trial: Trial) -> str:
    past = datetime.now(UTC) - OLD
    return _refuses(trial, lambda receiver, _body, event: receiver.tell(event, at=past))


@case("a signature of ten minutes ahead is refused")
def refuse_future(trial: Trial) -> str:
    ahead = datetime.now(UTC) + OLD
    return _refuses(trial, lambda receiver, _body, event: receiver.tell(event, at=ahead))


@case("a right signature is accepted")
def accept_signed(trial: Trial) -> str:
    [created, *_] = trial.events(trial.new_order())
    return _accepted(trial.receiver.tell(created))


@case("one right signature of several is accepted, as while secrets change")
def accept_one_of_several(trial: Trial) -> str:
    [created, *_] = trial.events(trial.new_order())
    return _accepted(
        trial.receiver.tell(created, keys=[secrets.token_bytes(32), *trial.receiver.keys])
    )


# What travels the way mail does


@case("an event told twice has its effect once")
def tolerate_duplicate(trial: Trial) -> str:
    order_id, event = _paid_order(trial)
    before = trial.known(order_id)
    for _ in range(2):
        _accepted(trial.receiver.tell(event))
    return _unchanged(trial, order_id, before)


@case(f"an event told {AT_ONCE} times at once has its effect once")
def tolerate_duplicates_at_once(trial: Trial) -> str:
    order_id, event = _paid_order(trial)
    before = trial.known(order_id)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        replies = list(pool.map(lambda _: trial.receiver.tell(event), range(AT_ONCE)))
    for reply in replies:
        _accepted(reply)
    return _unchanged(trial, order_id, before)


@case("events told in reverse leave the order where it stands")
def tolerate_disorder(trial: Trial) -> str:
    order_id, _event = _paid_order(trial)
    trial.post(f"/v1/orders/{order_id}/ship", {"carrier": "SF Express", "tracking_number": "SF1"})
    for event in reversed(trial.events(order_id)):
        _accepted(trial.receiver.tell(event))
    trial.expect_known(order_id, "shipped")
    # One that the receiver has not got, from before: as if it had been under way for long.
    _accepted(trial.receiver.tell(trial.made_up(order_id, "order.paid", sequence=1)))
    known = trial.known(order_id)
    if known is not None and known.state != "shipped":
        raise ReceiverFailed(f"an earlier event took the order back to {known.state}")
    return "in the state of its last event" if known else _ACCEPTED_ONLY


@case("an event of an unknown type is accepted and changes nothing")
def tolerate_unknown_type(trial: Trial) -> str:
    order_id, _event = _paid_order(trial)
    before = trial.known(order_id)
    _accepted(trial.receiver.tell(trial.made_up(order_id, UNKNOWN_TYPE, sequence=99)))
    return _same_state(trial, order_id, before)


@case("fields that are not known yet are accepted")
def tolerate_unknown_fields(trial: Trial) -> str:
    order_id, event = _paid_order(trial)
    before = trial.known(order_id)
    more = {"conformance": {"since": "later"}}
    _accepted(trial.receiver.tell(event | more | {"data": {**event["data"], **more}}))
    return _same_state(trial, order_id, before)


@case(f"every answer comes within {SLOWEST_SECONDS:.0f} seconds, many at once too")
def answer_in_time(trial: Trial) -> str:
    [created, *_] = trial.events(trial.new_order())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda _: _accepted(trial.receiver.tell(created)), range(2 * AT_ONCE)))
    slowest = max(reply.seconds for reply in trial.receiver.replies)
    if slowest > SLOWEST_SECONDS:
        raise ReceiverFailed(f"the slowest took {slowest:.1f} s; answer first, work afterwards")
    return f"the slowest of {len(trial.receiver.replies)} took {slowest * 1000:.0f} ms"


# What the receiver itself asks of Holdfast


@case("one checkout sent again and again is one order")
def order_once(trial: Trial) -> str:
    trial.require_door()
    checkout, began = trial.checkout(), trial.get("/v1/sandbox/clock")["now"]
    told = {trial.receiver.place_order(checkout) for _ in range(2)}
    with ThreadPoolExecutor(4) as pool:
        told |= set(pool.map(lambda _: trial.receiver.place_order(checkout), range(4)))
    seller = trial.get(f"/v1/orders/{min(told)}")["merchant"]
    made = trial.get("/v1/orders", created_from=began, merchant=seller)["data"]
    if len(told | {order["id"] for order in made}) != 1:
        raise ReceiverFailed(f"one checkout became {len(made)} orders at Holdfast")
    return "6 times, one order"


@case("orders are created with an Idempotency-Key")
def send_keys(trial: Trial) -> str:
    trial.require_door()
    if trial.keeps_keys is None:
        raise NotObservable("only the installation that answers can see the key")
    if not trial.keeps_keys(trial.new_order()):
        raise ReceiverFailed("the order came without one: after a lost answer there would be two")
    return "its answer is kept under a key"


# The life of an order


@case("a paid order is known as paid")
def follow_payment(trial: Trial) -> str:
    order_id = trial.new_order()
    trial.pay(order_id)
    trial.expect_known(order_id, "paid")
    trial.expect_taken(order_id)
    return _followed(trial)


@case("a refund is followed to its end")
def follow_refund(trial: Trial) -> str:
    order_id, _event = _paid_order(trial)
    trial.post(f"/v1/orders/{order_id}/cancel", {"reason": "PLATFORM"})
    trial.wait_until(lambda: trial.status(order_id) == "refunded", "Holdfast has not refunded it")
    trial.expect_known(order_id, "refunded")
    trial.expect_taken(order_id)
    for refund in trial.get(f"/v1/orders/{order_id}")["refunds"]:
        trial.expect_taken(refund["id"])
    return _followed(trial)


@case("a deadline that passes is followed: an unpaid order expires")
def follow_deadline(trial: Trial) -> str:
    order_id = trial.new_order()
    due = datetime.fromisoformat(trial.get(f"/v1/orders/{order_id}")["deadlines"]["pay_by"])
    now = datetime.fromisoformat(trial.get("/v1/sandbox/clock")["now"])
    seconds = max(1, int((due - now).total_seconds()) + 2)
    trial.post("/v1/sandbox/clock/advance", {"seconds": seconds})
    trial.wait_until(lambda: trial.status(order_id) == "expired", "Holdfast has not expired it")
    trial.expect_known(order_id, "expired")
    trial.expect_taken(order_id)
    return f"{_followed(trial)}; the test clock went {seconds // 60} min ahead"


_JSON = {"Content-Type": "application/json"}
_ACCEPTED_ONLY = "accepted; what it did with it cannot be seen"


def _refuses(trial: Trial, send: Callable[[Receiver, bytes, dict[str, Any]], Reply]) -> str:
    """Send a forged "paid" about an unpaid order: it must be refused, and change nothing."""
    order_id = trial.new_order()
    forged = trial.made_up(order_id, "order.paid", sequence=2)
    reply = send(trial.receiver, webhooks.encode(forged), forged)
    if not reply.refused:
        raise ReceiverFailed(f"it answered {reply.status}; refuse it with 400")
    known = trial.known(order_id)
    if known is not None and known.state != "awaiting_payment":
        raise ReceiverFailed(
            f"it answered {reply.status} and still took the order for {known.state}"
        )
    return f"answered {reply.status}"


def _accepted(reply: Reply) -> str:
    if not reply.accepted:
        raise ReceiverFailed(f"it answered {reply.status} to what it should accept")
    return f"answered {reply.status}"


def _paid_order(trial: Trial) -> tuple[str, dict[str, Any]]:
    """A paid order the receiver has heard everything of, and the event that said so."""
    order_id = trial.new_order()
    trial.pay(order_id)
    trial.expect_known(order_id, "paid")
    trial.expect_taken(order_id)
    paid = next(event for event in trial.events(order_id) if event["type"] == "order.paid")
    return order_id, paid


def _same_state(trial: Trial, order_id: str, before: Known | None) -> str:
    after = trial.known(order_id)
    if after is None or before is None:
        return _ACCEPTED_ONLY
    if after.state != before.state:
        raise ReceiverFailed(f"it took the order from {before.state} to {after.state}")
    return f"still {after.state}"


def _unchanged(trial: Trial, order_id: str, before: Known | None) -> str:
    found = _same_state(trial, order_id, before)
    after = trial.known(order_id)
    if after is not None and before is not None and after.events != before.events:
        raise ReceiverFailed(f"it counted {before.events} events, and {after.events} afterwards")
    return found


def _followed(trial: Trial) -> str:
    return "followed" if trial.with_door else "every event accepted"
