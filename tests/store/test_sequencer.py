"""The sequencer: one writes, what is answered is durable, and nobody waits for an answer that never comes."""

import asyncio
import shutil
from collections.abc import AsyncGenerator

import asyncpg
import pytest

from ledger import demo
from ledger.organisations import OpenFund
from ledger.refusals import Unknown
from ledger.settings import Settings
from ledger.store import sequencer as sequencing
from ledger.store.availability import Busy, Stopped
from ledger.store.batch import Replayed, Sequenced
from ledger.store.files import SetupError
from ledger.store.keys import KEY_BYTES, SubjectKeys
from tests.support import clerk, office
from tests.support.acting import acting_as, acting_as_superuser
from tests.support.checklog import check_log, rebuilt
from tests.support.clerk import allocation, once, sequenced
from tests.support.postgres import Cluster
from tests.support.wire import CutAtCommit, CutError, Gate, HoldCommit, Wire, somebody_waits_for_a_lock, stretched

WRITERS = 16
COPIED = 300
"""Rows enough to go in by COPY, inside a transaction."""
WAIT_S_MAX = 60


@pytest.fixture
async def wire(cluster: Cluster) -> AsyncGenerator[Wire]:
    async with stretched(cluster.server) as wire:
        yield wire


def through(wire: Wire, settings: Settings) -> str:
    return wire.url(str(settings.database_url))


def keys_elsewhere(settings: Settings) -> SubjectKeys:
    """A copy of the key file, as on another machine: the lock on the first one is not in the way."""
    copy = settings.data_dir / "elsewhere.keys"
    shutil.copyfile(settings.subject_keys, copy)
    return SubjectKeys(copy, write=True)


async def take_over(settings: Settings) -> None:
    async with acting_as("writer", settings) as writer:
        await writer.execute("update head set epoch = epoch + 1")


async def given(settings: Settings) -> set[int]:
    async with acting_as_superuser(settings) as connection:
        return {row["seq"] for row in await connection.fetch("select seq from entry where kind = 'money.received'")}


async def test_a_sequencer_that_takes_over_fences_the_first(told: Settings) -> None:
    elsewhere = keys_elsewhere(told)
    async with office.opened(told) as first, clerk.opened(told, subjects=elsewhere) as second:
        await second.do(allocation(1_000))
        before = await given(told)
        assert (await first.get("whoami")).status_code == 200, "who was fenced still reads"
        for _ in range(2):
            answer = await first.post("gifts", office.gift(), key="one and the same")
            assert (answer.status_code, answer.json()["type"]) == (503, "/problems/read-only")
            assert int(answer.headers["retry-after"]) > 0
        assert first.resources.sequencer.stopped == "another sequencer has taken over"
        assert await given(told) == before
        await second.do(allocation(1_000))
    elsewhere.close()
    await check_log(told, decided_again=True)


async def test_what_was_on_its_way_when_another_took_over_is_answered_for(told: Settings, wire: Wire) -> None:
    """A transaction that has the head is acknowledged; what waits behind it is refused, and is not in the log."""
    before = await given(told)
    async with clerk.opened(told, url=through(wire, told)) as first:
        wire.gate = hold = HoldCommit()
        committed = first.sequencer.enqueue([first.gift(1) for _ in range(COPIED)])
        await hold.held.wait()
        waiting = [asyncio.create_task(first.give()) for _ in range(WRITERS)]
        async with asyncio.TaskGroup() as tasks:
            taking_over = tasks.create_task(take_over(told))
            await somebody_waits_for_a_lock(told)
            hold.passed.set()
        acknowledged = {sequenced(each).entries[0].seq for each in await committed if not isinstance(each, Exception)}
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert taking_over.done()
    told_of = acknowledged | {each.seq for each in outcomes if not isinstance(each, BaseException)}
    assert all(isinstance(each, Stopped) for each in outcomes if isinstance(each, BaseException))
    assert await given(told) - before == told_of
    assert len(acknowledged) == COPIED


async def test_a_statement_on_its_way_when_another_took_over_is_refused(told: Settings, wire: Wire) -> None:
    """It finds the epoch of the other one, and is as if it had never been sent."""
    before = await given(told)
    async with clerk.opened(told, url=through(wire, told)) as first:
        wire.gate = hold = HoldCommit()
        running = [asyncio.create_task(first.give()) for _ in range(WRITERS)]
        await hold.held.wait()
        await take_over(told)
        hold.passed.set()
        outcomes = await asyncio.gather(*running, return_exceptions=True)
    assert {type(each) for each in outcomes} == {Stopped}
    assert await given(told) == before
    await check_log(told)


