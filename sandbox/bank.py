"""The sandbox bank: one reserve account per currency, deposits, payouts with callbacks, returns.

It keeps its own durable book and counts executions per reference: more than one is a double payout.
It must never share code with the client that talks to it.

Account numbers with a meaning: ...0002 fails with ACCOUNT_CLOSED; ...0003 is paid and then returned
on the next tick; ...0004 stays PENDING until POST /sandbox/decide/<reference> {"status":
"SUCCEEDED" | "FAILED", "code": ""}. POST /sandbox/return/<reference> sends paid money back at any
later time. POST /sandbox/incoming {"reference", "amount_minor", "currency"} is somebody paying into
the reserve account with a reference of their own, once per "number" when one is given; it is told
to `incoming_notify_url`.
"""

import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import g, request

from sandbox import book as books
from sandbox.notices import Deliver
from sandbox.service import Service
from sandbox.wire import Clock, Fields, Refused

TABLES = """
CREATE TABLE IF NOT EXISTS payouts (  -- one row per accepted instruction, executed at paid_at
    id INTEGER PRIMARY KEY, reference TEXT NOT NULL, provider_reference TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL,
    holder_name TEXT NOT NULL, bank_code TEXT NOT NULL, account_number TEXT NOT NULL,
    remark TEXT NOT NULL, notify_url TEXT NOT NULL, code TEXT NOT NULL DEFAULT '',
    outcome TEXT NOT NULL, event_at REAL NOT NULL, due_at REAL, paid_at REAL, returned_at REAL);
CREATE INDEX IF NOT EXISTS payouts_of ON payouts (reference);
CREATE INDEX IF NOT EXISTS payouts_due ON payouts (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS deposits (
    reference TEXT PRIMARY KEY, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL,
    event_at REAL NOT NULL);
"""
# What becomes of a payout, by the last four digits of the account: outcome, code.
ENDINGS = {
    "0002": ("FAILED", "ACCOUNT_CLOSED"),
    "0003": ("RETURNED", ""),
    "0004": ("UNDECIDED", ""),
}
RETURN_CODE = "RETURNED_BY_BENEFICIARY_BANK"


def create_bank(
    book_path: str | Path,
    *,
    key_id: str,
    secret: str,
    clock: Clock,
    deliver: Deliver,
    hang: Callable[[], None],
    remembers_references: bool = True,
    result_seconds: float = 0.0,
    incoming_notify_url: str = "",
    **service: Any,
) -> "SandboxBank":
    """Make the bank on its book; drive it by `.tick(now)`, serve or mount `.app`.

    Args: remembers_references: False executes the same reference again each time it is sent.
        result_seconds: how long a payout stays PENDING. incoming_notify_url: who is told of money
        that comes in; empty: nobody. service: `pause` and `retry_seconds` of
        Service.
    """
    bank = SandboxBank(
        book_path, key_id=key_id, secret=secret, clock=clock, deliver=deliver, hang=hang, **service
    )
    bank.remembers_references, bank.result_seconds = remembers_references, result_seconds
    bank.incoming_notify_url = incoming_notify_url
    return bank


