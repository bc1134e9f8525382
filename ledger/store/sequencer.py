"""The sequencer: the one task that gives entries their place. It takes whatever queued while the last commit ran.

Each batch is one transaction that begins by moving the head on, if the head is still ours: a sequencer that took over
raised the epoch, and the old one finds no row and stops for good. Acknowledged means committed.
"""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import asyncpg
import msgspec
import structlog

from ledger import decide, donations, entries
from ledger.approvals import ApproveProposal
from ledger.books import Books
from ledger.command import Draft, Facts
from ledger.decide import AnyCommand, Proposed
from ledger.donations import ReceiveMoney
from ledger.entries import Entry
from ledger.income import ReceiveIncome
from ledger.refusals import Closed, KeyReused, Refused
from ledger.store import rows
from ledger.store.availability import Busy, Stopped
from ledger.store.clock import Clock, ClockError, today
from ledger.store.database import UNREACHABLE, Database
from ledger.store.keys import SubjectKeys
from ledger.store.projections import Projector
from ledger.store.queries import state
from ledger.store.setup import SetupError
from ledger.store.vault import SealedGift
from ledger.suspense import IdentifyMoney, ReceiveUnidentified

BATCH_COMMANDS = 512
"""Commands in one transaction at most."""

LINES_KEPT = 20_000
"""Lines kept in memory between batches at most."""

TRIES = 2
"""How often a command is tried by itself after the batch it was in failed."""

RECONNECT_S = 0.5
RECONNECT_TRIES = 240

_BY_REQUEST = "stopped"
_log = structlog.get_logger()
_shuffle = secrets.SystemRandom().shuffle
Work: TypeAlias = AnyCommand | SealedGift
_REFERRING = ReceiveMoney | ReceiveUnidentified | ReceiveIncome
"""Commands with a channel's reference, which is in the log once."""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """Digests of the caller's key and of her request."""

    key: bytes
    request: bytes


