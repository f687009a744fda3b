"""Held, released and refunded money, balances, statements and payouts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from holdfast._decode import Answer


@dataclass(frozen=True, kw_only=True)
class Share(Answer):
    """Who gets how much of a hold when it is released whole."""

    payee: str
    amount_minor: int


@dataclass(frozen=True, kw_only=True)
class Hold(Answer):
    """One order's money in the reserve."""

    id: str
    order: str
    payment: str
    state: str  # HELD, FROZEN, RELEASED or REFUNDED
    currency: str
    amount_minor: int
    released_minor: int
    refunded_minor: int
    remaining_minor: int
    shares: tuple[Share, ...]
    held_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ReleaseLine(Answer):
    """What one payee received."""

    payee: str
    amount_minor: int
    settlement: str | None


@dataclass(frozen=True, kw_only=True)
class Release(Answer):
    """Held money given to its payees."""

    id: str
    order: str
    hold: str
    currency: str
    amount_minor: int
    confirmed_by: str  # BUYER, AUTOMATIC, OPERATOR or DISPUTE
    released_at: datetime
    lines: tuple[ReleaseLine, ...]


@dataclass(frozen=True, kw_only=True)
class RefundLine(Answer):
    """What of one line of the order goes back."""

    position: int
    amount_minor: int


@dataclass(frozen=True, kw_only=True)
class SignedReceipt(Answer):
    """The signed receipt of a release; `holdfast.receipts.verify(found.raw, pem)` checks it."""

    receipt: Mapping[str, Any]
    signature: str


@dataclass(frozen=True, kw_only=True)
class ReceiptKey(Answer):
    """A public key that verifies receipts."""

    id: str
    since: datetime
    algorithm: str
    public_key: str  # PEM
    jwk: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class BankRefund(Answer):
    """An attempt to pay a refused refund into the buyer's bank account."""

    id: str
    state: str  # PROPOSED, APPROVED, SENDING, UNKNOWN, PAID, FAILED, RETURNED or DROPPED
    last_four: str
    created_at: datetime
    paid_at: datetime | None
    returned_at: datetime | None
    failure_code: str | None


@dataclass(frozen=True, kw_only=True)
class Refund(Answer):
    """Money on its way back to the buyer."""

    id: str
    order: str
    shares: tuple[Share, ...]  # who gives how much
    lines: tuple[RefundLine, ...]  # when asked for by lines
    payment: str
    state: str  # PENDING, SUBMITTED, SUCCEEDED, FAILED or UNKNOWN
    amount_minor: int
    currency: str
    reason: str
    created_at: datetime
    succeeded_at: datetime | None
    failure_code: str | None
    bank_refunds: tuple[BankRefund, ...]  # by the buyer's bank instead of the channel


@dataclass(frozen=True, kw_only=True)
class OrderRefund(Answer):
    """A refund as an order shows it."""

    id: str
    payment: str
    state: str
    amount_minor: int
    currency: str
    reason: str
    created_at: datetime | None
    succeeded_at: datetime | None
    failure_code: str | None


@dataclass(frozen=True, kw_only=True)
class Balance(Answer):
    """What one payee has where, in one currency."""

    payee: str  # PLATFORM, MERCHANT or PARTY
    merchant: str | None
    party: str | None
    currency: str
    held_minor: int
    payable_minor: int
    reserved_minor: int  # held back of a seller's releases for some days
    in_transit_minor: int
    paid_out_minor: int


@dataclass(frozen=True, kw_only=True)
class Settlement(Answer):
    """The statement of one cutoff: what is paid together."""

    id: str
    payee: str  # MERCHANT, PARTY or PLATFORM
    merchant: str | None
    party: str | None
    currency: str
    amount_minor: int
    line_count: int
    cutoff_at: datetime


@dataclass(frozen=True, kw_only=True)
class SettlementLine(Answer):
    """One release on a statement."""

    order: str
    order_reference: str
    release: str
    kind: str  # SALE, or RESERVE_FREED: what was held back and is paid now
    amount_minor: int
    owed_at: datetime


@dataclass(frozen=True, kw_only=True)
class ReserveStatement(Answer):
    """What a seller's rolling reserve did since the statement before."""

    opening_minor: int
    kept_minor: int
    freed_minor: int
    taken_minor: int
    closing_minor: int


@dataclass(frozen=True, kw_only=True)
class Deduction(Answer):
    """What was taken from the payee of a statement, for a refund, a chargeback or a debt."""

    refund: str | None
    dispute: str | None  # the chargeback
    debt: str | None  # the debt it pays
    order: str | None  # the refunded order
    amount_minor: int
    taken_at: datetime


@dataclass(frozen=True, kw_only=True)
class SettlementDetail(Settlement):
    """A statement with its lines and what is deducted from them."""

    lines: tuple[SettlementLine, ...]
    deductions: tuple[Deduction, ...]
    reserve: ReserveStatement | None


@dataclass(frozen=True, kw_only=True)
class DebtStep(Answer):
    """One payment of a debt, or its end."""

    kind: str  # NETTED, REPAID, GUARANTEED or WRITTEN_OFF
    amount_minor: int
    provider_reference: str | None
    settlement: str | None  # the statement this was deducted on
    happened_at: datetime


@dataclass(frozen=True, kw_only=True)
class ReserveAccount(Answer):
    """The account a seller pays into."""

    account_name: str
    account_number: str  # or IBAN
    bank_name: str
    bank_code: str | None  # BIC, or the number of the branch


@dataclass(frozen=True, kw_only=True)
class DebitRequest(Answer):
    """What a seller was asked to pay of a debt, by its bank."""

    id: str
    payment_reference: str  # what the seller writes on the payment
    amount_minor: int  # asked for at first
    due_at: datetime
    state: str  # OPEN, PAID or WITHDRAWN
    pay_to: ReserveAccount | None  # None: not configured any more, do not pay


@dataclass(frozen=True, kw_only=True)
class Debt(Answer):
    """What one payee owes of one refund or chargeback."""

    id: str
    payee: str  # MERCHANT, PLATFORM, TAX or PARTY
    merchant: str | None
    party: str | None
    refund: str | None
    dispute: str | None  # the chargeback
    order: str | None
    state: str  # OPEN, SETTLED or WRITTEN_OFF
    currency: str
    amount_minor: int  # owed at first
    open_minor: int  # still owed
    steps: tuple[DebtStep, ...]
    debit_request: DebitRequest | None  # the last one
    created_at: datetime
    guaranteed_at: datetime | None  # from when on the platform's commission pays it
    closed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Payout(Answer):
    """One attempt to pay a statement to a bank account."""

    id: str
    settlement: str | Settlement  # whole when expanded
    payee: str  # MERCHANT, PARTY or PLATFORM
    merchant: str | None
    party: str | None
    state: str  # PENDING, APPROVED, SENDING, PAID, FAILED, UNKNOWN or RETURNED
    currency: str
    amount_minor: int
    bank_account: str
    holder_name: str
    last_four: str
    needs_approval: bool
    frozen: bool
    created_at: datetime
    paid_at: datetime | None
    returned_at: datetime | None
    failure_code: str | None
