"""The receipt: the bytes of one entry and the proof that they have their place in a signed log.

As a file it is a C2SP `.tlog-proof` whose `extra` data are the entry's bytes: one download, and every tool that reads
proofs reads it. `extra` is authenticated by nothing in that format; here the inclusion proof authenticates it.
"""

from dataclasses import dataclass, replace
from typing import Self

from ledger.log.errors import MalformedError
from ledger.log.policy import Policy, WitnessedCheckpoint
from ledger.log.proof import LogProof
from ledger.log.tile import MAX_ENTRY_BYTES

SUFFIX = ".tlog-proof"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """An entry and its proof. Nothing is known of either until `verify`."""

    entry: bytes
    """The entry's bytes; empty where somebody kept the proof alone."""
    proof: LogProof
    """Without extra data."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """The receipt in a file, or the bare proof. Raises MalformedError."""
        proof = LogProof.parse(data)
        if len(proof.extra) > MAX_ENTRY_BYTES:
            raise MalformedError(f"receipt: expected an entry of {MAX_ENTRY_BYTES} bytes at most")
        return cls(entry=proof.extra, proof=replace(proof, extra=b""))

    def encode(self) -> bytes:
        """The receipt as a file."""
        return replace(self.proof, extra=self.entry).encode()

    def verify(self, policy: Policy) -> WitnessedCheckpoint:
        """Check that the entry has its place in a checkpoint that satisfies the policy.

        Raises MalformedError, SignatureError, QuorumError or ProofError.
        """
        return self.proof.verify(self.entry, policy)
