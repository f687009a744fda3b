"""A picture a platform shows its buyers: PNG or WEBP, written anew with nothing in it but the
picture.

Pure. It must never pass on a byte it has not understood: no texts, places, profiles, animations,
and nothing after the end.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from common.errors import DomainError

PNG, WEBP = "image/png", "image/webp"
ENDINGS = {PNG: "png", WEBP: "webp"}
MOST_BYTES = 256 * 1024
SMALLEST, LARGEST = 16, 1024  # pixels, each way

_PNG_HEAD = b"\x89PNG\r\n\x1a\n"
_DRAWN = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")  # chunks without which nothing is drawn
# Color type -> samples per pixel, and the depths it may have. Source: PNG (third edition), 11.2.1
_COLORS = {
    0: (1, (1, 2, 4, 8, 16)),
    2: (3, (8, 16)),
    3: (1, (1, 2, 4, 8)),
    4: (2, (8, 16)),
    6: (4, (8, 16)),
}
# First column and row, and the steps between, of each pass. Source: the same, 8.1
_WHOLE = [(0, 0, 1, 1)]
_ADAM7 = [
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)
]  # fmt: skip
_ALPHA = 0x10  # flag of VP8X


class LogoRefused(DomainError):
    """A logo is a PNG or WEBP picture of 16 to 1024 pixels each way and 256 KiB at most, which
    does not move."""

    code = "logo_refused"
    status = 422


@dataclass(frozen=True, slots=True)
class Logo:
    media_type: str
    content: bytes
    width: int  # pixels
    height: int


def read_logo(content: bytes) -> Logo:
    """Read a picture and write it anew. Raises: LogoRefused."""
    if len(content) > MOST_BYTES:
        raise LogoRefused(f"A logo has {MOST_BYTES // 1024} KiB at most.", field="logo")
    try:
        logo = _read_png(content) if content.startswith(_PNG_HEAD) else _read_webp(content)
    except (ValueError, IndexError, zlib.error):
        raise LogoRefused("Send a PNG or WEBP picture that does not move.", field="logo") from None
    if not all(SMALLEST <= side <= LARGEST for side in (logo.width, logo.height)):
        raise LogoRefused(
            f"A logo has {SMALLEST} to {LARGEST} pixels each way, not"
            f" {logo.width} by {logo.height}.",
            field="logo",
        )
    return logo


def _read_png(content: bytes) -> Logo:
    """Raises: ValueError, zlib.error."""
    chunks = list(_png_chunks(content))
    kept = [(name, body) for name, body in chunks if name in _DRAWN]
    names = [name for name, _body in kept]
    # A chunk whose first letter is a capital may not be left out by who does not know it.
    unknown = [name for name, _body in chunks if name not in _DRAWN and name[:1].isupper()]
    one_each = all(names.count(name) <= 1 for name in _DRAWN if name != b"IDAT")
    if unknown or not one_each or names[0] != b"IHDR" or names[-1] != b"IEND":
        raise ValueError("its chunks are out of order")
    head = kept[0][1]
    width, height = int.from_bytes(head[:4]), int.from_bytes(head[4:8])
    size = _png_size(head, width, height)
    packed = b"".join(body for name, body in kept if name == b"IDAT")
    reader = zlib.decompressobj()
    if len(reader.decompress(packed, size + 1)) != size or not reader.eof:
        raise ValueError("it has more or fewer pixels than it says")
    written = _PNG_HEAD + b"".join(_png_chunk(name, body) for name, body in kept)
    return Logo(PNG, written, width, height)


def _png_size(head: bytes, width: int, height: int) -> int:
    """How many bytes the pixels have, unpacked. Raises: ValueError."""
    depth, color, method, filters, interlaced = head[8:13]
    samples, depths = _COLORS.get(color, (0, ()))
    if len(head) != 13 or depth not in depths or method or filters or interlaced > 1:
        raise ValueError("its head makes no sense")
    if not (0 < width <= LARGEST and 0 < height <= LARGEST):
        return _refuse_size(width, height)
    total = 0
    for left, top, across, down in _ADAM7 if interlaced else _WHOLE:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * samples * depth // 8))
    return total


def _refuse_size(width: int, height: int) -> int:
    raise LogoRefused(
        f"A logo has {SMALLEST} to {LARGEST} pixels each way, not {width} by {height}.",
        field="logo",
    )


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG_HEAD)
    while at < len(content):
        length = int.from_bytes(content[at : at + 4])
        name, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        told = content[at + 8 + length : at + 12 + length]
        if len(told) != 4 or int.from_bytes(told) != zlib.crc32(name + body):
            raise ValueError("a chunk is broken")
        yield name, body
        at += 12 + length


def _png_chunk(name: bytes, body: bytes) -> bytes:
    checked = name + body
    return len(body).to_bytes(4) + checked + zlib.crc32(checked).to_bytes(4)


def _read_webp(content: bytes) -> Logo:
    """Raises: ValueError, IndexError. Source: RFC 9649, sections 2 and 3."""
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        raise ValueError("it is no WEBP")
    if int.from_bytes(content[4:8], "little") + 8 != len(content):
        raise ValueError("it is longer or shorter than it says")
    chunks = dict(_webp_chunks(content))
    if b"ANIM" in chunks or (b"VP8 " in chunks) == (b"VP8L" in chunks):
        raise ValueError("it moves, or is no picture")
    kind = b"VP8 " if b"VP8 " in chunks else b"VP8L"
    picture = chunks[kind]
    width, height = (_vp8_size if kind == b"VP8 " else _vp8l_size)(picture)
    kept = [(kind, picture)]
    if kind == b"VP8 " and b"ALPH" in chunks:
        sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        head = (b"VP8X", bytes([_ALPHA, 0, 0, 0]) + sides)
        kept = [head, (b"ALPH", chunks[b"ALPH"]), *kept]
    body = b"WEBP" + b"".join(_webp_chunk(name, part) for name, part in kept)
    return Logo(WEBP, b"RIFF" + len(body).to_bytes(4, "little") + body, width, height)


def _webp_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, seen = 12, set()
    while at < len(content):
        name, length = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        body = content[at + 8 : at + 8 + length]
        if len(body) != length or name in seen:
            raise ValueError("a chunk is broken, or comes twice")
        seen.add(name)
        yield name, body
        at += 8 + length + length % 2


def _webp_chunk(name: bytes, body: bytes) -> bytes:
    return name + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)


def _vp8_size(picture: bytes) -> tuple[int, int]:
    if picture[0] & 1 or picture[3:6] != b"\x9d\x01\x2a":
        raise ValueError("it is no key frame")
    sides = (int.from_bytes(picture[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    width, height = sides
    return width, height


def _vp8l_size(picture: bytes) -> tuple[int, int]:
    if picture[0] != 0x2F:
        raise ValueError("it is no lossless picture")
    packed = int.from_bytes(picture[1:5], "little")
    return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
