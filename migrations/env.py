"""Runs the migrations as the log's owner, on a connection it is given or on one of its own."""

import asyncio
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from ledger.settings import Settings
from ledger.store import tables  # noqa: F401  fills the metadata
from ledger.store.setup import owner_database


def render_item(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Keep migrations plain SQLAlchemy: SQLModel's string type is an implementation detail of its classes."""
    return "sa.String()" if kind == "type" and isinstance(item, AutoString) else False


def run(connection: Connection) -> None:
    """One transaction a migration; never wait long for a lock, and never for a statement without end."""
    connection.execute(sa.text("set lock_timeout = '10s'"))
    connection.execute(sa.text("set statement_timeout = '10min'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        compare_server_default=True,
        transaction_per_migration=True,
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_alone() -> None:
    """`alembic upgrade head` from the shell."""
    database = owner_database(Settings())
    async with database.engine.connect() as connection:
        await connection.run_sync(run)
    await database.close()


ready = context.config.attributes.get("connection")
if ready is not None:
    run(ready)
else:
    asyncio.run(run_alone())
