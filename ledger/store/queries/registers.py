"""Registers as entries tell them, without figures: as of any entry."""

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg


class _Register(NamedTuple):
    key: tuple[str, ...]
    """Columns that no two items share; they are in the order of these."""
    items: str
    """All there are, as of entry $1."""


async def read_items(
    connection: asyncpg.Connection, register: str, *, as_of: int, after: Sequence[str], limit: int
) -> list[asyncpg.Record]:
    """Items of the register of this name by id, after this one; as of entry `as_of`."""
    key, items = _REGISTERS[register]
    columns, ids = ", ".join(key), ", ".join(f"${i}" for i in range(3, 3 + len(key)))
    page = f"select * from ({items}) item where ({columns}) > ({ids}) order by {columns} limit $2"  # noqa: S608  ours
    return await connection.fetch(page, as_of, limit, *after)


_EVENTS = """
  select event, name, nullif(said #>> '{body,began}', '')::date as began, emergency, seq
  from event join (select seq, convert_from(bytes, 'utf8')::jsonb as said from entry) entry using (seq) where seq <= $1
"""
_REGISTERS = {"events": _Register(("event",), _EVENTS)}
