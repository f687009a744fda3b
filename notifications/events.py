"""The registry of event types: which facts an event of each type carries.

Facts are ids, amounts and ISO 8601 instants, and what a mail needs to be understood; never more.
Adding a type is adding a line to `EVENT_TYPES`; a type that is not listed cannot be recorded.
"""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict


class OrderFacts(TypedDict):
    """What every order event carries."""

    order: str  # id
    order_reference: str  # the platform's own order number
    merchant: str  # id
    amount_minor: int  # minor units of `currency` the buyer pays
    currency: str
    ship_by: str | None  # ISO 8601; empty until the order is paid
    confirm_by: str | None  # ISO 8601; empty until the order is shipped
    buyer_email: str  # may be empty
    buyer_language: NotRequired[str]  # the platform's language when left out
    buyer_time_zone: NotRequired[str]  # the platform's when left out; only where buyers are told


class PaidOrderFacts(OrderFacts):
    item_titles: list[str]


class CanceledOrderFacts(OrderFacts):
    reason: str  # a value of orders.models.CancelReason


class ExtendedOrderFacts(OrderFacts):
    by: str  # BUYER, MERCHANT or PLATFORM
    before: str  # ISO 8601; the deadline that was moved


class PausedOrderFacts(OrderFacts):
    paused_at: str  # ISO 8601


class ResumedOrderFacts(PausedOrderFacts):
    before: str  # ISO 8601; `confirm_by` without the pause


class ShipmentFacts(OrderFacts):
    shipment: str  # id
    carrier: str
    tracking_number: str


class CorrectedShipmentFacts(ShipmentFacts):
    old_carrier: str
    old_tracking_number: str


class PaymentFacts(TypedDict):
    payment: str
    amount_minor: int
    currency: str


class SurplusFacts(PaymentFacts):
    order: str | None
    reason: str


class RefundFacts(TypedDict):
    refund: str
    payment: str
    order: str | None
    amount_minor: int
    currency: str
    route: str  # CHANNEL or BANK: by which way the money goes, or was to go
    bank_refund: str | None  # id of the attempt by the bank


class DebtFacts(TypedDict):
    debt: str
    refund: str | None  # what it is owed for: a refund,
    dispute: str | None  # or a chargeback
    merchant: str | None  # empty: the platform or a further party owes it
    payee: str  # a value of escrow.models.Payee
    amount_minor: int  # minor units of `currency` owed at first
    open_minor: int  # minor units of them still owed
    currency: str


class ReserveFacts(TypedDict):
    reserve: str  # id of the slice
    release: str
    order: str  # whose release it was held back of
    merchant: str
    amount_minor: int  # minor units of `currency` held back at first
    taken_minor: int  # minor units of them taken for refunds and chargebacks
    currency: str
    due_at: str  # ISO 8601; when the rest is freed


class DebitRequestFacts(TypedDict):
    debit_request: str  # id
    debt: str  # id
    merchant: str  # id of the seller who is asked
    payment_reference: str  # what the seller writes on its bank payment
    amount_minor: int  # minor units of `currency` asked for at first
    open_minor: int  # minor units of them still owed
    currency: str
    custodian: str  # whose reserve account the seller pays into
    account_name: str  # of that account
    account_number: str  # or IBAN
    bank_name: str
    bank_code: str  # may be empty
    due_at: str  # ISO 8601


class DisputeFacts(OrderFacts):
    dispute: str  # id
    kind: str  # COMPLAINT or CHARGEBACK
    by: str  # a value of escrow.models.Actor: who did it
    dispute_state: str
    dispute_reason: str
    waits_for: str | None  # MERCHANT, BUYER or OPERATOR; empty once it is closed
    due_at: str | None  # ISO 8601; until when
    asked_minor: int  # minor units of `currency` the buyer wants back
    answer: str | None  # ACCEPT, OFFER or CONTEST; empty until the seller has answered
    offer_minor: int | None  # minor units of `currency` offered to the buyer
    needs_return: bool  # the offer holds when the goods come back
    resolution: str | None  # FULL, PARTIAL or NONE; empty until it is resolved
    resolved_minor: int | None  # minor units of `currency` the buyer gets


class FreezeFacts(TypedDict):
    """What is frozen; never why, nor of which kind: a court may have ordered silence."""

    freeze: str  # id
    order: str | None  # id; exactly one of the three is there
    merchant: str | None  # id
    payout: str | None  # id


class PayoutFacts(TypedDict):
    payout: str
    payee: str  # MERCHANT, PARTY or PLATFORM
    merchant: str | None  # empty: paid to somebody else
    party: str | None
    amount_minor: int
    currency: str
    last_four: NotRequired[str]  # of the bank account
    reason: NotRequired[str]  # the bank's words, when it failed or came back


class BankAccountFacts(TypedDict):
    """A changed account; of the numbers never more than their last four characters."""

    bank_account: str  # id
    payee: str  # MERCHANT, PARTY or PLATFORM
    merchant: str | None  # empty: somebody else's account
    party: str | None
    currency: str
    last_four: str
    other: str  # id; of the account it is to take the place of, or has
    other_last_four: str
    effective_at: str  # ISO 8601; when payouts go there, or would have


