"""The classes are the one schema source: what they say is what the migrations make."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlmodel import SQLModel, select

import migrations
from ledger.settings import Settings
from ledger.store import guarantees, setup, tables
from ledger.store.database import Database
from ledger.store.tables.money import PostingRow
from tests.support.acting import acting_as_superuser
from tests.support.first_rows import ACCOUNTS, ENTRIES

TABLES = tuple(sorted(SQLModel.metadata.tables))


async def test_alembic_finds_no_difference_between_the_classes_and_the_migrations(settings: Settings) -> None:
    assert settings.database_url is not None
    owner = setup.database(settings, settings.database_url, "owner", pool_size=1)
    async with owner.engine.connect() as connection:
        await connection.run_sync(alembic_check)
    await owner.close()


def alembic_check(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.check(config)


async def test_tables_made_from_the_classes_have_the_columns_constraints_and_indexes_of_the_migrations(
    settings: Settings,
) -> None:
    """Alembic compares neither CHECK nor EXCLUDE; this does."""
    async with acting_as_superuser(settings) as superuser:
        await superuser.execute("create schema classes")
    assert settings.database_url is not None
    parts = urlsplit(settings.database_url)
    database = Database(
        settings.database_url, "classes", user=unquote(parts.username or ""), password=unquote(parts.password or "")
    )
    async with database.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    async with database.raw() as raw:
        made = await guarantees.read_facts(raw)
    await database.close()
    assert shape(made) == shape(guarantees.expected())


def shape(facts: guarantees.Facts) -> guarantees.Facts:
    return {
        name: {aspect: value for aspect, value in aspects.items() if aspect.split()[0] in COMPARED}
        for name, aspects in facts.items()
        if name in TABLES
    }


COMPARED = {"column", "constraint", "index"}


async def test_every_table_can_be_read_through_its_class(settings: Settings, writer: asyncpg.Connection) -> None:
    assert settings.database_url is not None
    database = setup.database(settings, settings.database_url, "owner")  # visits are for nobody else
    nouns = [getattr(tables, each) for each in tables.__all__]
    classes = {value for noun in nouns for value in vars(noun).values() if hasattr(value, "__table__")}
    assert len(classes) == len(TABLES)
    async with database.read() as session:
        read = {kind.__name__: len((await session.exec(select(kind))).all()) for kind in classes}
        posting = (await session.exec(select(PostingRow).where(PostingRow.seq == 3))).one()
    await database.close()
    assert {name: rows for name, rows in read.items() if rows} == {
        "Head": 1, "EntryRow": ENTRIES, "AccountRow": len(ACCOUNTS), "PostingRow": 3, "GiftRow": 1, "ReceiptRow": 1,
    }  # fmt: skip
    assert (posting.src_hi, posting.dst_hi, posting.dst_prev, posting.src_has_line) == (60, 60, None, True)
