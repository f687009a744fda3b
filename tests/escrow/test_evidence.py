"""Why: a file from a stranger is let in for what it is, and can never become a page of ours."""

import struct
import zlib
from hashlib import sha256

import pytest
from django.db import DatabaseError, transaction

from escrow import filetypes
from escrow.models import MAX_FILE_BYTES, Actor, Dispute, Evidence
from escrow.services.disputes import evidence
from tests import disputing, ground
from tests.world import World


def chunk(name: bytes, content: bytes = b"") -> bytes:
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


PNG = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(13)) + chunk(b"IDAT") + chunk(b"IEND")
JPEG = b"\xff\xd8\xff\xe0" + bytes(40) + b"\xff\xd9"
WEBP = b"RIFF" + struct.pack("<I", 12) + b"WEBPVP8 " + bytes(4)
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n%%EOF\n"
TEXT = "盒子破了\tthe box is broken\r\n".encode()
PAGE = b"<!DOCTYPE html><script>alert(1)</script>"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (PNG, filetypes.PNG),
        (JPEG, filetypes.JPEG),
        (WEBP, filetypes.WEBP),
        (PDF, filetypes.PDF),
        (TEXT, filetypes.TEXT),
        (b"\xef\xbb\xbf" + TEXT, filetypes.TEXT),
        (b"a < b and b > c", filetypes.TEXT),
        (b"", None),
        (b" \n", None),
        (PAGE, None),
        (b"\xef\xbb\xbf \n" + PAGE, None),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", None),
        (b"<?xml version='1.0'?><svg/>", None),
        (b"</script>", None),
        (PNG[:8] + PAGE, None),  # a page behind the first bytes of a picture
        (PNG + PAGE, None),
        (JPEG + PAGE, None),
        (JPEG[:3], None),
        (WEBP + PAGE, None),
        (b"%PDF-1.7\n" + PAGE, None),
        (b"GIF89a" + bytes(20), None),
        (b"PK\x03\x04" + bytes(20), None),
        (b"MZ\x90\x00", None),
        (b"\x7fELF\x02\x01", None),
        ("text in UTF-16".encode("utf-16"), None),
        (b"caf\xe9", None),
        (b"bell \x07", None),
        (b"nul \x00", None),
    ],
)
def test_type_is_found_in_the_bytes(content: bytes, found: str | None) -> None:
    assert filetypes.find_type(content) == found


def add(dispute: Dispute, content: bytes, *, name: str = "photo.png", **changes: str) -> Evidence:
    who = {"side": Actor.BUYER, "by": Actor.BUYER, **changes}
    return evidence.add_evidence(
        dispute_id=dispute.id, name=name, content=content, at=dispute.opened_at, **who
    )


def test_file_is_kept_with_its_hash_and_told_of(market: World) -> None:
    dispute = disputing.open_dispute(market)

    kept = add(dispute, PNG)

    found = Evidence.objects.get(pk=kept.pk)
    assert bytes(found.content) == PNG
    assert (found.media_type, found.size_bytes, found.sha256) == (
        "image/png",
        len(PNG),
        sha256(PNG).hexdigest(),
    )
    step = dispute.steps.latest("position")
    assert (step.kind, step.evidence_id, step.sha256) == ("EVIDENCE", kept.pk, found.sha256)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (PAGE, "evidence_type_refused"),
        (b"", "evidence_type_refused"),
        (b"a" * (MAX_FILE_BYTES + 1), "evidence_too_large"),
    ],
)
def test_wrong_file_is_refused(market: World, content: bytes, code: str) -> None:
    dispute = disputing.open_dispute(market)

    refused = ground.refusal(lambda: add(dispute, content))

    assert (refused.code, refused.status) == (code, 422)
    assert (Evidence.objects.count(), dispute.steps.count()) == (0, 1)


def test_largest_file_is_taken(market: World) -> None:
    dispute = disputing.open_dispute(market)

    assert add(dispute, b"a" * MAX_FILE_BYTES).size_bytes == 5_242_880


def test_same_file_again_is_the_one_that_is_there(market: World) -> None:
    dispute = disputing.open_dispute(market)
    first = add(dispute, PNG)

    again, theirs = add(dispute, PNG, name="b"), add(dispute, PNG, side=Actor.MERCHANT)

    assert again.pk == first.pk
    assert theirs.pk != first.pk
    assert Evidence.objects.filter(dispute=dispute).count() == 2


def test_eleventh_file_of_a_side_is_refused(market: World) -> None:
    dispute = disputing.open_dispute(market)
    for number in range(10):
        add(dispute, b"page %d" % number)

    refused = ground.refusal(lambda: add(dispute, b"page 10"))

    assert refused.code == "too_much_evidence"
    assert add(dispute, b"page 10", side=Actor.MERCHANT).side == "MERCHANT"


def test_file_cannot_be_changed(market: World) -> None:
    kept = add(disputing.open_dispute(market), PNG)

    with pytest.raises(DatabaseError), transaction.atomic():
        Evidence.objects.filter(pk=kept.pk).update(content=JPEG)


def test_database_refuses_a_size_that_is_not_so(market: World) -> None:
    dispute = disputing.open_dispute(market)

    with pytest.raises(DatabaseError, match="evidence_size_in_range"), transaction.atomic():
        Evidence.objects.create(
            dispute=dispute,
            side=Actor.BUYER,
            name="x",
            media_type=filetypes.PNG,
            size_bytes=1,
            sha256="0" * 64,
            content=PNG,
            added_at=market.now,
        )
