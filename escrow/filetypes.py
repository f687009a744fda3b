"""What a file is, by its bytes alone. Pure; it must never look at a name or at what a sender says.

Five kinds are let in. None of them is run by us, and all are served as attachments only.
"""

import re
import unicodedata

PDF, PNG, JPEG, WEBP, TEXT = (
    "application/pdf",
    "image/png",
    "image/jpeg",
    "image/webp",
    "text/plain",
)
ENDINGS = {PDF: "pdf", PNG: "png", JPEG: "jpg", WEBP: "webp", TEXT: "txt"}

_PDF_HEAD = re.compile(rb"%PDF-[12]\.\d[\s%]")
_PNG_HEAD, _PNG_TAIL = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", b"\x00\x00\x00\x00IEND\xaeB`\x82"
_JPEG_HEAD, _JPEG_TAIL = b"\xff\xd8\xff", b"\xff\xd9"
# What a browser would take for a page or a drawing. Source: WHATWG MIME sniffing, section 7.1
_MARKUP = re.compile(r"\s*<[!?/a-z]", re.IGNORECASE)
_TAIL_BYTES = 1024  # readers of PDF look for its end in the last kilobyte


def find_type(content: bytes) -> str | None:
    """Return the media type of a file that is let in; None for every other."""
    if _PDF_HEAD.match(content):
        return PDF if b"%%EOF" in content[-_TAIL_BYTES:] else None
    if content.startswith(_PNG_HEAD):
        return PNG if content.endswith(_PNG_TAIL) else None
    if content.startswith(_JPEG_HEAD):
        return JPEG if content.endswith(_JPEG_TAIL) else None
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        # The head names the size of what follows it; an odd one is padded.
        named = int.from_bytes(content[4:8], "little") + 8
        return WEBP if len(content) in (named, named + named % 2) else None
    return TEXT if _is_plain_text(content) else None


def _is_plain_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    if not text.strip() or _MARKUP.match(text):
        return False
    return all(one in "\t\r\n" or unicodedata.category(one) != "Cc" for one in text)
