"""Which published states have a lineage report, and all that stands in one.

Single figures of it are asked for like any other: `read_aggregate`.
"""

from collections.abc import AsyncGenerator, Sequence

import asyncpg

from ledger.store.database import Database
from ledger.store.queries.aggregates import count
from ledger.store.queries.lists import CHUNK_ROWS, Total

MAX_REPORTS = 100
"""Named to somebody who asks for another one."""


Reported = Sequence[str | int | None]
"""Measure, organisation, fund, project, channel, class, month, count as it is told in public, fen."""


async def read_reports(connection: asyncpg.Connection) -> list[int]:
    """The last entry of each state that has a report, the newest first."""
    return [row["as_of"] for row in await connection.fetch(_REPORTS, MAX_REPORTS)]


async def has_report(connection: asyncpg.Connection, as_of: int) -> bool:
    """Whether the state that ends with this entry has one."""
    return await connection.fetchval(_REPORT, as_of) is not None


async def sum_report(connection: asyncpg.Connection, as_of: int) -> Total:
    """How many rows, and what they sum to: measures that have no common sum, for whoever checks a download."""
    return Total(*await connection.fetchrow(_SUM, as_of))


async def every_reported(database: Database, *, as_of: int) -> AsyncGenerator[Sequence[Reported]]:
    """A whole report in chunks, in order of its keys. It never changes, so no transaction stays open meanwhile."""
    after = ("",) * 7
    while True:
        async with database.raw() as connection:
            found = await connection.fetch(_ROWS, as_of, CHUNK_ROWS, *after)
        if found:
            yield [(*row[:7], count(row[0], row[5], row[7]), row[8]) for row in found]
            after = tuple(found[-1][:7])
        if len(found) < CHUNK_ROWS:
            return


_REPORTS = "select size - 1 as as_of from lineage_report order by size desc limit $1"
_REPORT = "select true from lineage_report where size = $1::bigint + 1"
_SUM = "select count(*), coalesce(sum(qty), 0)::bigint from lineage where size = $1::bigint + 1"
_ROWS = """
  select measure, org, fund, project, channel, donor_class, month, entries, qty from lineage
  where size = $1::bigint + 1
    and (measure, org, fund, project, channel, donor_class, month) > ($3, $4, $5, $6, $7, $8, $9)
  order by measure, org, fund, project, channel, donor_class, month limit $2
"""
