"""Money between organisations: which transfers still wait to be received, oldest first."""

from dataclasses import dataclass
from datetime import date

import asyncpg


@dataclass(frozen=True, slots=True, kw_only=True)
class Underway:
    """What is left in transit of one `transfer.sent`, named by its first part."""

    seq: int
    sender: str
    receiver: str
    on: date
    amount_fen: int
    left_fen: int


async def read_transit(
    connection: asyncpg.Connection, *, sent_until: date, after: int, limit: int
) -> tuple[list[Underway], int | None]:
    """One page of the transfers sent on or before a day, by number, and where the next page begins after."""
    found = await connection.fetch(_UNDERWAY, sent_until, after, limit + 1)
    items = [
        Underway(
            seq=row["first"],
            sender=row["sender"],
            receiver=row["receiver"],
            on=row["day"],
            amount_fen=row["qty"],
            left_fen=row["left_fen"],
        )
        for row in found[:limit]
    ]
    return items, items[-1].seq if len(found) > limit else None


# What a reversal put back in transit is of the transfer that it came with.
# From each line's front on only: what lies before it is consumed, however many transfers there were.
_UNDERWAY = """
with credit as (
  select p.seq, p.dst_lo, p.dst_hi, p.qty, p.dst, split_part(a.address, ':', 2) as sender,
         split_part(a.address, ':', 3) as receiver
  from account a join line l on l.account = a.id join posting p on p.dst = a.id and p.dst_hi > l.front
  where a.address like 'transit:%' and l.credited > l.consumed
), sent as (
  select (body #>> '{body,on}')::date as day, root - coalesce((body #>> '{body,part,0}')::int, 1) + 1 as first,
         coalesce((body #>> '{body,part,1}')::int, 1) as parts, sender, receiver,
         qty - (select coalesce(sum(least(q.src_hi, credit.dst_hi) - greatest(q.src_lo, credit.dst_lo)), 0)
                from posting q
                where q.src = credit.dst and q.src_lo < credit.dst_hi and q.src_hi > credit.dst_lo) as left_fen
  from credit cross join lateral (
    select coalesce((
      select taken.ref from citation back
      join citation taken on taken.seq = back.ref and taken.kind = 'transfer.received'
      where back.seq = credit.seq and back.kind = 'entry.reversed'), credit.seq) as root
  ) sent cross join lateral (
    select convert_from(bytes, 'utf8')::jsonb as body from entry where entry.seq = root
  ) written
)
select first, sender, receiver, day, sum(left_fen)::bigint as left_fen,
       (select sum(qty)::bigint from posting where seq between first and first + parts - 1) as qty
from sent where day <= $1 and first > $2
group by first, parts, sender, receiver, day having sum(left_fen) > 0 order by first limit $3
"""
