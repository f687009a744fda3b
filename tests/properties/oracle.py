"""What a marketplace should look like after each step, in plain dicts: the oracle of the stateful
test (H4).

It knows the rules of money.md and nothing of the code. It must never ask our database what it is
about to check; what the outside world says (`word_...`) is its input as it is ours.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

OPEN_PAYMENT = ("PENDING", "UNKNOWN")
OPEN_PAYOUT = ("SENDING", "UNKNOWN")
DEAD_PAYOUT = ("FAILED", "RETURNED")
UNPAID_PAYOUT = ("PENDING", "APPROVED", *OPEN_PAYOUT)
RESERVE, RECEIVABLE = "reserve:sandbox-bank", "channel:sandbox:receivable"
OWED_BACK, UNDERWAY = "refund:sandbox:in_transit", "payout:sandbox-bank:in_transit"


def half_up(amount: int, rate_bps: int) -> int:
    return int(Fraction(amount * rate_bps, 10_000) + Fraction(1, 2))


class Oracle:
    """The books as signed minor units (debits positive) by (address, currency), and a dict per kind
    of thing.
    """

    def __init__(self, *, platform: str, limits: Mapping[str, int | None]) -> None:
        self.platform, self.limits = platform, limits
        self.books: Counter[tuple[str, str]] = Counter()
        self.orders: dict[str, dict[str, Any]] = {}
        self.payments: dict[str, dict[str, Any]] = {}
        self.refunds: dict[tuple[str, ...], dict[str, Any]] = {}
        self.payouts: dict[str, dict[str, Any]] = {}
        self.settlements: dict[
            tuple[str, str], list[int]
        ] = {}  # (address, currency) -> amounts not paid out yet

    def digest(self) -> str:
        """Everything the oracle says, to see whether it says something new."""
        return repr((self.books, self.orders, self.payments, self.refunds, self.payouts))

    def post(self, debit: str, credit: str, amount: int, currency: str) -> None:
        self.books[debit, currency] += amount
        self.books[credit, currency] -= amount

    # Orders

    def create_order(
        self,
        order_id: str,
        *,
        merchant: str,
        goods: int,
        shipping: int,
        currency: str,
        at: datetime,
    ) -> None:
        amount = goods + shipping
        commission = min(max(half_up(goods, 500), 100), 5000) if currency == "CNY" else 0
        fee = half_up(amount, 60)
        commission = min(commission, amount - fee)
        shares = {
            f"merchant:{merchant}:payable": amount - fee - commission,
            f"platform:{self.platform}:commission": commission,
            "fee:service": fee,
        }
        self.orders[order_id] = {
            "state": "CREATED",
            "amount": amount,
            "currency": currency,
            "pay_by": at + timedelta(minutes=30),
            "ship_by": None,
            "confirm_by": None,
            "shares": shares,
            "payment": None,
        }

    def ship(self, order_id: str, *, at: datetime) -> str:
        """Returns: the code of the refusal, or "" when it works; so do all verbs here."""
        order = self.orders[order_id]
        if order["state"] != "PAID":
            return "order_state_conflict"
        if at > order["ship_by"]:
            return "shipping_deadline_passed"
        order["state"], order["confirm_by"] = "SHIPPED", at + timedelta(days=10)
        return ""

    def confirm(self, order_id: str) -> str:
        order = self.orders[order_id]
        if order["state"] != "SHIPPED":
            return "order_state_conflict"
        order["state"] = "CONFIRMED"
        for address, amount in order["shares"].items():
            if amount:
                self.post("held", address, amount, order["currency"])
                if address != "fee:service":
                    self.settlements.setdefault((address, order["currency"]), []).append(amount)
        return ""

    def cancel(self, order_id: str) -> str:
        order = self.orders[order_id]
        if order["state"] != "PAID":
            return "order_state_conflict"
        order["state"] = "CANCELED"
        self.post("held", OWED_BACK, order["amount"], order["currency"])
        self.refunds["hold", order_id] = self._refund(order)
        return ""

    def cancel_unpaid(self, order_id: str) -> str:
        order = self.orders[order_id]
        if order["state"] != "CREATED":
            return "order_state_conflict"
        order["state"] = "CANCELED"
        return ""

    def _refund(self, order: dict[str, Any]) -> dict[str, Any]:
        return {"state": "PENDING", "amount": order["amount"], "currency": order["currency"]}

    # Payments

    def start_payment(self, order_ids: list[str], *, at: datetime) -> str:
        orders = [self.orders[order_id] for order_id in sorted(order_ids)]
        for order in orders:
            if order["state"] != "CREATED":
                return "order_state_conflict"
            if at >= order["pay_by"]:
                return "payment_deadline_passed"
        return "payment_invalid" if len({order["currency"] for order in orders}) > 1 else ""

    def add_payment(self, payment_id: str, order_ids: list[str]) -> None:
        self.payments[payment_id] = {
            "state": "PENDING",
            "orders": sorted(order_ids),
            "numbers": set(),
        }

    def _is_awaited(self, payment: dict[str, Any]) -> bool:
        return any(self.orders[order_id]["state"] == "CREATED" for order_id in payment["orders"])

    def word_of_payment(self, payment_id: str, answer: Any, *, op: str, at: datetime) -> None:
        """`op`: told (a notification), create, query or close."""
        payment = self.payments[payment_id]
        if answer.status == "SUCCEEDED" and op != "create":
            self._capture(payment, answer, at=at)
        elif op == "query" and payment["state"] in OPEN_PAYMENT and not self._is_awaited(payment):
            payment["state"] = "EXPIRED"
        elif op == "query" and answer.status == "NOT_FOUND":
            return
        elif payment["state"] in OPEN_PAYMENT:
            payment["state"] = {"FAILED": "FAILED", "UNKNOWN": "UNKNOWN"}.get(
                answer.status, "PENDING"
            )

    def _capture(self, payment: dict[str, Any], answer: Any, *, at: datetime) -> None:
        number = answer.provider_reference
        if number in payment["numbers"]:
            return
        payment["numbers"].add(number)
        first = payment["state"] in OPEN_PAYMENT
        if first:
            payment["state"] = "SUCCEEDED"
        for order_id in payment["orders"]:
            order = self.orders[order_id]
            if first and order["state"] == "CREATED":
                self.post(RECEIVABLE, "held", order["amount"], order["currency"])
                paid_at = min(answer.event_at, at)
                order["state"], order["ship_by"] = "PAID", paid_at + timedelta(hours=72)
            else:
                self.post(RECEIVABLE, OWED_BACK, order["amount"], order["currency"])
                self.refunds["surplus", order_id, number] = self._refund(order)

    # Sweeps

    def expire(self, *, at: datetime) -> None:
        for order_id, order in self.orders.items():
            if order["state"] != "CREATED" or order["pay_by"] >= at:
                continue
            order["state"] = "EXPIRED"
            for payment in self.payments.values():
                if (
                    order_id in payment["orders"]
                    and payment["state"] in OPEN_PAYMENT
                    and not self._is_awaited(payment)
                ):
                    payment["state"] = "EXPIRED"

    def cancel_unshipped(self, *, at: datetime) -> None:
        for order_id, order in self.orders.items():
            if order["state"] == "PAID" and order["ship_by"] < at:
                self.cancel(order_id)

    def release_unconfirmed(self, *, at: datetime) -> None:
        for order_id, order in self.orders.items():
            if order["state"] == "SHIPPED" and order["confirm_by"] <= at:
                self.confirm(order_id)

    def word_of_refund(self, key: tuple[str, ...], answer: Any) -> None:
        refund = self.refunds[key]
        if refund["state"] == "SUCCEEDED" or answer.status == "NOT_FOUND":
            return
        if answer.status == "SUCCEEDED":
            self.post(OWED_BACK, RECEIVABLE, refund["amount"], refund["currency"])
        refund["state"] = {"PENDING": "SUBMITTED"}.get(answer.status, str(answer.status))

    def word_of_remittance(self, gross: int, currency: str) -> None:
        self.post(RESERVE, RECEIVABLE, gross, currency)

    # Payouts

    def cut(self) -> dict[tuple[str, str], int]:
        """Returns: the payouts that must be made, by payee and currency."""
        made = {payee: sum(amounts) for payee, amounts in self.settlements.items()}
        self.settlements.clear()
        return made

    def add_payout(
        self, payout_id: str, *, payee: str, amount: int, currency: str, asked_by: str = ""
    ) -> None:
        limit = self.limits.get(payee)
        waits = bool(asked_by) or (limit is not None and amount > limit)
        self.post(payee, UNDERWAY, amount, currency)
        self.payouts[payout_id] = {
            "state": "PENDING" if waits else "APPROVED",
            "payee": payee,
            "amount": amount,
            "currency": currency,
            "asked_by": asked_by,
            "replaced": False,
        }

    def approve(self, payout_id: str, operator: str) -> str:
        payout = self.payouts[payout_id]
        if payout["state"] != "PENDING":
            return "payout_state_conflict"
        if payout["asked_by"] == operator:
            return "second_person_needed"
        payout["state"] = "APPROVED"
        return ""

    def refuse(self, payout_id: str) -> str:
        payout = self.payouts[payout_id]
        if payout["state"] != "PENDING":
            return "payout_state_conflict"
        self._fail(payout)
        return ""

    def replace(self, payout_id: str, *, live: bool) -> str:
        """`live`: whether another payout of the same settlement is underway or paid."""
        return (
            "payout_not_replaceable"
            if self.payouts[payout_id]["state"] not in DEAD_PAYOUT or live
            else ""
        )

    def covered(self, payout_id: str) -> bool:
        payout = self.payouts[payout_id]
        alike = [each for each in self.payouts.values() if each["currency"] == payout["currency"]]
        owed = sum(each["amount"] for each in alike if each["state"] in OPEN_PAYOUT)
        return self.books[RESERVE, payout["currency"]] >= owed + payout["amount"]

    def word_of_payout(self, payout_id: str, answer: Any, *, op: str) -> None:
        """`op`: told, send or query."""
        payout = self.payouts[payout_id]
        if op == "send":
            assert payout["state"] in OPEN_PAYOUT or self.covered(payout_id), (
                f"{payout_id} is not covered"
            )
            payout["state"] = "SENDING"
        if op == "query" and answer.status == "NOT_FOUND":
            return
        if payout["state"] in OPEN_PAYOUT:
            self._decide(payout, str(answer.status))
        elif payout["state"] == "PAID" and answer.status == "RETURNED":
            self._return(payout)

    def _decide(self, payout: dict[str, Any], status: str) -> None:
        if status in ("SUCCEEDED", "RETURNED"):
            self.post(UNDERWAY, RESERVE, payout["amount"], payout["currency"])
            payout["state"] = "PAID"
            if status == "RETURNED":
                self._return(payout)
        elif status == "FAILED":
            self._fail(payout)
        else:
            payout["state"] = "SENDING" if status == "PENDING" else "UNKNOWN"

    def _fail(self, payout: dict[str, Any]) -> None:
        self.post(UNDERWAY, payout["payee"], payout["amount"], payout["currency"])
        payout["state"] = "FAILED"

    def _return(self, payout: dict[str, Any]) -> None:
        self.post(RESERVE, payout["payee"], payout["amount"], payout["currency"])
        payout["state"] = "RETURNED"
