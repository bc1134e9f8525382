"""Funds: what their money is for, and where it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from ledger.store.queries.figures import Figures, read_tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Fund:
    """A fund with its figures."""

    org: str
    fund: str
    name: str
    seq: int
    restriction: dict[str, str]
    spending: list[str]
    figures: Figures


async def read_fund(connection: asyncpg.Connection, org: str, fund: str) -> Fund | None:
    """One fund, if there is one."""
    found = await _funds(connection, await connection.fetch(_ONE, org, fund))
    return found[0] if found else None


async def read_funds(connection: asyncpg.Connection, *, org: str, after: tuple[str, str], limit: int) -> list[Fund]:
    """Funds by organisation and id, after this one; of one organisation if it is named."""
    return await _funds(connection, await connection.fetch(_PAGE, *after, org, limit))


async def _funds(connection: asyncpg.Connection, rows: Sequence[asyncpg.Record]) -> list[Fund]:
    tally = await read_tally(connection, sorted({row["org"] for row in rows}))
    return [
        Fund(
            org=row["org"],
            fund=row["fund"],
            name=row["name"],
            seq=row["seq"],
            restriction=row["restriction"],
            spending=row["spending"],
            figures=tally.fund(row["org"], row["fund"]),
        )
        for row in rows
    ]


_ONE = "select org, fund, name, restriction, spending, seq from fund where org = $1 and fund = $2"
_PAGE = """
  select org, fund, name, restriction, spending, seq from fund
  where (org, fund) > ($1, $2) and ($3 = '' or org = $3) order by org, fund limit $4
"""
