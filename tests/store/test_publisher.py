"""The publisher: what is sequenced comes under a signed checkpoint, and signing never goes back."""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import asyncpg
import pytest

from ledger.log.checkpoint import open_checkpoint
from ledger.log.key import VerifierKey
from ledger.log.note import Ed25519Verifier
from ledger.log.policy import Policy
from ledger.log.tree import leaf_hash, root_of
from ledger.settings import Settings
from ledger.store import setup, signing
from ledger.store.audit.stored import Stored
from ledger.store.files import SetupError
from ledger.store.outside import OutsideCheckpoint
from ledger.store.publisher import Publisher
from ledger.store.queries import log
from ledger.store.queries.log import integrated_size
from ledger.verify.report import Report
from ledger.verify.verifier import verify
from tests.support.acting import acting_as
from tests.support.office import Office, gift, opened
from tests.support.postgres import Cluster


@pytest.fixture
def signed(told: Settings, tmp_path: Path) -> Settings:
    """The demo's log with a signing key."""
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("only for this test")
    settings = told.model_copy(update={"signing_passphrase_file": passphrase})
    signing.create(settings.signing, settings.passphrase)
    return settings


async def published(office: Office) -> bytes:
    """The newest checkpoint, once it covers the whole log."""
    publisher = office.resources.publisher
    assert publisher is not None
    assert await publisher.wait_for(await office.size() - 1, 60)
    return await newest(office)


async def written(office: Office, settings: Settings) -> object:
    """Whatever changes where anything is signed or published, though the same bytes come of it."""
    file = settings.outside_checkpoint.stat()
    async with office.resources.database.raw() as connection:
        rows = await connection.fetch("select xmin::text, size from checkpoint order by size")
    return file.st_ino, file.st_mtime_ns, rows


async def newest(office: Office) -> bytes:
    """The newest checkpoint as it is served."""
    async with office.resources.database.raw() as connection:
        note = await log.last_checkpoint(connection)
    assert note is not None
    return note


async def keys_of(office: Office) -> list[VerifierKey]:
    async with office.resources.database.raw() as connection:
        return [VerifierKey.parse(key) for key in await log.signing_keys(connection)]


async def test_every_entry_comes_under_a_signed_checkpoint(signed: Settings) -> None:
    async with opened(signed) as office:
        for i in range(300):  # past the first full tile
            assert (await office.post("gifts", gift(channel_ref=f"{i}"))).status_code == 201
        note = await published(office)
        (key,) = await keys_of(office)
        checkpoint = open_checkpoint(note, Ed25519Verifier(key))
        async with office.resources.database.raw() as connection:
            rows = await connection.fetch("select bytes from entry order by seq")
            assert checkpoint.size == len(rows)
            assert checkpoint.root == root_of(leaf_hash(row["bytes"]) for row in rows)
            policy = Policy.parse(f"log {key}\nquorum none\n")
            proofs = await log.read_proofs(connection, [0, 1, 255, 256, len(rows) - 1])
            assert proofs is not None
            for proof in proofs:
                assert proof.checkpoint == note
                proof.verify(rows[proof.index]["bytes"], policy)


async def test_nothing_is_signed_while_nothing_arrives(signed: Settings) -> None:
    async with opened(signed) as office:
        await published(office)
        publisher = office.resources.publisher
        assert publisher is not None
        before = await written(office, signed)
        for _ in range(3):  # what it does at each of its periods
            await publisher.step()
        assert await written(office, signed) == before
        await office.post("gifts", gift())
        await published(office)
        assert await written(office, signed) != before


async def test_what_was_signed_stands_after_a_restart(signed: Settings) -> None:
    async with opened(signed) as office:
        before = await published(office)
    async with opened(signed) as office:
        assert await published(office) == before
        await office.post("gifts", gift())
        assert await published(office) != before


async def test_a_lost_outside_file_stops_the_start(signed: Settings) -> None:
    async with opened(signed) as office:
        await published(office)
    signed.outside_checkpoint.unlink()
    with pytest.raises(SetupError, match="checkpoint adopt"):
        async with opened(signed):
            pass


async def test_an_older_copy_of_the_database_is_not_signed_a_second_time(signed: Settings, cluster: Cluster) -> None:
    async with opened(signed) as office:
        await published(office)
    assert signed.database_url is not None
    old = "restored_" + signed.database_url.rsplit("/", 1)[1].split("?")[0]
    await cluster.create_database(old, signed.database_url.rsplit("/", 1)[1].split("?")[0])
    try:
        async with opened(signed) as office:
            await office.post("gifts", gift())
            await published(office)
        with pytest.raises(SetupError, match="an older copy was restored"):
            async with opened(signed.model_copy(update={"database_url": cluster.url(old)})):
                pass
    finally:
        await cluster.drop_database(old)


