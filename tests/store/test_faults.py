"""Faults in pairs after each step of a batch: failed and not persisted, failed but persisted. Then the whole log."""

import asyncio
import errno
from collections.abc import AsyncGenerator, Iterator

import asyncpg
import pytest

from ledger import demo
from ledger.approvals import ApproveProposal
from ledger.entries import ErasureRecorded
from ledger.erasures import EraseDonor
from ledger.refusals import AlreadyThere
from ledger.settings import Settings
from ledger.store.batch import Replayed
from ledger.store.keys import SubjectKey, SubjectKeys
from ledger.store.sequencer import WORTH_DECIDING
from tests.support import clerk
from tests.support.acting import acting_as_superuser
from tests.support.checklog import check_log
from tests.support.clerk import CHECKER, CITY, MAKER, Clerk, allocation, once, payment, sequenced
from tests.support.postgres import Cluster
from tests.support.wire import (
    BEGIN,
    COMMIT,
    CutAtCommit,
    CutAtNew,
    HoldCommit,
    LateCommit,
    Wire,
    somebody_waits_for_a_lock,
    stretched,
)

TOGETHER = 3
STEPS_MAX = 50
COPIED = 300
"""Rows enough to go in by COPY."""

pairs = pytest.mark.parametrize("answered", [False, True], ids=["before it arrives", "before its answer arrives"])


@pytest.fixture
async def wire(cluster: Cluster) -> AsyncGenerator[Wire]:
    async with stretched(cluster.server) as wire:
        yield wire


@pytest.fixture
async def writing(told: Settings, wire: Wire) -> AsyncGenerator[Clerk]:
    """A sequencer at the end of the wire."""
    async with clerk.opened(told, url=wire.url(str(told.database_url))) as writing:
        yield writing


async def gifts(settings: Settings) -> int:
    async with acting_as_superuser(settings) as connection:
        count: int = await connection.fetchval("select count(*) from entry where kind = 'money.received'")
    return count


def cuts(wire: Wire, *, answered: bool, transaction: bool = True) -> Iterator[CutAtNew]:
    """The wire cut at each statement that writes in turn, until there is none left to cut at."""
    steps: list[str] = []
    for _ in range(STEPS_MAX):
        wire.gate = cut = CutAtNew(steps, answered=answered)
        yield cut
        if not cut.at:
            break
        steps.append(cut.at)
    assert ({BEGIN, COMMIT} <= {*steps}) == transaction
    assert any("update head" in step for step in steps)


@pairs
async def test_gifts_whose_wire_is_cut_are_entered_once(
    told: Settings, wire: Wire, writing: Clerk, *, answered: bool
) -> None:
    await writing.give()
    before, given = await gifts(told), 0
    for cut in cuts(wire, answered=answered, transaction=False):
        keys = [once(f"{given + i}") for i in range(TOGETHER)]
        outcomes = await asyncio.gather(*(writing.sequencer.submit(writing.gift(), key) for key in keys))
        given += TOGETHER
        assert await gifts(told) == before + given, cut.at
        for key, outcome in zip(keys, outcomes, strict=True):
            (entry,) = sequenced(outcome).entries
            again = await writing.sequencer.submit(writing.gift(), key)
            assert again == Replayed(entry.seq, entry.seq), cut.at
    await check_log(told, decided_again=True)


@pairs
async def test_an_approval_and_its_effect_stand_or_fall_together(
    told: Settings, wire: Wire, writing: Clerk, *, answered: bool
) -> None:
    await writing.do(allocation(1_000))
    await writing.agreed(payment(1))
    for _ in cuts(wire, answered=answered):
        made, *_ = await writing.do(payment(1))
        approved, effect = await writing.do(ApproveProposal(maker=CHECKER, proposal=made.seq))
        assert (approved.kind, effect.kind) == ("proposal.approved", "money.disbursed")
        assert effect.by.proposal == made.seq
    await check_log(told, decided_again=True)


