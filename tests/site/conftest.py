"""The public application, and a branch of the society that writes to it."""

from collections.abc import AsyncGenerator

import httpx
import pytest
from litestar import Litestar

from api.public.app import Resources, build
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.database import Database
from ledger.store.keys import LookupKeys
from tests.support.branch import Branch
from tests.support.office import Office, gift, opened
from tests.support.signing import signing
from tests.support.visitor import visitor


@pytest.fixture
async def branch(settings: Settings) -> AsyncGenerator[Branch]:
    async with Branch.open(settings) as opened:
        yield opened


@pytest.fixture
async def reader(settings: Settings, branch: Branch) -> AsyncGenerator[Database]:
    """The database as the public application sees it."""
    assert settings.database_url is not None
    database = setup.database(settings, settings.database_url, "reader")
    yield database
    await database.close()


@pytest.fixture
def resources(settings: Settings, reader: Database) -> Resources:
    return Resources(database=reader, lookup=LookupKeys.read(settings.lookup))


@pytest.fixture
def site_app(resources: Resources) -> Litestar:
    return build(resources)


@pytest.fixture
async def http(site_app: Litestar) -> AsyncGenerator[httpx.AsyncClient]:
    async with visitor(site_app) as client:
        client.headers["Accept"] = "text/html"
        yield client


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    async with opened(signing(told)) as office:
        assert office.resources.publisher is not None
        assert await office.resources.publisher.wait_for(await office.size() - 1, 60)
        yield office


@pytest.fixture
async def demo(told: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    """The site over the demo's story, whose log is signed."""
    settings = signing(told)
    async with opened(settings) as office:
        await office.post("gifts", gift(channel_ref="the last one"), headers={"Prefer": "wait=9"})
    assert settings.database_url is not None
    database = setup.database(settings, settings.database_url, "reader", pool_size=4)
    app = build(Resources(database=database, lookup=LookupKeys.read(settings.lookup)))
    async with visitor(app) as client:
        client.headers["Accept"] = "text/html"
        yield client
    await database.close()
