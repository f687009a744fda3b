"""Why: what a platform says of itself stands on pages where money is released. It must be readable,
be a picture and nothing else, and pass for nobody else.
"""

import struct
import zlib
from typing import Any

import pytest

from merchants import branding, logos
from merchants import services as merchants
from merchants.models import Branding, Platform
from tests import ground
from tests.factories import PlatformFactory
from tests.world import START


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int = 40, height: int = 16, *, more: bytes = b"", interlaced: int = 0) -> bytes:
    """A picture of one color, drawn here: RGBA, eight bits each."""
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, interlaced)
    row = b"\0" + b"\x0f\x76\x6e\xff" * width
    packed = zlib.compress(row * height)
    body = chunk(b"IHDR", head) + more + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP"
    for name, part in chunks:
        body += name + struct.pack("<I", len(part)) + part + b"\0" * (len(part) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


LOSSLESS = (b"VP8L", b"\x2f" + struct.pack("<I", 39 | 15 << 14) + b"\x10\x07")
LOSSY = (b"VP8 ", b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", 40, 16) + b"\0\0\0")


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (png(), png()),
        (png(more=chunk(b"tEXt", b"Author\0Wang Fang") + chunk(b"eXIf", b"at home")), png()),
        (webp(LOSSLESS, (b"EXIF", b"at home")), webp(LOSSLESS)),
        (webp((b"VP8X", b"\x2c" + bytes(9)), (b"ICCP", b"x"), LOSSY, (b"XMP ", b"y")), webp(LOSSY)),
    ],
)
def test_logo_is_written_anew_without_what_is_no_picture(content: bytes, kept: bytes) -> None:
    logo = logos.read_logo(content)

    assert logo.content == kept
    assert (logo.width, logo.height) == (40, 16)
    assert logos.read_logo(kept).content == kept


def bomb() -> bytes:
    """It says forty by sixteen, and unpacks to a hundred megabytes."""
    head = struct.pack(">IIBBBBB", 40, 16, 8, 6, 0, 0, 0)
    packed = zlib.compress(bytes(100_000_000), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
        png() + b"<script>alert(1)</script>",
        png()[:-1],
        png().replace(b"IDAT", b"IDAX"),
        png(15, 16),
        png(1025, 16),
        png(more=chunk(b"EVIL", b"x")),
        bomb(),
        png() + bytes(logos.MOST_BYTES),
        webp((b"ANIM", b"x"), LOSSLESS),
        webp(LOSSLESS, LOSSLESS),
        webp(LOSSLESS) + b"x",
        webp((b"VP8L", b"")),
        webp((b"EXIF", b"x")),
        b"\xff\xd8\xff\xe0 no jpeg \xff\xd9",
    ],
    ids=lambda content: str(content[:24]),
)
def test_what_is_no_such_picture_is_refused(content: bytes) -> None:
    with pytest.raises(logos.LogoRefused):
        logos.read_logo(content)


def test_branding_is_kept_with_who_changed_what(db: None) -> None:
    platform = PlatformFactory()
    look = merchants.Look(name="Tea Shop", accent="#0f766e", support_email="help@tea.example")

    merchants.set_branding(platform_id=platform.pk, look=look, logo=png(), at=START)
    row = merchants.set_branding(platform_id=platform.pk, look=merchants.Look(name="Tea"), at=START)
    kept = row.logo_hash
    gone = merchants.set_branding(
        platform_id=platform.pk, look=merchants.Look(), without_logo=True, at=START
    )

    assert len(kept) == 64  # saying nothing of the logo keeps it
    assert (gone.logo, gone.logo_hash, gone.name) == (None, "", "")
    audit = row.audit.order_by("pgh_id").values_list("name", "accent", "logo_hash")
    assert list(audit) == [("Tea Shop", "#0f766e", kept), ("Tea", "", kept), ("", "", "")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"accent": "red"},
        {"accent": "#0F766E"},
        {"accent": "#fff;}"},
        {"name": "Tea\u202epohS"},
        {"name": "Tea\nShop"},
        {"name_zh": "茶" * 61},
        {"support_url": "http://tea.example"},
        {"support_url": "javascript:alert(1)"},
        {"support_url": "https://bank.example@tea.example"},
        {"support_url": "https://["},
        {"support_email": "nobody"},
        {"support_phone": "call me"},
    ],
)
def test_branding_that_cannot_be_shown_is_refused(db: None, wrong: dict[str, Any]) -> None:
    platform = PlatformFactory()

    refusal = ground.refusal(
        lambda: merchants.set_branding(
            platform_id=platform.pk, look=merchants.Look(**wrong), at=START
        )
    )

    assert refusal.code == "branding_invalid"
    assert not Branding.objects.exists()


def test_shop_with_another_name_says_whose_it_is() -> None:
    platform = Platform(name="Teahouse Ltd", name_zh="茶馆")

    shown = branding.shown_as(platform, Branding(platform=platform, name="Tea Shop"))
    plain = branding.shown_as(platform, None)

    assert (shown.name, shown.company) == ("Tea Shop", "Teahouse Ltd")
    assert (plain.name, plain.company, plain.contacts) == ("Teahouse Ltd", "", [])
