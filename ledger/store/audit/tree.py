"""The tree as it is stored: tiles, checkpoints and the checkpoint outside the database, against the entries."""

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import asyncpg

from ledger.log.checkpoint import Checkpoint
from ledger.log.cosignature import verifier_of
from ledger.log.encoding import HASH_SIZE
from ledger.log.errors import MalformedError, VerificationError
from ledger.log.key import VerifierKey
from ledger.log.note import Verifier, open_note, parse_note
from ledger.log.tile import FULL_WIDTH, MAX_LEVEL, Tile, grow
from ledger.log.tree import Frontier
from ledger.store.queries import log
from ledger.store.queries.log import integrated_size
from ledger.verify.finding import WHOLE_LOG, Findings
from ledger.verify.rule import Rule

READ_CHECKPOINTS = 1_000


class _Due(NamedTuple):
    """A root that was claimed for a size that has not come yet."""

    size: int
    root: bytes
    rule: Rule
    place: str


class StoredTree:
    """Takes the leaves in order, in blocks, and looks at each stored tile and checkpoint when its entries are there."""

    def __init__(self, connection: asyncpg.Connection, findings: Findings, outside: Path) -> None:
        self._connection = connection
        self._findings = findings
        self._outside_path = outside
        self._frontier = Frontier()
        self._edge: dict[tuple[int, int], bytes] = {}
        """The unfinished tiles, one a level."""
        self._grown = 0
        self._integrated = 0
        self._due: deque[_Due] = deque()
        self._read_until = -1
        self._outside: list[_Due] = []
        self._verifiers: list[Verifier] = []
        self.tile_count = 0
        self.checkpoint_count = 0

    async def prepare(self) -> None:
        """Read what is to be held against the leaves."""
        self._integrated = await integrated_size(self._connection)
        for (text,) in await self._connection.fetch("select vkey from signing_key order by since, vkey"):
            try:
                self._verifiers.append(verifier_of(VerifierKey.parse(text)))
            except VerificationError as error:
                self._findings.add(
                    WHOLE_LOG, Rule.TABLE_CHECKPOINT, "a public key", error, place=f"signing_key vkey={text}"
                )
        await self._read_outside()
        await self._meet()

    async def add(self, leaves: Sequence[bytes]) -> None:
        """The leaves of the next entries."""
        await self._compare_full(leaves[: max(self._integrated - self._grown, 0)])
        for leaf in leaves:
            self._frontier.append(leaf)
            if self._due and self._due[0].size == self._frontier.size:
                await self._meet()
            if self._outside and self._outside[0].size == self._frontier.size:
                self._compare_root(self._outside.pop())

    async def finish(self) -> None:
        """What only the end shows: unfinished tiles, tiles and checkpoints of entries that are not there."""
        await self._compare([(Tile(level=level, index=index, width=len(data) // HASH_SIZE), data)
                             for (level, index), data in sorted(self._edge.items())])  # fmt: skip
        size = self._frontier.size
        if self._integrated > size:
            self._findings.add(
                size, Rule.TABLE_TILE, f"tiles of {size} entries", f"tiles of {self._integrated}", place="tile level=0"
            )
        tiles = [-(-(self._integrated >> 8 * level) // FULL_WIDTH) for level in range(MAX_LEVEL + 1)]
        for level, index in await self._connection.fetch(_BEYOND, [*range(MAX_LEVEL + 1)], tiles):
            self._findings.add(
                WHOLE_LOG, Rule.TABLE_TILE, "no such tile", "a tile", place=f"tile level={level} index={index}"
            )
        await self._meet()
        for due in (*self._due, *self._outside):
            self._findings.add(WHOLE_LOG, due.rule, f"{due.size} entries", f"{size}", place=due.place)

    async def _compare_full(self, leaves: Sequence[bytes]) -> None:
        whole: list[tuple[Tile, bytes]] = []
        for tile, data in grow(self._grown, leaves, lambda tile: self._edge[tile.level, tile.index]):
            if tile.width == FULL_WIDTH:
                self._edge.pop((tile.level, tile.index), None)
                whole.append((tile, data))
            else:
                self._edge[tile.level, tile.index] = data
        self._grown += len(leaves)
        await self._compare(whole)

    async def _compare(self, expected: Sequence[tuple[Tile, bytes]]) -> None:
        levels, indexes = [tile.level for tile, _ in expected], [tile.index for tile, _ in expected]
        stored = {(level, index): data for level, index, data in await self._connection.fetch(_TILES, levels, indexes)}
        for tile, data in expected:
            found = stored.get((tile.level, tile.index))
            self.tile_count += 1
            if found == data:
                continue
            place = f"tile level={tile.level} index={tile.index}"
            first = tile.index * FULL_WIDTH ** (tile.level + 1)
            if found is None:
                self._findings.add(first, Rule.TABLE_TILE, f"{tile.width} hashes", "no such row", place=place)
                continue
            pairs = ((data[i : i + HASH_SIZE], found[i : i + HASH_SIZE]) for i in range(0, len(data), HASH_SIZE))
            i, (ours, theirs) = next(
                ((i, pair) for i, pair in enumerate(pairs) if pair[0] != pair[1]), (tile.width, (b"", b"more"))
            )
            seq = first + i * FULL_WIDTH**tile.level
            self._findings.add(seq, Rule.TABLE_TILE, ours.hex(), theirs.hex(), place=f"{place} · hash {i}")

    async def _meet(self) -> None:
        """Compare the roots claimed for this size; read on, so that the next size is known."""
        while True:
            while self._due and self._due[0].size <= self._frontier.size:
                self._compare_root(self._due.popleft())
            if self._due:
                return
            rows = await self._connection.fetch(_CHECKPOINTS, self._read_until, READ_CHECKPOINTS)
            if not rows:
                return
            for size, root, note in rows:
                self._read_until = size
                self._take(size, root, note)

    def _take(self, size: int, root: bytes, note: bytes) -> None:
        """One stored checkpoint: its columns, its signature."""
        self.checkpoint_count += 1
        place = f"checkpoint size={size}"
        try:
            said = self._open(note)
        except VerificationError as error:
            self._findings.add(WHOLE_LOG, Rule.TABLE_CHECKPOINT, "a signed note", error, place=f"{place} · note")
            return
        if (said.size, said.root) != (size, root):
            self._findings.add(
                WHOLE_LOG, Rule.TABLE_CHECKPOINT, f"size {said.size}, root {said.root.hex()}",
                f"size {size}, root {root.hex()}", place=f"{place} · root",
            )  # fmt: skip
        self._due.append(_Due(size, root, Rule.TABLE_CHECKPOINT, place))

    def _compare_root(self, due: _Due) -> None:
        if due.size < self._frontier.size:  # it was taken in too late, out of order
            self._findings.add(WHOLE_LOG, due.rule, "sizes in ascending order", due.size, place=due.place)
        elif due.root != (root := self._frontier.root()):
            self._findings.add(WHOLE_LOG, due.rule, f"root {root.hex()}", due.root.hex(), place=due.place)

    async def _read_outside(self) -> None:
        """The file, and that it is not behind the database. A crash may leave it one checkpoint ahead."""
        place = str(self._outside_path)
        released = await log.last_checkpoint(self._connection)
        try:
            said = self._open(self._outside_path.read_bytes())
        except FileNotFoundError:
            if released is not None:
                self._findings.add(
                    WHOLE_LOG, Rule.OUTSIDE_CHECKPOINT, "the last signed checkpoint", "no such file", place=place
                )
            return
        except (OSError, VerificationError) as error:
            self._findings.add(WHOLE_LOG, Rule.OUTSIDE_CHECKPOINT, "a checkpoint of this log", error, place=place)
            return
        newest = 0 if released is None else _size_of(released)
        if said.size < newest:
            self._findings.add(
                WHOLE_LOG, Rule.OUTSIDE_CHECKPOINT, f"size {newest} or more", f"size {said.size}", place=place
            )
        if said.size:
            self._outside.append(_Due(said.size, said.root, Rule.OUTSIDE_CHECKPOINT, place))

    def _open(self, note: bytes) -> Checkpoint:
        """What a note says, signed by a key that the database names as this log's."""
        said = Checkpoint.parse(open_note(note, self._verifiers).text)
        if said.origin not in {each.key.name for each in self._verifiers}:
            raise MalformedError(f"the origin is {said.origin}")
        return said


def _size_of(note: bytes) -> int:
    """0 for a note that is none: that is found out elsewhere."""
    try:
        return Checkpoint.parse(parse_note(note).text).size
    except MalformedError:
        return 0


_TILES = """
  select t.level, t.index, t.hashes from unnest($1::smallint[], $2::bigint[]) as wanted (level, index)
    cross join lateral (select * from tile where level = wanted.level and index = wanted.index offset 0) t
"""
_BEYOND = """
  select t.level, t.index from tile t left join unnest($1::smallint[], $2::bigint[]) as w (level, count) using (level)
  where t.index >= coalesce(w.count, 0) order by 1, 2 limit 100
"""
_CHECKPOINTS = "select size, root, note from checkpoint where size > $1 order by size limit $2"
