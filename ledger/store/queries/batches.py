"""Approved sheets of gifts, and how much of each is entered: what is missing from the totals is said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import asyncpg
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from ledger.store.tables.registers import ImportBatchRow


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


class Sealed(NamedTuple):
    """A gift of a sheet: its entry, its row, the place of its key, and what that opens."""

    seq: int
    row: int
    slot: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Entering:
    """What is approved and not entered yet."""

    rows: int
    sum_fen: int


async def read_batches(connection: asyncpg.Connection, *, before: int, limit: int) -> list[Batch]:
    """Those with a number below `before`, the newest first."""
    return [Batch(**row) for row in await connection.fetch(_PAGE, before, limit)]


async def read_newest(session: AsyncSession, *, limit: int) -> Sequence[ImportBatchRow]:
    """The newest sheets with all that staff may see of them."""
    found = await session.exec(select(ImportBatchRow).order_by(col(ImportBatchRow.seq).desc()).limit(limit))
    return found.all()


async def read_sealed(connection: asyncpg.Connection, batch: int, *, after: int, limit: int) -> list[Sealed]:
    """What the vault keeps of the rows of a sheet behind row `after`, in their order."""
    return [Sealed(*row) for row in await connection.fetch(_SEALED, batch, after, limit)]


async def read_entering(connection: asyncpg.Connection) -> Entering:
    """All sheets that are being entered, together."""
    return Entering(*await connection.fetchrow(_ENTERING))


_PAGE = """
  select seq, org, fund, channel, rows, sum_fen, entered_rows, entered_fen, completed_seq
  from import_batch where seq < $1 order by seq desc limit $2
"""
_SEALED = """
  select g.seq, g.row, v.slot, v.sealed from gift g join vault v on v.seq = g.seq
  where g.batch = $1 and g.row > $2 order by g.row limit $3
"""
_ENTERING = """
  select coalesce(sum(rows - entered_rows), 0)::bigint, coalesce(sum(sum_fen - entered_fen), 0)::bigint
  from import_batch where completed_seq is null
"""
