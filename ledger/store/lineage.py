"""The lineage report of a published state: what was paid and what waits, by the gifts it came from, fen by fen.

Which gifts a payment was made of is a matter of positions, first in first out, and no sum says it. So every position
is followed from the gift on, all gifts at once, inside the database; what is kept are sums, as small as other figures.
"""

import asyncpg

from ledger.store.database import Database
from ledger.store.files import SetupError
from ledger.store.queries.aggregates import LINEAGE, Cell, Question, read_aggregate
from ledger.trouble import Trouble

TIMEOUT_S = 3_600
"""A million gifts take a minute or two."""

_GROUPS = ("month", "fund", "project")


class LineageBroken(Trouble):
    """The report does not add up to the figures it is to explain; nothing of it was kept. Run `sunledger verify`."""


async def report(writer: Database) -> int:
    """Make the report of the newest checkpoint; answers its size. One that is there already stays as it is.

    Everything in one transaction. Raises SetupError where nothing was published yet, and LineageBroken.
    """
    async with writer.write() as connection:
        size: int | None = await connection.fetchval("select max(size) from checkpoint")
        if not size:
            raise SetupError("nothing was published yet: the report is of a published checkpoint")
        if await connection.fetchval(_BEGIN, size) is not None:
            await connection.execute(_REPORT, [size], size, timeout=TIMEOUT_S)
            await _must_add_up(connection, size)
    return size


async def _must_add_up(connection: asyncpg.Connection, size: int) -> None:
    """Count and sum are those of the plain figures as of the same entry, of every measure, month and fund."""
    for measure in LINEAGE:
        question = Question(measure=measure, by=_GROUPS)
        plain = await read_aggregate(connection, question, as_of=size - 1, limit=None)
        found = await read_aggregate(connection, question, as_of=size - 1, limit=None, is_lineage=True)
        if _told(plain) != _told(found):
            where = min(each.keys for each in _told(plain) ^ _told(found))
            named = ", ".join(f"{name} {key or 'none'}" for name, key in zip(_GROUPS, where, strict=True))
            raise LineageBroken(f"{measure} by lineage is not the plain figure as of entry {size - 1}: {named}")


def _told(cells: list[Cell]) -> set[Cell]:
    return {each for each in cells if each.entries or each.sum_fen}


# Somebody else who makes the same report has it made; else we hold the name until ours is whole.
_BEGIN = "insert into lineage_report (size) values ($1) on conflict do nothing returning size"

