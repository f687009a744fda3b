"""Clients of the sandbox channel and the sandbox bank.

They translate and check, nothing else: no retry, no guess. A refusal of our keys, a conflict and
every odd answer are UNKNOWN; only a documented business refusal of a request is FAILED.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx

from channels.contract import (
    Answer,
    Notification,
    NotificationUnreadable,
    PaymentRequest,
    PayoutRequest,
    RefundRequest,
    Status,
    Subject,
)
from channels.providers import exchange, signing
from channels.providers.exchange import Clock, Exchange, Reply, Unreadable

# 401 and 403 speak about our keys; 409 says that the reference exists there: ask what it is.
REFUSED_STATUSES = (400, 402, 422)
DECIDED = frozenset({Status.PENDING, Status.SUCCEEDED, Status.FAILED})
PAYOUT_DECIDED = DECIDED | {Status.RETURNED}


def now_utc() -> datetime:
    return datetime.now(tz=UTC)


class _Client:
    """What both clients share. `clock` stamps requests; `transport` stands in for the network."""

    subjects: frozenset[Subject]

    def __init__(
        self,
        *,
        name: str,
        custodian: str,
        base_url: str,
        key_id: str,
        secret: str,
        transport: httpx.BaseTransport | None = None,
        clock: Clock = now_utc,
    ) -> None:
        if not key_id or not secret:
            raise ValueError("A sandbox client needs a key id and a secret.")
        self.name, self.custodian = name, custodian
        self._key_id, self._secret, self._clock = key_id, secret, clock
        self._exchange = Exchange(base_url=base_url, sign=self._sign, transport=transport)

    def read_notification(
        self, *, headers: Mapping[str, str], body: bytes, at: datetime
    ) -> Notification:
        """Verify the raw bytes, then parse. Raises: NotificationForged, NotificationUnreadable."""
        signing.verify_notification(
            key_id=self._key_id, secret=self._secret, headers=headers, body=body, at=at
        )
        try:
            if len(body) > exchange.MAX_ANSWER_BYTES:
                raise Unreadable("the body is too long")
            return self._notification(exchange.parse(body))
        except Unreadable as error:
            raise NotificationUnreadable(f"{self.name} sent a notification: {error}.") from None

    def _notification(self, fields: Mapping[str, Any]) -> Notification:
        subject = next((one for one in self.subjects if one == fields.get("subject")), None)
        if subject is None:
            raise Unreadable("subject is not one of ours")
        allowed = PAYOUT_DECIDED if subject is Subject.PAYOUT else DECIDED
        extra = {}
        answer = _answer(fields, exchange.reference(fields, "reference"), allowed)
        if subject is Subject.REMITTANCE:
            extra = {"fee_minor": exchange.amount(fields, "fee_minor", least=0)}
            if extra["fee_minor"] > answer.amount_minor:
                raise Unreadable("fee_minor is above the amount")
        event_id = exchange.reference(fields, "event_id")
        return Notification(event_id=event_id, subject=subject, answer=answer, extra=extra)

    def _request(
        self,
        path: str,
        fields: Mapping[str, Any],
        *,
        allowed: frozenset[Status] = DECIDED,
        cashier: bool = False,
    ) -> Answer:
        """Ask for something to be done; a documented refusal means that it was not."""
        reference = fields["reference"]
        reply = self._exchange.ask("POST", path, fields)
        if (
            reply.status in REFUSED_STATUSES
            and reply.fields
            and exchange.text(reply.fields.get("code"))
        ):
            return _wordless(Status.FAILED, reference, reply)
        return _read(reply, reference, allowed, cashier=cashier)

    def _query(
        self,
        path: str,
        reference: str,
        *,
        method: str = "GET",
        allowed: frozenset[Status] = DECIDED,
    ) -> Answer:
        """Ask how something stands. A 404 counts in the provider's own words, not a proxy's."""
        reply = self._exchange.ask(method, path.format(quote(reference, safe="")))
        if reply.status == 404 and reply.fields and reply.fields.get("code") == "NOT_FOUND":
            return _wordless(Status.NOT_FOUND, reference, reply)
        return _read(reply, reference, allowed)

    def _sign(self, method: str, path: str, body: bytes) -> Mapping[str, str]:
        return signing.request_headers(
            key_id=self._key_id,
            secret=self._secret,
            method=method,
            path=path,
            body=body,
            at=self._clock(),
        )


class SandboxChannel(_Client):
    """channels.contract.Channel over the sandbox channel's API."""

    subjects = frozenset({Subject.PAYMENT, Subject.REFUND, Subject.REMITTANCE, Subject.CHARGEBACK})

    def create_payment(self, request: PaymentRequest) -> Answer:
        fields = {
            "reference": request.reference,
            "amount_minor": request.amount_minor,
            "currency": request.currency,
            "description": request.description,
            "expires_at": request.expires_at.isoformat(),
            "notify_url": request.notify_url,
            "return_url": request.return_url,
        }
        return self._request("/v1/payments", fields, cashier=True)

    def query_payment(self, *, reference: str) -> Answer:
        return self._query("/v1/payments/{}", reference)

    def close_payment(self, *, reference: str) -> Answer:
        """Close an open payment; the answer is how it stands now, SUCCEEDED if the buyer paid."""
        return self._query("/v1/payments/{}/close", reference, method="POST")

    def pay(self, *, reference: str) -> Answer:
        """Pay an open payment as the buyer would at the cashier."""
        return self._query("/sandbox/pay/{}", reference, method="POST")

    def create_refund(self, request: RefundRequest) -> Answer:
        fields = {
            "reference": request.reference,
            "payment_reference": request.payment_reference,
            "amount_minor": request.amount_minor,
            "currency": request.currency,
            "reason": request.reason,
            "notify_url": request.notify_url,
        }
        return self._request("/v1/refunds", fields)

    def query_refund(self, *, reference: str) -> Answer:
        return self._query("/v1/refunds/{}", reference)


