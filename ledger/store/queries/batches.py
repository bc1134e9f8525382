"""Approved sheets of gifts, and how much of each is entered: what is missing from the totals is said."""

from dataclasses import dataclass

import asyncpg


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """An approved sheet, by the entry that approved it."""

    seq: int
    org: str
    fund: str
    channel: str
    rows: int
    sum_fen: int
    entered_rows: int
    entered_fen: int
    completed_seq: int | None
    """Where it was completed; None while it is being entered."""


@dataclass(frozen=True, slots=True)
class Entering:
    """What is approved and not entered yet."""

    rows: int
    sum_fen: int


async def read_batches(connection: asyncpg.Connection, *, before: int, limit: int) -> list[Batch]:
    """Those with a number below `before`, the newest first."""
    return [Batch(**row) for row in await connection.fetch(_PAGE, before, limit)]


async def read_entering(connection: asyncpg.Connection) -> Entering:
    """All sheets that are being entered, together."""
    return Entering(*await connection.fetchrow(_ENTERING))


_PAGE = """
  select seq, org, fund, channel, rows, sum_fen, entered_rows, entered_fen, completed_seq
  from import_batch where seq < $1 order by seq desc limit $2
"""
_ENTERING = """
  select coalesce(sum(rows - entered_rows), 0)::bigint, coalesce(sum(sum_fen - entered_fen), 0)::bigint
  from import_batch where completed_seq is null
"""
