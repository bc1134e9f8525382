"""Channel references seen so far.

Ten million do not stay in memory: they wait in files, parted by their first digits, and are compared at the end.
"""

from array import array
from tempfile import SpooledTemporaryFile

from ledger.verify.finding import Findings
from ledger.verify.rule import Rule

BUFFERED = 65_536
"""References parted at a time."""

PART_BYTES = 262_144
"""What a part keeps in memory; beyond, it is a temporary file."""

_DIGITS = 2
_PARTS = 64
_DIGEST_BYTES = 32
_RECORD_BYTES = _DIGEST_BYTES + 8


class References:
    """Each is 64 hex digits. Duplicates are found when it is closed."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._refs: list[str] = []
        self._seqs = array("q")
        self._released: dict[int, int] = {}
        self._taken_over: dict[int, int] = {}
        self._parts = [SpooledTemporaryFile[bytes](max_size=PART_BYTES) for _ in range(_PARTS)]
        self._part_of = {f"{i:02x}": i * _PARTS // 256 for i in range(256)}

    def add(self, ref: str, seq: int) -> None:
        """The entry `seq` carries this reference."""
        self._refs.append(ref)
        self._seqs.append(seq)
        if len(self._refs) == BUFFERED:
            self._part()

    def release(self, seq: int, at: int) -> None:
        """The entry `seq` was taken back by entry `at`: its reference may come again."""
        self._released[seq] = at

    def take_over(self, seq: int, wrong: int) -> None:
        """The entry `seq` corrects `wrong`, and so has the same reference."""
        self._taken_over[seq] = wrong

    def close(self) -> None:
        """Report every reference that came twice, and those that are not of the entry that is corrected."""
        self._part()
        asked = {*self._taken_over, *self._taken_over.values()}
        said: dict[int, str] = {}
        for part in self._parts:
            part.seek(0)
            self._compare(part.read(), asked, said)
        for seq, wrong in self._taken_over.items():
            found, expected = said.get(seq, "none"), said.get(wrong, "none")
            if found != expected:
                self._findings.add(seq, Rule.RIGHT_ENTRY, f"the reference of entry {wrong}, {expected}", found)
        self.discard()

    def discard(self) -> None:
        """Let the files go."""
        for part in self._parts:
            part.close()

    def _part(self) -> None:
        records: list[list[bytes]] = [[] for _ in range(_PARTS)]
        for ref, seq in zip(self._refs, self._seqs, strict=True):
            records[self._part_of[ref[:_DIGITS]]].append(bytes.fromhex(ref) + seq.to_bytes(8))
        for part, each in zip(self._parts, records, strict=True):
            part.write(b"".join(each))
        self._refs.clear()
        self._seqs = array("q")

    def _compare(self, data: bytes, asked: set[int], said: dict[int, str]) -> None:
        """`said`: gets the references of the entries in `asked`."""
        first: dict[bytes, int] = {}
        for i in range(0, len(data), _RECORD_BYTES):
            ref, seq = data[i : i + _DIGEST_BYTES], int.from_bytes(data[i + _DIGEST_BYTES : i + _RECORD_BYTES])
            if seq in asked:
                said[seq] = ref.hex()
            before = first.setdefault(ref, seq)
            if self._released.get(before, seq) < seq:
                first[ref] = seq
            elif before != seq:
                self._findings.add(
                    seq, Rule.REFERENCE_UNIQUE, f"{ref.hex()} once", f"in entry {before} and again in {seq}"
                )