@dataclass(frozen=True, slots=True)
class Sequenced:
    """Durable entries of one command, in order."""

    entries: tuple[Entry, ...]
    code: str = ""
    """The receipt code, of a gift."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """The same request was carried out before, as these entries."""

    first_seq: int
    last_seq: int


Outcome: TypeAlias = Sequenced | Replayed


@dataclass(slots=True, eq=False)
class _Pending:
    """Work that waits: one command; or a chunk of gifts that stand or fall together, refusals apart."""

    work: Sequence[Work]
    done: asyncio.Future[list[Sequenced | Replayed | Refused]]
    idempotency: Idempotency | None = None
    tries: int = 0
    outcomes: list[Sequenced | Replayed | Refused] = field(default_factory=list)


@dataclass(slots=True)
class _Beside:
    """Rows that go in with a batch and are no projection of it."""

    subject_keys: list[bytes] = field(default_factory=list)
    receipts: list[tuple[bytes, int, int, bytes]] = field(default_factory=list)
    sealed: list[tuple[int, bytes]] = field(default_factory=list)
    idempotency: list[tuple[bytes, bytes, int, int]] = field(default_factory=list)
    drafts: list[tuple[int, bytes, str]] = field(default_factory=list)


class Sequencer:
    """Owns the head of one log."""

    def __init__(self, database: Database, subjects: SubjectKeys, clock: Clock, *, queue_size: int) -> None:
        self._database = database
        self._subjects = subjects
        self._clock = clock
        self._queue_size = queue_size
        self._queue: deque[_Pending] = deque()
        self._in_flight: dict[bytes, _Pending] = {}
        self._arrived = asyncio.Event()
        self._epoch = 0
        self._durable_seq = -1
        self._projector = Projector(Books(), {})
        self._task: asyncio.Task[None] | None = None
        self.stopped = "not started"
        """Why it does not write; empty while it does."""

    @property
    def books(self) -> Books:
        """The books as of the last commit; between batches only to read."""
        return self._projector.books

    async def start(self) -> None:
        """Take the log over: whoever wrote it before is fenced off. Then write until stop()."""
        await self._check_keys()  # before, so that a wrong key file fences nobody off
        async with self._database.write() as connection:
            self._epoch = await connection.fetchval("update head set epoch = epoch + 1 returning epoch")
        await self._recover()
        await self._check_keys()
        self.stopped = ""
        self._task = asyncio.create_task(self._run(), name="sequencer")

    async def stop(self) -> None:
        """Finish the batch that runs; what still waits is answered Stopped."""
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
        return _answer(await self._enqueue([work], idempotency))

    async def submit_chunk(self, gifts: Sequence[SealedGift]) -> list[Sequenced | Refused]:
        """Have gifts of an import sequenced in one transaction; a refused one does not hold up the others."""
        outcomes = await self._enqueue(gifts, None)
        return [each for each in outcomes if not isinstance(each, Replayed)]

    async def _enqueue(
        self, work: Sequence[Work], idempotency: Idempotency | None
    ) -> list[Sequenced | Replayed | Refused]:
        if self.stopped:
            raise Stopped(self.stopped)
        if len(self._queue) >= self._queue_size:
            raise Busy
        pending = _Pending(work, asyncio.get_running_loop().create_future(), idempotency)
        self._queue.append(pending)
        self._arrived.set()
        if idempotency is not None:
            self._in_flight[idempotency.key] = pending
            pending.done.add_done_callback(lambda _: self._in_flight.pop(idempotency.key, None))
        # A caller that goes away leaves its work in the queue: it may retry and is answered from the log.
        return await asyncio.shield(pending.done)

    async def _check_keys(self) -> None:
        """Slots that look free in an old copy of the key file are taken: donors would share keys, or lose them."""
        async with self._database.raw() as connection:
            last: int | None = await connection.fetchval("select slot from vault order by seq desc limit 1")
        if last is not None and last >= self._subjects.count:
            raise SetupError(
                f"the vault needs {last + 1} subject keys, the key file has {self._subjects.count}:"
                " put its newest copy back"
            )

    async def _run(self) -> None:
        while not self.stopped:
            batch: list[_Pending] = []
            try:
                async with self._database.raw() as connection:  # kept from batch to batch until something fails
                    while not self.stopped:
                        batch = await self._next()
                        await self._sequence(connection, batch)
                        batch = []
            except ClockError as error:
                self._fail(batch, Stopped(str(error)))
                self._halt(str(error))
            except Exception as error:  # noqa: BLE001  whatever it was, the log says what is true now
                _log.warning("a batch failed", commands=len(batch), exc_info=error)
                await self._settle(batch, error)
        # What a batch that failed while we were stopping put back.
        self._fail([*self._queue], Stopped(self.stopped))
        self._queue.clear()

    async def _next(self) -> list[_Pending]:
        """The next batch, as soon as there is one; empty where this sequencer has to stop."""
        while not self._queue and not self.stopped:
            self._arrived.clear()
            await self._arrived.wait()
        return self._take()

    def _take(self) -> list[_Pending]:
        """What queued: gifts together, another command only as the first, since it may have to see the postings.

        A chunk goes alone, as does what failed with others.
        """
        batch: list[_Pending] = []
        while self._queue and len(batch) < BATCH_COMMANDS:
            pending = self._queue[0]
            alone = len(pending.work) > 1 or pending.tries > 0
            if batch and (alone or not _is_gift(pending.work[0])):
                break
            batch.append(self._queue.popleft())
            if alone:
                break
        _shuffle_channel_gifts(batch)
        return batch

    async def _sequence(self, connection: asyncpg.Connection, batch: list[_Pending]) -> None:
        """Decide and append one batch."""
        at = self._clock.at(self.books.at)
        before = self.books.seq
        beside = _Beside()
        await self._load(connection, batch)
        for pending in batch:
            if not pending.outcomes:
                await self._decide(connection, pending, at, beside)
        if self.books.seq == before:  # only refusals and repeated requests: nothing to write
            self._projector.forget()
        else:
            await self._write(connection, before, beside)
        # Durable. If we stop now, the entries stand; their senders retry with the same key and get the same receipts.
        self._durable_seq = self.books.seq
        if len(self.books.lines) > LINES_KEPT:
            self.books.lines.clear()
        self._resolve(batch)

    async def _load(self, connection: asyncpg.Connection, batch: list[_Pending]) -> None:
        """Which idempotency keys and references are known already, and the lines that gifts touch."""
        keys = [pending.idempotency.key for pending in batch if pending.idempotency is not None]
        commands = [
            work.command if isinstance(work, SealedGift) else work for pending in batch for work in pending.work
        ]
        gifts = [command for command in commands if isinstance(command, ReceiveMoney)]
        refs = [bytes.fromhex(each.ref) for each in commands if isinstance(each, _REFERRING) and each.ref]
        found = await connection.fetch(_KNOWN, keys, refs) if keys or refs else []
        known = {row["found"]: row for row in found if row["request"] is not None}
        self.books.refs.clear()
        self.books.refs.update(row["found"].hex() for row in found if row["request"] is None)
        for pending in batch:
            pending.outcomes.clear()
            if pending.idempotency is not None and (row := known.get(pending.idempotency.key)) is not None:
                same = row["request"] == pending.idempotency.request
                replayed = Replayed(row["first_seq"], row["last_seq"])
                pending.outcomes.append(replayed if same else KeyReused())
        wanted = {where for gift in gifts for where in donations.lines(gift, self.books)}
        await state.load_lines(connection, self.books, self._projector.ids, wanted)

    async def _decide(self, connection: asyncpg.Connection, pending: _Pending, at: str, beside: _Beside) -> None:
        """Decide the work of one request on the books as the commands before it left them."""
        before = self.books.seq
        for work in pending.work:
            try:
                if isinstance(work, SealedGift):
                    pending.outcomes.append(await self._receive(connection, work, at, beside))
                else:
                    pending.outcomes.append(await self._carry_out(connection, work, at, beside))
            except Refused as refused:
                pending.outcomes.append(refused)
        if pending.idempotency is not None and self.books.seq > before:
            kept = pending.idempotency
            beside.idempotency.append((kept.key, kept.request, before + 1, self.books.seq))

    async def _receive(self, connection: asyncpg.Connection, gift: SealedGift, at: str, beside: _Beside) -> Sequenced:
        if isinstance(gift.command, IdentifyMoney):
            (entry,) = (await self._carry_out(connection, gift.command, at, beside)).entries
        else:
            (draft,) = decide.decide(gift.command, self.books, Facts(today=today(at)))
            entry = self._append(draft, at)
        beside.subject_keys.append(gift.subject_key)
        beside.sealed.append((entry.seq, gift.sealed))
        beside.receipts.append((gift.digest, gift.key_id, entry.seq, gift.box))
        return Sequenced((entry,), gift.command.code)

    async def _carry_out(
        self, connection: asyncpg.Connection, command: AnyCommand, at: str, beside: _Beside
    ) -> Sequenced:
        assert not isinstance(command, ReceiveMoney), "a gift comes sealed, with what the vault keeps of it"
        proposed: Proposed | None = None
        if isinstance(command, ApproveProposal):
            proposed = await state.load_proposed(connection, command.proposal)
            if proposed is None:
                raise Closed(f"proposal {command.proposal} is not open", proposal=command.proposal)
        salt = secrets.token_hex(32)
        facts = Facts(today=today(at), salt=salt)
        if (needs := decide.needs(proposed or command)) is not None:
            facts = await state.load_facts(
                connection, needs, self.books, self._projector.ids, today=facts.today, salt=salt
            )
        wanted = decide.lines(command, self.books, facts)
        if proposed is not None:
            wanted |= decide.lines(proposed, self.books, facts)
        await state.load_lines(connection, self.books, self._projector.ids, wanted)
        drafts = decide.decide(command, self.books, facts, proposed)
        appended = tuple(self._append(draft, at) for draft in drafts)
        if isinstance(appended[0].body, entries.ProposalMade):
            beside.drafts.append((appended[0].seq, msgspec.json.encode(command), salt))
        return Sequenced(appended)

    def _append(self, draft: Draft, at: str) -> Entry:
        entry, written = decide.seal(draft, self.books, at)
        self._projector.add(entry, written, entries.digest(written))
        return entry

    async def _write(self, connection: asyncpg.Connection, before: int, beside: _Beside) -> None:
        books = self.books
        first_slot = self._subjects.append(beside.subject_keys) if beside.subject_keys else 0
        synced = asyncio.create_task(asyncio.to_thread(self._subjects.sync)) if beside.subject_keys else None
        try:
            async with connection.transaction():
                head = rows.Head(self._epoch, before, books.seq, bytes.fromhex(books.prev), books.at)
                vault = [(seq, first_slot + i, sealed) for i, (seq, sealed) in enumerate(beside.sealed)]
                gathered: rows.Gathered = [
                    *self._projector.gathered(),
                    (rows.RECEIPT, beside.receipts),
                    (rows.VAULT, vault),
                    (rows.DRAFT, beside.drafts),
                    (rows.IDEMPOTENCY, beside.idempotency),
                ]
                if not await rows.append(connection, head, gathered):
                    raise Stopped("another sequencer has taken over")
                await self._projector.write_rare(connection)
                if synced is not None:
                    await synced
                    # The subject keys are durable before the COMMIT that needs them. A crash here leaves keys that
                    # nothing is sealed under.
        finally:
            if synced is not None:
                await asyncio.wait([synced])

    async def _settle(self, batch: list[_Pending], error: Exception) -> None:
        """After a failure: look what is in the log, then answer or try again; one bad command must not hurt others."""
        expected = (self.books.seq, self.books.prev)
        durable = self._durable_seq
        if not await self._recover_patiently():
            self._fail(batch, Stopped(self.stopped))
        elif expected == (self.books.seq, self.books.prev) and self.books.seq > durable:
            # The connection was lost after COMMIT took effect.
            self._resolve(batch)
        else:
            self._try_alone(batch, error)

    def _try_alone(self, batch: list[_Pending], error: Exception) -> None:
        """Each command of a batch that failed goes again, by itself; one that fails by itself is given up."""
        for pending in reversed(batch):
            pending.tries += 1
            if pending.tries > TRIES:
                self._fail([pending], error)
            else:
                self._queue.appendleft(pending)

    async def _recover_patiently(self) -> bool:
        """Read everything back as soon as the database answers; False where this sequencer has to stop."""
        for _ in range(RECONNECT_TRIES):
            try:
                epoch = await self._recover()
            except UNREACHABLE:
                if self.stopped:
                    return False
                _log.warning("waiting for the database")
                await asyncio.sleep(RECONNECT_S)
                continue
            except Exception as error:  # noqa: BLE001  an entry that is none, a row that is gone: look before writing on
                _log.error("the log cannot be read back", exc_info=error)
                self._halt("the log cannot be read back")
                return False
            if epoch == self._epoch:
                return True
            self._halt("another sequencer has taken over")
            return False
        self._halt("the database does not answer")
        return False

    async def _recover(self) -> int:
        """Read everything back from the log; answers the epoch found there."""
        async with self._database.write() as connection:
            # A COMMIT of ours that was cut off from us may still be on its way: it holds the head until it is decided.
            await connection.execute("select from head for update")
        async with self._database.snapshot() as connection:
            books = await state.read_books(connection)
            ids = await state.read_ids(connection)
            epoch: int = await connection.fetchval("select epoch from head")
        self._projector = Projector(books, ids)
        self._durable_seq = books.seq
        return epoch

    def _resolve(self, batch: list[_Pending]) -> None:
        for pending in batch:
            if not pending.done.done():
                pending.done.set_result(pending.outcomes)

    def _fail(self, batch: list[_Pending], error: Exception) -> None:
        for pending in batch:
            if not pending.done.done():
                pending.done.set_exception(error)
                pending.done.exception()  # nobody may be waiting any more

    def _halt(self, why: str) -> None:
        _log.log(logging.INFO if why == _BY_REQUEST else logging.CRITICAL, "writing stops", reason=why)
        self.stopped = self.stopped or why
        self._fail([*self._queue], Stopped(why))
        self._queue.clear()
        self._arrived.set()


def _answer(outcomes: Sequence[Sequenced | Replayed | Refused]) -> Outcome:
    (outcome,) = outcomes
    if isinstance(outcome, Refused):
        raise outcome
    return outcome


def _is_gift(work: Work) -> bool:
    """A gift as it arrives: it needs to see nothing but its fund's line."""
    return isinstance(work, SealedGift) and isinstance(work.command, ReceiveMoney)


def _shuffle_channel_gifts(batch: list[_Pending]) -> None:
    """Gifts that arrive together are entered in random order among their own places: order tells nobody anything."""
    places = [i for i, pending in enumerate(batch) if _is_gift(pending.work[0])]
    gifts = [batch[i] for i in places]
    _shuffle(gifts)
    for i, gift in zip(places, gifts, strict=True):
        batch[i] = gift


_KNOWN = """
  select key as found, request, first_seq, last_seq from idempotency where key = any($1)
  union all
  select ref, null, null, null from gift where ref = any($2)
  union all
  select ref, null, null, null from reference where ref = any($2)
"""
