"""The sequencer: the one task that gives entries their place. It takes whatever queued while the last commit ran.

Each batch is one transaction that begins by moving the head on, if the head is still ours: a sequencer that took over
raised the epoch, and the old one finds no row and stops for good. Acknowledged means committed.

While the server writes one batch, the next one is decided if it is of gifts only, which need to see no postings. It is
sent when the first is durable; if that fails, it is decided again.
"""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Sequence

import asyncpg
import structlog

from ledger.books import Books
from ledger.refusals import KeyReused, Refused
from ledger.store import erasures, rows
from ledger.store.availability import Busy, Stopped
from ledger.store.batch import (
    Batch,
    Idempotency,
    Outcome,
    Pending,
    Replayed,
    Sequenced,
    Work,
    shuffle_channel_gifts,
)
from ledger.store.clock import Clock, ClockError
from ledger.store.database import Database, is_unreachable
from ledger.store.decider import Decider
from ledger.store.erasures import Doomed, ErasureList
from ledger.store.files import SetupError
from ledger.store.keys import SubjectKeys
from ledger.store.queries import state

BATCH_COMMANDS = 512
"""Commands in one transaction at most."""

WORTH_DECIDING = 8
"""Gifts that are decided while the batch before is being written; fewer wait for its end, and for company."""

KEYS_AHEAD = 10_000
"""Gifts of sheets that have their keys and are not in the log yet, at most, by far: keys are not entered in order."""

TRIES = 2
"""How often a command is tried by itself after the batch it was in failed."""

RECONNECT_S = 0.5
PATIENT_TRIES = 240
"""After so many, those who wait are told that the database does not answer; we try on."""

TAKEN_OVER = "another sequencer has taken over"
_BY_REQUEST = "stopped"
_LAST_SLOT = "select max(slot) from (select slot from vault order by seq desc limit $1) newest"
_FENCE = "update head set epoch = $2 where epoch in ($1, $2)"
_log = structlog.get_logger()


