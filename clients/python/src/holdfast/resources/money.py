"""Held, released and refunded money, balances, statements, payouts.

Signatures only: see holdfast._operations.
"""

# mypy: disable-error-code="empty-body"

from collections.abc import Sequence
from datetime import datetime

from holdfast import models
from holdfast._operations import Mode, Resource, get, listing, post
from holdfast.params import LineRefund


class Holds(Resource[Mode]):
    """Money in the reserve, by order."""

    @listing("/v1/holds")
    def list(
        self,
        *,
        state: str | Sequence[str] | None = None,
        order: str | None = None,
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
    ) -> models.Hold:
        """List holds, newest first."""
        ...

    @get("/v1/holds/{hold_id}")
    def retrieve(self, hold_id: str) -> models.Hold:
        """Read a hold."""
        ...


class Releases(Resource[Mode]):
    """Money given to its payees."""

    @listing("/v1/releases")
    def list(
        self,
        *,
        order: str | None = None,
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
    ) -> models.Release:
        """List releases with their split, newest first."""
        ...

    @get("/v1/releases/{release_id}")
    def retrieve(self, release_id: str) -> models.Release:
        """Read a release."""
        ...

    @get("/v1/releases/{release_id}/receipt")
    def receipt(self, release_id: str) -> models.SignedReceipt:
        """Read the signed receipt of a release; see holdfast.receipts."""
        ...

    @get("/v1/receipt-keys", under="data")
    def receipt_keys(self) -> tuple[models.ReceiptKey, ...]:
        """Read the public keys that verify receipts, newest first."""
        ...


class Refunds(Resource[Mode]):
    """Money going back to buyers."""

    @listing("/v1/refunds")
    def list(
        self,
        *,
        state: str | Sequence[str] | None = None,
        payment: str | None = None,
        order: str | None = None,
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
    ) -> models.Refund:
        """List refunds, newest first."""
        ...

    @post("/v1/refunds")
    def create(
        self,
        *,
        order: str,
        reason: str,
        amount_minor: int | None = None,
        lines: Sequence[LineRefund] | None = None,
        idempotency_key: str | None = None,
    ) -> models.Refund:
        """Give a buyer money of an order back: all that is left, an amount, or lines."""
        ...

    @get("/v1/refunds/{refund_id}")
    def retrieve(self, refund_id: str) -> models.Refund:
        """Read a refund."""
        ...


class Balances(Resource[Mode]):
    """What everybody has where."""

    @get("/v1/balances", under="data")
    def all(self) -> tuple[models.Balance, ...]:
        """Read the balances of your platform and each of its sellers, per currency."""
        ...


class Debts(Resource[Mode]):
    """What payees still have to give back of refunded orders."""

    @listing("/v1/debts")
    def list(
        self,
        *,
        state: str | Sequence[str] | None = None,
        merchant: str | None = None,
        refund: str | None = None,
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
    ) -> models.Debt:
        """List debts with how they were paid, newest first."""
        ...

    @get("/v1/debts/{debt_id}")
    def retrieve(self, debt_id: str) -> models.Debt:
        """Read a debt."""
        ...


class Settlements(Resource[Mode]):
    """Statements: what is paid together."""

    @listing("/v1/settlements")
    def list(
        self,
        *,
        payee: str | Sequence[str] | None = None,
        merchant: str | None = None,
        party: str | None = None,
        currency: str | None = None,
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
    ) -> models.Settlement:
        """List statements, newest first."""
        ...

    @get("/v1/settlements/{settlement_id}")
    def retrieve(self, settlement_id: str) -> models.SettlementDetail:
        """Read a statement with its lines and deductions."""
        ...


class Payouts(Resource[Mode]):
    """Payments to payees' banks."""

    @listing("/v1/payouts")
    def list(
        self,
        *,
        state: str | Sequence[str] | None = None,
        payee: str | Sequence[str] | None = None,
        merchant: str | None = None,
        party: str | None = None,
        settlement: str | None = None,
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
        expand: Sequence[str] | None = None,
    ) -> models.Payout:
        """List payouts, newest first. `expand=["settlement"]` writes the statement whole."""
        ...

    @get("/v1/payouts/{payout_id}")
    def retrieve(self, payout_id: str, *, expand: Sequence[str] | None = None) -> models.Payout:
        """Read a payout."""
        ...
