"""Search by name over organisations, funds, projects and events; never over persons: no name of one is in these tables.

By pairs of characters, for Chinese words are two characters as often as not: PostgreSQL's own trigrams find none of
those by index, and none at all where the database's locale does not know Chinese letters. These are lists of thousands,
so each name is looked at.
"""

from dataclasses import dataclass

import asyncpg

MAX_TEXT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Something whose name, or id, is like what was typed."""

    kind: str
    """organisation, fund, project, event."""
    org: str
    """Whose it is; empty for an event."""
    id: str
    name: str
    likeness: int
    """Of a hundred: 100 where all that was typed stands in the name; else how many of its pairs do."""


async def read_hits(connection: asyncpg.Connection, text: str, *, limit: int) -> list[Hit]:
    """The likest first, of these the shortest; at least half of the pairs of characters stand in the name."""
    words = text.casefold().split()
    joined = "".join(words)
    pairs = sorted({joined[i : i + 2] for i in range(len(joined) - 1)} or {joined})
    if not joined:
        return []
    return [Hit(**row) for row in await connection.fetch(_SEARCH, words, pairs, limit)]


async def is_id(connection: asyncpg.Connection, text: str) -> bool:
    """Whether something is called so by its id, or some gift came by a channel of this id."""
    found: bool = await connection.fetchval(_IS_ID, text)
    return found


_SEARCH = """
  with named (kind, org, id, name) as (
    select 'organisation', org, org, name from organisation
    union all select 'fund', org, fund, name from fund
    union all select 'project', org, project, name from project
    union all select 'event', '', event, name from event
  ), likened as (
    select kind, org, id, name,
           case when (select bool_and(strpos(lower(name || ' ' || id), word) > 0) from unnest($1::text[]) word) then 100
                else (select 99 * count(*) filter (where strpos(lower(name), pair) > 0) / count(*)
                      from unnest($2::text[]) pair) end::integer as likeness
    from named
  )
  select kind, org, id, name, likeness from likened where likeness >= 49
  order by likeness desc, length(name), kind, org, id limit $3
"""
_IS_ID = """
  select exists (select from organisation where org = $1) or exists (select from fund where fund = $1)
      or exists (select from project where project = $1) or exists (select from event where event = $1)
      or exists (select from figure where channel = $1)
"""
