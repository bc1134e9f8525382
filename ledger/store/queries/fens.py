"""One fen: from the gift it came with to where it is, a position at a time. Every step is one probe of an index."""

from dataclasses import dataclass

import asyncpg

from ledger import account
from ledger.account import CNY
from ledger.drawing import position
from ledger.entries import Entry
from ledger.store.queries.entries import read_range

MAX_HOPS = 200
"""Far more than any money goes through; a longer way is a mistake of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """Entry `seq` took the fen to this place."""

    seq: int
    address: str
    position: int
    """On the line of that place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What one fen is drawn from: everything a fund was credited with under one checkpoint."""

    size: int
    root: bytes
    credited: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fen:
    """One that was drawn: where it lies on the fund's line, and each place it came to with the entry that took it."""

    drawing: Drawing
    position: int
    way: list[tuple[Hop, Entry]]


async def draw(connection: asyncpg.Connection, org: str, fund: str, *, seed: str, size: int | None) -> Fen | None:
    """The fen that this word chooses under the checkpoint over `size` entries, or the newest one.

    None where there is no such fund or checkpoint, or the fund had nothing under it.
    """
    found = await read_drawing(connection, org, fund, size)
    if found is None:
        return None
    address = account.fund(org, fund)
    at = position(address=address, size=found.size, root=found.root, credited=found.credited, seed=seed)
    hops = await follow(connection, org, fund, at, found.size)
    way = [(hop, (await read_range(connection, hop.seq, hop.seq))[0]) for hop in hops]
    return Fen(drawing=found, position=at, way=way)


async def read_drawing(connection: asyncpg.Connection, org: str, fund: str, size: int | None) -> Drawing | None:
    """Under the checkpoint over `size` entries, or the newest one; None where there is no such fund or checkpoint."""
    row = await connection.fetchrow(_DRAWING, account.fund(org, fund), CNY, size)
    return None if row is None else Drawing(**row)


async def follow(connection: asyncpg.Connection, org: str, fund: str, position: int, size: int) -> list[Hop]:
    """The way of this position of the fund's line, from its gift on, by the first `size` entries."""
    start = await connection.fetchval(
        "select id from account where address = $1 and unit = $2", account.fund(org, fund), CNY
    )
    before: list[Hop] = []
    where, at = start, position
    for _ in range(MAX_HOPS):
        seq, address, dst_lo, src, src_lo = await connection.fetchrow(_CAME, where, at)
        before.append(Hop(seq=seq, address=address, position=at))
        if src_lo is None:
            break
        where, at = src, src_lo + at - dst_lo
    else:
        raise AssertionError(f"position {position} of {org}:{fund} came through {MAX_HOPS} places")
    after: list[Hop] = []
    where, at = start, position
    for _ in range(MAX_HOPS):
        went = await connection.fetchrow(_WENT, where, at, size)
        if went is None:
            return [*reversed(before), *after]
        seq, address, src_lo, where, dst_lo = went
        at = dst_lo + at - src_lo
        after.append(Hop(seq=seq, address=address, position=at))
    raise AssertionError(f"position {position} of {org}:{fund} went through {MAX_HOPS} places")


_DRAWING = """
  select c.size, c.root, p.dst_hi as credited
  from account a
  cross join lateral (
    select size, root from checkpoint where size = coalesce($3, size) order by size desc limit 1) c
  cross join lateral (
    select dst_hi from posting where dst = a.id and seq < c.size order by dst_lo desc limit 1) p
  where a.address = $1 and a.unit = $2
"""
_CAME = """
  select p.seq, a.address, p.dst_lo, p.src, p.src_lo from posting p join account a on a.id = p.dst
  where p.dst = $1 and p.dst_lo <= $2 order by p.dst_lo desc limit 1
"""
_WENT = """
  select p.seq, a.address, p.src_lo, p.dst, p.dst_lo
  from (select * from posting where src = $1 and src_lo <= $2 order by src_lo desc limit 1) p
  join account a on a.id = p.dst
  where p.src_hi > $2 and p.seq < $3
"""
