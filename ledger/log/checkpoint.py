"""Checkpoints: what a log says about its tree, as the text of a signed note (c2sp.org/tlog-checkpoint)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from ledger.log.encoding import HASH_SIZE, MAX_SIZE, check_line, encode_base64, parse_decimal, parse_hash, parse_text
from ledger.log.errors import MalformedError, SignatureError
from ledger.log.key import MAX_NAME_BYTES
from ledger.log.note import Note, Signature, Verifier, open_note


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The root of the first `size` leaves of the log named `origin`. `text` is what is signed."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        check_line(self.origin, "checkpoint origin")
        if len(self.origin.encode()) > MAX_NAME_BYTES:
            raise MalformedError(
                f"checkpoint origin: expected at most {MAX_NAME_BYTES} bytes, found {self.origin[:80]!r}…"
            )
        if not 0 <= self.size <= MAX_SIZE:
            raise MalformedError(f"checkpoint of {self.origin}: expected a size of 0 to {MAX_SIZE}, found {self.size}")
        if len(self.root) != HASH_SIZE:
            raise MalformedError(f"checkpoint of {self.origin}: expected a root of 32 bytes, found {len(self.root)}")

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """The checkpoint in the text of a note. Extension lines are refused, since no monitor can check them."""
        lines = parse_text(text, "checkpoint").split("\n")[:-1]
        if len(lines) != 3:
            raise MalformedError(f"checkpoint: expected three lines, found {len(lines)}")
        origin, size, root = lines
        return cls(
            origin=origin,
            size=parse_decimal(size, f"size in the checkpoint of {origin}"),
            root=parse_hash(root, f"root in the checkpoint of {origin}"),
        )

    @property
    def text(self) -> bytes:
        """What is signed: origin LF size LF base64(root) LF."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n".encode()

    def signed(self, signatures: Iterable[Signature]) -> bytes:
        """The signed note: the log's signature first, then cosignatures."""
        return Note(self.text, tuple(signatures)).encode()


def open_checkpoint(data: bytes, log: Verifier) -> Checkpoint:
    """The checkpoint in a signed note of the log whose key this is, cosignatures left aside.

    Raises MalformedError; and SignatureError when the log's signature is wrong or missing, or the origin another's.
    """
    checkpoint = Checkpoint.parse(open_note(data, [log]).text)
    if checkpoint.origin != log.key.name:
        raise SignatureError(f"origin: expected {log.key.name}, found {checkpoint.origin}")
    return checkpoint
