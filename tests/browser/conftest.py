"""A signed log with the demo's story, and the public application that serves it."""

from collections.abc import AsyncGenerator

import httpx
import pytest
from litestar import Litestar

from api.public import app as public
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.keys import LookupKeys
from tests.browser.given import Evidence, evidence
from tests.support.office import Office, gift, opened
from tests.support.signing import signing
from tests.support.visitor import visitor as visiting


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    async with opened(signing(told)) as office:
        await office.post("gifts", gift(channel_ref="the last of the story"), headers={"Prefer": "wait=9"})
        yield office


@pytest.fixture
async def app(office: Office, told: Settings) -> AsyncGenerator[Litestar]:
    assert told.database_url is not None
    database = setup.database(told, told.database_url, "reader", pool_size=4)
    yield public.build(public.Resources(database=database, lookup=LookupKeys.read(told.lookup)))
    await database.close()


@pytest.fixture
async def visitor(app: Litestar) -> AsyncGenerator[httpx.AsyncClient]:
    async with visiting(app) as client:
        yield client


@pytest.fixture
def code(office: Office) -> str:
    """Of 3,000 yuan, of which a part was paid and confirmed."""
    return [*office.codes.values()][1]


@pytest.fixture
async def kept(office: Office, visitor: httpx.AsyncClient, code: str) -> Evidence:
    return await evidence(office, visitor, code)
