"""Pledges, the newest first."""

from dataclasses import dataclass
from datetime import date

import asyncpg


@dataclass(frozen=True, slots=True, kw_only=True)
class Pledge:
    """A promise, and what became of it."""

    seq: int
    org: str
    fund: str
    promiser: str
    amount_fen: int
    on: date
    due: str
    outcome: str
    ended_seq: int | None


async def read_pledges(connection: asyncpg.Connection, org: str, *, before: int, limit: int) -> list[Pledge]:
    """Those of an organisation with a number below `before`."""
    found = await connection.fetch(_PAGE, org, before, limit)
    return [
        Pledge(**{name: row[name] for name in row.keys() if name != "day"}, on=row["day"])  # noqa: SIM118  a record's
        for row in found
    ]


_PAGE = """
  select seq, org, fund, promiser, amount_fen, day, due, outcome, ended_seq from pledge
  where org = $1 and seq < $2 order by seq desc limit $3
"""
