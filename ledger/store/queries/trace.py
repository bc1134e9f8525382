"""Following positions: forward to where they rest, backward to the gifts they came from. One index probe a step."""

import asyncpg

from ledger.trace import Piece

MAX_PIECES = 10_000
"""A trace with more pieces is refused, not cut: pieces that are missing would be money that is missing."""

# `offset 0` keeps the two look-ups at the end look-ups: the planner cannot know that a trace has few pieces, and would
# read all of entry and account for it.
_FORWARD = """
with recursive piece (depth, off, qty, account, lo, seq, n) as (
  select 0, (sum(qty) over (order by seq, n) - qty)::bigint, qty, dst, dst_lo, seq, n
  from posting where seq between $1 and $2
  union all
  select p.depth + 1, p.off + greatest(p.lo, q.src_lo) - p.lo,
         least(p.lo + p.qty, q.src_hi) - greatest(p.lo, q.src_lo),
         q.dst, q.dst_lo + greatest(p.lo, q.src_lo) - q.src_lo, q.seq, q.n
  from piece p cross join lateral (
    select q.src_lo, q.src_hi, q.dst, q.dst_lo, q.seq, q.n from posting q
    where q.src = p.account and q.src_hi > p.lo and q.src_lo < p.lo + p.qty
      and q.src_lo >= coalesce((
        select before.src_lo from posting before
        where before.src = p.account and before.src_lo <= p.lo order by before.src_lo desc limit 1), p.lo)
  ) q
)
select p.depth, p.off, p.qty, a.address, a.unit, p.lo, p.seq, p.n, e.kind
from (select * from piece limit $3) p
  cross join lateral (select address, unit from account where id = p.account offset 0) a
  cross join lateral (select kind from entry where seq = p.seq offset 0) e
order by p.depth, p.off
"""

_BACKWARD = """
with recursive piece (depth, off, qty, account, lo, seq, n) as (
  select 0, (sum(qty) over (order by seq, n) - qty)::bigint, qty, src, src_lo, seq, n
  from posting where seq between $1 and $2
  union all
  select p.depth + 1, p.off + greatest(p.lo, q.dst_lo) - p.lo,
         least(p.lo + p.qty, q.dst_hi) - greatest(p.lo, q.dst_lo),
         q.src, q.src_lo + greatest(p.lo, q.dst_lo) - q.dst_lo, q.seq, q.n
  from piece p cross join lateral (
    select q.src, q.src_lo, q.dst_lo, q.dst_hi, q.seq, q.n from posting q
    where q.dst = p.account and q.dst_lo < p.lo + p.qty
      and q.dst_lo >= (
        select before.dst_lo from posting before
        where before.dst = p.account and before.dst_lo <= p.lo order by before.dst_lo desc limit 1)
  ) q
  where p.lo is not null
)
select p.depth, p.off, p.qty, a.address, a.unit, coalesce(p.lo, -1) as lo, p.seq, p.n, e.kind
from (select * from piece limit $3) p
  cross join lateral (select address, unit from account where id = p.account offset 0) a
  cross join lateral (select kind from entry where seq = p.seq offset 0) e
order by p.depth, p.off
"""


class TooManyPieces(Exception):  # noqa: N818  an answer to a question, not a fault
    """The trace has more than MAX_PIECES pieces; ask for a part of it."""


async def forward(connection: asyncpg.Connection, first_seq: int, last_seq: int | None = None) -> list[Piece]:
    """Where the positions credited by the entry (all parts of it) went, step by step; depth 0 is the credit itself."""
    return await _follow(connection, _FORWARD, first_seq, last_seq)


async def backward(connection: asyncpg.Connection, first_seq: int, last_seq: int | None = None) -> list[Piece]:
    """Where the positions consumed by the entry came from; depth 0 is what it consumed, the deepest are gifts."""
    return await _follow(connection, _BACKWARD, first_seq, last_seq)


async def _follow(connection: asyncpg.Connection, sql: str, first_seq: int, last_seq: int | None) -> list[Piece]:
    found = await connection.fetch(sql, first_seq, first_seq if last_seq is None else last_seq, MAX_PIECES + 1)
    if len(found) > MAX_PIECES:
        raise TooManyPieces
    return [Piece(*row) for row in found]
