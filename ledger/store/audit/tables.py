"""audit(database) → findings: one reading of all entries, in one snapshot, with every table held against it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg

from ledger.entries import GENESIS_PREV
from ledger.log.tree import leaf_hash
from ledger.store import guarantees
from ledger.store.audit.kept import Kept
from ledger.store.audit.lineage import compare_reports
from ledger.store.audit.replayed import Replayed, decoded
from ledger.store.audit.tree import StoredTree
from ledger.store.database import Database
from ledger.verify.finding import WHOLE_LOG, Findings
from ledger.verify.rule import Rule

READ_ENTRIES = 5_000

_NOTHING = "no such thing"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """How much was compared."""

    entries: int
    """All that are sequenced, published or not."""
    rows: dict[str, int]
    """Table → rows."""


async def audit(
    owner: Database, findings: Findings, *, outside: Path, published: int, progress: Progress | None = None
) -> Audited:
    """Hold every table against the entries. Nothing is changed: the one transaction is rolled back.

    `owner`: a database of one connection, as the log's owner. `outside`: the checkpoint file. `published`: entries
    whose chain was checked before. Raises asyncpg.PostgresError where tables are not even there.
    """
    async with owner.raw() as connection:
        facts = await guarantees.read_facts(connection)
        for what, expected, found in guarantees.contrast(guarantees.expected(), facts):
            findings.add(WHOLE_LOG, Rule.TABLE_GUARANTEES, expected or _NOTHING, found or _NOTHING, place=what)
        transaction = connection.transaction(isolation="repeatable_read")
        await transaction.start()
        try:
            return await _Audit(connection, findings, outside, published).run(progress or _untold)
        finally:
            await transaction.rollback()


class _Audit:
    """One reading."""

    def __init__(self, connection: asyncpg.Connection, findings: Findings, outside: Path, published: int) -> None:
        self._connection = connection
        self._findings = findings
        self._published = published
        self._replayed = Replayed(connection, findings)
        self._tree = StoredTree(connection, findings, outside)
        self._kept = Kept(connection, findings)
        self._seq = -1
        self._prev = GENESIS_PREV
        self._at = ""

    async def run(self, progress: Progress) -> Audited:
        """Read everything."""
        last = await self._connection.fetchval("select coalesce(max(seq), -1) from entry")
        await self._tree.prepare()
        await self._replayed.prepare()
        await self._kept.prepare()
        after = -(2**63)
        while rows := await self._connection.fetch(_ENTRIES, after, READ_ENTRIES):
            for row in rows:
                self._read(row)
            after = rows[-1]["seq"]
            await self._tree.add([leaf_hash(row["bytes"]) for row in rows])
            self._compare_columns(rows, await self._replayed.compare_block(after))
            await self._kept.compare_block(after)
            progress(after, last)
        await self._tree.finish()
        await self._replayed.finish()
        await self._kept.finish()
        reported = await compare_reports(self._connection, self._findings) if await self._replayed.uncover() else 0
        await self._check_head()
        return Audited(
            entries=self._seq + 1,
            rows={
                "entry": self._seq + 1,
                **dict(sorted(self._replayed.counts.items())),
                "lineage": reported,
                "tile": self._tree.tile_count,
                "checkpoint": self._tree.checkpoint_count,
            },
        )

    def _read(self, row: asyncpg.Record) -> None:
        """One entry: its number, its chain where nobody looked yet, the columns beside its bytes."""
        self._seq += 1
        seq, written = row["seq"], row["bytes"]
        if seq != self._seq:
            self._find(self._seq, "", f"entry {self._seq}", f"entry {seq}")
            self._seq = seq
        prev, self._prev = self._prev, sha256(written).hexdigest()
        entry = decoded(written)
        if entry is None:
            self._find(seq, "bytes", "an entry in its canonical form", written[:120])
            return
        self._at = entry.at
        if entry.prev != prev and seq >= self._published:
            self._findings.add(seq, Rule.PREV_CHAIN, prev, entry.prev, place=f"entry seq={seq}")
        if entry.seq != seq:
            self._find(seq, "seq", entry.seq, seq)
        self._kept.add(entry)
        self._replayed.add(entry, written, self._prev)

    def _compare_columns(self, rows: Sequence[asyncpg.Record], gathered: Sequence[tuple[Any, ...]]) -> None:
        """What stands beside the bytes, of the entries that could be followed."""
        expected = {row[1]: row for row in gathered}
        for row in rows:
            wanted = expected.get(row["bytes"])
            if wanted is not None and wanted != tuple(row):
                for name, said, found in zip(row.keys(), wanted, row.values(), strict=True):
                    if said != found and name != "seq":
                        self._find(row["seq"], name, said, found)

    async def _check_head(self) -> None:
        """The head is the last entry; its epoch is the sequencer's own affair."""
        head = await self._connection.fetchrow(_HEAD) or (None, None, None)
        last = (self._seq, self._prev, self._at)
        for name, wanted, found in zip(("seq", "prev", "at"), last, head, strict=True):
            if wanted != found:
                self._findings.add(WHOLE_LOG, Rule.TABLE_HEAD, wanted, found, place=f"head · {name}")

    def _find(self, seq: int, column: str, expected: object, found: object) -> None:
        place = f"entry seq={seq} · {column}" if column else f"entry seq={seq}"
        self._findings.add(seq, Rule.TABLE_ENTRY, expected, found, place=place)


def _untold(_read: int, _size: int) -> None: ...


# Nothing here is null, unless somebody took the constraints away first.
_ENTRIES = "select seq, coalesce(bytes, '') as bytes, at, kind, org from entry where seq > $1 order by seq limit $2"
_HEAD = "select seq, encode(prev, 'hex'), at from head"
