"""A signed log with the demo's story, and the public application that serves it; a browser."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import httpx
import pytest
from litestar import Litestar

from api.main import publish
from api.public import app as public
from ledger.log.checkpoint import Checkpoint
from ledger.settings import Settings
from ledger.store import lineage, setup
from ledger.store.keys import LookupKeys
from public_site.appearance import Appearance
from tests.browser.given import Evidence, evidence, with_income
from tests.browser.served import SITE, Served, happen, served_with
from tests.support import axe
from tests.support.authority import authority, stamp
from tests.support.browser import Browser, Page, browser
from tests.support.listening import listening
from tests.support.office import CITY, Office, copied, gift, opened
from tests.support.postgres import Cluster
from tests.support.signing import signing
from tests.support.visitor import visitor as visiting

HOST = "ledger.example"
"""Resolved to this machine; on plain http no secure context, unlike 127.0.0.1."""


@pytest.fixture(scope="session")
async def chromium() -> AsyncGenerator[Browser]:
    # A page that the protocol answers counts as public, and may ask this machine for nothing: these checks aside.
    features = "LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,PrivateNetworkAccessSendPreflights"
    rules = f"--host-resolver-rules=MAP {HOST} 127.0.0.1"
    async with browser(rules, f"--disable-features={features}") as opened:
        yield opened


@pytest.fixture
async def page(chromium: Browser) -> AsyncGenerator[Page]:
    async with chromium.page() as opened:
        await opened.size(390)
        yield opened


@pytest.fixture
async def office(told: Settings) -> AsyncGenerator[Office]:
    async with opened(signing(told)) as office:
        await office.post("gifts", gift(channel_ref="the last of the story"), headers={"Prefer": "wait=9"})
        yield office


@pytest.fixture(scope="session")
async def served(cluster: Cluster, story: Settings, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Served]:
    """The demo's story, gifts that something happened to, a project that never got money."""
    async with copied(story, cluster, tmp_path_factory.mktemp("site")) as copy:
        told = signing(copy)
        async with opened(told) as office:
            numbers, codes = await happen(office)
            idle = {"org": CITY, "project": "idle", "name": "还没有开始的项目"}
            assert (await office.post("projects", idle, who="administrator")).status_code == 201
            last = gift(channel_ref="the last one", amount_fen=12_345)
            assert (await office.post("gifts", last, headers={"Prefer": "wait=9"})).status_code == 201
            said = (await office.get("checkpoint")).json()
            seen = Checkpoint(origin=said["origin"], size=said["size"], root=bytes.fromhex(said["root"]))
            stamped = stamp(seen, authority().stamp(seen))
            answer = await office.post("stamps", stamped, who="administrator", headers={"Prefer": "wait=9"})
            assert answer.status_code == 201
            codes = {**office.codes, **codes}
        folder = told.data_dir / "open"
        writer = setup.database(told, str(told.database_url), "writer", pool_size=1)
        await publish(told, writer, folder, await lineage.report(writer))
        await writer.close()
        look = Appearance(address=SITE, contact="jubao@example.org")
        async with served_with(told, look=look, open_data=folder, visits=None) as address:
            yield Served(address=address, numbers=numbers, codes=codes)


@dataclass(frozen=True, slots=True)
class Genuine:
    """A log that nobody writes to any more: what is forged is forged on the way to the browser."""

    address: str
    office: Office
    code: str
    """Of 3,000 yuan, of which a part was paid and confirmed."""
    kept: Evidence


@pytest.fixture(scope="session")
async def genuine(
    cluster: Cluster, story: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Genuine]:
    """The demo's story, and an income of the same amount as one of its gifts."""
    async with copied(story, cluster, tmp_path_factory.mktemp("genuine")) as copy:
        told = signing(copy)
        async with (
            opened(told) as office,
            served_with(told, visits=None) as address,
            httpx.AsyncClient(base_url=address) as visitor,
        ):
            code = [*office.codes.values()][1]
            kept = await with_income(office, visitor, await evidence(office, visitor, code))
            yield Genuine(address=address, office=office, code=code, kept=kept)


@pytest.fixture(scope="session")
async def axe_script() -> str:
    return await axe.script()


@pytest.fixture
async def app(office: Office, told: Settings) -> AsyncGenerator[Litestar]:
    assert told.database_url is not None
    database = setup.database(told, told.database_url, "reader", pool_size=4)
    yield public.build(public.Resources(database=database, lookup=LookupKeys.read(told.lookup)))
    await database.close()


@pytest.fixture
async def address(app: Litestar) -> AsyncGenerator[str]:
    async with listening(app) as url:
        yield url


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
    return await with_income(office, visitor, await evidence(office, visitor, code))
