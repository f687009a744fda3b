"""The sandbox payment channel: hosted cashier, query, close, refund, remittance, signed
notifications.

It behaves like a real channel and keeps its own durable book, the oracle; it must never share code
with the client that talks to it. Pay by POST /sandbox/pay/<reference> ({"again": true} captures a
paid payment a second time), take money back by POST /sandbox/chargeback/<reference>
({"amount_minor": …} for a part), remit by POST /sandbox/remit; see faults.py for what it can be
told to play.
"""

import secrets
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import g, request

from sandbox import book as books
from sandbox import cashier
from sandbox.notices import Deliver
from sandbox.remittances import TABLES as REMITTANCE_TABLES
from sandbox.remittances import Remit, Remittances
from sandbox.service import Service
from sandbox.wire import Clock, Fields, Refused

TABLES = """
CREATE TABLE IF NOT EXISTS payments (
    reference TEXT PRIMARY KEY, provider_reference TEXT NOT NULL UNIQUE, token TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL,
    description TEXT NOT NULL, expires_at REAL NOT NULL, notify_url TEXT NOT NULL,
    return_url TEXT NOT NULL, code TEXT NOT NULL DEFAULT '', event_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS payments_open ON payments (expires_at) WHERE status = 'PENDING';
CREATE TABLE IF NOT EXISTS captures (  -- money the buyer really paid
    provider_reference TEXT PRIMARY KEY, payment_reference TEXT NOT NULL REFERENCES payments,
    amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, captured_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS captures_of ON captures (payment_reference);
CREATE TABLE IF NOT EXISTS refunds (
    reference TEXT PRIMARY KEY, provider_reference TEXT NOT NULL UNIQUE,
    payment_reference TEXT NOT NULL REFERENCES payments, status TEXT NOT NULL,
    amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, reason TEXT NOT NULL,
    notify_url TEXT NOT NULL, code TEXT NOT NULL DEFAULT '', event_at REAL NOT NULL,
    due_at REAL, outcome TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS refunds_of ON refunds (payment_reference);
CREATE TABLE IF NOT EXISTS chargebacks (  -- money taken back for the buyer's bank, for good
    provider_reference TEXT PRIMARY KEY, payment_reference TEXT NOT NULL REFERENCES payments,
    amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, event_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS chargebacks_of ON chargebacks (payment_reference);
CREATE INDEX IF NOT EXISTS refunds_due ON refunds (due_at) WHERE due_at IS NOT NULL;
"""


def create_channel(
    book_path: str | Path,
    *,
    key_id: str,
    secret: str,
    clock: Clock,
    deliver: Deliver,
    hang: Callable[[], None],
    base_url: str,
    fee_bps: int = 0,
    remit: Remit | None = None,
    remit_seconds: float | None = None,
    remittance_notify_url: str = "",
    refund_seconds: float = 0.0,
    pay_late: bool = True,
    **service: Any,
) -> "SandboxChannel":
    """Make the channel on its book; drive it by `.tick(now)`, serve or mount `.app`.

    Args: remit: None keeps all money at the channel. remit_seconds: None remits only when told to.
        refund_seconds: how long a refund stays PENDING. pay_late: the cashier takes money after
        `expires_at` until the payment is closed; False fails it then. service: `pause` and
        `retry_seconds` of Service.
    """
    channel = SandboxChannel(
        book_path, key_id=key_id, secret=secret, clock=clock, deliver=deliver, hang=hang, **service
    )
    channel.base_url = base_url.rstrip("/")
    channel.remittances = Remittances(
        channel.book,
        channel.notices,
        remit=remit,
        every_seconds=remit_seconds,
        fee_bps=fee_bps,
        notify_url=remittance_notify_url,
    )
    channel.refund_seconds, channel.pay_late = refund_seconds, pay_late
    return channel


