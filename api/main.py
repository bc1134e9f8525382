"""The composition root: settings in, running applications out. Everything is made here, once."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import uvicorn
from litestar import Litestar

from api.admin import app as admin
from api.admin.resources import Resources as AdminResources
from api.auth import Doorkeeper
from api.public import app as public
from ledger import entries
from ledger.settings import Settings
from ledger.store import guarantees, setup, signing
from ledger.store.clock import Clock
from ledger.store.database import Database
from ledger.store.intake import Intake
from ledger.store.keys import LogKeys, LookupKeys, SubjectKeys
from ledger.store.outside import OutsideCheckpoint
from ledger.store.publisher import Publisher
from ledger.store.sequencer import Sequencer
from ledger.store.setup import SetupError
from ledger.store.sheets import Sheets
from ledger.store.vault import Sealer

SEQUENCER_CONNECTIONS = 4
"""Two for the sequencer, which decides while it writes; one for the publisher, one for a recovery."""


@asynccontextmanager
async def admin_resources(settings: Settings, url: str) -> AsyncGenerator[AdminResources]:
    """Everything that writes, running; the log is taken over from whoever wrote it before."""
    async with AsyncExitStack() as stack:
        database = await _opened(stack, setup.database(settings, url, "writer"))
        await _check(database)
        own = await _opened(
            stack, setup.database(settings, url, "writer", pool_size=SEQUENCER_CONNECTIONS, by_index=True)
        )
        keys = LogKeys.read(settings.keys)
        subjects = SubjectKeys(settings.subject_keys, write=True)
        stack.callback(subjects.close)
        sequencer = Sequencer(own, subjects, Clock(), queue_size=settings.queue_size)
        await sequencer.start()
        stack.push_async_callback(sequencer.stop)
        publisher = await _publisher(settings, own)
        if publisher is not None:
            await publisher.start()
            stack.push_async_callback(publisher.stop)
        sealer = Sealer(keys, LookupKeys.read(settings.lookup))
        sheets = Sheets(database, sequencer, keys, settings.sheets)
        intake = Intake(sequencer, sealer, sheets)
        intake.start()
        stack.push_async_callback(intake.stop)
        yield AdminResources(
            database=database,
            doorkeeper=Doorkeeper(database),
            sequencer=sequencer,
            sealer=sealer,
            subjects=subjects,
            keys=keys,
            sheets=sheets,
            intake=intake,
            publisher=publisher,
        )


@asynccontextmanager
async def public_resources(settings: Settings, url: str) -> AsyncGenerator[public.Resources]:
    """What the public application reads with: the reader's password and the look-up keys."""
    async with AsyncExitStack() as stack:
        database = await _opened(stack, setup.database(settings, settings.read_url or url, "reader"))
        await _check(database)
        yield public.Resources(database=database, lookup=LookupKeys.read(settings.lookup))


class _Server(uvicorn.Server):
    """Leaves signals alone: one Ctrl-C stops all that this process runs, in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: Litestar, host: str, port: int, *, stop: asyncio.Event) -> None:
    """Answer until `stop` is set; requests that run are finished."""
    listening = _listen(host, port)
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", server_header=False)
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        server.should_exit = True
        await serving


def _listen(host: str, port: int) -> socket.socket:
    """Ours rather than uvicorn's, which ends the process where the port is taken."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise SetupError(f"{host} port {port}: {error.strerror}; choose another one in the settings") from error


async def serve_admin(settings: Settings, url: str, stop: asyncio.Event) -> None:
    """The admin application."""
    async with admin_resources(settings, url) as resources:
        await serve(admin.build(resources), settings.admin_host, settings.admin_port, stop=stop)


async def serve_public(settings: Settings, url: str, stop: asyncio.Event) -> None:
    """The public application."""
    async with public_resources(settings, url) as resources:
        await serve(public.build(resources), settings.public_host, settings.public_port, stop=stop)


async def _opened(stack: AsyncExitStack, database: Database) -> Database:
    stack.push_async_callback(database.close)
    return database


async def _publisher(settings: Settings, database: Database) -> Publisher | None:
    """Signs the log, if it has a key and an origin to sign as."""
    if not settings.signing.exists():
        return None
    async with database.raw() as connection:
        first = await connection.fetchval("select bytes from entry where seq = 0")
    if first is None:
        return None
    opened = entries.decode(first).body
    assert isinstance(opened, entries.LogOpened)
    signer = signing.signer(settings.signing, settings.passphrase, opened.origin)
    return Publisher(database, signer, OutsideCheckpoint(settings.outside_checkpoint))


async def _check(database: Database) -> None:
    """Refuse to start on tables that would accept wrong money."""
    async with database.raw() as connection:
        await guarantees.require(connection)
