"""Proof files: index, inclusion proof and signed checkpoint in one text (c2sp.org/tlog-proof). The donor's receipt."""

from dataclasses import dataclass
from typing import Self

from ledger.log.encoding import MAX_PROOF_HASHES, encode_base64, parse_base64, parse_decimal, parse_hash, parse_text
from ledger.log.errors import MalformedError
from ledger.log.note import MAX_NOTE_BYTES
from ledger.log.policy import Policy, WitnessedCheckpoint
from ledger.log.tree import leaf_hash, verify_inclusion

MAX_PROOF_BYTES = 2 * MAX_NOTE_BYTES
"""Bytes read of one proof file at most: the note, and as much again for extra data."""

_HEADER = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProof:
    """That an entry has its place in a log. The entry's bytes and whom to believe are what the verifier brings.

    `checkpoint` is the signed note as served, every signature included. `extra` is authenticated by nothing.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """The proof in a `.tlog-proof` file. Raises MalformedError."""
        if len(data) > MAX_PROOF_BYTES:
            raise MalformedError(f"proof: expected at most {MAX_PROOF_BYTES} bytes, found {len(data)}")
        head, blank, checkpoint = parse_text(data, "proof").partition("\n\n")
        header, *lines = head.split("\n")
        if header != _HEADER or not blank:
            raise MalformedError(f"proof: expected {_HEADER}, a blank line and a checkpoint, found {head[:80]!r}")
        extra = b""
        if lines and lines[0].startswith("extra "):
            extra = parse_base64(lines.pop(0).removeprefix("extra "), "extra data of a proof")
        if not lines or not lines[0].startswith("index "):
            raise MalformedError(f"proof: expected an index line, found {lines[:1]}")
        index, *hashes = lines
        if len(hashes) > MAX_PROOF_HASHES:
            raise MalformedError(f"proof: expected at most {MAX_PROOF_HASHES} hashes, found {len(hashes)}")
        return cls(
            index=parse_decimal(index.removeprefix("index "), "index of a proof"),
            hashes=tuple(parse_hash(line, f"hash {i} of a proof") for i, line in enumerate(hashes)),
            checkpoint=checkpoint.encode(),
            extra=extra,
        )

    def encode(self) -> bytes:
        """The proof as a `.tlog-proof` file."""
        lines = [
            _HEADER,
            *([f"extra {encode_base64(self.extra)}"] if self.extra else []),
            f"index {self.index}",
            *map(encode_base64, self.hashes),
        ]
        return "\n".join(lines).encode() + b"\n\n" + self.checkpoint

    def verify(self, entry: bytes, policy: Policy) -> WitnessedCheckpoint:
        """Check that the entry with these bytes has its place in a checkpoint that satisfies the policy.

        Raises MalformedError, SignatureError, QuorumError or ProofError.
        """
        witnessed = policy.open_checkpoint(self.checkpoint)
        size, root = witnessed.checkpoint.size, witnessed.checkpoint.root
        verify_inclusion(self.index, size, leaf_hash(entry), self.hashes, root)
        return witnessed
