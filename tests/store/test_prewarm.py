"""Reading ahead for look-ups asks the server for each page that one of them may need."""

import asyncpg
import pytest

from ledger.settings import Settings
from ledger.store import prewarm as ahead
from ledger.store import setup
from ledger.store.prewarm import prewarm

PAGE_BYTES = 8192
ASKED_FOR = """
    select heap_blks_read + heap_blks_hit as pages, idx_blks_read + idx_blks_hit as of_indexes
    from pg_statio_user_tables where schemaname = $1 and relname = $2
"""
SIZE = "select pg_relation_size(format('%I.%I', $1::text, $2::text))"


async def asked_for(connection: asyncpg.Connection, schema: str, table: str) -> tuple[int, int]:
    """Pages of the table, and of its indexes, that were asked for so far."""
    await connection.execute("select pg_stat_clear_snapshot()")
    row = await connection.fetchrow(ASKED_FOR, schema, table)
    assert row is not None
    return row["pages"], row["of_indexes"]


@pytest.mark.parametrize("step", [7, 100_000])
async def test_every_page_is_asked_for(told: Settings, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    monkeypatch.setattr(ahead, "STEP", step)
    assert told.database_url is not None
    database = setup.database(told, told.database_url, "writer", pool_size=1, by_index=True)
    try:
        tables = ("entry", "posting", "gift", "receipt")
        async with database.raw() as connection:
            await connection.execute("select pg_stat_force_next_flush()")
            before = {table: await asked_for(connection, told.log, table) for table in tables}
        await prewarm(database)
        async with database.raw() as connection:  # the same one
            await connection.execute("select pg_stat_force_next_flush()")
            for table in tables:
                pages, of_indexes = await asked_for(connection, told.log, table)
                assert of_indexes > before[table][1], table
                if table in {"entry", "posting"}:
                    size: int = await connection.fetchval(SIZE, told.log, table)
                    assert pages - before[table][0] >= size / PAGE_BYTES > 0, table
    finally:
        await database.close()
