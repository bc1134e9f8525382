"""What happened lately, in the whole ledger or in a part of it: entries, and what everything in them is called."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import asyncpg

from ledger import account, entries
from ledger.entries import Entry
from ledger.store.queries.names import read_names
from ledger.store.queries.news import read_fund_news, read_news
from ledger.trace import Names

MAX_LOOKED_AT = 500
"""Entries looked through from the end of the log: behind more set-up than that nothing is called late."""

KINDS = (
    "delivery.confirmed",
    "entry.reversed",
    "exchange.settled",
    "fee.charged",
    "feedback.published",
    "gift.redirected",
    "gift.refunded",
    "income.received",
    "money.allocated",
    "money.disbursed",
    "money.identified",
    "money.received",
    "money.released",
    "money.returned",
    "transfer.received",
    "transfer.returned",
    "transfer.sent",
)
"""Kinds that are news for everybody."""


class Effect(NamedTuple):
    """An entry with what it moved; of an effect in parts the first one, with what all of them moved."""

    entry: Entry
    qty: int


async def read_latest(connection: asyncpg.Connection, limit: int) -> list[Effect]:
    """The newest ones, the newest first."""
    return await effects_of(connection, _decoded(await connection.fetch(_LATEST, MAX_LOOKED_AT, KINDS)), limit)


async def read_project_news(connection: asyncpg.Connection, org: str, project: str, limit: int) -> list[Effect]:
    """What moved this project's money lately, and what was said of it; the newest first."""
    found = await connection.fetch(_OF_PROJECT, org, account.project(org, project, ""), limit)
    return await effects_of(connection, _decoded(found), limit)


async def read_scope_news(connection: asyncpg.Connection, org: str, fund: str, limit: int) -> list[Effect]:
    """What moved an organisation's money, as its feed says, or that of one of its funds; the newest first."""
    found = await (read_fund_news(connection, org, fund) if fund else read_news(connection, org))
    return await effects_of(connection, found, limit)


async def names_in(connection: asyncpg.Connection, shown: Iterable[Entry]) -> Names:
    """What organisations, funds, projects and events in these entries are called now."""
    shown = [*shown]
    addresses = {address for entry in shown for posting in entry.postings for address in (posting.src, posting.dst)}
    return await read_names(
        connection,
        orgs={entries.org_of(entry) for entry in shown} - {""},
        addresses=addresses,
        events={getattr(entry.body, "event", "") for entry in shown} - {""},
    )


def _decoded(rows: Iterable[asyncpg.Record]) -> Iterator[Entry]:
    """As they are asked for: not all may be."""
    return (entries.decode(row["bytes"]) for row in rows)


async def effects_of(connection: asyncpg.Connection, newest: Iterable[Entry], limit: int) -> list[Effect]:
    """The first `limit` effects that these entries are of, or are parts of."""
    found: dict[int, Entry] = {}
    counts: dict[int, int] = {}
    for entry in newest:
        index, count = entries.part_of(entry.body)
        first = entry.seq - index + 1
        if first not in counts and len(counts) == limit:
            break
        counts[first] = count
        found[entry.seq] = entry
    beside = await connection.fetch(_BY_NUMBER, [first for first in counts if first not in found])
    found |= {entry.seq: entry for entry in _decoded(beside)}
    parted = [first for first, count in counts.items() if count > 1]
    sums = dict(await connection.fetch(_WHOLE, parted, [counts[first] for first in parted])) if parted else {}
    return [Effect(found[first], sums.get(first, entries.qty_of(found[first]))) for first in counts]


_BY_NUMBER = "select bytes from entry where seq = any($1)"
_WHOLE = """
  select first, sum(p.qty)::bigint from unnest($1::bigint[], $2::integer[]) as effect (first, parts)
  join posting p on p.seq between first and first + parts - 1 group by first
"""
_LATEST = """
  select bytes from (select * from entry order by seq desc limit $1) newest
  where kind = any($2) order by seq desc
"""
# The ends of the project's lines, by index: what was credited last, what was consumed last, and what cites these.
_OF_PROJECT = """
  with own as (select id from account where org = $1 and starts_with(address, $2)),
  moved as (
    select p.seq from own cross join lateral (
      select seq from posting where dst = own.id order by dst_lo desc limit 4 * $3::int) p
    union
    select p.seq from own cross join lateral (
      select seq from posting where src = own.id order by src_lo desc limit 4 * $3::int) p
  ),
  told as (
    select seq from moved
    union
    select c.seq from citation c join moved on c.ref = moved.seq
    where c.kind in ('delivery.confirmed', 'feedback.published')
  )
  select e.bytes from told join entry e using (seq) order by seq desc limit 2 * $3::int
"""
