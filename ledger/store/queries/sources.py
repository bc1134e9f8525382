"""Which gifts a payment (or any other movement) came from: counted in the database, listed by pages."""

from dataclasses import dataclass
from datetime import date

import asyncpg

from ledger import entries
from ledger.posting import NO_LINE
from ledger.store.queries.trace import TooManyPieces

MAX_SOURCE_PIECES = 200_000
"""More are not counted in one request: about a second's work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A gift's part in the movement; or, of money that nobody donated, another source's."""

    seq: int
    kind: str
    on: date
    amount_fen: int
    gift_amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """All gifts (and other sources) a movement came from; `items` is one page. Their parts always sum to what moved."""

    seq: int
    kind: str
    amount_fen: int
    gift_count: int
    items: list[Source]
    next: int | None
    """Where the next page begins after; None on the last one."""


async def read_sources(connection: asyncpg.Connection, seq: int, *, after: int, limit: int) -> Sources | None:
    """The gifts of the movement that entry `seq` is (a part of); None where it moved nothing on. Raises TooManyPieces.

    In order of the gifts' numbers, those after `after`.
    """
    written = await connection.fetchval("select bytes from entry where seq = $1", seq)
    entry = entries.decode(written) if written else None
    if entry is None or not any(posting.src_lo != NO_LINE for posting in entry.postings):
        return None
    if isinstance(entry.body, entries.MoneyIdentified):
        return None
    index, count = entries.part_of(entry.body)
    first = seq - index + 1
    parts = [*range(first, first + count)]
    found = await connection.fetch(_SOURCES, parts, MAX_SOURCE_PIECES + 1, after, limit + 1)
    moved, pieces, gift_count, given, *_ = found[0]
    if pieces > MAX_SOURCE_PIECES:
        raise TooManyPieces
    assert given == moved, f"entry {first} moved {moved} fen, of which {given} are traced to gifts"
    items = [
        Source(seq=row["seq"], kind=row["kind"], on=row["day"], amount_fen=row["part"], gift_amount_fen=row["qty"])
        for row in found
        if row["seq"] is not None  # a page beyond the last gift
    ]
    return Sources(
        seq=first,
        kind=entry.kind,
        amount_fen=moved,
        gift_count=gift_count,
        items=items[:limit],
        next=items[limit - 1].seq if len(items) > limit else None,
    )


# Money identified in suspense is a gift from there on: the way back ends where it left suspense.
_SOURCES = """
with recursive piece (account, lo, qty, seq) as (
  select src, src_lo, qty, seq from posting where seq = any($1)
  union all
  select q.src,
         case when (select kind from entry where entry.seq = q.seq) <> 'money.identified'
              then q.src_lo + greatest(p.lo, q.dst_lo) - q.dst_lo end,
         least(p.lo + p.qty, q.dst_hi) - greatest(p.lo, q.dst_lo), q.seq
  from piece p cross join lateral (
    select q.src, q.src_lo, q.dst_lo, q.dst_hi, q.seq from posting q
    where q.dst = p.account and q.dst_lo < p.lo + p.qty
      and q.dst_lo >= (
        select before.dst_lo from posting before
        where before.dst = p.account and before.dst_lo <= p.lo order by before.dst_lo desc limit 1)
    offset 0
  ) q
  where p.lo is not null
),
bounded as materialized (select * from piece limit $2),
source as materialized (select seq, sum(qty)::bigint as part from bounded where lo is null group by seq),
page as (select * from source where seq > $3 order by seq limit $4)
select (select sum(qty)::bigint from posting where seq = any($1)) as moved,
       (select count(*) from bounded) as pieces,
       (select count(*) from source) as gifts,
       (select coalesce(sum(part), 0)::bigint from source) as given,
       page.seq, page.part,
       (select sum(qty)::bigint from posting where posting.seq = page.seq) as qty,
       (select kind from entry where entry.seq = page.seq) as kind,
       (select (convert_from(bytes, 'utf8')::jsonb #>> '{body,on}')::date from entry where entry.seq = page.seq) as day
from (select 1) one left join page on true order by page.seq
"""
