"""Receipts over HTTP: the bytes that were signed, and public keys for everybody."""

import json

import pytest

from escrow import receipts
from escrow.models import Release
from holdfast import receipts as verifying
from tests.api.shop import Shop, nothing_moves


@pytest.fixture
def database(db: None) -> None:
    """Roll back instead of committing: nothing here needs a commit."""


def test_receipt_comes_as_it_was_signed_and_verifies_with_the_answered_key(shop: Shop) -> None:
    order = shop.released_order()
    release = Release.objects.get(hold__order=order["id"])

    with nothing_moves():
        answer = shop.get(f"/v1/releases/{release.id}/receipt")
        again = shop.get(f"/v1/releases/{release.id}/receipt")
        keys = shop.door.send("GET", "/v1/receipt-keys").json()["data"]

    assert answer.headers["Content-Type"] == "application/json"
    assert answer.content == again.content == receipts.make_receipt(release)
    stated = verifying.verify(answer.content, keys[0]["public_key"])
    assert (stated["order"], stated["key"]) == (order["id"], keys[0]["id"])
    assert verifying.verify(json.loads(answer.content), keys[0]["public_key"]) == stated
    assert "PRIVATE" not in json.dumps(keys)
    assert (keys[0]["algorithm"], keys[0]["since"]) == ("Ed25519", "1970-01-01T00:00:00.000000Z")
