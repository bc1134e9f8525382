"""All gifts, page by page, the newest first. Nobody is named: what a row says was public in the entry already."""

from dataclasses import dataclass
from datetime import date

import asyncpg

from ledger import account


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A gift as a list shows it."""

    seq: int
    org: str
    organisation: str
    fund: str
    name: str
    """Of the fund."""
    channel: str
    day: date
    amount_fen: int


async def read_given(
    connection: asyncpg.Connection, *, before: int, limit: int, org: str = "", fund: str = ""
) -> list[Given]:
    """Those with a number below `before`; of one fund if it is named."""
    rows = await connection.fetch(_PAGE, before, limit, account.fund(org, fund) if fund else "")
    return [Given(**row) for row in rows]


_PAGE = """
  select g.seq, f.org, o.name as organisation, f.fund, f.name, g.channel, g.day, g.qty as amount_fen
  from (
    select * from gift
    where seq < $1 and ($3 = '' or account = (select id from account where address = $3 and unit = 'CNY'))
    order by seq desc limit $2
  ) g
  join account a on a.id = g.account
  join fund f on f.org = a.org and f.fund = split_part(a.address, ':', 3)
  join organisation o on o.org = f.org
  order by g.seq desc
"""
