"""Being one of the log's roles, or the server's superuser, on a connection to the test's own database."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg

from ledger.settings import Settings
from ledger.store import setup


@asynccontextmanager
async def acting_as(role: setup.RoleName, settings: Settings) -> AsyncGenerator[asyncpg.Connection]:
    """A connection with that role's rights."""
    assert settings.database_url is not None
    database = setup.database(settings, settings.database_url, role, pool_size=2)
    try:
        async with database.raw() as connection:
            yield connection
    finally:
        await database.close()


@asynccontextmanager
async def acting_as_superuser(settings: Settings) -> AsyncGenerator[asyncpg.Connection]:
    """A connection that may do anything, in the log's schema."""
    connection = await asyncpg.connect(
        settings.database_url, server_settings={"search_path": f'"{settings.log}", public'}
    )
    try:
        yield connection
    finally:
        await connection.close()
