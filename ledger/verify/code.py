"""Receipt codes, looked for in the log itself: what a code opens, without asking anybody.

`receipt` of an entry is the hex SHA-256 of `sunledger/receipt/1` LF prev LF code LF (docs/formats.md). So whoever holds
the code finds the entry by hashing once an entry, and nobody else learns of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from ledger.verify.entry import UnreadableError, read
from ledger.verify.finding import WHOLE_LOG, Findings
from ledger.verify.rule import Rule

GENESIS_PREV = "0" * 64
"""What entry 0 names as the hash before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The entry that a code opens."""

    number: int
    """Which of the codes, from 1."""
    seq: int
    digest: str
    """Hex SHA-256 of the entry's bytes."""
    said: str
    """Kind, business date, amount in the smallest unit, account."""


class Codes:
    """Takes every entry in order. The codes are as printed, without hyphens."""

    def __init__(self, codes: Sequence[str]) -> None:
        self._tails = [f"\n{code}\n".encode() for code in codes]
        self._prev = GENESIS_PREV.encode()
        self._seq = -1
        self.opened: list[Opened] = []

    def __bool__(self) -> bool:
        return bool(self._tails)

    def step(self, written: bytes) -> None:
        """One more entry."""
        self._seq += 1
        digest = sha256(written).hexdigest()
        for number, tail in enumerate(self._tails, 1):
            receipt = sha256(b"sunledger/receipt/1\n%b%b" % (self._prev, tail)).hexdigest().encode()
            if b'"receipt":"%b"' % receipt in written:
                self.opened.append(Opened(number=number, seq=self._seq, digest=digest, said=_said(written)))
        self._prev = digest.encode()

    def finish(self, findings: Findings) -> None:
        """A code that opens nothing is a finding: its gift is not in this log."""
        for number in sorted({*range(1, len(self._tails) + 1)} - {each.number for each in self.opened}):
            findings.add(WHOLE_LOG, Rule.RECEIPT_CODE, f"an entry that receipt code {number} opens", "none")


def _said(written: bytes) -> str:
    try:
        entry, body = read(written)
    except UnreadableError:
        return msgspec.json.encode(written[:200].decode(errors="replace")).decode()
    moved = [f"{each.qty} {'fen' if each.unit == 'CNY' else each.unit} to {each.dst}" for each in entry.postings]
    return " ".join([entry.kind, getattr(body, "on", ""), *moved])
