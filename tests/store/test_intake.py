"""An import among other writers: it is entered to its end, however full the queue is."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ledger import demo
from ledger.approvals import ApproveProposal
from ledger.entries import ImportCompleted, MoneyReceived
from ledger.organisations import DismissStaff, EnrolStaff
from ledger.privacy import Identity
from ledger.roles import Role
from ledger.settings import Settings
from ledger.store import intake as store_intake
from ledger.store.availability import Busy
from ledger.store.batch import Sequenced
from ledger.store.intake import FAILED, MAKER_LEFT
from ledger.store.keys import LogKeys, LookupKeys
from ledger.store.sealing import RowSealer, RowsUnreadable, Wanted
from ledger.store.staging import Manifest
from ledger.store.vault import Gift
from tests.support.acting import acting_as_superuser
from tests.support.checklog import check_log
from tests.support.office import CITY, Office, opened
from tests.support.postgres import Cluster
from tests.support.wire import HoldRows, stretched

ROWS = 300
MORE_ROWS_THAN_FIT_IN_THE_PIPE = 8_000
WRITERS = 4
GIFTS_MAX = 10_000
BUSY_S = 0.5
WAIT_S_MAX = 60
COMPLETE = "an import is complete"
AT_HAND = "what look-ups read is at hand"
UNSEEN = "sheets cannot be looked through"


async def lines(rows: int = ROWS) -> AsyncIterator[bytes]:
    yield b"day,transaction_no,amount_cny\n"
    for n in range(rows):
        yield f"2026-07-01,{n:028d},{n % 50 + 1}.00\n".encode()


async def proposed(office: Office, rows: int = ROWS) -> Sequence[int]:
    """A sheet, handed in and checked."""
    sheets = office.resources.sheets
    sheet = await sheets.staging.stage(lines(rows))
    manifest = Manifest(
        profile="wuhan-qr-2020", name="sheet.csv", maker=demo.MAKER, org=CITY, fund="general", event="", totals={},
    )  # fmt: skip
    job = sheets.begin(sheet, manifest)
    async with asyncio.timeout(WAIT_S_MAX):
        while not job.done:  # noqa: ASYNC110  a job is asked, it tells nobody
            await asyncio.sleep(0.01)
    return [*job.proposals.values()]


async def keep_full(office: Office) -> None:
    """Gift after gift; where the queue is full, again at once: whoever is less quick finds it full."""
    for i in range(GIFTS_MAX):
        reference = f"{id(asyncio.current_task())}-{i}"
        gift = office.resources.sealer.seal(Gift(
            maker=demo.MAKER, org=CITY, fund="flood", amount_fen=1, channel="bank", channel_ref=reference,
            on="2026-07-01", donor_class="person", identity=Identity(),
        ))  # fmt: skip
        waiting = True
        while waiting:
            try:
                await office.resources.sequencer.submit(gift)
                waiting = False
            except Busy:
                await asyncio.sleep(0)


async def test_an_import_is_completed_though_the_queue_is_full_of_others(told: Settings, cluster: Cluster) -> None:
    async with stretched(cluster.server) as wire:
        url = wire.url(str(told.database_url))
        async with opened(told.model_copy(update={"queue_size": 1, "database_url": url})) as office:
            sequencer = office.resources.sequencer
            (proposal,) = await proposed(office)
            wire.gate = rows = HoldRows()
            await sequencer.submit(ApproveProposal(maker=demo.CHECKER, proposal=proposal))
            office.resources.intake.wake()
            await rows.held.wait()
            others = [asyncio.create_task(keep_full(office)) for _ in range(WRITERS)]
            await asyncio.sleep(0)
            rows.passed.set()
            await asyncio.wait(others, timeout=BUSY_S)
            for each in others:
                each.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            async with asyncio.timeout(WAIT_S_MAX):
                while sequencer.books.imports:  # noqa: ASYNC110  the books tell nobody
                    await asyncio.sleep(0.01)
    log = await check_log(told)
    (completed,) = [entry.body for entry in log if isinstance(entry.body, ImportCompleted)]
    assert completed.rows == ROWS


def sealer_process() -> int:
    """The one child of ours that reads and seals rows."""
    (found,) = (
        int(folder.name)
        for folder in Path("/proc").glob("[0-9]*")
        if b"ledger.store.sealing" in said(folder / "cmdline")
        and f"PPid:\t{os.getpid()}\n".encode() in said(folder / "status")
    )
    return found


def said(file: Path) -> bytes:
    """What the system says of a process, of which many come and go here; nothing once it is gone."""
    try:
        return file.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


async def test_an_import_goes_on_when_the_process_that_reads_its_rows_is_killed(
    told: Settings, cluster: Cluster
) -> None:
    async with stretched(cluster.server) as wire:
        url = wire.url(str(told.database_url))
        async with opened(told.model_copy(update={"database_url": url})) as office:
            sequencer = office.resources.sequencer
            (proposal,) = await proposed(office, MORE_ROWS_THAN_FIT_IN_THE_PIPE)
            wire.gate = rows = HoldRows()
            await sequencer.submit(ApproveProposal(maker=demo.CHECKER, proposal=proposal))
            office.resources.intake.wake()
            await rows.held.wait()
            os.kill(sealer_process(), signal.SIGKILL)
            rows.passed.set()
            async with asyncio.timeout(WAIT_S_MAX):
                while sequencer.books.imports:  # noqa: ASYNC110  the books tell nobody
                    await asyncio.sleep(0.01)
    log = await check_log(told)
    (completed,) = [entry.body for entry in log if isinstance(entry.body, ImportCompleted)]
    assert completed.rows == MORE_ROWS_THAN_FIT_IN_THE_PIPE
    entered = [entry.body.row for entry in log if isinstance(entry.body, MoneyReceived) and entry.body.batch]
    assert entered == [*range(entered[0], entered[0] + MORE_ROWS_THAN_FIT_IN_THE_PIPE)]


async def test_an_import_goes_on_by_itself_when_a_fault_has_passed(
    told: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_intake, "FAULT_RETRY_S", 0.05)
    with capture_logs() as logged:
        async with opened(told) as office:
            sequencer = office.resources.sequencer
            (proposal,) = await proposed(office)
            (manifest,) = told.sheets.glob("*/manifest.json")
            kept = manifest.rename(manifest.with_suffix(".kept"))
            manifest.mkdir()  # what should be a file cannot be read, whoever asks
            await sequencer.submit(ApproveProposal(maker=demo.CHECKER, proposal=proposal))
            office.resources.intake.wake()
            async with asyncio.timeout(WAIT_S_MAX):
                while not any(each["event"] == UNSEEN for each in logged):  # noqa: ASYNC110  it tells nobody
                    await asyncio.sleep(0.01)
            manifest.rmdir()
            kept.rename(manifest)
            async with asyncio.timeout(WAIT_S_MAX):
                while sequencer.books.imports:  # noqa: ASYNC110  as above
                    await asyncio.sleep(0.01)
    log = await check_log(told)
    assert sum(isinstance(entry.body, MoneyReceived) and entry.body.batch > 0 for entry in log) == ROWS


async def test_an_import_goes_on_by_itself_when_rows_can_be_written_again(
    told: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_intake, "FAULT_RETRY_S", 0.05)
    async with opened(told) as office, acting_as_superuser(told) as connection:
        sequencer, intake = office.resources.sequencer, office.resources.intake
        (proposal,) = await proposed(office)
        await connection.execute(f"revoke insert on posting from {told.log}_writer")
        await sequencer.submit(ApproveProposal(maker=demo.CHECKER, proposal=proposal))
        intake.wake()
        async with asyncio.timeout(WAIT_S_MAX):
            while FAILED not in intake.halted.values():  # noqa: ASYNC110  it is asked, it tells nobody
                await asyncio.sleep(0.01)
        await connection.execute(f"grant insert on posting to {told.log}_writer")
        async with asyncio.timeout(WAIT_S_MAX):
            while sequencer.books.imports or intake.halted:  # noqa: ASYNC110  as above; it forgets a little later
                await asyncio.sleep(0.01)
    log = await check_log(told)
    assert sum(isinstance(entry.body, MoneyReceived) and entry.body.batch > 0 for entry in log) == ROWS


async def test_an_import_stops_where_its_maker_was_dismissed_and_goes_on_where_she_is_back(
    told: Settings, cluster: Cluster
) -> None:
    async with stretched(cluster.server) as wire:
        url = wire.url(str(told.database_url))
        async with opened(told.model_copy(update={"database_url": url})) as office:
            sequencer, intake = office.resources.sequencer, office.resources.intake
            dismissal = await sequencer.submit(DismissStaff(maker=demo.FOUNDER, staff=demo.MAKER, org=CITY))
            assert isinstance(dismissal, Sequenced)
            (proposal,) = await proposed(office, MORE_ROWS_THAN_FIT_IN_THE_PIPE)
            wire.gate = rows = HoldRows()
            await sequencer.submit(ApproveProposal(maker=demo.CHECKER, proposal=proposal))
            intake.wake()
            await rows.held.wait()
            dismissed = asyncio.create_task(
                sequencer.submit(ApproveProposal(maker=demo.SECOND, proposal=dismissal.entries[0].seq))
            )
            rows.passed.set()
            await dismissed
            async with asyncio.timeout(WAIT_S_MAX):
                while not intake.halted:  # noqa: ASYNC110  it is asked, it tells nobody
                    await asyncio.sleep(0.01)
            ((number, batch),) = sequencer.books.imports.items()
            assert intake.halted == {number: MAKER_LEFT}
            assert 0 < batch.rows < MORE_ROWS_THAN_FIT_IN_THE_PIPE
            enrolment = await sequencer.submit(
                EnrolStaff(maker=demo.FOUNDER, staff=demo.MAKER, org=CITY, roles=(Role.FINANCE,))
            )
            assert isinstance(enrolment, Sequenced)
            await sequencer.submit(ApproveProposal(maker=demo.SECOND, proposal=enrolment.entries[0].seq))
            intake.wake()
            async with asyncio.timeout(WAIT_S_MAX):
                while sequencer.books.imports:  # noqa: ASYNC110  the books tell nobody
                    await asyncio.sleep(0.01)
    log = await check_log(told)
    (completed,) = [entry.body for entry in log if isinstance(entry.body, ImportCompleted)]
    assert (completed.rows, completed.rejected) == (MORE_ROWS_THAN_FIT_IN_THE_PIPE, 0)


async def test_a_staged_sheet_that_was_changed_is_not_read(told: Settings) -> None:
    keys, lookup = LogKeys.read(told.keys), LookupKeys.read(told.lookup)
    async with opened(told) as office:
        await proposed(office)
        (staged,) = (path for path in told.sheets.iterdir() if path.is_dir())
        wanted = Wanted(
            folder=str(staged), profile="wuhan-qr-2020", name="sheet.csv", batch="sheet.csv", number=1,
            maker=demo.MAKER, org=CITY, fund="general", channel="qr", event="", after=0,
        )  # fmt: skip
        async with RowSealer(keys, lookup, office.resources.subjects.draw_many) as sealer:
            async with aclosing(sealer.chunks(wanted)) as chunks:
                assert sum([len(chunk) async for chunk in chunks]) == ROWS
            with (staged / "sheet").open("ab") as sheet:
                sheet.write(b"2026-07-01,1,1.00\n")
            with pytest.raises(RowsUnreadable, match="not the one that was checked"):
                async with aclosing(sealer.chunks(wanted)) as chunks:
                    await anext(chunks)


@pytest.mark.parametrize(("many", "is_read_ahead"), [(ROWS, True), (ROWS + 1, False)])
async def test_after_an_import_of_many_gifts_what_look_ups_read_is_read_ahead(
    told: Settings, monkeypatch: pytest.MonkeyPatch, many: int, *, is_read_ahead: bool
) -> None:
    monkeypatch.setattr(store_intake, "MANY", many)
    with capture_logs() as logged:
        async with opened(told) as office:
            (proposal,) = await proposed(office)
            await office.resources.sequencer.submit(ApproveProposal(maker=demo.CHECKER, proposal=proposal))
            office.resources.intake.wake()
            async with asyncio.timeout(WAIT_S_MAX):
                while not any(each["event"] == COMPLETE for each in logged):  # noqa: ASYNC110  it tells nobody
                    await asyncio.sleep(0.01)
                while is_read_ahead and logged[-1]["event"] != AT_HAND:  # noqa: ASYNC110  as above
                    await asyncio.sleep(0.01)
    assert any(each["event"] == AT_HAND for each in logged) == is_read_ahead
