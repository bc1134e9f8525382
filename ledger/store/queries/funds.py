"""Funds: what their money is for, and where it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from ledger.fees import MILLION
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
    campaign: str
    closed_seq: int | None
    successor: str
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a fund paid in a year, and the share of it that was management cost, in millionths, rounded down."""

    year: str
    spent_fen: int
    management_fen: int
    management_ppm: int
    ceiling_ppm: int | None
    over: bool


async def read_costs(connection: asyncpg.Connection, org: str, fund: str) -> list[Cost] | None:
    """Year by year, the newest first; None where there is no such fund."""
    clause = await connection.fetchrow("select management_ppm from fund where org = $1 and fund = $2", org, fund)
    if clause is None:
        return None
    ceiling = clause["management_ppm"]
    return [
        Cost(
            year=row["year"],
            spent_fen=row["spent"],
            management_fen=row["management"],
            management_ppm=row["management"] * MILLION // row["spent"] if row["spent"] else 0,
            ceiling_ppm=ceiling if ceiling >= 0 else None,
            over=ceiling >= 0 and row["management"] * MILLION > ceiling * row["spent"],
        )
        for row in await connection.fetch(_COSTS, org, fund)
    ]


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
            campaign=row["campaign"],
            closed_seq=row["closed_seq"],
            successor=row["successor"],
            figures=tally.fund(row["org"], row["fund"]),
        )
        for row in rows
    ]


_COSTS = "select year, spent, management from cost where org = $1 and fund = $2 order by year desc"
_ONE = """
  select org, fund, name, restriction, spending, seq, campaign, closed_seq, successor from fund
  where org = $1 and fund = $2
"""
_PAGE = """
  select org, fund, name, restriction, spending, seq, campaign, closed_seq, successor from fund
  where (org, fund) > ($1, $2) and ($3 = '' or org = $3) order by org, fund limit $4
"""
