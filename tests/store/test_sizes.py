"""Logs of the sizes at which tiles begin and end: published by the publisher, served, exported, mirrored, verified."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.public import app as public
from ledger import entries
from ledger.log.checkpoint import Checkpoint
from ledger.log.policy import Policy
from ledger.log.tree import EMPTY_ROOT
from ledger.settings import Settings
from ledger.store import keys, setup, signing
from ledger.store.audit.stored import Stored
from ledger.store.export import export
from ledger.store.keys import LookupKeys
from ledger.store.outside import OutsideCheckpoint
from ledger.store.publisher import Publisher
from ledger.store.rebuild import rebuild
from ledger.verify.mirror import Http
from ledger.verify.replica import copy
from ledger.verify.report import Report
from ledger.verify.rule import Rule
from ledger.verify.source import Directory, Source
from ledger.verify.verifier import verify
from tests.support.acting import acting_as, acting_as_superuser
from tests.support.foreign import foreign
from tests.support.listening import listening
from tests.support.society import gift
from tests.tamper.site import policy_of, proof_of, signer_of
from tests.verify.export import ORIGIN
from tests.verify.forgeries.registry import free

SIZES = (0, 1, 2, 255, 256, 257, 65_535, 65_536, 65_537, 70_000)
LARGE = 1_000
"""From here on the rules are checked over HTTP only: the bytes are the same everywhere."""


@pytest.fixture(scope="module")
def written() -> list[bytes]:
    """A log that the rules wrote."""
    pen = free()
    while len(pen.written) < SIZES[-1]:
        pen.write(gift(len(pen.written) % 9 + 1))
    return pen.written


@dataclass(slots=True)
class Growing:
    """A log that gets its entries from a list; everything behind that is the real thing."""

    settings: Settings
    publisher: Publisher
    policy: Policy
    url: str
    """Of the public application."""
    size: int = 0

    async def grow(self, written: list[bytes]) -> None:
        """Put the next entries in, and publish."""
        log = [entries.decode(each) for each in written[self.size :]]
        rows = [
            (each.seq, data, entries.moment(each.at), each.kind, entries.org_of(each))
            for each, data in zip(log, written[self.size :], strict=True)
        ]
        async with acting_as_superuser(self.settings) as connection:
            await connection.copy_records_to_table("entry", records=rows, columns=["seq", "bytes", "at", "kind", "org"])
            last = bytes.fromhex(entries.digest(written[-1]))
            await connection.execute("update head set seq = $1, prev = $2, at = $3", len(written) - 1, last, log[-1].at)
        self.size = len(written)
        assert await self.publisher.wait_for(self.size - 1, 60)


@pytest.fixture
async def growing(settings: Settings, tmp_path: Path) -> AsyncGenerator[Growing]:
    assert settings.database_url is not None
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("only for this test")
    settings = settings.model_copy(update={"signing_passphrase_file": passphrase})
    keys.create(settings.keys, settings.lookup)
    signing.create(settings.signing, settings.passphrase)
    await sign_nothing(settings)
    async with AsyncExitStack() as stack:
        writer = setup.database(settings, str(settings.database_url), "writer", pool_size=2)
        stack.push_async_callback(writer.close)
        reader = setup.database(settings, str(settings.database_url), "reader", pool_size=4)
        stack.push_async_callback(reader.close)
        app = public.build(public.Resources(database=reader, lookup=LookupKeys.read(settings.lookup)))
        signer = signing.signer(settings.signing, settings.passphrase, ORIGIN)
        publisher = Publisher(writer, signer, OutsideCheckpoint(settings.outside_checkpoint))
        await publisher.start()
        stack.push_async_callback(publisher.stop)
        url = await stack.enter_async_context(listening(app))
        yield Growing(settings, publisher, policy_of(signer_of(settings, ORIGIN)), url)


async def sign_nothing(settings: Settings) -> None:
    """The checkpoint of an empty log: a publisher has no reason to sign it by itself."""
    said = Checkpoint(origin=ORIGIN, size=0, root=EMPTY_ROOT)
    note = said.signed([signer_of(settings, ORIGIN).sign(said.text)])
    OutsideCheckpoint(settings.outside_checkpoint).swap(None, note)
    async with acting_as("writer", settings) as writer:
        await writer.execute("insert into checkpoint (size, root, note) values (0, $1, $2)", EMPTY_ROOT, note)


async def test_every_size_is_served_exported_mirrored_and_verified(
    growing: Growing, written: list[bytes], tmp_path: Path
) -> None:
    kept: list[bytes] = []
    saved: bytes | None = None
    report = Report(has_policy=True)
    url = str(growing.settings.database_url)
    for size in SIZES:
        if size:
            await growing.grow(written[:size])
            kept += [await proof_of(growing.settings, seq) for seq in {0, size // 2, size - 1}]
        reader = setup.database(growing.settings, url, "reader", pool_size=1)
        assert await export(reader, tmp_path / "export", report=lambda *_: None) == size
        await reader.close()
        with closing(Http(growing.url)) as http:
            copied = await asyncio.to_thread(copy, http, tmp_path / "mirror", policy=growing.policy)
            assert (copied.findings, copied.trouble, copied.size) == ((), "", size)
            stored = Stored(growing.settings, url).log()
            sources: list[Source] = [http, stored, Directory(tmp_path / "export"), Directory(tmp_path / "mirror")]
            for source in sources:
                meaning = source is http or size < LARGE
                report = await asyncio.to_thread(
                    verify, source, policy=growing.policy, saved=saved, receipts=kept, meaning=meaning, processes=0
                )
                assert report.exit_code == 0, report.text()
                assert report.hashed == report.size == size
                assert report.replayed == (size if meaning else 0)
            await asyncio.to_thread(stored.close)
        saved = report.checkpoint.encode()
        if size:
            await asyncio.to_thread(somebody_elses_reader, growing, written[:size])


def somebody_elses_reader(growing: Growing, written: list[bytes]) -> None:
    """A tlog-tiles client of other people reads leaves over HTTP, and checks each against the checkpoint."""
    backend, reader, tiles = (foreign(f"tlog_scales.{name}", "tlog-scales") for name in ("backend", "reader", "tiles"))
    log = reader.TilesReader(backend.make_backend(f"{growing.url}/log/"))
    checkpoint = log.get_checkpoint()
    assert checkpoint.size == len(written)
    for seq in {0, len(written) // 2, len(written) - 1}:
        leaf = log.get_entry(seq)
        assert leaf == written[seq]
        log.get_inclusion_proof(seq, checkpoint.size).check(tiles.leaf_hash(leaf), checkpoint.root_hash)


async def test_helpers_read_the_database_for_themselves_and_find_what_one_process_finds(
    growing: Growing, written: list[bytes]
) -> None:
    """All of them, in several stretches, with a chain broken between two of them and an entry gone from a third."""
    await growing.grow(written)
    url = str(growing.settings.database_url)

    def look(processes: int) -> tuple[list[tuple[int, Rule]], int]:
        with closing(Stored(growing.settings, url).log()) as stored:
            report = verify(stored, policy=growing.policy, meaning=False, processes=processes)
        return [(each.seq, each.rule) for each in report.findings], report.hashed

    assert await asyncio.to_thread(look, 2) == ([], len(written))
    async with acting_as_superuser(growing.settings) as connection:
        await connection.execute("set session_replication_role = replica")
        await connection.execute("update entry set bytes = (select bytes from entry where seq = 1) where seq = 4095")
        await connection.execute("delete from entry where seq = 60000")
    for processes in (0, 2):
        found, hashed = await asyncio.to_thread(look, processes)
        assert hashed == 60_000 // 256 * 256
        assert found == [
            (4_095, Rule.SEQ_DENSE),
            (4_095, Rule.PREV_CHAIN),
            (4_095, Rule.TILE_HASH),
            (4_096, Rule.PREV_CHAIN),
            (59_904, Rule.BUNDLE_MISSING),
        ]


async def test_the_tables_of_a_long_log_are_compared_in_blocks(growing: Growing, written: list[bytes]) -> None:
    """Several blocks of entries; a row changed in one of the first, a row too many behind the last."""
    await growing.grow(written[:12_345])
    url = str(growing.settings.database_url)
    owner = setup.database(growing.settings, url, "owner", pool_size=1)
    await rebuild(owner, report=lambda _: None)
    await owner.close()
    stored = Stored(growing.settings, url)

    def look() -> list[str]:
        with closing(stored.log()) as source:
            report = verify(source, policy=growing.policy, meaning=False, processes=0)
        report = stored.audited(report, lambda *_: None)
        assert report.tables["entry"] == report.sequenced == 12_345
        return [each.place for each in report.findings if each.rule is not Rule.TABLE_KEPT]

    assert await asyncio.to_thread(look) == []
    async with acting_as_superuser(growing.settings) as connection:
        await connection.execute("update gift set channel = 'bank' where seq = 1234")
        await connection.execute("insert into gift select 99999, account, qty, channel, donor_class, event, day"
                                 " from gift where seq = 1234")  # fmt: skip
    assert await asyncio.to_thread(look) == ["gift seq=1234 · channel", "gift seq=99999"]
