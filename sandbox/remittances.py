"""How collected money leaves the sandbox channel for the reserve account at the bank, net of the
channel's fee.

A remittance is written before the bank is asked and goes again under its reference until the bank
has it; it must never be for nothing or less than nothing.
"""

from typing import Any, Protocol

from sandbox import book as books
from sandbox.notices import Notices

RETRY_SECONDS = 5
TABLES = """
CREATE TABLE IF NOT EXISTS remittances (  -- DUE is the intent, SENT once the bank has it
    reference TEXT PRIMARY KEY, currency TEXT NOT NULL, gross_minor INTEGER NOT NULL,
    fee_minor INTEGER NOT NULL, net_minor INTEGER NOT NULL, status TEXT NOT NULL,
    event_at REAL NOT NULL, due_at REAL);
"""


class Remit(Protocol):
    """Credit the reserve account once per reference; raise when it may not have worked."""

    def __call__(self, *, reference: str, amount_minor: int, currency: str) -> object: ...


class Remittances:
    def __init__(
        self,
        book: books.Book,
        notices: Notices,
        *,
        remit: Remit | None,
        every_seconds: float | None,
        fee_bps: int,
        notify_url: str,
    ) -> None:
        self._book, self._notices, self._remit = book, notices, remit
        self._every_seconds, self._fee_bps, self._notify_url = every_seconds, fee_bps, notify_url

    def settle_due(self, at: float) -> int:
        """Cut remittances when it is time and send those due. Returns: how many things happened."""
        cut = self.cut(at) if self._is_time(at) else 0
        due = self._book.rows("SELECT * FROM remittances WHERE due_at <= ? ORDER BY due_at", at)
        return cut + sum(self._send(row, at) for row in due)

    def cut(self, at: float) -> int:
        """Write one remittance per currency with money not yet remitted. Returns: how many."""
        if self._remit is None:
            return 0
        count = 0
        with self._book.write() as write:
            for currency, sums in self.totals().items():
                gross_minor = sums["unremitted"]
                fee_minor = (gross_minor * self._fee_bps * 2 + 10_000) // 20_000  # half-up
                if gross_minor <= 0 or gross_minor <= fee_minor:
                    continue
                count += 1
                books.insert(
                    write,
                    "remittances",
                    reference=books.number("SBM"),
                    currency=currency,
                    gross_minor=gross_minor,
                    fee_minor=fee_minor,
                    net_minor=gross_minor - fee_minor,
                    status="DUE",
                    event_at=at,
                    due_at=at,
                )
        return count

    def totals(self) -> dict[str, dict[str, Any]]:
        currencies = self._book.rows("SELECT DISTINCT currency FROM payments ORDER BY currency")
        return {row["currency"]: self._totals_of(row["currency"]) for row in currencies}

    def _totals_of(self, currency: str) -> dict[str, Any]:
        total, sent = self._book.total, "currency = ? AND status = 'SENT'"
        collected = total("captures", "currency = ?", currency)
        refunded = total("refunds", "currency = ? AND status = 'SUCCEEDED'", currency)
        charged_back = total("chargebacks", "currency = ?", currency)
        cut = total("remittances", "currency = ?", currency, column="gross_minor")
        return {
            "collected": collected,
            "refunded": refunded,
            "charged_back": charged_back,
            "remitted": total("remittances", sent, currency, column="gross_minor"),
            "fees": total("remittances", sent, currency, column="fee_minor"),
            "unremitted": collected - refunded - charged_back - cut,
        }

    def _send(self, row: books.Row, at: float) -> int:
        reference = row["reference"]
        try:
            assert self._remit is not None
            self._remit(
                reference=reference, amount_minor=row["net_minor"], currency=row["currency"]
            )
        except Exception:  # unknown at the bank: the same reference goes again
            with self._book.write() as write:
                sql = "UPDATE remittances SET due_at = ? WHERE reference = ?"
                write.execute(sql, (at + RETRY_SECONDS, reference))
            return 0
        told = row | {"status": "SUCCEEDED", "amount_minor": row["gross_minor"], "event_at": at}
        fields = books.answer(told | {"provider_reference": reference, "code": ""})
        fields["fee_minor"] = row["fee_minor"]
        with self._book.write() as write:
            sql = "UPDATE remittances SET status = 'SENT', due_at = NULL, event_at = ?"
            write.execute(f"{sql} WHERE reference = ?", (at, reference))
            url = self._notify_url
            self._notices.queue(write, url=url, subject="remittance", at=at, **fields)
        return 1

    def _is_time(self, at: float) -> bool:
        if self._every_seconds is None:
            return False
        last = self._book.row("SELECT at FROM marks WHERE name = 'remittance'")
        if last and at < last["at"] + self._every_seconds:
            return False
        with self._book.write() as write:
            write.execute("INSERT OR REPLACE INTO marks VALUES ('remittance', ?)", (at,))
        return last is not None
