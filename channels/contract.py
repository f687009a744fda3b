"""What every payment channel and bank rail must answer. Pure; it must never know a provider or a
model.

A client never raises for what the network or the provider does: a timeout, a 5xx, a torn or
unparsable answer is the status UNKNOWN (reliability rule R3). It raises only for forged
notifications.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from common.errors import DomainError


class NotificationForged(DomainError):
    """Signature missing, wrong, of an unknown key, or older than five minutes."""

    code = "notification_signature_invalid"
    status = 401


class NotificationUnreadable(DomainError):
    """Signed well, yet not in the documented shape."""

    code = "notification_unreadable"
    status = 422


class Status(StrEnum):
    """What the outside says about one thing we asked for."""

    PENDING = "PENDING"  # known there, not decided yet
    SUCCEEDED = "SUCCEEDED"  # paid, refunded, paid out
    FAILED = "FAILED"  # refused or closed for good; no money moved
    RETURNED = "RETURNED"  # payouts only: paid, then sent back
    NOT_FOUND = "NOT_FOUND"  # never heard of the reference
    UNKNOWN = "UNKNOWN"  # no usable answer; ask again, never guess


class Subject(StrEnum):
    """What a notification speaks about."""

    PAYMENT = "payment"
    REFUND = "refund"
    PAYOUT = "payout"
    REMITTANCE = "remittance"
    INCOMING = "incoming"  # paid into the reserve; its `reference` is what the payer wrote
    CHARGEBACK = "chargeback"  # money of a payment taken back; its `reference` is the payment's


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer about one thing, whether to a request, a query or by notification.

    `provider_reference` is theirs; ours is the `reference` we asked with. `amount_minor` and
    `currency` are what THEY say and are compared with our row before anything is booked; 0 and
    "" when they said nothing. `code` and `message` are theirs, untrusted, cut to 200 characters.
    """

    status: Status
    reference: str
    provider_reference: str = ""
    amount_minor: int = 0
    currency: str = ""
    cashier_url: str = ""
    event_at: datetime | None = None
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Notification:
    """A verified message from a provider. `event_id` is theirs and unique per provider."""

    event_id: str
    subject: Subject
    answer: Answer
    extra: Mapping[str, Any] = field(default_factory=dict)  # remittance: {"fee_minor": int}


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    reference: str
    amount_minor: int
    currency: str
    description: str
    expires_at: datetime
    notify_url: str
    return_url: str


@dataclass(frozen=True, slots=True)
class RefundRequest:
    reference: str
    payment_reference: str
    amount_minor: int
    currency: str
    reason: str
    notify_url: str


@dataclass(frozen=True, slots=True)
class PayoutRequest:
    reference: str
    amount_minor: int
    currency: str
    holder_name: str
    bank_code: str
    account_number: str
    remark: str
    notify_url: str


class Notifier(Protocol):
    def read_notification(
        self, *, headers: Mapping[str, str], body: bytes, at: datetime
    ) -> Notification:
        """Verify the raw bytes, then parse. Raises: NotificationForged, NotificationUnreadable."""


@runtime_checkable
class PlayedBuyer(Protocol):
    """What a channel for trying things out can do besides: pay as the buyer would."""

    def pay(self, *, reference: str) -> Answer: ...


@runtime_checkable
class PlayedPayer(Protocol):
    """What a bank for trying things out can do besides: let somebody pay into the reserve. `number`
    is the bank's own for it; the same one pays once."""

    def pay_in(
        self, *, reference: str, amount_minor: int, currency: str, number: str
    ) -> Answer: ...


class Channel(Notifier, Protocol):
    """A way for buyers to pay. All calls carry our own reference and may be repeated with it."""

    name: str
    custodian: str  # whose reserve account the channel remits to

    def create_payment(self, request: PaymentRequest) -> Answer: ...

    def query_payment(self, *, reference: str) -> Answer: ...

    def close_payment(self, *, reference: str) -> Answer: ...

    def create_refund(self, request: RefundRequest) -> Answer: ...

    def query_refund(self, *, reference: str) -> Answer: ...


class Rail(Notifier, Protocol):
    """A way to pay sellers out of the reserve.

    `remembers_references`: the bank executes a reference at most once, so a re-send with the
    same reference is safe. When False, a payout that may have been sent is never re-sent
    automatically (rule R4). `finality_seconds`: how long after the attempt "not found" starts to
    mean "was never received".
    """

    name: str
    custodian: str  # whose reserve account it pays from
    remembers_references: bool
    finality_seconds: int

    def send_payout(self, request: PayoutRequest) -> Answer: ...

    def query_payout(self, *, reference: str) -> Answer: ...
