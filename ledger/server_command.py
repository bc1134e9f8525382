"""What commands work on: this log's PostgreSQL server, as one of its roles, and where they say what they do."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import uvloop
from rich.console import Console

from ledger.settings import Settings
from ledger.store import embedded, setup
from ledger.store.database import Database

console = Console(stderr=True, highlight=False)


def run(
    work: Callable[..., Coroutine[Any, Any, None]], *, settings: Settings | None = None, **arguments: object
) -> None:
    """Do it, with the settings of the environment if none are given."""
    uvloop.run(work(settings or Settings(), **arguments))


@asynccontextmanager
async def server(settings: Settings) -> AsyncGenerator[str]:
    """The PostgreSQL server's address; the embedded one is started, and stopped if we started it."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    started = await asyncio.to_thread(embedded.start, settings.cluster, report=console.print)
    try:
        yield started.url()
    finally:
        await asyncio.to_thread(embedded.stop, started)


@asynccontextmanager
async def writer(settings: Settings) -> AsyncGenerator[Database]:
    """The log's tables, as the role that writes."""
    async with server(settings) as url:
        database = setup.database(settings, url, "writer", pool_size=2)
        try:
            yield database
        finally:
            await database.close()