class SandboxBank(Service):
    """A running bank: `.app`, `.tick(now)`, `.dump()`, `.faults`, `.deposit()`, `.executions()`."""

    tables = TABLES
    operations = ("payout", "query_payout", "deposit")
    subjects = ("payout", "incoming")
    remembers_references: bool
    result_seconds: float
    incoming_notify_url: str

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.route("POST", "/v1/payouts", self._create_payout, operation="payout")
        self.route("GET", "/v1/payouts/<reference>", self._show_payout, operation="query_payout")
        self.route("POST", "/v1/deposits", self._create_deposit, operation="deposit")
        self.route("POST", "/sandbox/return/<reference>", self._return_told)
        self.route("POST", "/sandbox/decide/<reference>", self._decide_told)
        self.route("POST", "/sandbox/incoming", self._receive_told)

    # Deposits

    def deposit(self, *, reference: str, amount_minor: int, currency: str) -> bool:
        """Credit the reserve account once per reference. Returns: True when this call did it.

        Raises: Refused 409 when the reference deposited something else before.
        """
        with self.book.write() as write:
            known = self.book.row("SELECT * FROM deposits WHERE reference = ?", reference)
            if known and (known["amount_minor"], known["currency"]) != (amount_minor, currency):
                raise Refused(409, "REFERENCE_CONFLICT", "This reference deposited another amount.")
            if not known:
                books.insert(
                    write,
                    "deposits",
                    reference=reference,
                    amount_minor=amount_minor,
                    currency=currency,
                    event_at=self._now(),
                )
        return known is None

    def _create_deposit(self) -> tuple[dict[str, Any], int]:
        fields = Fields(request)
        asked: dict[str, Any] = {"amount_minor": fields.amount(), "currency": fields.currency()}
        reference = fields.reference()
        created = self.deposit(reference=reference, **asked)
        return {"reference": reference, "status": "SUCCEEDED", **asked}, 201 if created else 200

    def receive(
        self, *, reference: str, amount_minor: int, currency: str, number: str = ""
    ) -> dict[str, Any]:
        """Credit the reserve account with what somebody pays in, and tell of it.

        Args: reference: what the payer writes. number: ours for this payment, which is then made
            once; empty: each call is a payment of its own.
        """
        number, now = number or books.number("SBI"), self._now()
        money = {"amount_minor": amount_minor, "currency": currency, "event_at": now}
        told = books.answer(
            money
            | {"reference": reference, "provider_reference": number}
            | {"status": "SUCCEEDED", "code": ""}
        )
        with self.book.write() as write:
            if self.book.row("SELECT * FROM deposits WHERE reference = ?", number):
                return told
            books.insert(write, "deposits", reference=number, **money)
            url = self.incoming_notify_url
            self.notices.queue(write, url=url, subject="incoming", at=now, **told)
        return told

    def _receive_told(self) -> tuple[dict[str, Any], int]:
        fields = Fields(request)
        asked: dict[str, Any] = {"amount_minor": fields.amount(), "currency": fields.currency()}
        asked["number"] = fields.text("number", most=64, empty=True)
        return self.receive(reference=fields.reference(), **asked), 201

    # Payouts

    def _create_payout(self) -> tuple[dict[str, Any], int]:
        fields = Fields(request)
        columns: dict[str, Any] = {
            "reference": fields.reference(),
            "amount_minor": fields.amount(),
            "currency": fields.currency(),
            "holder_name": fields.text("holder_name"),
            "bank_code": fields.text("bank_code", most=40, empty=True),
            "account_number": fields.text("account_number", most=64),
            "remark": fields.text("remark", empty=True),
            "notify_url": fields.url("notify_url"),
        }
        with self.book.write() as write:
            known = self._payout(columns["reference"]) if self.remembers_references else None
            if known and any(known[name] != columns[name] for name in ("amount_minor", "currency")):
                raise Refused(409, "REFERENCE_CONFLICT", "This reference paid another amount.")
            if not known:
                self._accept(write, columns)
        return self._show_payout(columns["reference"]), 202

    def _accept(self, write: sqlite3.Connection, columns: dict[str, Any]) -> None:
        now = self._now()
        outcome, code = ENDINGS.get(columns["account_number"][-4:], ("SUCCEEDED", ""))
        if g.get("fault") == "fail_later":
            outcome, code = "FAILED", "REFUSED_BY_BENEFICIARY_BANK"
        row = columns | {
            "provider_reference": books.number("SBT"),
            "status": "PENDING",
            "outcome": outcome,
            "code": code,
            "event_at": now,
            "due_at": None if outcome == "UNDECIDED" else now + self.result_seconds,
        }
        if columns["amount_minor"] > self._totals_of(columns["currency"])["available"]:
            row |= {"status": "FAILED", "code": "INSUFFICIENT_FUNDS", "due_at": None}
            self._tell(write, row, at=now)
        books.insert(write, "payouts", **row)

    def _show_payout(self, reference: str) -> dict[str, Any]:
        return books.answer(self._known_payout(reference))

    def _payout(self, reference: str) -> books.Row | None:
        """The latest instruction with this reference; a forgetful bank may hold several."""
        sql = "SELECT * FROM payouts WHERE reference = ? ORDER BY id DESC LIMIT 1"
        return self.book.row(sql, reference)

    def _known_payout(self, reference: str) -> books.Row:
        payout = self._payout(reference)
        if payout is None:
            raise Refused(404, "NOT_FOUND", "No payout has this reference.")
        return payout

    # Results

    def settle_due(self, now: datetime) -> int:
        at = now.timestamp()
        sql = "SELECT * FROM payouts WHERE due_at <= ? ORDER BY status = 'PENDING', due_at, id"
        due = self.book.rows(sql, at)
        for payout in due:
            if payout["status"] == "SUCCEEDED":
                self._settle(payout, "RETURNED", at, code=RETURN_CODE)
            elif payout["outcome"] == "FAILED":
                self._settle(payout, "FAILED", at, code=payout["code"])
            else:
                next_at = at if payout["outcome"] == "RETURNED" else None
                self._settle(payout, "SUCCEEDED", at, due_at=next_at)
        return len(due)

    def _settle(
        self,
        payout: books.Row,
        status: str,
        at: float,
        *,
        code: str = "",
        due_at: float | None = None,
    ) -> None:
        changes = {"status": status, "code": code, "event_at": at, "due_at": due_at}
        if status in ("SUCCEEDED", "RETURNED"):
            changes["paid_at" if status == "SUCCEEDED" else "returned_at"] = at
        columns = ", ".join(f"{name} = ?" for name in changes)
        with self.book.write() as write:
            sql = f"UPDATE payouts SET {columns} WHERE id = ? AND status = ?"  # noqa: S608
            moved = write.execute(sql, (*changes.values(), payout["id"], payout["status"])).rowcount
            if moved:
                self._tell(write, payout | changes, at=at)

    def _tell(self, write: sqlite3.Connection, payout: books.Row, *, at: float) -> None:
        url = payout["notify_url"]
        self.notices.queue(write, url=url, subject="payout", at=at, **books.answer(payout))

    # Control and book

    def _return_told(self, reference: str) -> dict[str, Any]:
        payout = self._known_payout(reference)
        if payout["status"] != "SUCCEEDED":
            raise Refused(409, "NOT_PAID", f"This payout is {payout['status']}.")
        self._settle(payout, "RETURNED", self._now(), code=RETURN_CODE)
        return self._show_payout(reference)

    def _decide_told(self, reference: str) -> dict[str, Any]:
        fields, payout = Fields(request), self._known_payout(reference)
        status = fields.text("status")
        if payout["status"] != "PENDING" or status not in ("SUCCEEDED", "FAILED"):
            raise Refused(409, "NOT_DECIDABLE", f"{payout['status']} cannot become {status}.")
        self._settle(payout, status, self._now(), code=fields.text("code", empty=True))
        return self._show_payout(reference)

    def executions(self) -> dict[str, int]:
        """How often each reference was really paid; a 2 is a double payout."""
        sql = "SELECT reference, count(paid_at) AS paid FROM payouts GROUP BY reference"
        return {row["reference"]: row["paid"] for row in self.book.rows(sql)}

    def dump(self) -> dict[str, Any]:
        """As every service, and `executions` per reference."""
        return super().dump() | {"executions": self.executions()}

    def totals(self) -> dict[str, dict[str, Any]]:
        """Per currency, minor units: deposited, paid, returned, balance, available; executions."""
        sql = "SELECT currency FROM deposits UNION SELECT currency FROM payouts ORDER BY currency"
        return {row["currency"]: self._totals_of(row["currency"]) for row in self.book.rows(sql)}

    def _totals_of(self, currency: str) -> dict[str, Any]:
        found = self.book.row(
            "SELECT coalesce(sum(amount_minor) FILTER (WHERE paid_at IS NOT NULL), 0) AS paid,"
            " coalesce(sum(amount_minor) FILTER (WHERE returned_at IS NOT NULL), 0) AS returned,"
            " coalesce(sum(amount_minor) FILTER (WHERE status = 'PENDING'), 0) AS pending,"
            " count(paid_at) AS executions FROM payouts WHERE currency = ?",
            currency,
        )
        assert found is not None
        deposited = self.book.total("deposits", "currency = ?", currency)
        balance = deposited - found["paid"] + found["returned"]
        available = balance - found.pop("pending")
        return found | {"deposited": deposited, "balance": balance, "available": available}

    def _now(self) -> float:
        return self.clock().timestamp()
