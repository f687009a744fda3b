"""The part of the recorded day in which something goes wrong: refunds and disputes.

As recorded_day.py, it must never reach around the door but for what happens outside.
"""

from typing import Any

from escrow.services import debit_requests
from escrow.services.remittance import record_topup
from tests import ground
from tests.api.recording import Tape
from tests.world import RAIL

PARCEL = {"carrier": "SF Express", "tracking_number": "SF2001"}
FILE = {"name": "lid.txt", "content": "dGhlIGxpZCBpcyBicm9rZW4K"}
NOBODY = "019caea1c0000000000000000000ffff"
POT = {"title": "Teapot", "amount_minor": 8001, "category": "pots"}


def refund(tape: Tape, seller: str) -> None:
    """Money goes back, in part."""
    order = _shipped(tape, seller, "A-1101")
    body = {"order": order["id"], "lines": [{"position": 1, "amount_minor": 2000}]}
    tape.post("/v1/refunds", body | {"reason": "The lid is chipped"}, says="A part of a line")
    too_much = {"order": order["id"], "amount_minor": 9001, "reason": "Too much"}
    tape.post("/v1/refunds", too_much, status=409, says="More than is left")
    path = f"/v1/orders/{order['id']}/extend-receipt"
    tape.post(path, _own(order), key="", says="The buyer takes more time")


def quarrel(tape: Tape, seller: str) -> None:
    """Three disputes: one settled after a return, one withdrawn, one opened by the platform."""
    order = _shipped(tape, seller, "A-1102")
    door = f"/v1/orders/{order['id']}/dispute"
    said = {"reason": "DAMAGED", "asked_minor": 3000, "lines": [1], "text": "The lid is broken."}
    dispute = tape.post(door, _own(order) | said, key="", says="The lid is broken")
    shown = tape.post(f"{door}/evidence", _own(order) | FILE, key="", says="What the buyer shows")
    which = _own(order) | {"evidence": shown["id"]}
    tape.post(f"{door}/file", which, key="", says="Read a file as the buyer")
    _answer(tape, dispute["id"], shown["id"])
    tape.post(f"{door}/view", _own(order), key="", says="How the dispute stands")
    tape.post(f"{door}/offer", _own(order) | {"accept": True}, key="", says="Take the offer")
    tape.post(f"{door}/send-back", _own(order) | PARCEL, key="", says="The goods go back")
    received = {"received": True}
    tape.post(f"/v1/disputes/{dispute['id']}/return", received, says="The goods are here")

    order = _shipped(tape, seller, "A-1103")
    door = f"/v1/orders/{order['id']}/dispute"
    tape.shop.door.send("POST", door, _own(order) | {"reason": "NOT_RECEIVED"})
    given_up = _own(order) | {"text": "It came today."}
    tape.post(f"{door}/withdraw", given_up, key="", says="It came after all")

    order = _shipped(tape, seller, "A-1104")
    body = {"order": order["id"], "reason": "NOT_AS_DESCRIBED", "text": "Another color."}
    tape.post("/v1/disputes", body, says="A platform speaks for its buyer")
    tape.post("/v1/disputes", body, status=409, says="A second dispute")
    tape.get("/v1/disputes?limit=1", says="The newest dispute")


def owe(tape: Tape, seller: str, paid_out: dict[str, Any]) -> None:
    """What was paid out already is refunded: the seller owes it, and the next sale pays it."""
    shop = tape.shop
    record_topup(  # own funds stand in until the debt is paid
        custodian=RAIL,
        bank_reference="T-1",
        amount_minor=2001,
        currency="CNY",
        at=shop.sandbox.clock.now,
    )
    body = {"order": paid_out["id"], "amount_minor": 1001, "reason": "One tin was stale"}
    tape.post("/v1/refunds", body, says="After the seller was paid out")
    (debt,) = shop.get(f"/v1/debts?merchant={seller}&state=OPEN&limit=1").json()["data"]
    debit_requests.request_debit(
        debt_id=debt["id"], asked_by=ground.operator("first"), at=shop.sandbox.clock.now
    )
    tape.get(
        f"/v1/debts?merchant={seller}&state=OPEN&limit=1", says="The newest open debt of a seller"
    )
    tape.post(
        f"/v1/sandbox/debts/{debt['id']}/pay", {"amount_minor": 50}, says="The seller pays a part"
    )
    order = _shipped(tape, seller, "A-1105")
    assert shop.confirm(order).status_code == 200
    shop.remit()
    shop.settle()
    newest = shop.get(f"/v1/debts?merchant={seller}&limit=1").json()["data"][0]["id"]
    tape.get(f"/v1/debts/{newest}", says="A debt that a later sale paid")
    unknown = f"dbt_{NOBODY}"
    paying = f"/v1/sandbox/debts/{unknown}/pay"
    tape.post(paying, {"amount_minor": 50}, status=404, says="Nobody's debt cannot be paid")
    tape.get(f"/v1/debts/{unknown}", status=404, says="A debt there is not")


def _answer(tape: Tape, dispute: str, evidence: str) -> None:
    path = f"/v1/disputes/{dispute}"
    tape.get(path, says="One dispute")
    tape.post(f"{path}/evidence", FILE | {"name": "packing.txt"}, says="What the seller shows")
    tape.get(f"{path}/evidence/{evidence}", says="Read a file")
    offer = {"answer": "OFFER", "offer_minor": 3000, "needs_return": True, "text": "Send it back."}
    tape.post(f"{path}/answer", offer, says="Money for the goods")


def _own(order: dict[str, Any]) -> dict[str, Any]:
    return {"token": order["buyer_token"]}


def _shipped(tape: Tape, seller: str, reference: str) -> dict[str, Any]:
    """An order that is on its way; how it came there is recorded elsewhere."""
    shop = tape.shop
    body = {"reference": reference, "merchant": seller, "currency": "CNY", "lines": [POT]}
    order: dict[str, Any] = shop.post("/v1/orders", body).json()
    payment = shop.post("/v1/payments", {"orders": [order["id"]], "channel": "sandbox"}).json()
    shop.sandbox.channel.pay(payment["id"])
    shop.sandbox.tick()
    shipped = shop.post(f"/v1/orders/{order['id']}/ship", PARCEL)
    assert shipped.status_code == 200, shipped.content
    shop.wait(seconds=1)
    return order
