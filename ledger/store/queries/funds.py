"""Funds: what their money is for, and where it is."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import asyncpg

from ledger.account import MAX_POSITION
from ledger.fees import MILLION
from ledger.store.queries.aggregates import Question, read_aggregate
from ledger.store.queries.figures import Figures, read_tally
from ledger.store.queries.registers import FUNDS


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


async def read_fund(connection: asyncpg.Connection, org: str, fund: str, *, as_of: int | None = None) -> Fund | None:
    """One fund, if there is one; as of entry `as_of`, if there was one then."""
    found = await _funds(connection, await connection.fetch(_ONE, _until(as_of), org, fund), as_of)
    return found[0] if found else None


async def read_funds(
    connection: asyncpg.Connection, *, org: str, after: tuple[str, str], limit: int, as_of: int | None = None
) -> list[Fund]:
    """Funds by organisation and id, after this one; of one organisation if it is named. As of an entry, or now."""
    return await _funds(connection, await connection.fetch(_PAGE, _until(as_of), *after, org, limit), as_of)


def _until(as_of: int | None) -> int:
    return MAX_POSITION if as_of is None else as_of


async def _funds(connection: asyncpg.Connection, rows: Sequence[asyncpg.Record], as_of: int | None) -> list[Fund]:
    orgs = sorted({row["org"] for row in rows})
    figures: Callable[[str, str], Figures]
    if as_of is None:
        figures = (await read_tally(connection, orgs)).fund
    else:
        figures = await _figures_then(connection, orgs, as_of)
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
            figures=figures(row["org"], row["fund"]),
        )
        for row in rows
    ]


async def _figures_then(
    connection: asyncpg.Connection, orgs: Sequence[str], as_of: int
) -> Callable[[str, str], Figures]:
    """Of each fund, from the spans of figures: by fund they are what the tally says, only slower."""
    fen: Counter[tuple[str, str]] = Counter()
    gifts: Counter[str] = Counter()
    for measure in _MEASURES:
        question = Question(measure=measure, by=("fund",))
        for cell in await read_aggregate(connection, question, as_of=as_of, orgs=orgs, limit=None):
            (whose,) = cell.keys
            fen[measure, whose] = cell.sum_fen
            if measure == "received":
                gifts[whose] = cell.entries

    def figures(org: str, fund: str) -> Figures:
        whose = f"{org}:{fund}"
        return Figures(
            gift_count=gifts[whose],
            **{f"{measure}_fen": fen[measure, whose] for measure in _ALIKE},
            moved_out_fen=fen["moved_on", whose] + fen["in_transit", whose],
        )

    return figures


_ALIKE = ("received", "income", "moved_in", "held", "allocated", "paid", "refunded", "fees", "lost", "voided")
"""Measures that are figures of a fund under the same names."""
_MEASURES = (*_ALIKE, "moved_on", "in_transit")
_COSTS = "select year, spent, management from cost where org = $1 and fund = $2 order by year desc"
_ONE = f"select * from ({FUNDS}) fund where org = $2 and fund = $3"  # noqa: S608  ours
_PAGE = f"""
  select * from ({FUNDS}) fund where (org, fund) > ($2, $3) and ($4 = '' or org = $4) order by org, fund limit $5
"""  # noqa: S608  ours
