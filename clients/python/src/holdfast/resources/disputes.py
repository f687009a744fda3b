"""Disputes, of platforms and of buyers. Signatures only: see holdfast._operations."""

# mypy: disable-error-code="empty-body"

from collections.abc import Sequence
from datetime import datetime

from holdfast import models
from holdfast._operations import Mode, Resource, get, listing, post


class Disputes(Resource[Mode]):
    """What buyers, or their banks, hold against sales of your platform."""

    @listing("/v1/disputes")
    def list(
        self,
        *,
        state: str | Sequence[str] | None = None,
        waits_for: str | Sequence[str] | None = None,
        kind: str | Sequence[str] | None = None,
        order: str | None = None,
        due_before: datetime | None = None,
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
    ) -> models.Dispute:
        """List disputes, newest first."""
        ...

    @post("/v1/disputes")
    def create(
        self,
        *,
        order: str,
        reason: str,
        asked_minor: int | None = None,
        lines: Sequence[int] | None = None,
        text: str | None = None,
        idempotency_key: str | None = None,
    ) -> models.Dispute:
        """Open a dispute for the buyer. The order's money is frozen until it ends."""
        ...

    @get("/v1/disputes/{id}")
    def retrieve(self, id: str) -> models.Dispute:
        """Read a dispute with its timeline."""
        ...

    @post("/v1/disputes/{id}/answer")
    def answer(
        self,
        id: str,
        *,
        answer: str,
        offer_minor: int | None = None,
        needs_return: bool | None = None,
        text: str | None = None,
        idempotency_key: str | None = None,
    ) -> models.Dispute:
        """The seller answers: `ACCEPT`, `OFFER` or `CONTEST`."""
        ...

    @post("/v1/disputes/{id}/return")
    def conclude_return(
        self,
        id: str,
        *,
        received: bool,
        text: str | None = None,
        idempotency_key: str | None = None,
    ) -> models.Dispute:
        """The seller says whether goods that were sent back have arrived as they should."""
        ...

    @post("/v1/disputes/{id}/evidence")
    def add_evidence(
        self,
        id: str,
        *,
        name: str,
        content: bytes,
        side: str | None = None,
        idempotency_key: str | None = None,
    ) -> models.Evidence:
        """Add a file: PDF, PNG, JPEG, WEBP or plain text, 5 MiB at most."""
        ...

    @get("/v1/disputes/{id}/evidence/{evidence_id}")
    def read_evidence(self, id: str, evidence_id: str) -> bytes:
        """Read the bytes of a file. A stranger made it: never show it as a page of yours."""
        ...


class BuyerDisputes(Resource[Mode]):
    """The buyer's side of the dispute of one order. `token`: the order's `buyer_token`, which is
    the authority; your key is not sent."""

    @post("/v1/orders/{order_id}/dispute", keyless=True)
    def create(
        self,
        order_id: str,
        *,
        token: str,
        reason: str,
        asked_minor: int | None = None,
        lines: Sequence[int] | None = None,
        text: str | None = None,
        idempotency_key: str | None = None,
    ) -> models.Dispute:
        """The buyer disputes the order. Its money is frozen until the dispute ends."""
        ...

    @post("/v1/orders/{order_id}/dispute/view", keyless=True)
    def retrieve(
        self, order_id: str, *, token: str, idempotency_key: str | None = None
    ) -> models.Dispute:
        """Read the order's latest dispute."""
        ...

    @post("/v1/orders/{order_id}/dispute/offer", keyless=True)
    def answer_offer(
        self,
        order_id: str,
        *,
        token: str,
        accept: bool,
        text: str | None = None,
        idempotency_key: str | None = None,
    ) -> models.Dispute:
        """The buyer accepts or declines the seller's offer."""
        ...

    @post("/v1/orders/{order_id}/dispute/withdraw", keyless=True)
    def withdraw(
        self,
        order_id: str,
        *,
        token: str,
        text: str | None = None,
        idempotency_key: str | None = None,
    ) -> models.Dispute:
        """The buyer gives the dispute up."""
        ...

    @post("/v1/orders/{order_id}/dispute/send-back", keyless=True)
    def send_back(
        self,
        order_id: str,
        *,
        token: str,
        carrier: str,
        tracking_number: str,
        idempotency_key: str | None = None,
    ) -> models.Dispute:
        """The buyer has sent the goods back."""
        ...

    @post("/v1/orders/{order_id}/dispute/evidence", keyless=True)
    def add_evidence(
        self,
        order_id: str,
        *,
        token: str,
        name: str,
        content: bytes,
        idempotency_key: str | None = None,
    ) -> models.Evidence:
        """Add a file: PDF, PNG, JPEG, WEBP or plain text, 5 MiB at most."""
        ...

    @post("/v1/orders/{order_id}/dispute/file", keyless=True)
    def read_evidence(
        self, order_id: str, *, token: str, evidence: str, idempotency_key: str | None = None
    ) -> bytes:
        """Read the bytes of a file of either side."""
        ...
