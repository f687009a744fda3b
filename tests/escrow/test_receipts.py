"""Why: a receipt is shown years later to somebody who believes only the key. One byte that could
differ, and it proves nothing."""

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.canonical import canonical
from common.errors import DomainError
from escrow import receipts
from escrow.models import Release
from escrow.services import release as releases
from holdfast import receipts as verifying
from ledger import selectors as books
from merchants import services as merchants
from merchants.models import Platform
from orders.models import Order
from settlement_site.environment import BASE_DIR
from tests import ground
from tests.world import World

DOCS = BASE_DIR / "docs" / "receipts.md"
NEWER = base64.b64encode(bytes(range(32))).decode()


def release_of(order: Order) -> Release:
    return Release.objects.get(hold__order=order)


def public_pem() -> str:
    return receipts.list_receipt_keys()[-1].public_key


def test_receipt_states_what_was_released(market: World) -> None:
    order = ground.released_order(market)
    release = release_of(order)
    entry = books.subject_entries(order.id).get(kind="release")

    document = receipts.make_receipt(release)

    stated = json.loads(document)["receipt"]
    merchant, platform = market.merchants[0], market.platform
    evidence = stated.pop("evidence_sha256")
    terms = stated.pop("terms")
    assert stated == {
        "version": 1,
        "key": "test",
        "release": release.id,
        "released_at": "2026-03-02T09:00:00.000000Z",
        "confirmed_by": "BUYER",
        "platform": platform.id,
        "mode": "TEST",
        "seller": merchant.id,
        "order": order.id,
        "order_reference": "order-1",
        "amount_minor": 10001,
        "currency": "CNY",
        "shares": [
            {
                "payee": "MERCHANT",
                "account": f"merchant:{merchant.id}:payable",
                "amount_minor": 9491,
            },
            {
                "payee": "PLATFORM",
                "account": f"platform:{platform.id}:commission",
                "amount_minor": 450,
            },
            {"payee": "SERVICE_FEE", "account": "fee:service", "amount_minor": 60},
        ],
        "entry": {"id": entry.pk, "reference": f"release:{release.id}"},
    }
    kept = Order.objects.get(pk=order.id).terms
    assert terms["rules"] == [kept["groups"][0]["rule"]["id"]]
    assert terms["plan"] == kept["plan_id"]
    assert terms["sha256"] == hashlib.sha256(canonical(kept)).hexdigest()
    assert evidence == hashlib.sha256(written_evidence(order, release)).hexdigest()


def written_evidence(order: Order, release: Release) -> bytes:
    """The evidence as docs/receipts.md says, written by hand."""
    [parcel] = order.shipments.all()
    merchant, platform = order.merchant_id, order.platform_id
    start = "2026-03-02T09:00:00.000000Z"
    return (
        f'{{"confirmation":{{"at":"{start}","by":"BUYER","deadline":"2026-03-12T09:00:00.000000Z"}},'
        f'"entry":{{"id":{release.entry_id},"postings":['
        '{"account":"held","amount_minor":10001,"leg":1},'
        f'{{"account":"merchant:{merchant}:payable","amount_minor":-9491,"leg":2}},'
        f'{{"account":"platform:{platform}:commission","amount_minor":-450,"leg":3}},'
        '{"account":"fee:service","amount_minor":-60,"leg":4}],'
        f'"reference":"release:{release.id}"}},'
        f'"parcels":[{{"carrier":"SF Express","id":"{parcel.id}","shipped_at":"{start}",'
        '"tracking_number":"SF1001"}]}'
    ).encode()


def test_receipt_is_the_same_to_the_byte_after_all_that_comes_later(
    market: World, settings: Any
) -> None:
    order = ground.released_order(market)
    first = receipts.make_receipt(release_of(order))

    ground.cut_payout(market)  # the lines get their statement
    merchants.update_merchant(merchant=market.merchants[0], name="Renamed", active=False)
    Platform.objects.update(name="Renamed too", service_fee_bps=61)
    later = datetime.now(UTC) + timedelta(hours=1)
    settings.RECEIPT_SIGNING_KEYS = (("k2", later, NEWER), *settings.RECEIPT_SIGNING_KEYS)

    assert release_of(order).lines.exclude(settlement_id=None).count() == 1
    assert receipts.make_receipt(release_of(order)) == first
    assert receipts.make_receipt(Release.objects.get(hold__order=order)) == first


@pytest.mark.parametrize("path", ["fast", "due", "slow"])
def test_every_path_of_a_release_has_a_receipt(market: World, path: str) -> None:
    order = ground.shipped_order(market)
    verbs: dict[str, Callable[[], Any]] = {
        "fast": lambda: releases.confirm_receipt(order_id=order.id, at=market.now),
        "due": lambda: releases.release_due_orders(limit=1, at=order.confirm_by),
        "slow": lambda: releases.release_order_slowly(
            order_id=order.id, confirmed_by="OPERATOR", at=market.now
        ),
    }
    verbs[path]()

    stated = verifying.verify(receipts.make_receipt(release_of(order)), public_pem())

    by = {"fast": "BUYER", "due": "AUTOMATIC", "slow": "OPERATOR"}[path]
    assert (stated["confirmed_by"], stated["amount_minor"]) == (by, 10001)


