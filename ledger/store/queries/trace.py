"""Following positions: forward to where they rest, backward to the gifts they came from. One index probe a step."""

from collections.abc import Mapping

import asyncpg
from msgspec.structs import astuple

from ledger.entries import Entry
from ledger.pieces import Piece, until_suspense

MAX_PIECES = 10_000
"""A trace with more pieces is refused, not cut: pieces that are missing would be money that is missing."""

# Addresses are looked up piece by piece: however many pieces the planner expects, it cannot turn that into a scan.
# What left an account is bounded by rows, (account, position), which only a B-tree can answer. With an equality for the
# account the planner, short of news about one that grew fast, took the index against spending twice and read all of it.
# `offset 0` keeps each step a question of its own, asked for one piece: among ten million gifts and a few thousand
# payments the planner's sample may hold no payment, and it would read all of them, expecting one.
_ONWARD = """
with recursive piece (root, depth, off, qty, account, unit, lo, seq, n) as (
  {begin}
  union all
  select p.root, p.depth + 1, p.off + greatest(p.lo, q.src_lo) - p.lo,
         least(p.lo + p.qty, q.src_hi) - greatest(p.lo, q.src_lo),
         q.dst, q.unit, q.dst_lo + greatest(p.lo, q.src_lo) - q.src_lo, q.seq, q.n
  from piece p cross join lateral (
    select q.src_lo, q.src_hi, q.dst, q.unit, q.dst_lo, q.seq, q.n from posting q
    where q.src_lo is not null and q.src_hi > p.lo and (q.src, q.src_lo) < (p.account, p.lo + p.qty)
      and (q.src, q.src_lo) >= (p.account, coalesce((
        select before.src_lo from posting before
        where before.src = p.account and before.src_lo <= p.lo order by before.src_lo desc limit 1), p.lo))
    offset 0
  ) q
)
select root, depth, off, qty, (select address from account where id = piece.account), unit, lo, seq, n
from (select * from piece limit $1) piece order by depth, off
"""
_FORWARD = _ONWARD.format(
    begin="""
  select root, 0, (sum(qty) over (partition by root order by seq, n) - qty)::bigint, qty, dst, unit, dst_lo, seq, n
  from unnest($2::bigint[], $3::bigint[]) as traced (root, seq) join posting using (seq)
"""
)
# A log is far larger than what of it is in memory: an entry that was read says itself what it credited.
_FORWARD_FROM = _ONWARD.format(
    begin="""
  select seq, 0, off, qty, id, unit, lo, seq, n
  from unnest($2::bigint[], $3::smallint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::bigint[])
    as credited (seq, n, off, qty, address, unit, lo) join account using (address, unit)
"""
)

_BACKWARD = """
with recursive piece (root, depth, off, qty, account, unit, lo, seq, n) as (
  select root, 0, (sum(qty) over (partition by root order by seq, n) - qty)::bigint, qty, src, unit, src_lo, seq, n
  from unnest($2::bigint[], $3::bigint[]) as traced (root, seq) join posting using (seq)
  union all
  select p.root, p.depth + 1, p.off + greatest(p.lo, q.dst_lo) - p.lo,
         least(p.lo + p.qty, q.dst_hi) - greatest(p.lo, q.dst_lo),
         q.src, q.unit, q.src_lo + greatest(p.lo, q.dst_lo) - q.dst_lo, q.seq, q.n
  from piece p cross join lateral (
    select q.src, q.unit, q.src_lo, q.dst_lo, q.dst_hi, q.seq, q.n from posting q
    where q.dst = p.account and q.dst_lo < p.lo + p.qty
      and q.dst_lo >= (
        select before.dst_lo from posting before
        where before.dst = p.account and before.dst_lo <= p.lo order by before.dst_lo desc limit 1)
    offset 0
  ) q
  where p.lo is not null
)
select root, depth, off, qty, (select address from account where id = piece.account), unit, coalesce(lo, -1), seq, n
from (select * from piece limit $1) piece order by depth, off
"""


class TooManyPieces(Exception):  # noqa: N818  an answer to a question, not a fault
    """The trace has more than MAX_PIECES pieces; ask for a part of it."""


async def forward(connection: asyncpg.Connection, first_seq: int, last_seq: int | None = None) -> list[Piece]:
    """Where the positions credited by the entry (all parts of it) went, step by step; depth 0 is the credit itself.

    Money that went back into suspense rests there: what it is identified as next is another gift.
    """
    return until_suspense(await _follow(connection, _FORWARD, first_seq, last_seq))


async def backward(connection: asyncpg.Connection, first_seq: int, last_seq: int | None = None) -> list[Piece]:
    """Where the positions consumed by the entry came from; depth 0 is what it consumed, the deepest are gifts."""
    return await _follow(connection, _BACKWARD, first_seq, last_seq)


async def forward_all(connection: asyncpg.Connection, gifts: Mapping[int, Entry]) -> dict[int, list[Piece] | None]:
    """`forward` of many entries, by their numbers, that are effects of one part: one query. None: too many pieces."""
    credited = []
    for seq, gift in gifts.items():
        off = 0
        for n, (_, _, dst, dst_lo, qty, unit) in enumerate(map(astuple, gift.postings)):
            credited.append((seq, n, off, qty, dst, unit, dst_lo))
            off += qty
    if not credited:
        return {seq: [] for seq in gifts}
    found = await connection.fetch(_FORWARD_FROM, MAX_PIECES + 1, *zip(*credited, strict=True))
    if len(found) <= MAX_PIECES:
        followed: dict[int, list[Piece]] = {seq: [] for seq in gifts}
        for root, *piece in found:
            followed[root].append(Piece(*piece))
        return {seq: until_suspense(pieces) for seq, pieces in followed.items()}
    if len(gifts) == 1:
        return dict.fromkeys(gifts)
    parts = [await forward_all(connection, {seq: gift}) for seq, gift in gifts.items()]  # one of them, or all together
    return {seq: pieces for part in parts for seq, pieces in part.items()}


async def _follow(connection: asyncpg.Connection, sql: str, first_seq: int, last_seq: int | None) -> list[Piece]:
    seqs = [*range(first_seq, (first_seq if last_seq is None else last_seq) + 1)]
    found = await connection.fetch(sql, MAX_PIECES + 1, [first_seq] * len(seqs), seqs)
    if len(found) > MAX_PIECES:
        raise TooManyPieces
    return [Piece(*row[1:]) for row in found]
