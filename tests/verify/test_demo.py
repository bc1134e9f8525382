"""The log that this software writes, publishes and exports, read by the auditor: over HTTP and from the folder."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import closing
from pathlib import Path

import pytest

from api.public import app as public
from ledger import entries
from ledger.log.key import VerifierKey
from ledger.log.policy import Log, Policy
from ledger.settings import Settings
from ledger.store import setup, signing
from ledger.store.export import export
from ledger.store.keys import LookupKeys
from ledger.store.queries import log
from ledger.verify.mirror import Http
from ledger.verify.report import Report
from ledger.verify.source import Directory
from ledger.verify.verifier import verify
from tests.support.listening import listening
from tests.support.office import Office, gift, opened

GIFTS = 300
"""With the demo's own entries more than one tile."""


@pytest.fixture
async def office(told: Settings, tmp_path: Path) -> AsyncGenerator[Office]:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("only for this test")
    settings = told.model_copy(update={"signing_passphrase_file": passphrase})
    signing.create(settings.signing, settings.passphrase)
    async with opened(settings) as office:
        yield office


async def publish(office: Office, folder: Path) -> Policy:
    """Export what was published up to now; the policy of somebody who was told the key."""
    assert office.resources.publisher is not None
    assert await office.resources.publisher.wait_for(await office.size() - 1, 60)
    await export(office.resources.database, folder, report=lambda *_: None)
    async with office.resources.database.raw() as connection:
        keys = await log.signing_keys(connection)
    return Policy(logs=tuple(Log(key=VerifierKey.parse(key)) for key in keys))


async def test_the_story_tells_one_of_each_event_that_money_meets(office: Office) -> None:
    async with office.resources.database.raw() as connection:
        told = {row["kind"] for row in await connection.fetch("select distinct kind from entry")}
        sizes = await connection.fetchrow("select count(*), max(at::date) - min(at::date) as days from entry")
    moving = (
        "campaign.",
        "entry.",
        "erasure.",
        "exchange.",
        "fee.",
        "gift.",
        "income.",
        "money.",
        "period.",
        "pledge.",
        "receipt.",
        "suspense.",
        "transfer.",
    )
    wanted = {kind for kind in entries.KINDS if kind.startswith(moving) or kind.endswith(".closed")}
    assert wanted | {"proposal.expired", "proposal.rejected", "delivery.confirmed", "feedback.published"} <= told
    assert sizes["days"] > 7, "days passed, or nothing could expire"


async def test_what_the_demo_publishes_verifies_as_it_grows(office: Office, told: Settings, tmp_path: Path) -> None:
    policy = await publish(office, tmp_path / "site" / "log")
    saved = (tmp_path / "site" / "log" / "checkpoint").read_bytes()
    for i in range(GIFTS):
        assert (await office.post("gifts", gift(channel_ref=f"{i}"))).status_code == 201
    await publish(office, tmp_path / "site" / "log")

    from_folder = await asyncio.to_thread(verify, Directory(tmp_path / "site"), policy=policy, saved=saved)
    assert told.database_url is not None
    reader = setup.database(told, told.database_url, "reader", pool_size=4)
    app = public.build(public.Resources(database=reader, lookup=LookupKeys.read(told.lookup)))
    async with listening(app) as url:
        over_http = await asyncio.to_thread(visit, url, policy, saved)
    await reader.close()
    for report in (from_folder, over_http):
        assert report.exit_code == 0, report.text()
        assert report.replayed == report.size == await office.size() > GIFTS
        assert report.signed_by
        assert report.is_saved_continued
    assert from_folder.to_json() == over_http.to_json()


def visit(url: str, policy: Policy, saved: bytes) -> Report:
    with closing(Http(url)) as mirror:
        return verify(mirror, policy=policy, saved=saved)
