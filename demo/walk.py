"""One live order through the five steps, over HTTP, worked by the real worker. It must never
call a service itself: it only does what a shop, a buyer and a seller do, and reads the books to
show what happened.
"""

import secrets
import time
from collections.abc import Callable
from typing import Any

import httpx

from common.money import Money
from demo.local_sandbox import CHANNEL
from demo.seed import Access, read_access
from ledger import selectors as books

Write = Callable[[str], None]
PATIENCE_SECONDS = 60
POLL_SECONDS = 0.3


class WalkFailed(Exception):
    """The order did not get where it should have got; the sentence says where it stopped."""


def walk_live_order(*, base_url: str, write: Write) -> bool:
    """Live one order from its creation to the payout. Returns: whether it ended paid out."""
    with httpx.Client(base_url=base_url, timeout=20, trust_env=False) as http:
        walk = _Walk(http, read_access(), write)
        try:
            walk.run()
        except WalkFailed as failure:
            write(f"\nThe live order stopped: {failure}")
            return False
    write("\nThe live order is paid out, and every entry above balances.")
    return True


class _Walk:
    def __init__(self, http: httpx.Client, access: Access, write: Write) -> None:
        self.http, self.access, self.write = http, access, write
        self.shown: set[int] = set()
        self.order_id = ""

    def run(self) -> None:
        order = self._step_order()
        payment = self._step_pay()
        self._step_hold(payment)
        self._step_ship()
        self._step_confirm(order["buyer_token"])
        self._step_payout()

    def _step_order(self) -> Any:
        self.write("\nA live order, step by step")
        order = self._post(
            "/v1/orders",
            {
                "reference": f"LIVE-{secrets.token_hex(4).upper()}",
                "merchant": self.access.merchant_id,
                "currency": "CNY",
                "lines": [
                    {
                        "title": "明前龙井 Longjing green tea",
                        "amount_minor": 9001,
                        "category": "tea",
                    }
                ],
                "shipping_minor": 1000,
                "buyer": {"name": "陈伟", "email": "buyer@example.com"},
            },
        )
        self.order_id = order["id"]
        self._say(1, f"the shop created order {order['id']} for {_money(order)}")
        self._say(1, f"the buyer's page, no account needed: {order['buyer_url']}")
        return order

    def _step_pay(self) -> Any:
        payment = self._post(
            "/v1/payments",
            {
                "orders": [self.order_id],
                "channel": CHANNEL,
                "return_url": "https://jiya.example/thanks",
            },
        )
        if not payment.get("cashier_url"):
            raise WalkFailed(f"the channel gave no cashier page: {payment}")
        pressed = httpx.post(
            payment["cashier_url"], data={"action": "pay"}, timeout=20, trust_env=False
        )
        if pressed.status_code >= 400:
            raise WalkFailed(f"the cashier answered {pressed.status_code}")
        self._say(1, f"the buyer paid at {payment['cashier_url']}")
        return payment

    def _step_hold(self, payment: Any) -> None:
        self._wait_for("paid")
        self._say(
            2,
            f"the channel told us: payment {payment['id']} is held; the seller is asked to ship",
        )
        self._show_entries(self.order_id)

    def _step_ship(self) -> None:
        shipped = self._post(
            f"/v1/orders/{self.order_id}/ship",
            {"carrier": "SF Express", "tracking_number": "SF1001001001"},
        )
        confirm_by = shipped["deadlines"]["confirm_by"]
        self._say(3, f"the seller shipped; without an answer it is confirmed at {confirm_by}")

    def _step_confirm(self, token: str) -> None:
        self._post(f"/v1/orders/{self.order_id}/confirm", {"token": token})
        self._say(4, "the buyer confirmed receipt; the hold is released and split")
        self._show_entries(self.order_id)

    def _step_payout(self) -> None:
        order = self._wait_for("paid_out")
        for line in order["split"]:
            amount = Money(line["amount_minor"], order["currency"])
            self._say(5, f"{line['payee'].lower():11} {amount}  {line['status']}")
        for line in order["split"]:
            if line.get("payout"):
                self._show_entries(line["payout"])

    def _wait_for(self, status: str) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            order = self._get(f"/v1/orders/{self.order_id}")
            if order["status"] == status:
                return order
            if time.monotonic() > deadline:
                raise WalkFailed(
                    f"it is still {order['status']} after {PATIENCE_SECONDS} s, not {status}"
                )
            time.sleep(POLL_SECONDS)

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return self._read(self.http.post(path, json=body, headers=self._headers()))

    def _get(self, path: str) -> Any:
        return self._read(self.http.get(path, headers=self._headers()))

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access.api_key}"}

    def _read(self, answer: httpx.Response) -> Any:
        if answer.status_code >= 400:
            raise WalkFailed(
                f"{answer.request.method} {answer.request.url.path} answered {answer.text}"
            )
        return answer.json()

    def _say(self, step: int, sentence: str) -> None:
        self.write(f"  {step}. {sentence}")

    def _show_entries(self, subject: str) -> None:
        for entry in books.subject_entries(subject):
            if entry.id in self.shown:
                continue
            self.shown.add(entry.id)
            self.write(f"       entry {entry.id}  {entry.reference}")
            for posting in entry.postings.all():
                side = "Dr" if posting.amount_minor > 0 else "    Cr"
                amount = Money(abs(posting.amount_minor), entry.currency)
                self.write(f"         {side} {posting.account.address:58} {amount}")


def _money(order: Any) -> str:
    return str(Money(order["amount_minor"], order["currency"]))
