"""The composition root: settings in, running applications out. Everything is made here, once."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from api.admin import app as admin
from api.admin.resources import Resources as AdminResources
from api.auth import Doorkeeper
from api.limits import Rates
from api.public import app as public
from api.public import editions
from api.serving import listen, serve, share, watch_input
from ledger import entries
from ledger.log.errors import VerificationError
from ledger.log.policy import Policy
from ledger.opendata.editions import Edition
from ledger.opendata.terms import LICENCES, Terms
from ledger.settings import Settings
from ledger.store import guarantees, setup, signing
from ledger.store.clock import Clock
from ledger.store.cosigning import Witnesses
from ledger.store.database import Database, place_of
from ledger.store.donors import Donors
from ledger.store.erasures import ErasureList, require_carried_out
from ledger.store.files import SetupError
from ledger.store.fiscal import FiscalForm
from ledger.store.intake import Intake
from ledger.store.keys import LogKeys, LookupKeys, SubjectKeys
from ledger.store.outside import OutsideCheckpoint
from ledger.store.prewarm import prewarm
from ledger.store.publisher import Publisher
from ledger.store.queries.entries import read_written
from ledger.store.queries.visits import Visits
from ledger.store.rebuild import is_rebuild_due
from ledger.store.refused_rows import RefusedRows
from ledger.store.sequencer import Sequencer
from ledger.store.sheets import Sheets
from ledger.store.vault import Sealer
from public_site.appearance import Appearance

SEQUENCER_CONNECTIONS = 6
"""Two for the sequencer, which decides while it writes; for the publisher, what witnesses answer, a recovery, reading
ahead after an import."""


@asynccontextmanager
async def admin_resources(settings: Settings, url: str, clock: Clock | None = None) -> AsyncGenerator[AdminResources]:
    """Everything that writes, running; the log is taken over from whoever wrote it before. `clock`: a story's."""
    async with AsyncExitStack() as stack:
        database = await _opened(stack, setup.database(settings, url, "writer"))
        await _check(database)
        own = await _opened(
            stack, setup.database(settings, url, "writer", pool_size=SEQUENCER_CONNECTIONS, by_index=True)
        )
        keys = LogKeys.read(settings.keys)
        subjects = SubjectKeys(settings.subject_keys, write=True)
        stack.callback(subjects.close)
        erased = ErasureList(settings.erasures)
        sequencer = Sequencer(own, subjects, clock or Clock(), erased=erased, queue_size=settings.queue_size)
        await sequencer.start()
        stack.push_async_callback(sequencer.stop)
        publisher = await _publisher(settings, own)
        if publisher is not None:
            await publisher.start()
            stack.push_async_callback(publisher.stop)
        lookup = LookupKeys.read(settings.lookup)
        sealer = Sealer(keys, lookup, subjects.draw)
        sheets = Sheets(database, sequencer, keys, settings.sheets)
        refused = RefusedRows(settings.sheets)
        intake = Intake(
            sequencer,
            keys,
            lookup,
            sheets,
            refused=refused,
            draw=subjects.draw_many,
            prewarm=partial(prewarm, own),
        )
        intake.start()
        stack.push_async_callback(intake.stop)
        yield AdminResources(
            database=database,
            doorkeeper=Doorkeeper(database),
            sequencer=sequencer,
            sealer=sealer,
            subjects=subjects,
            keys=keys,
            donors=Donors(subjects, lookup),
            sheets=sheets,
            intake=intake,
            fiscal_form=FiscalForm(settings.fiscal_code, settings.fiscal_number, settings.fiscal_check_code),
            site=settings.site,
            publisher=publisher,
        )


