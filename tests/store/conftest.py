"""What tests of the store share: short words in the log, for here much fails on purpose; logs with their first rows."""

from collections.abc import AsyncGenerator, MutableMapping
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import structlog

from ledger.settings import Settings
from tests.support.acting import acting_as
from tests.support.first_rows import begin
from tests.support.postgres import Cluster


def _one_line(_: object, __: str, said: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    error = said.pop("exc_info", None)
    return said if error is None else {**said, "error": repr(error)}


structlog.configure(processors=[structlog.processors.add_log_level, _one_line, structlog.processors.KeyValueRenderer()])


@pytest.fixture(scope="module")
async def unchanged(
    cluster: Cluster, template: str, roles_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Settings]:
    """A log with the rows of `begin`, for the many tests in which nothing is to happen to it."""
    await cluster.create_database("unchanged", template)
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("unchanged"), roles_dir=roles_dir, database_url=cluster.url("unchanged")
    )
    async with acting_as("writer", settings) as connection:
        await begin(connection)
    yield settings
    await cluster.drop_database("unchanged")


@pytest.fixture(scope="module")
async def refused_writer(unchanged: Settings) -> AsyncGenerator[asyncpg.Connection]:
    """The sequencer's role, about to be refused."""
    async with acting_as("writer", unchanged) as connection:
        yield connection


@pytest.fixture
async def writer(settings: Settings) -> AsyncGenerator[asyncpg.Connection]:
    """The sequencer's role, in a log of the test's own."""
    async with acting_as("writer", settings) as connection:
        await begin(connection)
        yield connection
