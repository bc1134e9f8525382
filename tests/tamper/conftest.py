"""The log that every attack begins with: two days of history, published each day. Each attack gets a copy."""

import itertools
import shutil
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ledger.log import witness
from ledger.settings import Settings
from ledger.store import lineage, setup, signing
from ledger.store.queries import log
from tests.support import clerk
from tests.support.busy import busy_history
from tests.support.clerk import sequenced
from tests.support.postgres import Cluster
from tests.tamper.site import Site, policy_of, proof_of, publish, signer_of

TODAY, YESTERDAY = "tamper_today", "tamper_yesterday"
YESTERDAY_ENTRIES = 1_024
"""However long the story is: full bundles, and a tree that today's continues whole."""
GIFTS = 150
"""Of the second day."""

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Days:
    """The log of today; yesterday's database, and its folder as it was."""

    today: Site
    yesterday: Path


async def report(settings: Settings) -> None:
    """The lineage report of what is published."""
    assert settings.database_url is not None
    writer = setup.database(settings, settings.database_url, "writer", pool_size=1)
    await lineage.report(writer)
    await writer.close()


@pytest.fixture(scope="session")
async def days(cluster: Cluster, story: Settings, tmp_path_factory: pytest.TempPathFactory) -> Days:
    folder = tmp_path_factory.mktemp("tamper")
    shutil.copytree(story.data_dir, folder, dirs_exist_ok=True)
    (folder / "passphrase").write_text("only for this test")
    await cluster.create_database(TODAY, "template_story")
    settings = story.model_copy(
        update={
            "data_dir": folder,
            "database_url": cluster.url(TODAY),
            "signing_passphrase_file": folder / "passphrase",
        }
    )
    signing.create(settings.signing, settings.passphrase)
    async with clerk.opened(settings) as office:
        await busy_history(office)
        fill = YESTERDAY_ENTRIES - office.sequencer.books.seq - 2
        await office.sequencer.enqueue([office.gift(1) for _ in range(fill)])
        gift = await office.give(4_321)
    saved = await publish(settings)
    await report(settings)
    receipt = await proof_of(settings, gift.seq)
    await cluster.create_database(YESTERDAY, TODAY)
    yesterday = tmp_path_factory.mktemp("yesterday")
    shutil.copytree(folder, yesterday, dirs_exist_ok=True)

    async with clerk.opened(settings) as office:
        kept = [sequenced(await office.sequencer.submit(office.gift(1_000 + i))) for i in range(GIFTS)]
    published = log.checkpoint_of(await publish(settings))
    await report(settings)
    site = Site(
        settings=settings,
        policy=policy_of(signer_of(settings)),
        saved=saved,
        receipt=receipt,
        code=kept[-1].code,
        record=witness.Record(size=published.size, root=published.root),
    )
    return Days(site, yesterday)


@pytest.fixture
async def site(cluster: Cluster, days: Days, tmp_path: Path) -> AsyncGenerator[Site]:
    """A copy of today's log to attack."""
    async for each in _copied(cluster, days.today, TODAY, days.today.settings.data_dir, tmp_path):
        yield each


@pytest.fixture
async def restored(cluster: Cluster, days: Days, tmp_path: Path) -> AsyncGenerator[Site]:
    """Yesterday's database under today's folder: a backup was restored. What others kept is today's."""
    async for each in _copied(cluster, days.today, YESTERDAY, days.today.settings.data_dir, tmp_path):
        yield each


async def _copied(cluster: Cluster, site: Site, template: str, data: Path, folder: Path) -> AsyncGenerator[Site]:
    name = f"tampered_{next(_numbers)}"
    await cluster.create_database(name, template)
    shutil.copytree(data, folder, dirs_exist_ok=True)
    update = {"data_dir": folder, "database_url": cluster.url(name)}
    yield replace(site, settings=site.settings.model_copy(update=update))
    await cluster.drop_database(name)