class Sequencer:
    """Owns the head of one log."""

    def __init__(
        self, database: Database, subjects: SubjectKeys, clock: Clock, *, erased: ErasureList, queue_size: int
    ) -> None:
        self._database = database
        self._subjects = subjects
        self._erased = erased
        self._clock = clock
        self._queue_size = queue_size
        self._queue: deque[Pending] = deque()
        self._in_flight: dict[bytes, Pending] = {}
        self._arrived = asyncio.Event()
        self._epoch = self._next_epoch = 0
        self._decider = Decider(Books(), {})
        self._deciding: list[Pending] = []
        self._batch: Batch | None = None
        """On its way into the tables."""
        self._writing: asyncio.Task[None] | None = None
        self._durable: list[Pending] = []
        """What was written, and whoever asked for it is not told yet."""
        self._task: asyncio.Task[None] | None = None
        self._halted = "not started"
        self._silent = ""

    @property
    def stopped(self) -> str:
        """Why it does not write, for good or until the database answers again; empty while it does."""
        return self._halted or self._silent

    @property
    def books(self) -> Books:
        """The books, to read: as of the last commit, and gifts whose commit is on its way."""
        return self._decider.books

    async def start(self) -> None:
        """Take the log over: whoever wrote it before is fenced off. Then write until stop()."""
        await self._check_keys()  # before, so that a wrong key file fences nobody off
        async with self._database.write() as connection:
            self._epoch = await connection.fetchval("update head set epoch = epoch + 1 returning epoch")
        self._next_epoch = _epoch_after(self._epoch)
        if not await self._recover():
            raise SetupError(TAKEN_OVER)
        await self._check_keys()  # and after, when nobody else can add to the vault any more
        self._halted = ""
        self._task = asyncio.create_task(self._run(), name="sequencer")

    async def stop(self) -> None:
        """Finish the batch that is being written; what still waits is answered Stopped."""
        self._halt(_BY_REQUEST)
        if self._task is not None:
            await asyncio.wait([self._task])

    async def submit(self, work: Work, idempotency: Idempotency | None = None) -> Outcome:
        """Have one command sequenced. Raises Refused, Busy, Stopped."""
        if idempotency is not None and (first := self._in_flight.get(idempotency.key)) is not None:
            assert first.idempotency is not None
            if first.idempotency.request != idempotency.request:
                raise KeyReused
            # The same request is on its way: both get its answer.
            return _answer(await asyncio.shield(first.done))
        pending = self._enqueue([work], idempotency)
        # A caller that goes away leaves its work in the queue: it may retry and is answered from the log.
        return _answer(await asyncio.shield(pending.done))

    def enqueue(self, work: Sequence[Work]) -> asyncio.Future[list[Outcome | Refused]]:
        """Have one command, or gifts of an import, sequenced in one transaction; each has its own outcome.

        Rows of one import go in in the order of these calls; where a chunk fails, those behind it fail with it.
        No work has no outcomes, and waits for nobody. Raises Busy, Stopped.
        """
        return self._enqueue(work, None).done

    def _enqueue(self, work: Sequence[Work], idempotency: Idempotency | None) -> Pending:
        if self.stopped:
            raise Stopped(self.stopped)
        pending = Pending(work, asyncio.get_running_loop().create_future(), idempotency)
        if not work:
            pending.resolve()
            return pending
        if len(self._queue) >= self._queue_size:
            raise Busy
        self._queue.append(pending)
        self._arrived.set()
        if idempotency is not None:
            self._in_flight[idempotency.key] = pending
            pending.done.add_done_callback(lambda _: self._in_flight.pop(idempotency.key, None))
        return pending

    async def _check_keys(self) -> None:
        """Slots that look free in an old copy of the key file are taken: donors would share keys, or lose them."""
        async with self._database.raw() as connection:
            last: int | None = await connection.fetchval(_LAST_SLOT, self._queue_size + KEYS_AHEAD)
        if last is not None and last >= self._subjects.count:
            raise SetupError(
                f"the vault needs {last + 1} subject keys, the key file has {self._subjects.count}:"
                " put its newest copy back"
            )

    async def _run(self) -> None:
        while not self._halted:
            try:
                # Kept from batch to batch until something fails.
                async with self._database.raw() as writing, self._database.raw() as reading:
                    while not self._halted:
                        await self._sequence(writing, reading)
                    await self._written()
                    self._tell()
            except ClockError as error:
                self._halt(str(error))
                await self._settle(error)
            except Exception as error:  # noqa: BLE001  whatever it was, the log says what is true now
                _log.warning("a batch failed", commands=len(self._deciding), exc_info=error)
                await self._settle(error)
        # What a batch that failed while we were stopping put back.
        self._fail_all(Stopped(self._halted))

    async def _sequence(self, writing: asyncpg.Connection, reading: asyncpg.Connection) -> None:
        """Decide the next batch while the one before may still be on its way, then send it after that."""
        await self._work_is_there()
        self._deciding = self._take()
        if not self._deciding:
            return
        if self._decider.is_crowded and self._writing is None:
            self.books.lines.clear()
        written = frozenset[str]() if self._batch is None else self._batch.refs
        at = self._clock.at(self.books.at)
        batch = await self._decider.batch(reading, self._deciding, at=at, epoch=self._epoch, written=written)
        try:
            await self._written()  # a refusal, too, may rest on what is durable only now
            self._deciding = []
            if self._halted:  # they have been told so
                return
            if batch.is_empty:
                _resolve(batch.pending)
                return
            self._batch = batch
            self._writing = asyncio.create_task(self._write(writing, batch))
            self._writing.add_done_callback(lambda _: self._arrived.set())
            await asyncio.sleep(0)  # it is on its way before those who are told now come back with more
        finally:
            self._tell()

    async def _work_is_there(self) -> None:
        """Wait until there is something to decide now, or until we stop. Raises what failed in between."""
        while not self._halted:
            if self._writing is not None and self._writing.done():
                await self._written()
                self._tell()
            elif self._queue and (self._writing is None or self._may_overlap()):
                return
            else:  # nothing was awaited since we looked
                self._arrived.clear()
                await self._arrived.wait()

    def _may_overlap(self) -> bool:
        """Whether to decide what queued while a batch is being written."""
        first = self._queue[0]
        if not first.is_of_gifts or first.tries or self._decider.is_crowded:
            return False
        return first.is_chunk or len(self._queue) >= WORTH_DECIDING

    def _take(self) -> list[Pending]:
        """What queued: gifts together, another command only as the first, since it may have to see the postings.

        A chunk goes alone, as does what failed with others.
        """
        taken: list[Pending] = []
        most = BATCH_COMMANDS
        if self._writing is None:  # the other half is decided while this one is being written, and so on in turn
            most = min(most, max(WORTH_DECIDING, -(-len(self._queue) // 2)))
        while self._queue and len(taken) < most:
            pending = self._queue[0]
            alone = pending.is_chunk or pending.tries > 0
            if taken and (alone or not pending.is_of_gifts):
                break
            taken.append(self._queue.popleft())
            if alone:
                break
        shuffle_channel_gifts(taken)
        return taken

    async def _write(self, connection: asyncpg.Connection, batch: Batch) -> None:
        """All of a batch or nothing of it: one statement where that can hold it, and else a transaction."""
        beside, doomed = batch.beside, list[Doomed]()
        gathered = [*batch.projected.tables, *beside.rows()]
        try:
            if rows.fit_one_statement(gathered) and not (batch.projected.has_rare or beside.erased or beside.resolved):
                await rows.append(connection, batch.head, gathered)
            else:
                async with connection.transaction():
                    await rows.append(connection, batch.head, gathered)
                    await batch.projected.write_rare(connection)
                    if beside.erased:
                        doomed = await erasures.remove(connection, beside.erased)
                    if beside.resolved:
                        await erasures.blank_resolved(connection, beside.resolved, self.books.erased)
        except rows.HeadLostError:
            raise Stopped(TAKEN_OVER) from None
        # Durable. If we stop now, the entries stand; their senders retry with the same key and get the same receipts.
        # What an erasure has left to destroy outside the database is destroyed at the next start, before anything else.
        if doomed:
            await asyncio.to_thread(erasures.destroy, doomed, self._subjects, self._erased)
        self._durable += batch.pending

    def _tell(self) -> None:
        """Whoever asked for what is durable."""
        told, self._durable = self._durable, []
        _resolve(told)

    async def _written(self) -> None:
        """The batch on its way is durable. Raises what it failed of; then it is still to be settled."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
            self._writing.result()
            self._batch = self._writing = None

    async def _settle(self, error: Exception) -> None:
        """After a failure: look what is in the log, then answer or try again; one bad command must not hurt others."""
        if self._writing is not None:  # it may well succeed where deciding the next one failed
            await asyncio.wait([self._writing])
            if self._writing.exception() is None:
                self._batch = None
        self._tell()
        sent, decided = self._batch, self._deciding
        self._batch = self._writing = None
        self._deciding = []
        if sent is None and not decided and self._halted:
            return
        at_hand = [*(sent.pending if sent else ()), *decided]
        if not await self._recover_patiently(at_hand):
            _fail(at_hand, Stopped(self._halted))
        elif sent is None:
            self._try_alone(decided, error)
        else:
            self._queue.extendleft(each for each in reversed(decided) if not each.done.done())  # not their fault
            if (sent.head.seq, sent.head.prev.hex()) == (self.books.seq, self.books.prev):
                _resolve(sent.pending)  # the connection was lost after COMMIT took effect
            else:
                self._try_alone(sent.pending, error)

    def _try_alone(self, failed: list[Pending], error: Exception) -> None:
        """Each command of a batch that failed goes again, by itself; one that fails by itself is given up."""
        for pending in reversed([each for each in failed if not each.done.done()]):
            pending.tries += 1
            if pending.tries > TRIES:
                self._give_up(pending, error)
            else:
                self._queue.appendleft(pending)

    def _give_up(self, pending: Pending, error: Exception) -> None:
        """Rows of an import go in in order: those behind rows that failed are not entered either."""
        behind = [each for each in self._queue if pending.import_batch and each.import_batch == pending.import_batch]
        for each in behind:
            self._queue.remove(each)
        _fail([pending, *behind], error)

    async def _recover_patiently(self, at_hand: Sequence[Pending]) -> bool:
        """Read everything back as soon as the database answers; False where this sequencer has to stop.

        Who has waited long is told; retries with the same keys are answered from the log.
        """
        tries = 0
        while True:
            try:
                is_ours = await self._recover()
            except Exception as error:  # noqa: BLE001  an entry that is none, a row that is gone: look before writing on
                if not is_unreachable(error):
                    _log.error("the log cannot be read back", exc_info=error)
                    self._halt("the log cannot be read back")
                    return False
                if self._halted:
                    return False
                tries += 1
                _log.warning("waiting for the database")
                if tries >= PATIENT_TRIES:
                    self._silent = "the database does not answer"
                    _fail(at_hand, Stopped(self._silent))
                    self._fail_all(Stopped(self._silent))
                await asyncio.sleep(RECONNECT_S)
                continue
            self._silent = ""
            if not is_ours:
                self._halt(TAKEN_OVER)
            return is_ours

    async def _recover(self) -> bool:
        """Fence off what we sent ourselves, then read everything back from the log; False if the head is not ours.

        What was cut off from us may still be on its way. What has begun holds the head until it is decided, and the
        update waits for it; what arrives later finds another epoch. Where the answer to the update itself was lost, the
        next try finds the epoch that this one set.
        """
        async with self._database.write() as connection:
            if await connection.execute(_FENCE, self._epoch, self._next_epoch) != "UPDATE 1":
                return False
        self._epoch, self._next_epoch = self._next_epoch, _epoch_after(self._next_epoch)
        async with self._database.snapshot() as connection:
            books = await state.read_books(connection)
            ids = await state.read_ids(connection)
        async with self._database.raw() as connection:
            await erasures.carry_out(connection, books.erased, self._subjects, self._erased)
        self._decider = Decider(books, ids)
        return True

    def _halt(self, why: str) -> None:
        _log.log(logging.INFO if why == _BY_REQUEST else logging.CRITICAL, "writing stops", reason=why)
        self._halted = self._halted or why
        self._fail_all(Stopped(why))
        self._arrived.set()

    def _fail_all(self, error: Stopped) -> None:
        _fail([*self._queue, *self._deciding], error)
        self._queue.clear()


def _epoch_after(epoch: int) -> int:
    """One that nobody else comes to: who takes over adds one, who recovers takes a step of chance."""
    return epoch + 2 + secrets.randbelow(2**32)


def _answer(outcomes: Sequence[Sequenced | Replayed | Refused]) -> Outcome:
    (outcome,) = outcomes
    if isinstance(outcome, Refused):
        raise outcome
    return outcome


def _resolve(pending: Sequence[Pending]) -> None:
    for each in pending:
        each.resolve()


def _fail(pending: Sequence[Pending], error: Exception) -> None:
    for each in pending:
        each.fail(error)
