"""What was taken of a gift: of itself, and of the wrong entries that it corrects, one before the other."""

from typing import Literal

import asyncpg

Taking = Literal["exchange.settled", "gift.refunded"]
"""Entries that cite the gift they speak of; their own reversals cite them."""


async def read_taken(connection: asyncpg.Connection, gift: int, kind: Taking) -> int:
    """How many fen entries of this kind took, less what was taken back of them."""
    taken: int = await connection.fetchval(taken_of("$1", kind), gift)
    return taken


def taken_of(gift: str, kind: Taking) -> str:
    """The same as SQL, of the gift that this expression names."""
    return _TAKEN.replace("{gift}", gift).replace("{kind}", kind)


_TAKEN = """
  with recursive chain (seq) as (
    select {gift}::bigint
    union all
    select (convert_from(e.bytes, 'utf8')::jsonb #>> '{body,corrects}')::bigint
    from chain join entry e using (seq) where convert_from(e.bytes, 'utf8')::jsonb #> '{body}' ? 'corrects'
  )
  select coalesce(sum(c.qty - coalesce(back.qty, 0)), 0)::bigint
  from chain join citation c on c.ref = chain.seq and c.kind = '{kind}'
  left join lateral (
    select sum(b.qty) as qty from citation b where b.ref = c.seq and b.kind = 'entry.reversed'
  ) back on true
"""
