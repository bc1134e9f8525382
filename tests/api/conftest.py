"""Both applications, on a log that tells the story."""

from collections.abc import AsyncGenerator
from typing import NamedTuple

import httpx
import pytest
from litestar import Litestar

from api.admin import app as admin
from api.public import app as public_application
from api.public.editions import publish
from ledger.opendata.terms import Terms
from ledger.settings import Settings
from ledger.store import lineage, setup
from ledger.store.keys import LookupKeys
from tests.support import office
from tests.support.office import Office
from tests.support.signing import signing
from tests.support.visitor import visitor

TERMS = Terms(iati_org="XI-IATI-SUNLEDGER", giving_prefix="360G-sunledger")


class Told(NamedTuple):
    """The public application where the story was told, signed, reported on and put down as an edition."""

    app: Litestar
    http: httpx.AsyncClient
    code: str
    """Of a gift's receipt."""


@pytest.fixture
async def desk(told: Settings) -> AsyncGenerator[Office]:
    async with office.opened(told) as opened:
        yield opened


@pytest.fixture
async def signed(told: Settings) -> AsyncGenerator[Office]:
    """The same, and all of it is published."""
    async with office.opened(signing(told)) as opened:
        publisher = opened.resources.publisher
        assert publisher is not None
        assert await publisher.wait_for(await opened.size() - 1, 9)
        yield opened


@pytest.fixture
async def public(told: Settings, signed: Office) -> AsyncGenerator[Told]:
    writer, folder = signed.resources.database, told.data_dir / "open-data"
    size = await signed.size()
    assert await lineage.report(writer) == size
    await publish(writer, TERMS, folder, size, site_url="https://ledger.example.org")
    assert told.database_url is not None
    database = setup.database(told, told.database_url, "reader")
    lookup = LookupKeys.read(told.lookup)
    app = public_application.build(
        public_application.Resources(database=database, lookup=lookup, terms=TERMS, open_data=folder)
    )
    async with visitor(app) as http:
        yield Told(app, http, next(iter(signed.codes.values())))
    await database.close()


@pytest.fixture
async def applications(told: Settings, desk: Office) -> AsyncGenerator[dict[str, Litestar]]:
    assert told.database_url is not None
    database = setup.database(told, told.database_url, "reader")
    resources = public_application.Resources(database=database, lookup=LookupKeys.read(told.lookup))
    yield {"admin": admin.build(desk.resources), "public": public_application.build(resources)}
    await database.close()
