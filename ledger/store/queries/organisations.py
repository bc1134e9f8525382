"""Organisations: who keeps books here, and what each received."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

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


async def _organisations(connection: asyncpg.Connection, rows: Sequence[asyncpg.Record]) -> list[Organisation]:
    tally = await read_tally(connection, [row["org"] for row in rows])
    return [Organisation(**row, figures=tally.organisation(row["org"])) for row in rows]


_ONE = "select org, name, level, parent, division, uscc, seq from organisation where org = $1"
_PAGE = """
  select org, name, level, parent, division, uscc, seq from organisation where org > $1 order by org limit $2
"""
