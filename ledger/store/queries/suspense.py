"""Money that waits in suspense, oldest first."""

from dataclasses import dataclass
from datetime import date

import asyncpg


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What is left of one `money.unidentified`."""

    seq: int
    channel: str
    on: date
    amount_fen: int
    left_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspense:
    """One page of an organisation's suspense, and what waits in all."""

    total_fen: int
    items: list[Waiting]
    next: int | None


async def read_suspense(connection: asyncpg.Connection, org: str, *, after: int, limit: int) -> Suspense:
    """By business date, then by number; `after`: the last number of the page before, -1 for the first page."""
    total = await connection.fetchval(_TOTAL, org)
    found = await connection.fetch(_PAGE, org, after, limit + 1)
    items = [
        Waiting(seq=row["seq"], channel=row["channel"], on=row["day"], amount_fen=row["qty"], left_fen=row["left_fen"])
        for row in found[:limit]
    ]
    return Suspense(total_fen=total, items=items, next=items[-1].seq if len(found) > limit else None)


_TOTAL = "select coalesce(sum(left_fen), 0)::bigint from suspense where org = $1 and left_fen > 0"
_PAGE = """
  select seq, channel, day, qty, left_fen from suspense
  where org = $1 and left_fen > 0
    and ($2 < 0 or (day, seq) > (select day, seq from suspense where seq = $2))
  order by day, seq limit $3
"""