class SandboxChannel(Service):
    """A running channel: `.app` (Flask), `.tick(now)`, `.dump()`, `.faults.add(...)`, `.pay(...)`,
    `.remittances.cut(at)`."""

    tables = TABLES + REMITTANCE_TABLES
    operations = ("create_payment", "query_payment", "close_payment", "refund", "query_refund")
    subjects = ("payment", "refund", "remittance", "chargeback")
    base_url: str
    remittances: Remittances
    refund_seconds: float
    pay_late: bool

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        one = "/v1/payments/<reference>"
        self.route("POST", "/v1/payments", self._create_payment, operation="create_payment")
        self.route("GET", one, self._show_payment, operation="query_payment")
        self.route("POST", f"{one}/close", self._close_payment, operation="close_payment")
        self.route("POST", "/v1/refunds", self._create_refund, operation="refund")
        self.route("GET", "/v1/refunds/<reference>", self._show_refund, operation="query_refund")
        self.route("GET", "/cashier/<token>", self._show_cashier)
        self.route("POST", "/cashier/<token>", self._press_cashier)
        self.route("POST", "/sandbox/pay/<reference>", self._pay_told)
        self.route("POST", "/sandbox/chargeback/<reference>", self._charge_back_told)
        self.route("POST", "/sandbox/remit", self._remit_told)

    # Payments

    def _create_payment(self) -> tuple[dict[str, Any], int]:
        fields = Fields(request)
        reference, amount_minor, currency = fields.reference(), fields.amount(), fields.currency()
        columns: dict[str, Any] = {
            "description": fields.text("description", most=500, empty=True),
            "expires_at": fields.instant("expires_at"),
            "notify_url": fields.url("notify_url"),
            "return_url": fields.url("return_url"),
        }
        with self.book.write() as write:
            known = self._payment(reference)
            if known and (known["amount_minor"], known["currency"]) != (amount_minor, currency):
                raise Refused(409, "REFERENCE_CONFLICT", "This reference asked for another amount.")
            if not known:
                books.insert(
                    write,
                    "payments",
                    reference=reference,
                    provider_reference=books.number("SBP"),
                    token=secrets.token_urlsafe(24),
                    status="PENDING",
                    amount_minor=amount_minor,
                    currency=currency,
                    event_at=self._now(),
                    **columns,
                )
        return self._payment_fields(self._known_payment(reference)), 200 if known else 201

    def _show_payment(self, reference: str) -> dict[str, Any]:
        return self._payment_fields(self._known_payment(reference))

    def _close_payment(self, reference: str) -> dict[str, Any]:
        """Close an open payment; a finished one is answered as it stands."""
        self._known_payment(reference)
        with self.book.write() as write:
            write.execute(
                "UPDATE payments SET status = 'FAILED', code = 'CLOSED', event_at = ?"
                " WHERE reference = ? AND status = 'PENDING'",
                (self._now(), reference),
            )
        return self._show_payment(reference)

    def pay(self, reference: str, *, again: bool = False) -> dict[str, Any]:
        """Take the buyer's money. Raises: Refused 409 when closed or, by the settings, too late.

        A paid payment stays as it is unless `again` (or the fault capture_twice) captures it a
        second time.
        """
        now = self._now()
        twice = self.faults.take("pay") == "capture_twice"
        with self.book.write() as write:
            payment = self._known_payment(reference)
            if payment["status"] == "FAILED" or (
                payment["expires_at"] <= now and not self.pay_late
            ):
                raise Refused(409, "PAYMENT_CLOSED", "This payment is closed.")
            if payment["status"] == "PENDING":
                write.execute(
                    "UPDATE payments SET status = 'SUCCEEDED', event_at = ? WHERE reference = ?",
                    (now, reference),
                )
                self._capture(write, payment, payment["provider_reference"], now)
                again = twice
            if again:
                self._capture(write, payment, books.number("SBP"), now)
        return self._payment_fields(self._known_payment(reference))

    def _capture(
        self, write: sqlite3.Connection, payment: books.Row, number: str, now: float
    ) -> None:
        money = {"amount_minor": payment["amount_minor"], "currency": payment["currency"]}
        books.insert(
            write,
            "captures",
            provider_reference=number,
            payment_reference=payment["reference"],
            captured_at=now,
            **money,
        )
        told = payment | {"status": "SUCCEEDED", "provider_reference": number, "event_at": now}
        fields = self._payment_fields(told)
        self.notices.queue(write, url=payment["notify_url"], subject="payment", at=now, **fields)

    def _payment(self, reference: str) -> books.Row | None:
        return self.book.row("SELECT * FROM payments WHERE reference = ?", reference)

    def _known_payment(self, reference: str) -> books.Row:
        payment = self._payment(reference)
        if payment is None:
            raise Refused(404, "NOT_FOUND", "No payment has this reference.")
        return payment

    def _payment_fields(self, payment: books.Row) -> dict[str, Any]:
        return books.answer(payment) | {
            "cashier_url": f"{self.base_url}/cashier/{payment['token']}"
        }

    # Cashier

    def _show_cashier(self, token: str) -> Any:
        payment = self.book.row("SELECT * FROM payments WHERE token = ?", token)
        return cashier.page(
            payment, open_for_payment=payment is not None and self._is_open(payment)
        )

    def _press_cashier(self, token: str) -> Any:
        payment = self.book.row("SELECT * FROM payments WHERE token = ?", token)
        if payment is None:
            return cashier.page(None, open_for_payment=False)
        if request.form.get("action") == "pay" and self._is_open(payment):
            try:
                self.pay(payment["reference"])
            except Refused:  # closed in the meantime: the page below says so
                return self._show_cashier(token)
        elif request.form.get("action") != "cancel":
            return self._show_cashier(token)
        return cashier.leave(payment)

    def _is_open(self, payment: books.Row) -> bool:
        in_time = self.pay_late or payment["expires_at"] > self._now()
        return payment["status"] == "PENDING" and in_time

    # Refunds

    def _create_refund(self) -> tuple[dict[str, Any], int]:
        fields = Fields(request)
        asked: dict[str, Any] = {
            "payment_reference": fields.reference("payment_reference"),
            "amount_minor": fields.amount(),
            "currency": fields.currency(),
        }
        reference, now = fields.reference(), self._now()
        reason, notify_url = fields.text("reason", empty=True), fields.url("notify_url")
        with self.book.write() as write:
            known = self._refund(reference)
            if known and any(known[name] != value for name, value in asked.items()):
                raise Refused(409, "REFERENCE_CONFLICT", "This reference asked for something else.")
            if not known:
                self._refuse_excess(**asked)
                books.insert(
                    write,
                    "refunds",
                    reference=reference,
                    provider_reference=books.number("SBR"),
                    status="PENDING",
                    reason=reason,
                    notify_url=notify_url,
                    event_at=now,
                    due_at=now + self.refund_seconds,
                    outcome="FAILED" if g.get("fault") == "fail_later" else "SUCCEEDED",
                    **asked,
                )
        return self._show_refund(reference), 200 if known else 201

    def _refuse_excess(self, *, payment_reference: str, amount_minor: int, currency: str) -> None:
        payment = self._payment(payment_reference)
        if payment is None or payment["currency"] != currency:
            raise Refused(422, "PAYMENT_NOT_FOUND", "No payment of this reference and currency.")
        if amount_minor > self._left_of(payment_reference):
            raise Refused(422, "REFUND_EXCEEDS_CAPTURED", "More than is left of the captures.")

    def _left_of(self, payment_reference: str) -> int:
        of_payment = "payment_reference = ?"
        captured = self.book.total("captures", of_payment, payment_reference)
        refunded = self.book.total(
            "refunds", f"{of_payment} AND status != 'FAILED'", payment_reference
        )
        return captured - refunded - self.book.total("chargebacks", of_payment, payment_reference)

    def _show_refund(self, reference: str) -> dict[str, Any]:
        refund = self._refund(reference)
        if refund is None:
            raise Refused(404, "NOT_FOUND", "No refund has this reference.")
        return books.answer(refund)

    def _refund(self, reference: str) -> books.Row | None:
        return self.book.row("SELECT * FROM refunds WHERE reference = ?", reference)

    # Chargebacks

    def charge_back(self, reference: str, *, amount_minor: int | None = None) -> dict[str, Any]:
        """Take money of a paid payment back, as the buyer's bank would: at once and for good.

        Raises: Refused 422 for more than is left of it.
        """
        payment, now = self._known_payment(reference), self._now()
        with self.book.write() as write:
            left = self._left_of(reference)
            amount_minor = left if amount_minor is None else amount_minor
            if not 0 < amount_minor <= left:
                raise Refused(422, "CHARGEBACK_EXCEEDS_CAPTURED", f"{left} are left of it.")
            money = {"amount_minor": amount_minor, "currency": payment["currency"]}
            number = books.number("SBC")
            books.insert(
                write,
                "chargebacks",
                provider_reference=number,
                payment_reference=reference,
                event_at=now,
                **money,
            )
            told = payment | money
            told |= {"status": "SUCCEEDED", "provider_reference": number, "event_at": now}
            url = payment["notify_url"]
            fields = books.answer(told)
            self.notices.queue(write, url=url, subject="chargeback", at=now, **fields)
        return fields

    # Work that falls due

    def settle_due(self, now: datetime) -> int:
        at = now.timestamp()
        expired = 0 if self.pay_late else self._expire_payments(at)
        return self._finish_refunds(at) + expired + self.remittances.settle_due(at)

    def _finish_refunds(self, at: float) -> int:
        due = self.book.rows("SELECT * FROM refunds WHERE due_at <= ? ORDER BY due_at, rowid", at)
        for refund in due:
            status = refund["outcome"]
            told = refund | {
                "status": status,
                "code": "REFUND_REFUSED" if status == "FAILED" else "",
                "event_at": at,
            }
            with self.book.write() as write:
                write.execute(
                    "UPDATE refunds SET status = ?, code = ?, event_at = ?, due_at = NULL"
                    " WHERE reference = ?",
                    (status, told["code"], at, refund["reference"]),
                )
                url = refund["notify_url"]
                self.notices.queue(write, url=url, subject="refund", at=at, **books.answer(told))
        return len(due)

    def _expire_payments(self, at: float) -> int:
        with self.book.write() as write:
            return write.execute(
                "UPDATE payments SET status = 'FAILED', code = 'EXPIRED', event_at = ?"
                " WHERE status = 'PENDING' AND expires_at <= ?",
                (at, at),
            ).rowcount

    # Control

    def _pay_told(self, reference: str) -> dict[str, Any]:
        again = bool(request.get_data()) and Fields(request).flag("again")
        return self.pay(reference, again=again)

    def _charge_back_told(self, reference: str) -> dict[str, Any]:
        amount_minor = Fields(request).amount() if request.get_data() else None
        return self.charge_back(reference, amount_minor=amount_minor)

    def _remit_told(self) -> dict[str, Any]:
        return {"remittances": self.remittances.cut(self._now())}

    def totals(self) -> dict[str, dict[str, Any]]:
        """Per currency in minor units: collected, refunded, charged back, remitted (gross),
        fees, unremitted."""
        return self.remittances.totals()

    def _now(self) -> float:
        return self.clock().timestamp()
