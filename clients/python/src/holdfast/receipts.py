"""Receipts of releases: was this signed by Holdfast, and is every byte of it as it was signed?

No network, no API key: the public key is enough. Needs the extra: pip install "holdfast[receipts]".
`python -m holdfast.receipts verify receipt.json --key public.pem` does it from a shell.
"""

import argparse
import base64
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast.errors import ReceiptRefused

__all__ = ["ReceiptRefused", "canonical", "verify"]


def canonical(value: Any) -> bytes:
    """Write a receipt as it was signed: RFC 8785, sorted names, no spaces, UTF-8."""
    written = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return written.encode()


def verify(document: bytes | Mapping[str, Any], public_key: str | bytes) -> dict[str, Any]:
    """Return what a receipt states, if this key signed exactly that.

    Args: document: the file as it came, byte for byte, or the `raw` of `releases.receipt(…)`.
        public_key: PEM, of the key whose id the receipt names.
    Raises: ReceiptRefused.
    """
    whole = document if isinstance(document, bytes) else canonical(document)
    receipt, signature = _read(whole)
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError:
        raise ReceiptRefused(
            'Receipts are verified with the extra: pip install "holdfast[receipts]".'
        ) from None
    pem = public_key.encode() if isinstance(public_key, str) else public_key
    try:
        key = load_pem_public_key(pem)
    except ValueError:
        raise ReceiptRefused("This is not a public key in PEM.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ReceiptRefused("Receipts are signed with Ed25519; this is another kind of key.")
    try:
        key.verify(signature, canonical(receipt))
    except InvalidSignature:
        raise ReceiptRefused("The signature is not of this receipt by this key.") from None
    return receipt


def _read(whole: bytes) -> tuple[dict[str, Any], bytes]:
    """Take a document apart. Not one byte of it may be other than its canonical form has it."""
    try:
        found = json.loads(whole)
        receipt, written = found["receipt"], found["signature"]
        signature = base64.b64decode(written, validate=True)
        plain = {"receipt": receipt, "signature": base64.b64encode(signature).decode()}
        exact = canonical(plain) == whole and isinstance(receipt, dict)
    except (ValueError, TypeError, KeyError):
        raise ReceiptRefused("This is not a receipt, or it was changed.") from None
    if not exact:
        raise ReceiptRefused("This receipt is not written as it was signed: it was changed.")
    return receipt, signature


def main(words: Sequence[str] | None = None) -> int:
    """Verify a file from a shell. Returns: 0 if it is genuine, 1 if it is refused."""
    parser = argparse.ArgumentParser(prog="python -m holdfast.receipts")
    verbs = parser.add_subparsers(required=True)
    asked = verbs.add_parser("verify", help="check a receipt with the public key alone")
    asked.add_argument("receipt", type=Path)
    asked.add_argument("--key", type=Path, required=True, help="public key, PEM")
    given = parser.parse_args(words)
    try:
        stated = verify(given.receipt.read_bytes(), given.key.read_bytes())
    except ReceiptRefused as refusal:
        print(f"REFUSED: {refusal}", file=sys.stderr)
        return 1
    print(
        f"GENUINE: release {stated['release']} of order {stated['order']},"
        f" {stated['amount_minor']} {stated['currency']} (minor units), signed by {stated['key']}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
