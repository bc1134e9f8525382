"""Signed notes: a text, a blank line, and signature lines under it (c2sp.org/signed-note)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.log.encoding import encode_base64, parse_base64, parse_text
from ledger.log.errors import MalformedError, SignatureError
from ledger.log.key import ED25519, VerifierKey, check_name

MAX_SIGNATURES = 100
"""Signature lines read in one note at most; the format asks for 16 at least."""

MAX_NOTE_BYTES = 1_000_000
"""Bytes read of one note at most: room for that many post-quantum signatures."""

_KEY_ID_SIZE = 4


class Verifier(Protocol):
    """Checks the signatures of one key. `verify` raises SignatureError."""

    @property
    def key(self) -> VerifierKey:
        """Whose signatures these are."""

    def verify(self, text: bytes, payload: bytes) -> None:
        """Check that the key signed the text; `payload` is what stands behind the key id."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line. Nothing is known of it until its note was opened."""

    name: str
    key_id: bytes
    payload: bytes

    @classmethod
    def parse(cls, line: str) -> Self:
        """A line without its newline."""
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "—":
            raise MalformedError(f"signature line: expected '— <name> <base64>', found {line[:80]!r}")
        _, name, encoded = parts
        check_name(name)
        data = parse_base64(encoded, f"signature by {name}")
        if len(data) <= _KEY_ID_SIZE:
            raise MalformedError(f"signature by {name}: expected a key id and a signature, found {len(data)} bytes")
        return cls(name, data[:_KEY_ID_SIZE], data[_KEY_ID_SIZE:])

    def encode(self) -> bytes:
        """The line with its newline."""
        return f"— {self.name} {encode_base64(self.key_id + self.payload)}\n".encode()

    def is_by(self, key: VerifierKey) -> bool:
        """Whether the line claims to be by this key."""
        return (self.name, self.key_id) == (key.name, key.id)


@dataclass(frozen=True, slots=True)
class Note:
    """A text with signatures: from `parse_note` they are claims, from `open_note` the verified ones."""

    text: bytes
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The note as it is served."""
        return self.text + b"\n" + encode_signatures(self.signatures)


class Ed25519Verifier:
    """Checks signatures of type 01: plain Ed25519 over the text."""

    __slots__ = ("_public_key", "key")

    def __init__(self, key: VerifierKey) -> None:
        if key.type != ED25519:
            raise ValueError(f"key {key.name}: expected type {ED25519:02x}, found {key.type:02x}")
        self.key = key
        self._public_key = Ed25519PublicKey.from_public_bytes(key.public_key)

    def verify(self, text: bytes, payload: bytes) -> None:
        """Check that the key signed the text, or raise SignatureError."""
        try:
            self._public_key.verify(payload, text)
        except InvalidSignature:
            raise SignatureError(f"signature by {self.key.name}+{self.key.id.hex()} does not fit the text") from None


class Ed25519Signer:
    """Makes signatures of type 01 under a name. `key` is the public half."""

    __slots__ = ("_private_key", "key")

    def __init__(self, name: str, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key
        self.key = VerifierKey(name, ED25519, private_key.public_key().public_bytes_raw())

    def sign(self, text: bytes) -> Signature:
        """Sign the text of a note. The same text gives the same signature."""
        parse_text(text, "text to sign")  # never sign what no reader would accept
        return Signature(self.key.name, self.key.id, self._private_key.sign(text))


def open_note(data: bytes, verifiers: Iterable[Verifier]) -> Note:
    """The text of a note, with the signatures by known keys, each of which was checked.

    Lines by unknown keys are ignored. Raises MalformedError; and SignatureError when a known key's signature is wrong,
    even if others are right, or when no known key signed.
    """
    note = parse_note(data)
    known = {(v.key.name, v.key.id): v for v in verifiers}
    verified = []
    for signature in note.signatures:
        if verifier := known.get((signature.name, signature.key_id)):
            verifier.verify(note.text, signature.payload)
            verified.append(signature)
    if not verified:
        expected = ", ".join(f"{name}+{key_id.hex()}" for name, key_id in known) or "no key at all"
        found = ", ".join(f"{s.name}+{s.key_id.hex()}" for s in note.signatures)
        raise SignatureError(f"signatures: expected one by {expected}, found {found}")
    return Note(note.text, tuple(verified))


def parse_note(data: bytes) -> Note:
    """A note taken apart and not believed. Raises MalformedError."""
    if len(data) > MAX_NOTE_BYTES:
        raise MalformedError(f"note: expected at most {MAX_NOTE_BYTES} bytes, found {len(data)}")
    text, blank, lines = parse_text(data, "note").rpartition("\n\n")  # the text may have blank lines of its own
    if not blank or not lines:
        raise MalformedError("note: expected a text, a blank line and signature lines")
    return Note(f"{text}\n".encode(), parse_signatures(lines.encode()))


def parse_signatures(data: bytes) -> tuple[Signature, ...]:
    """Signature lines: the end of a note, or what a witness answers. Raises MalformedError."""
    lines = parse_text(data, "signatures").split("\n")[:-1]
    if len(lines) > MAX_SIGNATURES:
        raise MalformedError(f"signatures: expected at most {MAX_SIGNATURES}, found {len(lines)}")
    return tuple(Signature.parse(line) for line in lines)


def encode_signatures(signatures: Sequence[Signature]) -> bytes:
    """Signature lines, one under the other."""
    return b"".join(signature.encode() for signature in signatures)
