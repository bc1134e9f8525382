"""Projections hold nothing that the entries do not say: dropped and built again, they come out the same."""

import asyncio
from contextlib import suppress

import asyncpg
import pytest

from api import main as applications
from ledger.settings import Settings
from ledger.store import rebuild, rows, setup
from ledger.store.availability import Stopped
from ledger.store.files import SetupError
from ledger.store.rebuild import PROJECTIONS
from tests.support import clerk, office
from tests.support.acting import acting_as
from tests.support.busy import busy_history
from tests.support.checklog import Dump, check_log, dump, rebuilt
from tests.support.clerk import Clerk
from tests.support.office import CITY, Office
from tests.support.wire import somebody_waits_for_a_lock

WRITTEN = 100
"""Gifts, before the writers are interrupted."""


@pytest.fixture
async def busy(told: Settings) -> Settings:
    """The story, an import, changes of organisation and staff, and whatever else may come, in a fixed order."""
    async with clerk.opened(told) as office:
        await busy_history(office)
    return told


async def dumped(settings: Settings) -> Dump:
    async with acting_as("owner", settings) as owner:
        return await dump(owner)


async def test_projections_built_again_are_the_same_row_by_row(busy: Settings) -> None:
    before = await dumped(busy)
    assert all(before[table] for table in PROJECTIONS), "every projection has rows"
    log = await check_log(busy, decided_again=True)
    assert await rebuilt(busy) == len(log)
    assert await dumped(busy) == before


async def agreed(desk: Office, path: str, body: object) -> int:
    """Have something entered, by two people where that is needed; the number of its last entry."""
    answer = await desk.post(path, body)
    if answer.status_code == 202:
        answer = await desk.post(f"proposals/{answer.json()['proposal']}/approval", who="checker")
    assert answer.status_code == 201, answer.text
    seq: int = answer.json()["entries"][-1]["seq"]
    return seq


async def test_a_reference_given_up_and_taken_again_is_free_in_time_however_the_entries_are_read(
    told: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wrong entry is read in one block; what takes it back and the right one, of the same reference, in another."""
    day = {"org": CITY, "on": "2026-07-01"}
    waiting = {**day, "channel": "bank", "amount_fen": 9_000, "channel_ref": "unknown-1"}
    async with office.opened(told) as desk:
        gift = await agreed(desk, "gifts", office.gift())
        found = await agreed(desk, "unidentified", waiting)
        for ref in (gift, found):
            await agreed(desk, "reversals", {**day, "ref": ref, "reason": "录入有误", "statement": "更正"})
        await agreed(desk, "right-gifts", {**day, "corrects": gift, "fund": "general", "amount_fen": 5_000})
        await agreed(desk, "unidentified", {**waiting, "corrects": found, "amount_fen": 5_000})
    before = await dumped(told)
    for most in (found + 1, 1, 5_000):
        monkeypatch.setattr(rebuild, "READ_ENTRIES", most)
        await rebuilt(told)
        assert await dumped(told) == before


async def test_projections_that_somebody_spoilt_are_mended(busy: Settings) -> None:
    before = await dumped(busy)
    async with acting_as("owner", busy) as owner:
        for table in reversed(PROJECTIONS):
            await owner.execute(f"delete from {table}" + (" where ctid > '(0,3)'" if table == "rollup" else ""))
        await owner.execute("update rollup set qty = qty + 1")
    assert await dumped(busy) != before
    await rebuilt(busy)
    assert await dumped(busy) == before


@pytest.mark.parametrize("table", ["line", "gift", "rollup"])
async def test_the_comparison_sees_a_row_that_is_gone(told: Settings, table: str) -> None:
    async with acting_as("owner", told) as owner:
        await owner.execute(f"delete from {table} where ctid = (select max(ctid) from {table})")
    with pytest.raises(AssertionError, match="projections"):
        await check_log(told)


async def test_a_log_older_than_its_tables_of_figures_starts_once_it_is_rebuilt(told: Settings) -> None:
    assert told.database_url is not None
    async with acting_as("owner", told) as owner:
        await owner.execute("truncate figure, movement")
    for resources in (applications.public_resources, applications.admin_resources):
        with pytest.raises(SetupError, match="sunledger rebuild"):
            async with resources(told, told.database_url):
                pass
    await rebuilt(told)
    async with applications.public_resources(told, told.database_url):
        pass
    await check_log(told)


async def test_a_log_older_than_the_shortest_span_of_figures_has_it_once_it_is_migrated(busy: Settings) -> None:
    assert busy.database_url is not None
    before = await dumped(busy)
    async with acting_as("owner", busy) as owner:
        await owner.execute(f"delete from figure where span = {rows.FIGURE_SPANS[-1]}")
        await owner.execute("update alembic_version set version_num = '0011'")
    assert await dumped(busy) != before
    await setup.prepare(busy, busy.database_url)
    assert await dumped(busy) == before
    await check_log(busy)


async def test_a_log_without_figures_is_still_to_be_rebuilt_when_it_is_migrated(told: Settings) -> None:
    assert told.database_url is not None
    async with acting_as("owner", told) as owner:
        await owner.execute("truncate figure, movement")
        await owner.execute("update alembic_version set version_num = '0011'")
    await setup.prepare(told, told.database_url)
    with pytest.raises(SetupError, match="sunledger rebuild"):
        async with applications.public_resources(told, told.database_url):
            pass


async def test_a_sequencer_that_runs_is_fenced_off(busy: Settings) -> None:
    async with clerk.opened(busy) as office:
        before = await office.give()
        await rebuilt(busy)
        with pytest.raises(Stopped):
            await office.give()
        assert office.sequencer.stopped == "another sequencer has taken over"
    async with clerk.opened(busy) as office:
        assert (await office.give()).seq == before.seq + 1
    await check_log(busy)


async def test_rebuilding_under_writers_loses_nothing_that_was_acknowledged(busy: Settings) -> None:
    """It should not be done; it does no harm."""
    told: set[int] = set()
    enough = asyncio.Event()

    async def write(office: Clerk) -> None:
        while True:
            told.add((await office.give()).seq)
            if len(told) >= WRITTEN:
                enough.set()

    async with clerk.opened(busy) as office:
        before = office.sequencer.books.seq
        writers = [asyncio.create_task(write(office)) for _ in range(16)]
        await enough.wait()
        await rebuilt(busy)
        ends = await asyncio.gather(*writers, return_exceptions=True)
    assert {type(end) for end in ends} == {Stopped}
    assert told == {entry.seq for entry in await check_log(busy) if entry.seq > before}


async def test_a_reader_in_the_middle_of_several_tables_does_not_stop_it(told: Settings) -> None:
    """Each holds a table the other wants; PostgreSQL ends one of the two, and the projections are built."""
    before = await dumped(told)
    async with acting_as("reader", told) as reader:
        transaction = reader.transaction()
        await transaction.start()
        await reader.fetch("select from rollup")
        rebuilding = asyncio.create_task(rebuilt(told))
        await somebody_waits_for_a_lock(told)
        with suppress(asyncpg.DeadlockDetectedError):
            await reader.fetch("select from account")
        await transaction.rollback()
        await rebuilding
    assert await dumped(told) == before
