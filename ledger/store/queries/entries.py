"""Entries by number."""

import asyncpg

from ledger import entries
from ledger.entries import Entry


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