async def test_one_bad_command_does_not_hurt_the_others_of_its_batch(told: Settings, wire: Wire) -> None:
    """The database refuses a gift to a fund whose last posting is gone; the projections built again, it takes it."""
    async with clerk.opened(told, url=through(wire, told)) as writing:
        await writing.give(fund="flood")
        async with acting_as("owner", told) as owner:
            await owner.execute("""
                delete from posting where seq = (select max(seq) from gift) and dst in
                  (select id from account where address like 'fund:%:flood')
            """)
        wire.gate = hold = HoldCommit()
        first = asyncio.create_task(writing.give())
        await hold.held.wait()
        batch = [
            asyncio.create_task(writing.give(fund="flood" if i == WRITERS // 2 else "general")) for i in range(WRITERS)
        ]
        await asyncio.sleep(0)
        hold.passed.set()
        await first
        outcomes = await asyncio.gather(*batch, return_exceptions=True)
        bad = outcomes.pop(WRITERS // 2)
        assert isinstance(bad, asyncpg.ForeignKeyViolationError)
        assert bad.constraint_name == "posting_no_gap"
        assert len({each.seq for each in outcomes if not isinstance(each, BaseException)}) == WRITERS - 1
    await rebuilt(told)
    async with clerk.opened(told) as writing:
        await writing.give(fund="flood")
    await check_log(told, decided_again=True)


async def test_a_gift_in_the_batch_that_opens_its_fund_pays_the_funds_fee(told: Settings) -> None:
    async with clerk.opened(told) as writing:
        books = writing.sequencer.books
        opening = OpenFund(maker=demo.FOUNDER, org=clerk.CITY, fund="new", name="新基金", receipt_fee_ppm=6_000)
        pending = [writing.sequencer.enqueue([each]) for each in (opening, writing.gift(fund="new"))]
        outcomes = [outcome for each in pending for outcome in await each]
        (opened,), (given_,) = [sequenced(each).entries for each in outcomes if not isinstance(each, Exception)]
        assert (opened.at, given_.seq) == (given_.at, opened.seq + 1)
        assert [posting.qty for posting in given_.postings] == [9_940, 60]
        assert writing.sequencer.books is books, "nothing was read back from the log, as after a batch that failed"
    await check_log(told, decided_again=True)


async def test_the_reference_of_a_gift_that_was_refused_is_free_at_once(told: Settings, wire: Wire) -> None:
    """Also while the batch that it was refused in is on its way into the tables."""
    async with clerk.opened(told, url=through(wire, told)) as writing:
        sequencer = writing.sequencer
        wire.gate = hold = HoldCommit()
        before = sequencer.books.seq
        wrong = writing.gift(fund="nowhere", channel_ref="one and the same")
        batch = [sequencer.enqueue([each]) for each in (writing.gift(), wrong)]
        await hold.held.wait()
        more = [writing.gift() for _ in range(sequencing.WORTH_DECIDING)]
        behind = [sequencer.enqueue([each]) for each in (*more, writing.gift(channel_ref="one and the same"))]
        while sequencer.books.seq < before + 1 + len(more):  # noqa: ASYNC110  decided while the first batch is held
            await asyncio.sleep(0)
        hold.passed.set()
        outcomes = [type(outcome) for each in (*batch, *behind) for outcome in await each]
        assert outcomes == [Sequenced, Unknown, *[Sequenced] * len(behind)]
    await check_log(told)


async def test_a_full_queue_refuses_what_comes_next_and_keeps_what_it_has(told: Settings, wire: Wire) -> None:
    before = await given(told)
    async with clerk.opened(told, url=through(wire, told), queue_size=4) as writing:
        wire.gate = hold = HoldCommit()
        first = asyncio.create_task(writing.give())
        await hold.held.wait()
        waiting = [asyncio.create_task(writing.give()) for _ in range(4)]
        await asyncio.sleep(0)
        for _ in range(3):
            with pytest.raises(Busy):
                await writing.give()
        hold.passed.set()
        entered = {(await each).seq for each in (first, *waiting)}
        assert await given(told) - before == entered
        await writing.give()


async def test_no_work_is_answered_with_no_outcomes_and_disturbs_nobody(told: Settings) -> None:
    async with clerk.opened(told) as writing:
        assert await writing.sequencer.enqueue([]) == []
        (given,) = await writing.sequencer.enqueue([writing.gift(1)])
        assert isinstance(given, Sequenced)
    await check_log(told)


async def test_a_caller_who_goes_away_leaves_her_gift_in_the_queue(told: Settings, wire: Wire) -> None:
    before = await given(told)
    async with clerk.opened(told, url=through(wire, told)) as writing:
        wire.gate = hold = HoldCommit()
        first = asyncio.create_task(writing.give())
        await hold.held.wait()
        gone = asyncio.create_task(writing.sequencer.submit(writing.gift(), once("gone")))
        await asyncio.sleep(0)
        gone.cancel()
        hold.passed.set()
        await first
        (entry,) = sequenced(await writing.sequencer.submit(writing.gift(), once("gone"))).entries
        again = await writing.sequencer.submit(writing.gift(), once("gone"))
        assert again == Replayed(entry.seq, entry.seq)
        assert await given(told) - before == {(await first).seq, entry.seq}


async def test_stop_finishes_the_batch_that_runs_and_answers_what_waits(told: Settings, wire: Wire) -> None:
    before = await given(told)
    async with clerk.opened(told, url=through(wire, told)) as writing:
        wire.gate = hold = HoldCommit()
        running = asyncio.create_task(writing.give())
        await hold.held.wait()
        waiting = [asyncio.create_task(writing.give()) for _ in range(WRITERS)]
        await asyncio.sleep(0)
        stopping = asyncio.create_task(writing.sequencer.stop())
        refused = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(each) for each in refused} == {Stopped}
        with pytest.raises(Stopped):
            await writing.give()
        assert not stopping.done()
        hold.passed.set()
        await stopping
        assert await given(told) - before == {(await running).seq}
    await check_log(told)


@pytest.mark.parametrize("answered", [False, True], ids=["not persisted", "persisted"])
async def test_stop_while_a_batch_fails_leaves_nobody_waiting(told: Settings, wire: Wire, *, answered: bool) -> None:
    before = await given(told)
    async with clerk.opened(told, url=through(wire, told)) as writing, asyncio.timeout(WAIT_S_MAX):
        wire.gate = hold = CutAtCommit(answered=answered)
        running = [asyncio.create_task(writing.give()) for _ in range(WRITERS)]
        await hold.held.wait()
        stopping = asyncio.create_task(writing.sequencer.stop())
        await asyncio.sleep(0)
        hold.passed.set()
        await stopping
        outcomes = await asyncio.gather(*running, return_exceptions=True)
        entered = {each.seq for each in outcomes if not isinstance(each, BaseException)}
        assert await given(told) - before == entered
        assert len(entered) == (WRITERS // 2 if answered else 0), "one half was on its way"
        assert {type(each) for each in outcomes if isinstance(each, BaseException)} == {Stopped}
    await check_log(told)


async def test_stop_does_not_wait_for_a_database_that_is_gone(told: Settings, wire: Wire) -> None:
    async with clerk.opened(told, url=through(wire, told)) as writing, asyncio.timeout(WAIT_S_MAX):
        await wire.close()
        running = asyncio.create_task(writing.give())
        await asyncio.sleep(0.1)
        assert not running.done(), "it waits for the database"
        await writing.sequencer.stop()
        with pytest.raises(Stopped):
            await running


async def test_a_log_that_cannot_be_read_back_is_not_written(told: Settings, wire: Wire) -> None:
    """The disk lost a bit of an entry, and the connection broke: the alarm, not silence."""
    async with office.opened(told.model_copy(update={"database_url": through(wire, told)})) as here:
        async with acting_as_superuser(told) as connection:
            await connection.execute("set session_replication_role = replica")
            await connection.execute("update entry set bytes = set_byte(bytes, 20, 0) where seq = 3")
        wire.gate = hold = CutAtCommit()
        hold.passed.set()
        async with asyncio.timeout(WAIT_S_MAX):
            answer = await here.post("gifts", office.gift())
            assert (answer.status_code, answer.json()["type"]) == (503, "/problems/read-only")
            answer = await here.post("gifts", office.gift())
            assert (answer.status_code, answer.json()["type"]) == (503, "/problems/read-only")


async def test_a_key_file_older_than_the_vault_is_refused(told: Settings) -> None:
    """Its free slots are taken in the vault: a donor's record would be under another donor's key."""
    old = told.data_dir / "old.keys"
    async with acting_as_superuser(told) as connection:
        last = await connection.fetchval("select max(slot) from vault")
    old.write_bytes(told.subject_keys.read_bytes()[: last * KEY_BYTES])
    restored = SubjectKeys(old, write=True)
    async with clerk.opened(told) as writing:
        with pytest.raises(SetupError, match="key file"):
            async with clerk.opened(told, subjects=restored):
                pass
        await writing.give()  # and nobody was fenced off
    restored.close()
    await check_log(told)


async def test_a_server_lets_go_of_the_head_when_its_client_falls_silent(told: Settings) -> None:
    async with acting_as("writer", told) as connection:
        assert await connection.fetchval("show idle_in_transaction_session_timeout") == "1min"


class Down(Gate):
    """No statement gets through while `is_down`."""

    is_down = True

    async def request(self, sql: str) -> None:
        if self.is_down and sql:
            raise CutError


async def test_writing_goes_on_when_a_database_answers_that_was_away_for_long(
    told: Settings, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencing, "PATIENT_TRIES", 2)
    monkeypatch.setattr(sequencing, "RECONNECT_S", 0.01)
    before = await given(told)
    async with clerk.opened(told, url=through(wire, told)) as writing, asyncio.timeout(WAIT_S_MAX):
        wire.gate = gate = Down()
        with pytest.raises(Stopped, match="does not answer"):
            await writing.sequencer.submit(writing.gift(), once("same"))
        assert writing.sequencer.stopped == "the database does not answer"
        with pytest.raises(Stopped):
            await writing.give()
        gate.is_down = False
        while writing.sequencer.stopped:  # noqa: ASYNC110  it tells nobody
            await asyncio.sleep(0.01)
        (entry,) = sequenced(await writing.sequencer.submit(writing.gift(), once("same"))).entries
        assert await given(told) - before == {entry.seq}
    await check_log(told)
