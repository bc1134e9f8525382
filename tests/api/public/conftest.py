"""The public application on a database of the test's own, and a branch of the society that writes to it."""

import io
from collections.abc import AsyncGenerator, Iterator

import httpx
import pytest
from litestar import Litestar

from api.public.app import Resources, build
from ledger.campaigns import RegisterCampaign
from ledger.organisations import DeclareEvent
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.database import Database
from ledger.store.keys import LookupKeys
from tests.support.branch import FLOOD, FOUNDER, PROVINCE, Branch
from tests.support.logged import as_in_use
from tests.support.visitor import visitor


@pytest.fixture
async def branch(settings: Settings) -> AsyncGenerator[Branch]:
    async with Branch.open(settings) as opened:
        yield opened


@pytest.fixture
async def some(branch: Branch) -> Branch:
    """A branch with a little of everything."""
    await branch.do(DeclareEvent(maker=FOUNDER, event="drought", name="旱灾", began="2026-06-01"))
    await branch.do(RegisterCampaign(
        maker=FOUNDER, org=PROVINCE, campaign="flood-2026", name="=洪灾,募捐", filing="备案001",
        first_on="2026-06-01", last_on="2026-06-30",
    ))  # fmt: skip
    for amount_fen in (12_345, 700, 1):
        await branch.gift(amount_fen, "flood")
    await branch.gift(999, event=FLOOD, on="2026-06-30")
    await branch.allocate(10_000, "flood", "relief")
    await branch.pay(9_007, "relief", payee="=衢州医院", purpose='"紧急", 采购')
    return branch


@pytest.fixture
async def reader(settings: Settings, branch: Branch) -> AsyncGenerator[Database]:
    """The database as the public application sees it."""
    assert settings.database_url is not None
    database = setup.database(settings, settings.database_url, "reader")
    yield database
    await database.close()


@pytest.fixture
def app(settings: Settings, reader: Database) -> Litestar:
    """As it runs: with the reader's password and the look-up keys, and nothing else."""
    return build(Resources(database=reader, lookup=LookupKeys.read(settings.lookup)))


@pytest.fixture
async def http(app: Litestar) -> AsyncGenerator[httpx.AsyncClient]:
    async with visitor(app) as client:
        yield client


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged, as it is in use."""
    with as_in_use() as written:
        yield written


@pytest.fixture
async def without_database(settings: Settings, branch: Branch, log: io.StringIO) -> AsyncGenerator[httpx.AsyncClient]:
    """The application while its database is down."""
    database = Database("postgresql:///none?host=/nowhere", "none", user="nobody", password="")
    async with visitor(build(Resources(database=database, lookup=LookupKeys.read(settings.lookup)))) as client:
        yield client
    await database.close()