class SandboxRail(_Client):
    """channels.contract.Rail over the sandbox bank's API."""

    subjects = frozenset({Subject.PAYOUT, Subject.INCOMING})

    def __init__(self, *, remembers_references: bool, finality_seconds: int, **client: Any) -> None:
        super().__init__(**client)
        self.remembers_references = remembers_references
        self.finality_seconds = finality_seconds

    def send_payout(self, request: PayoutRequest) -> Answer:
        fields = {
            "reference": request.reference,
            "amount_minor": request.amount_minor,
            "currency": request.currency,
            "holder_name": request.holder_name,
            "bank_code": request.bank_code,
            "account_number": request.account_number,
            "remark": request.remark,
            "notify_url": request.notify_url,
        }
        return self._request("/v1/payouts", fields, allowed=PAYOUT_DECIDED)

    def pay_in(self, *, reference: str, amount_minor: int, currency: str, number: str) -> Answer:
        """Pay into the reserve as somebody would who writes `reference`, once per `number`."""
        fields = {
            "reference": reference,
            "amount_minor": amount_minor,
            "currency": currency,
            "number": number,
        }
        return self._request("/sandbox/incoming", fields)

    def query_payout(self, *, reference: str) -> Answer:
        return self._query("/v1/payouts/{}", reference, allowed=PAYOUT_DECIDED)


def _read(
    reply: Reply, reference: str, allowed: frozenset[Status], *, cashier: bool = False
) -> Answer:
    if reply.status not in (200, 201, 202) or reply.fields is None:
        return _wordless(Status.UNKNOWN, reference, reply)
    try:
        return _answer(reply.fields, reference, allowed, cashier=cashier)
    except Unreadable as error:
        return Answer(status=Status.UNKNOWN, reference=reference, message=str(error))


def _answer(
    fields: Mapping[str, Any], reference: str, allowed: frozenset[Status], *, cashier: bool = False
) -> Answer:
    """Check every field of an answer that claims success. Raises: Unreadable."""
    if fields.get("reference") != reference:
        raise Unreadable("it speaks about another reference")
    status = fields.get("status")
    if not isinstance(status, str) or status not in allowed:
        raise Unreadable("status is not one of the documented")
    return Answer(
        status=Status(status),
        reference=reference,
        provider_reference=exchange.reference(fields, "provider_reference"),
        amount_minor=exchange.amount(fields),
        currency=exchange.currency(fields),
        cashier_url=exchange.web_address(fields, "cashier_url") if cashier else "",
        event_at=exchange.instant(fields, "event_at"),
        code=exchange.text(fields.get("code")),
        message=exchange.text(fields.get("message")),
    )


def _wordless(status: Status, reference: str, reply: Reply) -> Answer:
    fields = reply.fields or {}
    message = exchange.text(fields.get("message")) or reply.trouble or f"HTTP {reply.status}"
    return Answer(
        status=status,
        reference=reference,
        code=exchange.text(fields.get("code")),
        message=message,
    )
