"""Following positions: forward to where they rest, backward to the gifts they came from. One index probe a step."""

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

MAX_PIECES = 10_000
"""A trace with more pieces is refused, not cut: pieces that are missing would be money that is missing."""


class Piece(NamedTuple):
    """A run of the traced positions, as one posting moved them (or, backward, as one posting brought them).

    `off` counts from the first traced position; the positions [off, off+qty) lie at [lo, lo+qty) of the line of
    `address`. Within one depth pieces do not overlap.
    """

    depth: int
    off: int
    qty: int
    address: str
    unit: str
    lo: int
    seq: int
    n: int
    kind: str


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
from piece p join account a on a.id = p.account join entry e on e.seq = p.seq
order by p.depth, p.off limit $3
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
from piece p join account a on a.id = p.account join entry e on e.seq = p.seq
order by p.depth, p.off limit $3
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


def resting(pieces: Sequence[Piece]) -> list[Piece]:
    """The parts of the pieces that no later posting moved on, in order of the traced positions: the leaves."""
    moved: dict[int, list[tuple[int, int]]] = {}
    for piece in pieces:
        moved.setdefault(piece.depth - 1, []).append((piece.off, piece.off + piece.qty))
    leaves: list[Piece] = []
    for piece in pieces:
        at, end = piece.off, piece.off + piece.qty
        for lo, hi in moved.get(piece.depth, ()):  # ascending and disjoint, as the pieces are
            if hi <= at or lo >= end:
                continue
            if at < lo:
                leaves.append(_part(piece, at, lo))
            at = hi
        if at < end:
            leaves.append(_part(piece, at, end))
    return sorted(leaves, key=lambda leaf: leaf.off)


def _part(piece: Piece, at: int, end: int) -> Piece:
    return piece._replace(off=at, qty=end - at, lo=piece.lo + at - piece.off)
