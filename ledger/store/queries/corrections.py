"""Corrections for everybody: what was taken back, by which entry, when and why. The newest first."""

from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import asyncpg

from ledger import entries
from ledger.account import MAX_POSITION
from ledger.store.database import Database

CHUNK_ROWS = 2_000
"""Of all corrections, how many are read at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One reversal: the old entry `ref`, and what the reversal says of it."""

    seq: int
    ref: int
    of: str
    org: str
    on: str
    ref_on: str
    left_fen: int
    moved_fen: int
    reason: str
    statement: str
    maker: str
    checkers: tuple[str, ...]
    righted_by: int | None
    """The right entry, if there is one yet."""
    right_fen: int | None


class Only(NamedTuple):
    """Which corrections. What is None does not narrow."""

    orgs: Collection[str] | None = None
    since: date | None = None
    until: date | None = None


ALL = Only()


async def read_corrections(
    connection: asyncpg.Connection, *, before: int, limit: int, only: Only = ALL, as_of: int = MAX_POSITION
) -> list[Correction]:
    """Those with a number below `before`, and the right entries that there were as of `as_of`."""
    found: list[Correction] = []
    for row in await connection.fetch(_PAGE, before, limit, *only, as_of):
        entry, old = entries.decode(row["bytes"]), entries.decode(row["old"])
        body = entry.body
        assert isinstance(body, entries.EntryReversed)
        right = None if row["right"] is None else entries.decode(row["right"]).body
        found.append(
            Correction(
                seq=entry.seq,
                ref=body.ref,
                of=body.of,
                org=body.org,
                on=body.on,
                ref_on=getattr(old.body, "on", ""),
                left_fen=body.left,
                moved_fen=body.moved,
                reason=body.reason,
                statement=body.statement,
                maker=entry.by.maker,
                checkers=entry.by.checkers,
                righted_by=row["righted_by"],
                right_fen=None if right is None else right.right_fen,  # type: ignore[union-attr]  # what cites has it
            )
        )
    return found


async def every_correction(database: Database, *, as_of: int, only: Only = ALL) -> AsyncGenerator[list[Correction]]:
    """All of them in chunks; what stands in entries does not change, so no transaction stays open meanwhile."""
    before = as_of + 1
    while True:
        async with database.raw() as connection:
            found = await read_corrections(connection, before=before, limit=CHUNK_ROWS, only=only, as_of=as_of)
        if found:
            yield found
            before = found[-1].seq
        if len(found) < CHUNK_ROWS:
            return


async def sum_corrections(connection: asyncpg.Connection, *, before: int, only: Only = ALL) -> tuple[int, int]:
    """How many there are below `before`, and how many fen they took back."""
    count, fen = await connection.fetchrow(_SUM, before, None, *only)
    return count, fen


async def count_corrections(connection: asyncpg.Connection) -> int:
    """How many entries were ever taken back."""
    found: int = await connection.fetchval("select count(distinct ref) from citation where kind = 'entry.reversed'")
    return found


# Of a reversal in parts the first one only: the others say the same. Citations of parts share one `ref`.
_ONLY = """
  ($3::text[] is null or e.org = any($3))
  and ($4::date is null or (convert_from(e.bytes, 'utf8')::jsonb #>> '{body,on}')::date >= $4)
  and ($5::date is null or (convert_from(e.bytes, 'utf8')::jsonb #>> '{body,on}')::date <= $5)
"""
_PAGE = """
  select e.bytes, old.bytes as old, r.seq as righted_by, r.bytes as right
  from entry e
  join citation c on c.seq = e.seq
  join entry old on old.seq = c.ref
  left join lateral (
    select seq, bytes from entry
    where seq = (select min(seq) from citation mine
                 where mine.ref = old.seq and mine.kind = old.kind and mine.seq <= $6)
  ) r on true
  where e.kind = 'entry.reversed' and e.seq < $1 and {only}
    and not exists (select from citation earlier where earlier.ref = c.ref and earlier.kind = c.kind
                    and earlier.seq < c.seq)
  order by e.seq desc limit $2
""".replace("{only}", _ONLY)
_SUM = f"""
  select count(*), coalesce(sum((convert_from(e.bytes, 'utf8')::jsonb #>> '{{body,left}}')::bigint), 0)::bigint
  from entry e join citation c on c.seq = e.seq
  where e.kind = 'entry.reversed' and e.seq < $1 and $2::bigint is null and {_ONLY}
    and not exists (select from citation earlier where earlier.ref = c.ref and earlier.kind = c.kind
                    and earlier.seq < c.seq)
"""  # noqa: S608  ours
