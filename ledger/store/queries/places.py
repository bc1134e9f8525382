"""Everything that has a page of its own under its name."""

import asyncpg


async def read_places(connection: asyncpg.Connection, *, limit: int) -> list[str]:
    """Paths of organisations, then of funds, then of projects."""
    return [row["path"] for row in await connection.fetch(_PLACES, limit)]


_PLACES = """
  select path from (
    select 1 as kind, '/organisations/' || org as path from organisation
    union all select 2, '/funds/' || org || '/' || fund from fund
    union all select 3, '/projects/' || org || '/' || project from project
  ) place order by kind, path limit $1
"""
