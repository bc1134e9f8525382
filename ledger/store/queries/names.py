"""What organisations, funds, projects and events are called."""

from collections.abc import Iterable

import asyncpg

from ledger import account
from ledger.trace import Names


async def read_names(
    connection: asyncpg.Connection, *, orgs: Iterable[str], addresses: Iterable[str], events: Iterable[str]
) -> Names:
    """The names of these organisations and events, and of everything the addresses name. One query.

    Also which events the projects are for, and when each event began.
    """
    parsed = [account.parse(address) for address in addresses]
    funds = {(each.org, each.rest[-1]) for each in parsed if each.kind in {"fund", "project"}}
    projects = {(each.org, each.rest[0]) for each in parsed if each.kind == "project"}
    found = await connection.fetch(
        _NAMES,
        [*{*orgs, *(each.org for each in parsed), *(each.rest[0] for each in parsed if each.kind == "transit")}],
        *([key[i] for key in keys] for keys in (funds, projects) for i in (0, 1)),
        [*events],
    )
    return Names(
        organisations={org: name for what, org, _, name in found if what == "organisation"},
        funds={(org, fund): name for what, org, fund, name in found if what == "fund"},
        projects={(org, project): name for what, org, project, name in found if what == "project"},
        events={event: name for what, _, event, name in found if what == "event"},
        began={event: began for what, _, event, began in found if what == "began"},
        serves={(org, project): event for what, org, project, event in found if what == "serves"},
    )


_NAMES = """
  with serving as materialized (
    select org, project, event from project
      join unnest($4::text[], $5::text[]) as wanted (org, project) using (org, project) where event <> ''
  ), happened as materialized (
    select event, name, seq from event where event = any($6) or event in (select event from serving)
  )
  select 'organisation' as what, org, '' as id, name from organisation where org = any($1)
  union all
  select 'fund', org, fund, name from fund join unnest($2::text[], $3::text[]) as wanted (org, fund) using (org, fund)
  union all
  select 'project', org, project, name from project
    join unnest($4::text[], $5::text[]) as wanted (org, project) using (org, project)
  union all
  select 'event', '', event, name from happened
  union all
  select 'began', '', event, convert_from(bytes, 'utf8')::jsonb #>> '{body,began}'
    from happened join entry using (seq) where convert_from(bytes, 'utf8')::jsonb #>> '{body,began}' is not null
  union all
  select 'serves', org, project, event from serving
"""
