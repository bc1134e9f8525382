"""Numbers and bytes as the C2SP text formats write them: one spelling each, any other is refused.

Python's own `int()` takes underscores, blanks, signs and the digits of all scripts, `b64decode` takes stray final bits,
and `splitlines()` splits at a dozen characters; two readers of one file must not come to different answers.
"""

import re
from base64 import b64decode, b64encode

from ledger.log.errors import MalformedError

HASH_SIZE = 32
"""Bytes of a SHA-256 hash."""

MAX_SIZE = 2**63 - 1
"""The largest tree, index or timestamp: what a signed integer of other implementations holds."""

MAX_PROOF_HASHES = 63
"""Hashes in a proof of such a tree at most (c2sp.org/tlog-witness says the same)."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_CONTROL = re.compile(r"[\x00-\x1f]")
_NOT_IN_A_LINE = re.compile(r"[\x00-\x1f\ud800-\udfff]")  # lone surrogates are what UTF-8 cannot write


def parse_decimal(text: str, what: str, *, maximum: int = MAX_SIZE) -> int:
    """The number written as ASCII decimal without leading zeros; `what` names it in the error."""
    if not _DECIMAL.fullmatch(text) or (number := int(text)) > maximum:
        raise MalformedError(f"{what}: expected a decimal of 0 to {maximum} without leading zeros, found {text[:40]!r}")
    return number


def parse_base64(text: str, what: str, *, size: int | None = None) -> bytes:
    """The bytes written in standard base64 with padding (RFC 4648, section 4), `size` of them if given."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        data = None
    # Comparing what it would be written as refuses stray final bits too.
    if data is None or encode_base64(data) != text:
        raise MalformedError(f"{what}: expected standard base64 with padding, found {text[:40]!r}")
    if size is not None and len(data) != size:
        raise MalformedError(f"{what}: expected {size} bytes, found {len(data)}")
    return data


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648, section 4)."""
    return b64encode(data).decode()


def parse_hash(text: str, what: str) -> bytes:
    """The hash written in base64."""
    return parse_base64(text, what, size=HASH_SIZE)


def check_line(text: str, what: str) -> None:
    """Refuse what would not be one line of a text: nothing at all, control characters, what UTF-8 cannot write."""
    if not text or _NOT_IN_A_LINE.search(text):
        raise MalformedError(f"{what}: expected one line of text, found {text[:80]!r}")


def parse_text(data: bytes, what: str) -> str:
    """The bytes as UTF-8 text that ends in a newline and has no other control character (c2sp.org/signed-note)."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise MalformedError(f"{what}: expected UTF-8, found byte {data[error.start]:#04x} at {error.start}") from None
    if control := _CONTROL.search(text.replace("\n", "")):
        raise MalformedError(f"{what}: expected no control character but the newline, found {control[0]!r}")
    if not text.endswith("\n"):
        raise MalformedError(f"{what}: expected a newline at the end, found {text[-1:]!r}")
    return text