# `piece`: a part of a posting whose fen all came with one gift, or with none (interest, government, dues…), as far as
# posting number and place on the destination's line. It begins where money has no past: at a source account, and where
# money in suspense becomes a gift. `came`: the account that the money was in before the posting's source.
# `said`: what the entry of a posting is, when, and at whose fund money in transit is booked.
# `flow`: pieces summed by all that the measures ask.
# $1: sizes of states, ascending, $2: the last of them. What an entry changed stands under `bucket`: how many of these
# states it came after. So one reading is enough for all of them.
_REPORTED = """
recursive place as materialized (
  select id, split_part(address, ':', 1) as kind, org,
         case split_part(address, ':', 1) when 'fund' then split_part(address, ':', 3)
           when 'project' then split_part(address, ':', 4) else '' end as fund,
         case split_part(address, ':', 1) when 'project' then split_part(address, ':', 3) else '' end as project
  from account where unit = 'CNY'
), piece (seq, n, is_first, came, src, dst, lo, qty, channel, donor_class) as (
  select p.seq, p.n, p.n = 0, 0, p.src, p.dst, p.dst_lo, p.qty, coalesce(g.channel, ''), coalesce(g.donor_class, '')
  from posting p join place on place.id = p.src left join gift g on g.seq = p.seq
  where p.seq < $2 and (p.src_lo is null or place.kind = 'suspense')
  union all
  select q.seq, q.n, q.n = 0 and q.src_lo >= p.lo, p.src, p.dst, q.dst,
         q.dst_lo + greatest(p.lo, q.src_lo) - q.src_lo,
         least(p.lo + p.qty, q.src_hi) - greatest(p.lo, q.src_lo), p.channel, p.donor_class
  from piece p cross join lateral (
    select q.seq, q.n, q.src_lo, q.src_hi, q.dst, q.dst_lo from posting q
    where q.src_lo is not null and q.src_hi > p.lo and (q.src, q.src_lo) < (p.dst, p.lo + p.qty) and q.seq < $2
      and (q.src, q.src_lo) >= (p.dst, coalesce((
        select before.src_lo from posting before
        where before.src = p.dst and before.src_lo <= p.lo order by before.src_lo desc limit 1), p.lo))
    offset 0
  ) q
  where p.dst not in (select id from place where kind = 'suspense')
), said as (
  select seq, first, kind, to_char(day, 'YYYY-MM') as month,
         max(org) filter (where measure = 'in_transit') as org, max(fund) filter (where measure = 'in_transit') as fund
  from movement where seq < $2 group by seq, first, kind, day
), flow as (
  select width_bucket(p.seq, $1::bigint[]) as bucket, p.came, p.src, p.dst, p.channel, p.donor_class,
         coalesce(s.kind, '') as kind,
         coalesce(s.month, to_char(g.day, 'YYYY-MM')) as month, s.org, s.fund,
         count(*) filter (where p.is_first and s.first = s.seq) as entries, sum(p.qty) as qty
  from piece p left join said s on s.seq = p.seq left join gift g on g.seq = p.seq and s.seq is null
  group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
), moved as (
  select f.bucket, each.*, f.channel, f.donor_class, f.month
  from flow f join place src on src.id = f.src join place dst on dst.id = f.dst left join place came on came.id = f.came
  cross join lateral (
    select 'held', dst.org, dst.fund, '', 0, f.qty where dst.kind = 'fund'
    union all
    select 'held', src.org, src.fund, '', 0, -f.qty where src.kind = 'fund'
    union all
    select 'allocated', dst.org, dst.fund, dst.project, 0, f.qty where dst.kind = 'project'
    union all
    select 'allocated', src.org, src.fund, src.project, 0, -f.qty where src.kind = 'project'
    union all
    select 'in_transit', f.org, f.fund, '', 0, f.qty where dst.kind = 'transit'
    union all
    select 'in_transit', f.org, f.fund, '', 0, -f.qty where src.kind = 'transit'
    union all
    select 'paid', src.org, src.fund, src.project, f.entries, f.qty where dst.kind = 'payees'
    union all
    select 'paid', came.org, came.fund, came.project, 0, -f.qty where src.kind = 'payees'
    union all
    select 'returned', came.org, came.fund, came.project, f.entries, f.qty where f.kind = 'money.returned'
    union all
    select 'total_allocated', dst.org, dst.fund, dst.project, f.entries, f.qty where f.kind = 'money.allocated'
    union all
    select 'total_allocated', src.org, src.fund, src.project, 0, -f.qty
    where f.kind = 'entry.reversed' and src.kind = 'project' and dst.kind = 'fund'
  ) each (measure, org, fund, project, entries, qty)
), confirmation as (
  select seq, first as payment, to_char(day, 'YYYY-MM') as month,
         sum(sum(qty)) over (partition by first order by seq) - sum(qty) as lo,
         sum(sum(qty)) over (partition by first order by seq) as hi
  from movement where kind = 'delivery.confirmed' and measure = 'confirmed' and seq < $2 group by seq, first, day
), delivered as (
  select width_bucket(c.seq, $1::bigint[]) as bucket, src.org, src.fund, src.project, p.channel, p.donor_class, c.month,
         (p.lo - f.dst_lo <= c.lo)::int as entries,
         least(p.lo - f.dst_lo + p.qty, c.hi) - greatest(p.lo - f.dst_lo, c.lo) as qty
  from confirmation c join posting f on f.seq = c.payment and f.n = 0 join said s on s.first = c.payment
  join piece p on p.seq = s.seq and p.dst = f.dst join place src on src.id = p.src
  where p.lo - f.dst_lo < c.hi and p.lo - f.dst_lo + p.qty > c.lo
), reported as (
  select bucket, measure, org, fund, project, channel, donor_class, month,
         sum(entries)::bigint as entries, sum(qty)::bigint as qty
  from (
    select bucket, measure, org, fund, project, channel, donor_class, month, entries, qty from moved
    union all
    select bucket, 'confirmed', org, fund, project, channel, donor_class, month, entries, qty from delivered
  ) each
  group by 1, 2, 3, 4, 5, 6, 7, 8
)
"""
_KEYS = "measure, org, fund, project, channel, donor_class, month"
_REPORT = f"""
  insert into lineage (size, {_KEYS}, entries, qty)
  with {_REPORTED} select $2, {_KEYS}, entries, qty from reported where entries <> 0 or qty <> 0
"""  # noqa: S608  ours
# A state's report less the one before it is what the entries between them changed.
DIFFERENCES = f"""
  with {_REPORTED}, kept as (
    select width_bucket(size - 1, $1) as bucket, {_KEYS}, entries, qty from lineage where size = any($1)
    union all
    select width_bucket(size - 1, $1) + 1, {_KEYS}, -entries, -qty from lineage where size = any($1) and size < $2
  )
  select ($1::bigint[])[bucket + 1] as size, {_KEYS}, sum(entries)::bigint as entries, sum(qty)::bigint as qty
  from (
    select bucket, {_KEYS}, entries, qty from reported
    union all
    select bucket, {_KEYS}, -entries, -qty from kept
  ) each
  group by bucket, {_KEYS} having sum(entries) <> 0 or sum(qty) <> 0 order by bucket, {_KEYS} limit $3
"""  # noqa: S608  ours
"""What the reports of all states of these sizes are short of what the entries give; above zero: too little."""
