"""The signed receipt of a release, made on demand from rows that never change again.

It must never read what may change later, such as a name or a statement: a receipt asked for twice
is the same to the byte. A release pays nothing for it.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from common.canonical import canonical, digest
from common.errors import DomainError
from escrow.models import Release
from ledger import selectors as books
from merchants.terms import Terms
from orders.models import Order

VERSION = 1
ALGORITHM = "Ed25519"


class ReceiptKeyMissing(DomainError):
    """No configured key was in force when the release was booked."""

    code = "receipt_key_missing"
    status = 500


@dataclass(frozen=True, slots=True)
class ReceiptKey:
    """The public half of a key that signs receipts of what was booked since `since`."""

    id: str
    since: datetime
    public_key: str  # PEM
    jwk: dict[str, str]
    algorithm: str = ALGORITHM


def make_receipt(release: Release) -> bytes:
    """Make and sign a release's receipt: canonical JSON, `{"receipt": …, "signature": …}`.

    Which key signs is decided by when the release's entry was booked, which never changes; so a
    new key changes no receipt of before. The signature is Ed25519 over the canonical `receipt`.

    Raises: ReceiptKeyMissing.
    Idempotent: yes, to the byte, while the key is configured.
    Source: docs/receipts.md, ADR 0031.
    """
    [entry] = books.entries_of([release.entry_id]).filter(pk=release.entry_id)
    key_id, key = _key_at(entry.created_at)
    receipt = {**_statement(release, entry), "key": key_id}
    signature = base64.b64encode(key.sign(canonical(receipt))).decode()
    return canonical({"receipt": receipt, "signature": signature})


def list_receipt_keys() -> list[ReceiptKey]:
    """The public keys that verify receipts, newest first: all that ever signed one."""
    return [
        _public(key_id, since, _private(encoded))
        for key_id, since, encoded in settings.RECEIPT_SIGNING_KEYS
    ]


def _statement(release: Release, entry: Any) -> dict[str, Any]:
    order = Order.objects.select_related("platform").get(hold=release.hold_id)
    terms = Terms.from_json(order.terms)
    lines = release.lines.filter(freed_slice__isnull=True).order_by("id")
    return {
        "version": VERSION,
        "release": release.pk,
        "released_at": _instant(release.released_at),
        "confirmed_by": release.confirmed_by,
        "platform": order.platform_id,
        "mode": order.platform.mode,
        "seller": order.merchant_id,
        "order": order.pk,
        "order_reference": order.reference,
        "amount_minor": release.amount_minor,
        "currency": release.currency,
        "shares": [
            {"payee": line.payee, "account": line.address, "amount_minor": line.amount_minor}
            for line in lines
        ],
        "terms": {
            "plan": terms.plan_id,
            "rules": [group.rule.id for group in terms.groups if group.rule],
            "sha256": digest(order.terms),
        },
        "entry": {"id": entry.pk, "reference": entry.reference},
        "evidence_sha256": digest(evidence_of(release, order, entry)),
    }


def evidence_of(release: Release, order: Order, entry: Any) -> dict[str, Any]:
    """What the release was based on: parcels, confirmation, and the entry as it was booked."""
    postings = sorted(entry.postings.all(), key=lambda posting: posting.leg)
    return {
        "parcels": [
            {
                "id": parcel.pk,
                "carrier": parcel.carrier,
                "tracking_number": parcel.tracking_number,
                "shipped_at": _instant(parcel.shipped_at),
            }
            for parcel in order.shipments.order_by("position")
        ],
        "confirmation": {
            "by": release.confirmed_by,
            "at": _instant(release.released_at),
            "deadline": _instant(order.confirm_by) if order.confirm_by else None,
        },
        "entry": {
            "id": entry.pk,
            "reference": entry.reference,
            "postings": [
                {
                    "leg": posting.leg,
                    "account": posting.account.address,
                    "amount_minor": posting.amount_minor,
                }
                for posting in postings
            ],
        },
    }


def _key_at(booked_at: datetime) -> tuple[str, Ed25519PrivateKey]:
    keys: Sequence[tuple[str, datetime, str]] = settings.RECEIPT_SIGNING_KEYS
    for key_id, since, encoded in keys:
        if since <= booked_at:
            return key_id, _private(encoded)
    raise ReceiptKeyMissing("No receipt key was in force then; set RECEIPT_SIGNING_KEYS.")


def _private(encoded: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(encoded))


def _public(key_id: str, since: datetime, key: Ed25519PrivateKey) -> ReceiptKey:
    public = key.public_key()
    raw = base64.urlsafe_b64encode(public.public_bytes_raw()).rstrip(b"=").decode()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    jwk = {"kty": "OKP", "crv": ALGORITHM, "kid": key_id, "x": raw}  # Source: RFC 8037
    return ReceiptKey(id=key_id, since=since, public_key=pem, jwk=jwk)


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
