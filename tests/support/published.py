"""The public application on a ledger of the memory."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from hypothesis import Phase

from api.public.app import Resources, build
from ledger.opendata.terms import Terms
from ledger.store import keys
from ledger.store.keys import LookupKeys
from tests.store.test_figures import Stored
from tests.support.model import Pen
from tests.support.postgres import Cluster
from tests.support.visitor import visitor

PHASES = (Phase.generate,)
"""Of hypothesis: a long history takes seconds to store; shrinking a failing one would take minutes, for little."""


@asynccontextmanager
async def published(  # noqa: PLR0913, PLR0917
    pen: Pen, cluster: Cluster, template: str, roles_dir: Path, folder: Path, terms: Terms | None = None
) -> AsyncGenerator[httpx.AsyncClient]:
    """In a database of its own. `folder`: for the look-up keys."""
    keys.create(folder, folder / "lookup.json")
    lookup = LookupKeys.read(folder / "lookup.json")
    stored, name = await Stored.of(pen, cluster, template, roles_dir)
    last = pen.entries[-1]
    await cluster.execute(f"update head set seq = {last.seq}, at = '{last.at}'", name)
    try:
        resources = Resources(database=stored.database, lookup=lookup, terms=terms or Terms())
        async with visitor(build(resources)) as http:
            yield http
    finally:
        await stored.database.close()
        await cluster.drop_database(name)