@pairs
async def test_an_erasure_whose_wire_is_cut_is_carried_out_once(
    told: Settings, wire: Wire, writing: Clerk, *, answered: bool
) -> None:
    async def erase() -> None:
        given = await writing.give()
        made, *_ = await writing.do(EraseDonor(maker=MAKER, org=CITY, ref=given.seq, basis="request"))
        _, erased = await writing.do(ApproveProposal(maker=demo.FOUNDER, proposal=made.seq))
        assert erased.body == ErasureRecorded(basis="request", org=CITY, ref=given.seq)

    await erase()
    for _ in cuts(wire, answered=answered):
        await erase()
    await check_log(told)


@pairs
async def test_a_chunk_that_is_copied_is_entered_as_a_whole_and_once(
    told: Settings, wire: Wire, writing: Clerk, *, answered: bool
) -> None:
    await writing.give()
    before, given = await gifts(told), 0
    for cut in cuts(wire, answered=answered):
        outcomes = await writing.sequencer.enqueue([writing.gift(1) for _ in range(COPIED)])
        given += COPIED
        assert len({sequenced(each).entries[0].seq for each in outcomes if not isinstance(each, Exception)}) == COPIED
        assert await gifts(told) == before + given, cut.at
    await check_log(told)


async def test_a_commit_that_arrives_late_is_found_and_not_repeated(told: Settings, wire: Wire, writing: Clerk) -> None:
    """The network swallowed us; the server has our transaction, and gets to its COMMIT only when we are back."""
    before = await gifts(told)
    wire.gate = late = LateCommit()
    giving = writing.sequencer.enqueue([writing.gift(1) for _ in range(COPIED)])
    await late.cut.wait()
    await somebody_waits_for_a_lock(told)
    late.delivered.set()
    assert b"COMMIT" in await late.answered
    assert len([sequenced(each) for each in await giving if not isinstance(each, Exception)]) == COPIED
    assert await gifts(told) == before + COPIED
    await check_log(told, decided_again=True)


async def test_a_batch_in_one_statement_that_arrives_late_finds_the_head_taken(
    told: Settings, wire: Wire, writing: Clerk
) -> None:
    """The network swallowed us and our statement, which the server gets after we entered the same gifts again."""
    before = await gifts(told)
    wire.gate = late = LateCommit()
    giving = writing.sequencer.enqueue([writing.gift(1), writing.gift(2)])
    await late.cut.wait()
    outcomes = await giving
    assert [sequenced(each).entries[0].postings[0].qty for each in outcomes if not isinstance(each, Exception)] == [
        1,
        2,
    ]
    late.delivered.set()
    assert b"division by zero" in await late.answered
    assert await gifts(told) == before + 2
    assert (await writing.give()).kind == "money.received", "we have the head, the late one did not"
    await check_log(told, decided_again=True)


async def test_a_batch_in_one_statement_that_arrives_during_recovery_is_refused_too(
    told: Settings, wire: Wire, writing: Clerk
) -> None:
    """We found that it is not there, and have written nothing yet: nothing but the new epoch stands in its way."""
    before = await gifts(told)
    wire.gate = late = LateCommit()
    giving = writing.sequencer.enqueue([writing.gift(1)])
    await late.cut.wait()
    wire.gate = again = HoldCommit(answered=True)
    await again.held.wait()
    late.delivered.set()
    assert b"division by zero" in await late.answered
    again.passed.set()
    await giving
    assert await gifts(told) == before + 1
    await check_log(told, decided_again=True)


async def test_a_writer_cut_off_by_an_administrator_goes_on(told: Settings, wire: Wire, writing: Clerk) -> None:
    before = await gifts(told)
    wire.gate = hold = HoldCommit()
    giving = asyncio.create_task(writing.give())
    await hold.held.wait()
    async with acting_as_superuser(told) as connection:
        await connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename like '%_writer'")
    hold.passed.set()
    assert (await giving).kind == "money.received"
    assert await gifts(told) == before + 1
    await check_log(told, decided_again=True)


