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
