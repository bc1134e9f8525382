"""What happened lately to money of an organisation, a fund or a project, and what was corrected. The newest first."""

from dataclasses import dataclass

import asyncpg

from ledger import entries
from ledger.entries import Entry

MAX_NEWS = 50

MAX_LOOKED_AT = 4_000
"""Movements of an organisation looked through for those of a fund: what lies behind them is no news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose news it is, and where the log says it comes from: what names of feeds are made of."""

    name: str
    origin: str
    opened_on: str
    operator: str


async def read_subject(connection: asyncpg.Connection, org: str, project: str = "") -> Subject | None:
    """None for a project, or an organisation, that is not registered; no organisation: the whole log."""
    opened = await connection.fetchval("select bytes from entry where seq = 0")
    if opened is None:
        return None
    first = entries.decode(opened)
    assert isinstance(first.body, entries.LogOpened)
    name = first.body.operator
    if org:
        name = await connection.fetchval(_PROJECT if project else _ORGANISATION, *filter(None, (org, project)))
    if name is None:
        return None
    return Subject(name=name, origin=first.body.origin, opened_on=first.at[:10], operator=first.body.operator)


async def read_news(connection: asyncpg.Connection, org: str, project: str = "") -> list[Entry]:
    """Gifts are not news: there are too many, and each is somebody's own."""
    found = await connection.fetch(
        _OF_PROJECT if project else _OF_ORGANISATION, *filter(None, (org, project)), MAX_NEWS
    )
    return [entries.decode(row["bytes"]) for row in found]


async def read_fund_news(connection: asyncpg.Connection, org: str, fund: str) -> list[Entry]:
    """The same of a fund's money, wherever it was then: as far as its organisation's newest movements tell."""
    found = await connection.fetch(_OF_FUND, org, fund, MAX_NEWS, MAX_LOOKED_AT)
    return [entries.decode(row["bytes"]) for row in found]


async def read_corrected(connection: asyncpg.Connection) -> list[Entry]:
    """The newest corrections of the whole log."""
    return [entries.decode(row["bytes"]) for row in await connection.fetch(_CORRECTIONS, MAX_NEWS)]


_ORGANISATION = "select name from organisation where org = $1"
_PROJECT = "select name from project where org = $1 and project = $2"
# An entry has a few movements, one for each measure and place.
_NEWS = """
  select bytes from entry where seq in (
    select distinct seq from (
      select seq from {source} and kind <> 'money.identified' order by seq desc limit 8 * {limit}
    ) lately order by seq desc limit {limit}
  ) order by seq desc
"""
_OF_ORGANISATION = _NEWS.format(source="movement where org = $1", limit="$2::bigint")
_OF_PROJECT = _NEWS.format(source="movement where org = $1 and project = $2 and project <> ''", limit="$3::bigint")
_OF_FUND = _NEWS.format(
    source="(select * from movement where org = $1 order by seq desc limit $4) newest where fund = $2",
    limit="$3::bigint",
)
_CORRECTIONS = "select bytes from entry where kind = 'entry.reversed' order by seq desc limit $1"
