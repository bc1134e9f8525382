"""As of an earlier entry flows and years are what they were when that entry was the last one."""

from pathlib import Path
from random import Random  # noqa: TID251  seeded

import asyncpg
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from ledger.store.queries.flows import Flow, read_flow
from ledger.store.queries.projects import read_projects
from ledger.store.queries.years import Year, read_year
from tests.site.test_flows import wind_up
from tests.store.test_figures import Stored
from tests.support import society
from tests.support.fixed import FIXED
from tests.support.happenings import Happening, happenings, ledger
from tests.support.postgres import Cluster
from tests.support.published import PHASES

LEDGERS, PROJECTS = 3, 100
YEARS = (2025, 2026, 2027)
"""Before all that happens, of it, after it."""


async def shown(connection: asyncpg.Connection, as_of: int | None) -> tuple[dict[str, Flow], list[Year]]:
    """By project, of those that are there; and the years."""
    projects = await read_projects(connection, org="", after=("", ""), limit=PROJECTS)
    flows = {
        f"{each.org}:{each.project}": await read_flow(connection, each, as_of=as_of)
        for each in projects
        if as_of is None or each.seq <= as_of
    }
    return flows, [await read_year(connection, year, as_of=as_of) for year in YEARS]


@hypothesis_settings(FIXED, max_examples=LEDGERS, phases=PHASES, suppress_health_check=[*HealthCheck])
@given(of=happenings())
async def test_as_of_an_entry_is_now_of_the_ledger_that_ends_with_it(
    of: list[Happening], cluster: Cluster, template: str, roles_dir: Path
) -> None:
    pen = ledger(of)
    begun = len(pen.entries)
    wind_up(pen)
    size = len(pen.entries)
    random = Random(size)
    cuts = (random.randrange(len(society.open_society().written), begun), random.randrange(begun, size))
    whole, name = await Stored.of(pen, cluster, template, roles_dir)
    opened = {name: whole}
    try:
        async with whole.database.snapshot() as connection:
            then = {cut: await shown(connection, cut - 1) for cut in (*cuts, size)}
            assert then[size] == await shown(connection, None)
        for cut in cuts:
            ended, name = await Stored.of(pen, cluster, template, roles_dir, size=cut)
            opened[name] = ended
            async with ended.database.snapshot() as connection:
                assert then[cut] == await shown(connection, None), cut
        assert all(any(flow.sum_fen for flow in flows.values()) for flows, _ in then.values())
    finally:
        for name, each in opened.items():
            await each.database.close()
            await cluster.drop_database(name)