def test_newer_key_signs_what_is_booked_since_its_instant(market: World, settings: Any) -> None:
    old = release_of(ground.released_order(market))
    before = receipts.make_receipt(old)
    since = datetime.now(UTC)
    settings.RECEIPT_SIGNING_KEYS = (("k2", since, NEWER), *settings.RECEIPT_SIGNING_KEYS)

    new = receipts.make_receipt(release_of(ground.released_order(market)))

    assert receipts.make_receipt(old) == before
    assert json.loads(new)["receipt"]["key"] == "k2"
    newest, oldest = receipts.list_receipt_keys()
    assert (newest.id, oldest.id) == ("k2", "test")
    assert verifying.verify(before, oldest.public_key)["key"] == "test"
    assert verifying.verify(new, newest.public_key)["key"] == "k2"
    with pytest.raises(verifying.ReceiptRefused):
        verifying.verify(new, oldest.public_key)


def test_receipt_without_its_key_is_refused(market: World, settings: Any) -> None:
    release = release_of(ground.released_order(market))
    settings.RECEIPT_SIGNING_KEYS = (("k2", datetime.now(UTC) + timedelta(hours=1), NEWER),)

    with pytest.raises(DomainError) as caught:
        receipts.make_receipt(release)

    assert (caught.value.code, caught.value.status) == ("receipt_key_missing", 500)


def test_jwk_is_the_same_key_as_the_pem(market: World) -> None:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    [key] = receipts.list_receipt_keys()

    raw = load_pem_public_key(key.public_key.encode()).public_bytes_raw()  # type: ignore[union-attr]
    assert base64.urlsafe_b64decode(key.jwk["x"] + "=") == raw
    assert {**key.jwk, "x": ""} == {"kty": "OKP", "crv": "Ed25519", "kid": "test", "x": ""}


def test_no_bit_of_a_receipt_is_free(market: World) -> None:
    order, _token = market.create_order(reference="订单-\u2028-\U0001f375")
    ground.capture(ground.make_payment(market, order))
    market.ship(order)
    market.confirm(order)
    document = receipts.make_receipt(release_of(order))
    pem = public_pem()
    assert verifying.verify(document, pem)["order_reference"] == order.reference

    believed = []
    for position in range(len(document)):
        for bit in range(8):
            changed = bytearray(document)
            changed[position] ^= 1 << bit
            try:
                verifying.verify(bytes(changed), pem)
            except verifying.ReceiptRefused:
                continue
            believed.append((position, bit))

    assert believed == []


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document + b"\n",
        lambda document: b"\xef\xbb\xbf" + document,
        lambda document: document.replace(b'"currency":', b'"currency": '),
        lambda document: document.replace(b'"mode":', b'"mode":"LIVE","mode":'),
        lambda document: document[:-1] + b',"more":1}',
        lambda document: b"[]",
        lambda document: b"{}",
        lambda document: b"",
        lambda document: b'{"receipt":1,"signature":2}',
    ],
)
def test_receipt_written_otherwise_is_refused(market: World, change: Any) -> None:
    document = receipts.make_receipt(release_of(ground.released_order(market)))

    with pytest.raises(verifying.ReceiptRefused):
        verifying.verify(change(document), public_pem())


@pytest.mark.parametrize("pem", ["", "nonsense", "rsa"])
def test_other_keys_are_refused(market: World, pem: str) -> None:
    document = receipts.make_receipt(release_of(ground.released_order(market)))
    if pem == "rsa":
        made = ["openssl", "genpkey", "-algorithm", "X25519"]
        private = subprocess.run(made, capture_output=True, check=True).stdout
        public = ["openssl", "pkey", "-pubout"]
        pem = subprocess.run(public, input=private, capture_output=True, check=True).stdout.decode()

    with pytest.raises(verifying.ReceiptRefused):
        verifying.verify(document, pem)


# The commands of docs/receipts.md, as they stand there


def commands() -> tuple[str, str]:
    """The two blocks of shell: with the client, with openssl."""
    python, openssl = re.findall(r"```sh\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert "python -m holdfast.receipts" in python
    return python.replace("python ", f"{sys.executable} ", 1), "set -e\n" + openssl


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(BASE_DIR / "clients/python/src")}
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env=path, capture_output=True, text=True, check=False
    )


def test_documented_commands_believe_a_receipt_and_refuse_a_changed_one(
    market: World, tmp_path: Path
) -> None:
    order = ground.released_order(market)
    document = receipts.make_receipt(release_of(order))
    (tmp_path / "receipt.json").write_bytes(document)
    (tmp_path / "public.pem").write_text(public_pem())
    python, openssl = commands()

    genuine = [run(python, tmp_path), run(openssl, tmp_path)]
    (tmp_path / "receipt.json").write_bytes(document.replace(b"9491", b"9492"))
    changed = [run(python, tmp_path), run(openssl, tmp_path)]

    assert [each.returncode for each in genuine] == [0, 0], genuine
    assert genuine[0].stdout.startswith(f"GENUINE: release {release_of(order).id} of order")
    assert "Signature Verified Successfully" in genuine[1].stdout
    assert [each.returncode for each in changed] == [1, 1], changed
    assert changed[0].stderr.startswith("REFUSED: ")
