"""Registers as entries tell them, without figures: as of any entry."""

from collections.abc import AsyncGenerator, Sequence
from typing import Literal, NamedTuple

import asyncpg

from ledger.store.database import Database

CHUNK_ROWS = 2_000
"""Of a whole register, how many items are read at once."""

ORGANISATIONS = """
  select distinct on (1) said #>> '{body,org}' as org, said #>> '{body,name}' as name, said #>> '{body,level}' as level,
    coalesce(said #>> '{body,parent}', '') as parent, said #>> '{body,division}' as division,
    coalesce(said #>> '{body,uscc}', '') as uscc, seq
  from (
    select seq, convert_from(bytes, 'utf8')::jsonb as said from entry
    where kind in ('org.registered', 'org.changed') and seq <= $1::bigint
  ) entry order by 1, seq desc
"""
FUNDS = """
  select org, fund, name, seq, restriction, spending, campaign,
    case when closed_seq <= $1::bigint then closed_seq end as closed_seq,
    case when closed_seq <= $1::bigint then successor else '' end as successor
  from fund where seq <= $1::bigint
"""
_PROJECTS = """
  select org, project, name, seq, category, region, event, budget_fen, starts, ends,
    case when closed_seq <= $1::bigint then closed_seq end as closed_seq,
    case when closed_seq <= $1::bigint then successor else '' end as successor
  from project where seq <= $1::bigint
"""
_CAMPAIGNS = "select campaign, org, name, filing, first_on, last_on, seq from campaign where seq <= $1::bigint"
# A look-up for each of a few events: joined, the planner may read a million entries where nobody has counted them yet.
_EVENTS = """
  select event, name,
    (select nullif(convert_from(bytes, 'utf8')::jsonb #>> '{body,began}', '')::date from entry
     where entry.seq = event.seq) as began,
    emergency, seq
  from event where seq <= $1::bigint
"""


class _Register(NamedTuple):
    key: tuple[str, ...]
    """Columns that no two items share; they are in the order of these."""
    items: str
    """All there are, as of entry $1."""


_REGISTERS = {
    "organisations": _Register(("org",), ORGANISATIONS),
    "funds": _Register(("org", "fund"), FUNDS),
    "projects": _Register(("org", "project"), _PROJECTS),
    "campaigns": _Register(("campaign",), _CAMPAIGNS),
    "events": _Register(("event",), _EVENTS),
}
KEYS = {name: register.key for name, register in _REGISTERS.items()}
"""Register → columns that no two of its items share."""


async def read_items(
    connection: asyncpg.Connection, register: str, *, as_of: int, after: Sequence[str], limit: int
) -> list[asyncpg.Record]:
    """Items of the register of this name by id, after this one; as of entry `as_of`."""
    key, items = _REGISTERS[register]
    columns, ids = ", ".join(key), ", ".join(f"${i}" for i in range(3, 3 + len(key)))
    page = f"select * from ({items}) item where ({columns}) > ({ids}) order by {columns} limit $2"  # noqa: S608  ours
    found: list[asyncpg.Record] = await connection.fetch(page, as_of, limit, *after)
    return found


async def every_item(database: Database, register: str, *, as_of: int) -> AsyncGenerator[list[asyncpg.Record]]:
    """All of a register in chunks. As of an entry it does not change, so no transaction stays open meanwhile."""
    key = KEYS[register]
    after = ("",) * len(key)
    while True:
        async with database.raw() as connection:
            found = await read_items(connection, register, as_of=as_of, after=after, limit=CHUNK_ROWS)
        if found:
            yield found
            after = tuple(found[-1][column] for column in key)
        if len(found) < CHUNK_ROWS:
            return


async def count_items(connection: asyncpg.Connection, register: str, *, as_of: int) -> int:
    """How many there are in a whole register."""
    items = _REGISTERS[register].items
    count: int = await connection.fetchval(f"select count(*) from ({items}) item", as_of)  # noqa: S608  ours
    return count


async def count_registered(
    connection: asyncpg.Connection, register: Literal["organisation", "fund", "project"], org: str = ""
) -> int:
    """How many there are now; `org`: of this organisation only."""
    counted = f"select count(*) from {register} where $1 in ('', org)"  # noqa: S608  ours
    count: int = await connection.fetchval(counted, org)
    return count