async def test_an_outside_file_that_was_put_back_stops_the_start(signed: Settings, tmp_path: Path) -> None:
    async with opened(signed) as office:
        await published(office)
        shutil.copy(signed.outside_checkpoint, tmp_path / "old")
        await office.post("gifts", gift())
        await published(office)
    shutil.copy(tmp_path / "old", signed.outside_checkpoint)
    with pytest.raises(SetupError, match="put back"):
        async with opened(signed):
            pass


async def test_a_crash_between_the_outside_file_and_the_release_is_mended(signed: Settings) -> None:
    async with opened(signed) as office:
        note = await published(office)
    assert signed.database_url is not None
    async with superuser(signed) as connection:
        await connection.execute("alter table checkpoint disable trigger user")
        await connection.execute("delete from checkpoint")
        await connection.execute("alter table checkpoint enable trigger user")
    async with opened(signed) as office:
        assert await published(office) == note


async def test_a_changed_entry_is_not_signed_over(signed: Settings) -> None:
    async with opened(signed) as office:
        await published(office)
    async with superuser(signed) as connection:
        await connection.execute("alter table tile disable trigger user")
        await connection.execute(
            "update tile set hashes = overlay(hashes placing '\\x00'::bytea from 1) where level = 0"
        )
        await connection.execute("alter table tile enable trigger user")
    with pytest.raises(SetupError, match="they were changed"):
        async with opened(signed):
            pass


@pytest.mark.parametrize("is_followed", [True, False])
async def test_nothing_is_signed_across_a_gap(signed: Settings, *, is_followed: bool) -> None:
    """The tables take any number they are told (decision 13); a tree would hold for ever what they say."""
    assert signed.database_url is not None
    async with acting_as("writer", signed) as writer:
        size = await writer.fetchval("select seq + 1 from head")
        if is_followed:
            await writer.execute("insert into entry values ($1, '{}', now(), 'x', '')", size + 1)
        await writer.execute("update head set seq = seq + 2")
    database = setup.database(signed, signed.database_url, "writer", pool_size=2)
    publisher = Publisher(
        database,
        signing.signer(signed.signing, signed.passphrase, "sunshine-ledger.example/log"),
        OutsideCheckpoint(signed.outside_checkpoint),
    )
    try:
        with pytest.raises(SetupError, match=f"entry {size} is missing"):
            await publisher.step()
        async with database.raw() as connection:
            assert (await integrated_size(connection), await log.last_checkpoint(connection)) == (size, None)
        assert not signed.outside_checkpoint.exists()
    finally:
        await database.close()


async def test_writing_goes_on_while_publishing_cannot(signed: Settings) -> None:
    async with opened(signed) as office:
        await published(office)
        signed.outside_checkpoint.write_text("somebody else was here")
        assert (await office.post("gifts", gift())).status_code == 201
        publisher = office.resources.publisher
        assert publisher is not None
        while not publisher.stopped:  # noqa: ASYNC110  it stops by itself
            await asyncio.sleep(0.05)
        assert (await office.post("gifts", gift(channel_ref="2"))).status_code == 201


async def test_with_the_publisher_stopped_writing_goes_on_and_the_state_says_so(signed: Settings) -> None:
    async with opened(signed) as office:
        note = await published(office)
        publisher = office.resources.publisher
        assert publisher is not None
        await publisher.stop()
        answers = [(await office.post("gifts", gift(channel_ref=f"{i}"))).json() for i in range(20)]
        assert {answer["state"] for answer in answers} == {"sequenced"}
        assert publisher.stopped == "stopped"
        assert not await publisher.wait_for(answers[0]["entries"][0]["seq"], 0)
        assert await newest(office) == note, "nothing was signed meanwhile"
        assert signed.database_url is not None
        stored = Stored(signed, signed.database_url)
        report = await asyncio.to_thread(check, stored)
        assert report.exit_code == 0, report.text()
        assert report.sequenced == report.size + len(answers)
        assert "20 条 entries" in report.text()
    async with opened(signed) as office:
        assert log.checkpoint_of(await published(office)).size == await office.size(), "and then it catches up"


def check(stored: Stored) -> Report:
    """`sunledger verify --database`."""
    with closing(stored.log()) as source:
        return stored.audited(verify(source, policy=None), lambda *_: None)


@asynccontextmanager
async def superuser(settings: Settings) -> AsyncGenerator[asyncpg.Connection]:
    assert settings.database_url is not None
    connection = await asyncpg.connect(settings.database_url, server_settings={"search_path": settings.log})
    try:
        yield connection
    finally:
        await connection.close()
