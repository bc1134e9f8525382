"""The log as a verifier reads it straight from the tables: entries and tiles in blocks, nothing else believed."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import asyncpg

from ledger.log.tile import Bundle, Tile
from ledger.store.queries import log
from ledger.verify.source import MissingError, SourceError
from ledger.verify.stretch import Piece

BUNDLES_AT_ONCE = 16
BYTES_AT_ONCE = 8_000_000
"""Where bundles are so large, fewer are asked for at a time."""

Answer = TypeVar("Answer")


class StoredLog:
    """A `ledger.verify.source.BulkSource`. Connects when it is first read, in each process once.

    Plain asyncpg, without the pool and what it brings along: a helper process is there sooner.
    """

    def __init__(self, connect_args: Mapping[str, Any]) -> None:
        """`connect_args`: of a Database, as a role that may read the log."""
        self._connect_args = dict(connect_args)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: asyncpg.Connection | None = None
        self._at_once = BUNDLES_AT_ONCE

    def __reduce__(self) -> tuple[type["StoredLog"], tuple[dict[str, Any]]]:
        return type(self), (self._connect_args,)

    def checkpoint(self) -> bytes:
        """The newest signed note. Raises MissingError, SourceError."""
        note = self._run(self._last_checkpoint())
        if note is None:
            raise MissingError("nothing was published yet: there is no checkpoint to hold the log to")
        return note

    def tile(self, tile: Tile) -> bytes:
        """The hashes of a tile. Raises MissingError, SourceError."""
        return self._file(tile)

    def bundle(self, bundle: Bundle) -> bytes:
        """The entries of a bundle. Raises MissingError, SourceError."""
        return self._file(bundle)

    def pieces(self, bundles: Sequence[Bundle]) -> list[Piece]:
        """Bundles that follow one another, with their tiles. Ends before the first whose entries are not all there."""
        return self._run(self._pieces(bundles))

    def close(self) -> None:
        """Let the connection go."""
        loop, connection, self._loop, self._connection = self._loop, self._connection, None, None
        if loop is not None:
            if connection is not None:
                loop.run_until_complete(connection.close())
            loop.close()

    def _file(self, wanted: Tile | Bundle) -> bytes:
        found = self._run(self._read_file(wanted))
        if found is None:
            raise MissingError(f"{wanted.path}: not in the tables")
        return found

    def _run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        if self._loop is None:
            # Not asyncio.Runner: each of its runs ends in a repr() of the result, which takes longer than the reading.
            self._loop = asyncio.new_event_loop()
        try:
            return self._loop.run_until_complete(work)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise SourceError(f"the database does not answer: {error or type(error).__name__}") from error

    async def _opened(self) -> asyncpg.Connection:
        if self._connection is None:
            self._connection = await asyncpg.connect(**self._connect_args)
        return self._connection

    async def _last_checkpoint(self) -> bytes | None:
        return await log.last_checkpoint(await self._opened())

    async def _read_file(self, wanted: Tile | Bundle) -> bytes | None:
        return await log.read_file(await self._opened(), wanted)

    async def _pieces(self, bundles: Sequence[Bundle]) -> list[Piece]:
        connection = await self._opened()
        found: list[Piece] = []
        while len(found) < len(bundles):
            block = bundles[len(found) : len(found) + self._at_once]
            rows = await connection.fetch(_PIECES, block[0].index, block[-1].index, block[-1].span.stop)
            for bundle, (entries, tile) in zip(block, rows, strict=True):
                if len(entries) != bundle.width:
                    return found
                is_whole = None not in entries  # or somebody took the bytes away: then it is no bundle
                found.append(Piece(bundle=bundle, entries=entries if is_whole else b"", tile=tile))
            largest = max(piece.length for piece in found[-len(block) :])
            self._at_once = max(1, min(BUNDLES_AT_ONCE, BYTES_AT_ONCE // (largest + 1)))
        return found


# One row a bundle in place of 256: half the time that rows take. The inner order by is kept by array_agg, since nothing
# between them sorts; series and laterals keep the outer one.
_PIECES = """
  select entries,
    (select substring(hashes for 32 * cardinality(entries)) from tile where level = 0 and index = b.index) as tile
  from generate_series($1::bigint, $2::bigint) as b (index)
    cross join lateral (
      select coalesce(array_agg(bytes), '{}') as entries
      from (select bytes from entry where seq >= 256 * b.index and seq < least(256 * (b.index + 1), $3) order by seq) e
    ) e
"""
