"""The end of the log, which every public answer names: figures are as of it."""

from typing import NamedTuple

import asyncpg

from ledger import entries
from ledger.entries import LogOpened


class Head(NamedTuple):
    """The last entry, and who keeps the log."""

    seq: int
    """-1: the log is empty."""
    at: str
    operator: str


async def read_head(connection: asyncpg.Connection) -> Head:
    """The end of the log as this connection sees it."""
    seq, at, opened = await connection.fetchrow(_HEAD)
    body = entries.decode(opened).body if opened else None
    return Head(seq, at, body.operator if isinstance(body, LogOpened) else "")


async def read_operator(connection: asyncpg.Connection) -> str:
    """Who keeps the log, as its first entry says."""
    return (await read_head(connection)).operator


_HEAD = "select head.seq, head.at, entry.bytes from head left join entry on entry.seq = 0"