class FailingKeys(SubjectKeys):
    """A key file on a disk that is full, or that breaks."""

    fault: int | None = None

    def draw(self) -> SubjectKey:
        return self.draw_many(1)[0]  # from the disk each time

    def write(self, keys: bytes, offset: int) -> None:
        super().write(keys[: len(keys) // 2] if self.fault == errno.ENOSPC else keys, offset)
        if self.fault is not None:
            raise OSError(self.fault, "the disk")


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO])
async def test_gifts_whose_keys_are_not_kept_are_not_entered(told: Settings, fault: int) -> None:
    keys = FailingKeys(told.subject_keys, write=True)
    try:
        async with clerk.opened(told, subjects=keys) as writing:
            before = await gifts(told)
            keys.fault = fault
            refused = await asyncio.gather(*(writing.give() for _ in range(TOGETHER)), return_exceptions=True)
            assert [type(each) for each in refused] == [OSError] * TOGETHER
            assert await gifts(told) == before
            (allocated,) = await writing.do(allocation(1_000))
            assert allocated.kind == "money.allocated", "what needs no key goes on"
            keys.fault = None
            await asyncio.gather(*(writing.give() for _ in range(TOGETHER)))
            assert await gifts(told) == before + TOGETHER
    finally:
        keys.close()
    await check_log(told, decided_again=True)


async def books_reach(writing: Clerk, seq: int) -> None:
    while writing.sequencer.books.seq < seq:  # noqa: ASYNC110  the books tell nobody
        await asyncio.sleep(0.01)


@pairs
async def test_gifts_decided_behind_a_commit_that_was_cut_off_are_entered_once(
    told: Settings, wire: Wire, writing: Clerk, *, answered: bool
) -> None:
    """The next batch was decided on books that hold the first one: it is sent only once that is durable."""
    before, seq = await gifts(told), writing.sequencer.books.seq
    wire.gate = hold = CutAtCommit(answered=answered)
    first = asyncio.create_task(writing.give())
    await hold.held.wait()
    behind = [asyncio.create_task(writing.give()) for _ in range(2 * WORTH_DECIDING)]
    await books_reach(writing, seq + 1 + len(behind))
    hold.passed.set()
    entered = {(await each).seq for each in (first, *behind)}
    assert await gifts(told) == before + len(entered) == before + 1 + len(behind)
    await check_log(told)


async def test_a_reference_on_its_way_into_the_log_is_known(told: Settings, wire: Wire, writing: Clerk) -> None:
    seq = writing.sequencer.books.seq
    wire.gate = hold = HoldCommit()
    first = asyncio.create_task(writing.do(writing.gift(channel_ref="one number")))
    await hold.held.wait()
    behind = [asyncio.create_task(writing.give()) for _ in range(WORTH_DECIDING)]
    again = asyncio.create_task(writing.do(writing.gift(channel_ref="one number")))
    await books_reach(writing, seq + 1 + WORTH_DECIDING)
    assert not any(each.done() for each in (first, again, *behind)), "nothing is answered before it is durable"
    hold.passed.set()
    await asyncio.gather(first, *behind)
    with pytest.raises(AlreadyThere):
        await again
    await check_log(told)


async def test_rows_behind_a_chunk_that_failed_are_not_entered(told: Settings) -> None:
    """Rows go in in order: a restart goes on behind the last one entered, and would never see those left out."""
    async with clerk.opened(told) as writing:
        approved = await writing.sheet(rows=6)
        before = await gifts(told)
        chunks = [[writing.row(approved.seq, row + i) for i in (0, 1)] for row in (1, 3)]
        one, other = chunks[0]
        chunks[0] = [one, other._replace(subject=SubjectKey(-1, b""))]  # the database refuses it, and so all of it
        entering = [writing.sequencer.enqueue(each) for each in (*chunks, [writing.row(approved.seq, 5)])]
        failed = await asyncio.gather(*entering, return_exceptions=True)
        assert [type(each) for each in failed] == [asyncpg.CheckViolationError] * 3
        assert await gifts(told) == before
        await writing.sequencer.enqueue([writing.row(approved.seq, row) for row in range(1, 7)])
        assert await gifts(told) == before + 6, "they go in when they are sent again"
    await check_log(told, decided_again=True)
