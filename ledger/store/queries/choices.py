"""What a filter can be set to, by name: organisations, funds, projects, events; and what the chosen ones are called."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import asyncpg

MAX_CHOICES = 40
"""Of one dimension; where there are more, a reader types the id, which the search finds by name."""


class Choice(NamedTuple):
    """`value`: as filters take it, a fund or project with its owner (`org:id`)."""

    value: str
    name: str
    owner: str
    """The name of the organisation whose it is; empty for organisations and events, which are nobody's."""


class Called(NamedTuple):
    """A name, and the name of the organisation whose it is: empty for organisations and events."""

    name: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Both by dimension: org, fund, project, event."""

    offered: Mapping[str, list[Choice]]
    """All there are; a dimension with more than MAX_CHOICES is missing."""
    chosen: Mapping[str, str]
    """The names of what was chosen; what does not exist is missing."""


async def read_choices(
    connection: asyncpg.Connection, chosen: Mapping[str, str], *, orgs: Collection[str] | None = None
) -> Choices:
    """As of now. `orgs`: funds and projects of these only. `chosen`: dimension → value, of these and of others."""
    offered: dict[str, list[Choice]] = {"org": [], "fund": [], "project": [], "event": []}
    for what, *choice in await connection.fetch(_OFFERED, None if orgs is None else [*orgs], MAX_CHOICES + 1):
        offered[what].append(Choice(*choice))
    values = [chosen.get(each, "") for each in offered]
    named = await connection.fetch(_CHOSEN, *values) if any(values) else []
    return Choices(
        offered={what: found for what, found in offered.items() if len(found) <= MAX_CHOICES},
        chosen={row["what"]: row["name"] for row in named},
    )


async def read_called(connection: asyncpg.Connection, dimension: str, values: Collection[str]) -> dict[str, Called]:
    """What each is called, of a dimension whose values are ids; of others nothing. Funds and projects as `org:id`."""
    statement = _CALLED.get(dimension)
    rows = await connection.fetch(statement, [*values]) if statement else []
    return {row["id"]: Called(row["name"], row["owner"]) for row in rows}


_OFFERED = """
  select what, value, name, owner from (
    (select 'org' as what, org as value, name, '' as owner from organisation order by org limit $2)
    union all
    (select 'fund', f.org || ':' || f.fund, f.name, o.name from fund f join organisation o using (org)
     where $1::text[] is null or f.org = any($1) order by f.org, f.fund limit $2)
    union all
    (select 'project', p.org || ':' || p.project, p.name, o.name from project p join organisation o using (org)
     where $1::text[] is null or p.org = any($1) order by p.org, p.project limit $2)
    union all
    (select 'event', event, name, '' from event order by event limit $2)
  ) choice order by what, value
"""
# A fund or project is given by its id, whosever it is, or with its owner.
_CHOSEN = """
  select 'org' as what, name from organisation where org = $1
  union all
  (select 'fund', name from fund where $2 in (fund, org || ':' || fund) order by org limit 1)
  union all
  (select 'project', name from project where $3 in (project, org || ':' || project) order by org limit 1)
  union all
  select 'event', name from event where event = $4
"""
_CALLED = {
    "org": "select org as id, name, '' as owner from organisation where org = any($1)",
    "event": "select event as id, name, '' as owner from event where event = any($1)",
    **{
        each: f"""
          select f.org || ':' || f.{each} as id, f.name, o.name as owner
          from unnest($1::text[]) asked
          join {each} f on (f.org, f.{each}) = (split_part(asked, ':', 1), split_part(asked, ':', 2))
          join organisation o on o.org = f.org"""  # noqa: S608  ours
        for each in ("fund", "project")
    },
}
