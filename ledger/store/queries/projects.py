"""Projects: what money is allocated to, and how far it is spent."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from ledger.store.queries.figures import ProjectFigures, read_tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project with its figures."""

    org: str
    project: str
    name: str
    seq: int
    category: str
    region: str
    event: str
    budget_fen: int
    starts: str
    ends: str
    closed_seq: int | None
    successor: str
    figures: ProjectFigures


async def read_project(connection: asyncpg.Connection, org: str, project: str) -> Project | None:
    """One project, if there is one."""
    found = await _projects(connection, await connection.fetch(_ONE, org, project))
    return found[0] if found else None


async def read_projects(
    connection: asyncpg.Connection, *, org: str, after: tuple[str, str], limit: int
) -> list[Project]:
    """Projects by organisation and id, after this one; of one organisation if it is named."""
    return await _projects(connection, await connection.fetch(_PAGE, *after, org, limit))


async def _projects(connection: asyncpg.Connection, rows: Sequence[asyncpg.Record]) -> list[Project]:
    tally = await read_tally(connection, sorted({row["org"] for row in rows}))
    return [Project(**row, figures=tally.project(row["org"], row["project"])) for row in rows]


_ONE = """
  select org, project, name, seq, category, region, event, budget_fen, starts, ends, closed_seq, successor from project
  where org = $1 and project = $2
"""
_PAGE = """
  select org, project, name, seq, category, region, event, budget_fen, starts, ends, closed_seq, successor from project
  where (org, project) > ($1, $2) and ($3 = '' or org = $3) order by org, project limit $4
"""