class EndpointFacts(TypedDict):
    endpoint: str  # id of a webhook endpoint


class DisabledEndpointFacts(EndpointFacts):
    url: str  # without its query, which may hold a password
    reason: str  # a value of notifications.models.DisabledReason
    failing_since: str  # ISO 8601


class InvitationFacts(TypedDict):
    invitation: str  # id
    round: int  # 1, 2, 3 … each time it is sent
    merchant: str | None  # id; empty: to join the platform itself
    email: str
    language: str
    role: str  # a value of merchants.models.Role
    invited_by: str  # name
    expires_at: str  # ISO 8601, of the real clock


class PlanFacts(TypedDict):
    commission_plan: str  # id
    changed: list[str]  # names of the fields of the plan that are different now


EVENT_TYPES: Mapping[str, type[Any]] = {
    "order.created": OrderFacts,
    "order.paid": PaidOrderFacts,
    "order.ship_reminder": OrderFacts,
    "order.ship_extended": ExtendedOrderFacts,
    "order.shipped": OrderFacts,
    "order.shipment_added": ShipmentFacts,
    "order.shipment_corrected": CorrectedShipmentFacts,
    "order.confirm_extended": ExtendedOrderFacts,
    "order.confirm_reminder": OrderFacts,
    "order.clock_paused": PausedOrderFacts,
    "order.clock_resumed": ResumedOrderFacts,
    "order.confirmed": OrderFacts,
    "order.canceled": CanceledOrderFacts,
    "order.expired": OrderFacts,
    "payment.succeeded": PaymentFacts,
    "payment.failed": PaymentFacts,
    "payment.expired": PaymentFacts,
    "payment.surplus": SurplusFacts,
    "refund.created": RefundFacts,
    "refund.succeeded": RefundFacts,
    "refund.failed": RefundFacts,
    "refund.asked_again": RefundFacts,
    "refund.rerouted": RefundFacts,
    "refund.route_dropped": RefundFacts,
    "refund.route_failed": RefundFacts,
    "refund.route_returned": RefundFacts,
    "refund.paid_twice": RefundFacts,
    "debt.created": DebtFacts,
    "debt.reduced": DebtFacts,
    "debt.settled": DebtFacts,
    "debt.written_off": DebtFacts,
    "reserve.held": ReserveFacts,
    "reserve.freed": ReserveFacts,
    "reserve.taken": ReserveFacts,
    "debit_request.created": DebitRequestFacts,
    "debit_request.reminder": DebitRequestFacts,
    "debit_request.paid": DebitRequestFacts,
    "debit_request.withdrawn": DebitRequestFacts,
    "dispute.opened": DisputeFacts,
    "dispute.evidence_added": DisputeFacts,
    "dispute.answered": DisputeFacts,
    "dispute.unanswered": DisputeFacts,
    "dispute.offer_declined": DisputeFacts,
    "dispute.return_awaited": DisputeFacts,
    "dispute.sent_back": DisputeFacts,
    "dispute.return_refused": DisputeFacts,
    "dispute.parked": DisputeFacts,
    "dispute.resolved": DisputeFacts,
    "dispute.withdrawn": DisputeFacts,
    "freeze.placed": FreezeFacts,
    "freeze.lifted": FreezeFacts,
    "payout.created": PayoutFacts,
    "payout.approved": PayoutFacts,
    "payout.refused": PayoutFacts,
    "payout.sent": PayoutFacts,
    "payout.paid": PayoutFacts,
    "payout.failed": PayoutFacts,
    "payout.returned": PayoutFacts,
    "payout.unknown": PayoutFacts,
    "bank_account.waiting": BankAccountFacts,
    "bank_account.in_force": BankAccountFacts,
    "bank_account.canceled": BankAccountFacts,
    "commission_plan.changed": PlanFacts,
    "webhook_endpoint.ping": EndpointFacts,
    "webhook_endpoint.disabled": DisabledEndpointFacts,
}


# Told by e-mail alone: not for webhooks, and in no list of events.
PRIVATE_TYPES: Mapping[str, type[Any]] = {"invitation.sent": InvitationFacts}
_ALL_TYPES = {**EVENT_TYPES, **PRIVATE_TYPES}


def check_facts(type: str, facts: Mapping[str, Any]) -> None:
    """Assert that a station records a listed type with all its facts, in plain JSON values.

    A failure here is our own mistake, never a caller's: hence assertions, not refusals.
    """
    assert type in _ALL_TYPES, f"{type!r} is not listed in notifications/events.py"
    missing = _ALL_TYPES[type].__required_keys__ - facts.keys()
    assert not missing, f"{type} lacks {sorted(missing)}"
    for name, value in facts.items():
        each = value if isinstance(value, (list, tuple)) else [value]
        plain = all(one is None or isinstance(one, (str, int)) for one in each)
        assert plain, f"{type}: {name} must be text, a whole number, or a list of these: {value!r}"
