"""Which published states have a lineage report. What stands in one is asked for like any other figure."""

import asyncpg

MAX_REPORTS = 100
"""Named to somebody who asks for another one."""


async def read_reports(connection: asyncpg.Connection) -> list[int]:
    """The last entry of each state that has a report, the newest first."""
    return [row["as_of"] for row in await connection.fetch(_REPORTS, MAX_REPORTS)]


async def has_report(connection: asyncpg.Connection, as_of: int) -> bool:
    """Whether the state that ends with this entry has one."""
    return await connection.fetchval(_REPORT, as_of) is not None


_REPORTS = "select size - 1 as as_of from lineage_report order by size desc limit $1"
_REPORT = "select true from lineage_report where size = $1::bigint + 1"
