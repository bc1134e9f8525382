"""Organisations: who keeps books here, and what each received."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from ledger.donations import GIFTS
from ledger.store.queries.figures import Figures, read_tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """An organisation with its figures."""

    org: str
    name: str
    level: str
    parent: str
    division: str
    uscc: str
    seq: int
    figures: Figures


async def read_organisation(connection: asyncpg.Connection, org: str) -> Organisation | None:
    """One organisation, if there is one."""
    found = await _organisations(connection, await connection.fetch(_ONE, org))
    return found[0] if found else None


async def read_organisations(connection: asyncpg.Connection, *, after: str, limit: int) -> list[Organisation]:
    """Organisations by id, after this one."""
    return await _organisations(connection, await connection.fetch(_PAGE, after, limit))


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """An organisation in its tree; sums are of itself and all below it."""

    org: str
    name: str
    parent: str
    gift_count: int
    received_fen: int
    paid_fen: int
    inside_fen: int
    has_children: bool


async def read_branches(connection: asyncpg.Connection, limit: int) -> list[Branch]:
    """The first ones by id. Summed over all there are, however few are asked for."""
    return [Branch(**row) for row in await connection.fetch(_FIRST_BRANCHES, [*GIFTS], limit)]


async def read_branches_of(connection: asyncpg.Connection, orgs: Sequence[str]) -> list[Branch]:
    """Of these organisations, by id."""
    return [Branch(**row) for row in await connection.fetch(_BRANCHES_OF, [*GIFTS], [*orgs])]


async def _organisations(connection: asyncpg.Connection, rows: Sequence[asyncpg.Record]) -> list[Organisation]:
    tally = await read_tally(connection, [row["org"] for row in rows])
    return [Organisation(**row, figures=tally.organisation(row["org"])) for row in rows]


_ONE = "select org, name, level, parent, division, uscc, seq from organisation where org = $1"
_PAGE = """
  select org, name, level, parent, division, uscc, seq from organisation where org > $1 order by org limit $2
"""
_BRANCHES = """
  with recursive shown as ({shown}),
  belongs as (
    select org as top, org from shown
    union
    select b.top, o.org from belongs b join organisation o on o.parent = b.org
  ),
  given as (
    select org, sum(entries) as entries, sum(qty) as qty from rollup where kind = any($1) group by org
  ),
  rests as (
    select a.org, sum(l.credited - l.consumed) filter (where a.address like 'payees:%') as paid,
           sum(l.credited - l.consumed) filter (where a.address like 'fund:%' or a.address like 'project:%') as inside
    from account a join line l on l.account = a.id group by a.org
  ),
  summed as (
    select b.top, coalesce(sum(g.entries), 0)::bigint as gift_count, coalesce(sum(g.qty), 0)::bigint as received_fen,
           coalesce(sum(r.paid), 0)::bigint as paid_fen, coalesce(sum(r.inside), 0)::bigint as inside_fen,
           count(*) > 1 as has_children
    from belongs b left join given g on g.org = b.org left join rests r on r.org = b.org group by b.top
  )
  select s.org, s.name, s.parent, gift_count, received_fen, paid_fen, inside_fen, has_children
  from shown s join summed on summed.top = s.org order by s.org
"""
_FIRST_BRANCHES = _BRANCHES.format(shown="select org, name, parent from organisation order by org limit $2")
_BRANCHES_OF = _BRANCHES.format(shown="select org, name, parent from organisation where org = any($2)")
