"""Both applications, on a log that tells the story."""

from collections.abc import AsyncGenerator

import pytest
from litestar import Litestar

from api.admin import app as admin
from api.public import app as public
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.keys import LookupKeys
from tests.support import office
from tests.support.office import Office


@pytest.fixture
async def desk(told: Settings) -> AsyncGenerator[Office]:
    async with office.opened(told) as opened:
        yield opened


@pytest.fixture
async def applications(told: Settings, desk: Office) -> AsyncGenerator[dict[str, Litestar]]:
    assert told.database_url is not None
    database = setup.database(told, told.database_url, "reader")
    resources = public.Resources(database=database, lookup=LookupKeys.read(told.lookup))
    yield {"admin": admin.build(desk.resources), "public": public.build(resources)}
    await database.close()
