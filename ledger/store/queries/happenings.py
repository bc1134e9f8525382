"""What happened lately, in the whole ledger or in one project: entries, and what everything in them is called."""

from collections.abc import Iterable, Sequence

import asyncpg

from ledger import account, entries
from ledger.entries import Entry
from ledger.store.queries.names import read_names
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


async def read_latest(connection: asyncpg.Connection, limit: int) -> list[Entry]:
    """The newest ones, the newest first; of an effect in parts the first part."""
    return _first_parts(await connection.fetch(_LATEST, MAX_LOOKED_AT, KINDS))[:limit]


async def read_project_news(connection: asyncpg.Connection, org: str, project: str, limit: int) -> list[Entry]:
    """What moved this project's money lately, and what was said of it; the newest first."""
    found = await connection.fetch(_OF_PROJECT, org, account.project(org, project, ""), limit)
    return _first_parts(found)[:limit]


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


def _first_parts(rows: Sequence[asyncpg.Record]) -> list[Entry]:
    found = [entries.decode(row["bytes"]) for row in rows]
    return [entry for entry in found if entries.part_of(entry.body)[0] == 1]


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
