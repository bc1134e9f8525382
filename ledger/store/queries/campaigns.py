"""Campaigns: what was filed, and what came in."""

from dataclasses import dataclass
from datetime import date

import asyncpg


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A filed public fundraising with its figures: gross, with what was voided beside it."""

    campaign: str
    org: str
    name: str
    filing: str
    first_on: date
    last_on: date
    seq: int
    gifts: int
    received_fen: int
    late_gifts: int
    late_fen: int
    voided_fen: int


async def read_campaign(connection: asyncpg.Connection, campaign: str) -> Campaign | None:
    """One campaign, if there is one."""
    found = await _campaigns(connection, "c.campaign = $1", campaign)
    return found[0] if found else None


async def read_campaigns(connection: asyncpg.Connection, *, org: str, after: str, limit: int) -> list[Campaign]:
    """Campaigns by id, after this one; of one organisation if it is named."""
    where = "c.campaign > $1 and ($2 = '' or c.org = $2) order by c.campaign limit $3"
    return await _campaigns(connection, where, after, org, limit)


async def _campaigns(connection: asyncpg.Connection, where: str, *arguments: object) -> list[Campaign]:
    return [Campaign(**row) for row in await connection.fetch(_CAMPAIGNS + where, *arguments)]


# Reversals are few, and have an index of their own.
_CAMPAIGNS = """
  select c.campaign, c.org, c.name, c.filing, c.first_on, c.last_on, c.seq, c.gifts, c.received_fen, c.late_gifts,
    c.late_fen, coalesce((
      select sum(v.qty) from citation v join gift g on g.seq = v.ref
      where v.kind = 'entry.reversed' and g.campaign = c.campaign), 0)::bigint as voided_fen
  from campaign c where
"""