@asynccontextmanager
async def public_resources(settings: Settings, url: str) -> AsyncGenerator[public.Resources]:
    """What the public application reads with: the reader's password and the look-up keys."""
    async with AsyncExitStack() as stack:
        database = await _opened(stack, setup.database(settings, settings.read_url or url, "reader"))
        await _check(database)
        async with database.raw() as connection:
            await require_carried_out(connection, ErasureList(settings.erasures))
        lookup = LookupKeys.read(settings.lookup)
        by_index = await _opened(stack, setup.database(settings, settings.read_url or url, "reader", by_index=True))
        # A replica takes no writes, and has no unlogged tables.
        primary = await _opened(stack, setup.database(settings, url, "reader")) if settings.read_url else database
        visits, look = Visits(primary, lookup), Appearance.of(settings)
        yield public.Resources(
            database=database,
            by_index=by_index,
            lookup=lookup,
            visits=visits,
            rates=_rates(settings),
            look=look,
            terms=_terms(settings),
            open_data=settings.open_data,
            site_url=settings.site_url or "",
        )


async def serve_admin(settings: Settings, url: str, stop: asyncio.Event) -> None:
    """The admin application."""
    async with admin_resources(settings, url) as resources:
        await serve(admin.build(resources), listen(settings.admin_host, settings.admin_port), stop=stop)


async def serve_public(settings: Settings, url: str, stop: asyncio.Event, *, fd: int | None = None) -> None:
    """The public application; `fd`: as one of several processes, on a socket that they share."""
    if fd is None and settings.public_workers > 1:
        with listen(settings.public_host, settings.public_port) as shared:
            environment = {"SUNLEDGER_DATABASE_URL": place_of(url)}  # not its user
            await share(shared, ["public"], environment, workers=settings.public_workers, stop=stop)
        return
    async with public_resources(settings, url) as resources:
        if fd is None:
            listening = listen(settings.public_host, settings.public_port)
        else:
            watch_input(stop)
            listening = socket.socket(fileno=fd)
        await serve(public.build(resources), listening, stop=stop)


async def publish(settings: Settings, database: Database, folder: Path, size: int) -> Edition:
    """All open data of a published state, in a folder."""
    return await editions.publish(database, _terms(settings), folder, size, site_url=settings.site)


def _rates(settings: Settings) -> Rates:
    return Rates(
        requests_per_minute=settings.requests_per_minute,
        failures_per_hour=settings.failures_per_hour,
        failures_per_code=settings.failures_per_code,
        trusted_proxies=settings.proxies,
    )


def _terms(settings: Settings) -> Terms:
    return Terms(
        licence=LICENCES[settings.data_licence], iati_org=settings.iati_org, giving_prefix=settings.giving_prefix
    )


async def _opened(stack: AsyncExitStack, database: Database) -> Database:
    stack.push_async_callback(database.close)
    return database


async def _publisher(settings: Settings, database: Database) -> Publisher | None:
    """Signs the log, if it has a key and an origin to sign as."""
    if not settings.signing.exists():
        return None
    async with database.raw() as connection:
        first = await read_written(connection, 0)
    if first is None:
        return None
    opened = entries.decode(first).body
    assert isinstance(opened, entries.LogOpened)
    signer = signing.signer(settings.signing, settings.passphrase, opened.origin)
    outside = OutsideCheckpoint(settings.outside_checkpoint)
    witnesses = _witnesses(settings, database)
    return Publisher(database, signer, outside, witnesses, is_quorum_required=settings.witness_required)


def _witnesses(settings: Settings, database: Database) -> Witnesses | None:
    """Those of the operator's policy file, which must say where they are."""
    path = settings.witness_policy
    if path is None:
        if settings.witness_required:
            raise SetupError("witnesses are required, but there are none: SUNLEDGER_WITNESS_POLICY")
        return None
    try:
        policy = Policy.parse(path.read_text())
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from error
    except (VerificationError, UnicodeDecodeError) as error:
        raise SetupError(f"{path}: {error}") from error
    for witness in policy.witnesses:
        if not witness.url.startswith(("https://", "http://")):
            raise SetupError(f"{path}: witness {witness.name} needs an http(s) URL, found {witness.url or 'none'}")
    return Witnesses(database, policy, timeout_s=settings.witness_timeout_s)


async def _check(database: Database) -> None:
    """Refuse to start on tables that would accept wrong money, or that would show wrong figures."""
    async with database.raw() as connection:
        await guarantees.require(connection)
        if await is_rebuild_due(connection):
            raise SetupError("this log is older than its tables of figures: run `sunledger rebuild` once")
