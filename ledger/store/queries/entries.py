"""Entries by number."""

from typing import NamedTuple

import asyncpg

from ledger import entries
from ledger.entries import Entry

MAX_CITING = 20
"""More than that are listed in the data only."""


async def read_range(connection: asyncpg.Connection, first_seq: int, last_seq: int) -> list[Entry]:
    """The entries first…last, in order."""
    found = await connection.fetch(
        "select bytes from entry where seq between $1 and $2 order by seq", first_seq, last_seq
    )
    return [entries.decode(row["bytes"]) for row in found]


async def read_written(connection: asyncpg.Connection, seq: int) -> bytes | None:
    """The entry's bytes exactly as they were hashed; None beyond the end of the log."""
    written: bytes | None = await connection.fetchval("select bytes from entry where seq = $1", seq)
    return written


async def find_reference(connection: asyncpg.Connection, ref: bytes) -> int | None:
    """The entry of the money that came with this channel reference; None where none did."""
    seq: int | None = await connection.fetchval(
        "select seq from gift where ref = $1 union all select seq from reference where ref = $1 limit 1", ref
    )
    return seq


class Citing(NamedTuple):
    """An entry that names another one."""

    seq: int
    kind: str


async def read_cited_by(
    connection: asyncpg.Connection, seq: int, *, after: int = -1, limit: int = MAX_CITING
) -> list[Citing]:
    """The first entries after `after` that name this one, oldest first."""
    found = await connection.fetch(
        "select seq, kind from citation where ref = $1 and seq > $3 order by seq limit $2", seq, limit, after
    )
    return [Citing(*row) for row in found]


async def read_reversal(connection: asyncpg.Connection, seq: int) -> int | None:
    """The entry that took this one back, its first part; None where nothing did."""
    found: int | None = await connection.fetchval(
        "select min(seq) from citation where ref = $1 and kind = 'entry.reversed'", seq
    )
    return found
