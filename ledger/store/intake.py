"""Imports that were approved are entered here, row by row; what is true of them stands in the log."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from typing import NamedTuple

import structlog

from ledger.books import Import
from ledger.donations import CompleteImport, ReceiveMoney
from ledger.refusals import NotAllowed, Refused
from ledger.store.availability import Busy, Stopped
from ledger.store.batch import Outcome, Work
from ledger.store.keys import LogKeys, LookupKeys
from ledger.store.refused_rows import RefusedRows
from ledger.store.sealing import Draw, RowSealer, RowsUnreadable, SealerGone, Wanted
from ledger.store.sequencer import Sequencer
from ledger.store.sheets import Sheets
from ledger.store.vault import SealedGift

GONE = "找不到这张表格 (the sheet is gone)"
UNREADABLE = "已核对的表格读不出来了 (the sheet that was checked cannot be read any more)"
MAKER_LEFT = "经办人已没有录入的职责 (the maker does not hold the role any more)"
FAILED = "系统出错，请查看日志 (a fault: see the log)"

CHUNKS_AHEAD = 2
"""One is being written, one decided."""

PAUSE_S = 0.05
RETRY_S = 1

FAULT_RETRY_S = 60.0
"""After a fault of the system, such as a full disk: it may have passed."""

MANY = 100_000
"""Gifts entered in one go after which the server has other pages at hand than those that look-ups ask for."""

_log = structlog.get_logger()


class HaltedError(Exception):
    """An import cannot go on until somebody has done something about it. Says why, in both languages."""


class Intake:
    """Enters approved imports, beginning with what a crash left.

    One that cannot go on stays open, and is tried again whenever something is approved or its sheet is handed in again;
    after a fault, by itself.
    """

    def __init__(  # noqa: PLR0913  each is another one's
        self,
        sequencer: Sequencer,
        keys: LogKeys,
        lookup: LookupKeys,
        sheets: Sheets,
        *,
        refused: RefusedRows,
        draw: Draw,
        prewarm: Callable[[], Awaitable[None]],
    ) -> None:
        """`draw` makes subject keys; `prewarm` is called after imports of many gifts, and let go on beside others."""
        self.refused = refused
        self.halted: dict[int, str] = {}
        """Imports that cannot go on, and why."""
        self._sequencer = sequencer
        self._keys = keys
        self._lookup = lookup
        self._sheets = sheets
        self._draw = draw
        self._prewarm = prewarm
        self._prewarming: asyncio.Task[None] | None = None
        self._entered = 0
        """Gifts, since the last prewarming."""
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        sheets.when_wanted = self.wake

    def start(self) -> None:
        """Look what is approved and not completed, then wait for more."""
        self._arrived.set()
        self._task = asyncio.create_task(self._run(), name="intake")

    async def stop(self) -> None:
        """Leave off; the chunk that runs is entered or not, as a whole."""
        for task in (self._task, self._prewarming):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])

    def wake(self) -> None:
        """Something was approved."""
        self._arrived.set()

    async def _run(self) -> None:
        is_faulty = False
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), FAULT_RETRY_S if is_faulty else None)
            self._arrived.clear()
            while self._sequencer.stopped:  # noqa: ASYNC110  it tells nobody
                await asyncio.sleep(RETRY_S)
            try:
                await self._sheets.take_up()
                await self._enter_all()
                self._sheets.clear_away()
                self._start_prewarming()
                is_faulty = FAILED in self.halted.values()
            except Stopped:
                self._arrived.set()
            except SealerGone:  # killed, perhaps for its memory: another one goes on behind the last row
                _log.warning("the process that reads rows is gone")
                await asyncio.sleep(RETRY_S)
                self._arrived.set()
            except Exception as error:  # noqa: BLE001  imports outlive a fault of the disk
                is_faulty = True
                _log.error("sheets cannot be looked through", exc_info=error)

    def _start_prewarming(self) -> None:
        """Once for all that was entered; what comes while it runs is read by the next."""
        if self._entered < MANY or (self._prewarming is not None and not self._prewarming.done()):
            return
        self._entered = 0
        self._prewarming = asyncio.create_task(self._read_for_look_ups(), name="prewarm")

    async def _read_for_look_ups(self) -> None:
        try:
            await self._prewarm()
        except Exception as error:  # noqa: BLE001  nothing rests on it: look-ups read for themselves
            _log.warning("not all that look-ups read was read ahead", exc_info=error)
        else:
            _log.info("what look-ups read is at hand")

    async def _enter_all(self) -> None:
        """Every approved import. Raises Stopped, SealerGone."""
        imports = self._sequencer.books.imports
        self.halted = {number: why for number, why in self.halted.items() if number in imports}
        async with RowSealer(self._keys, self._lookup, self._draw) as sealer:
            for number, batch in sorted(imports.items()):
                try:
                    await self._enter(number, batch, sealer)
                    self.halted.pop(number, None)
                except (Stopped, SealerGone):
                    raise
                except HaltedError as halted:
                    self.halted[number] = str(halted)
                    _log.error("an import cannot go on", batch=number, reason=str(halted), exc_info=halted.__cause__)
                except Exception as error:  # noqa: BLE001  one sheet's fault must not stop the others
                    self.halted[number] = FAILED
                    _log.error("an import cannot go on", batch=number, exc_info=error)

    async def _enter(self, number: int, batch: Import, sealer: RowSealer) -> None:
        """Enter what is left of one approved batch, chunk by chunk, and complete it. Raises HaltedError."""
        approved = batch.approved
        found = self._sheets.staging.find(approved.file)
        if found is None:
            raise HaltedError(GONE)
        folder, manifest = found
        wanted = Wanted(
            folder=str(folder),
            profile=manifest.profile,
            name=manifest.name,
            batch=approved.name,
            number=number,
            maker=batch.maker,
            org=approved.org,
            fund=approved.fund,
            channel=approved.channel,
            event=approved.event,
            after=batch.last_row,
        )
        _log.info("entering an import", batch=number, rows=approved.rows, entered=batch.rows)
        self.refused.rewind(number, batch.last_row)
        entering: deque[_Entering] = deque()
        try:
            async with aclosing(sealer.chunks(wanted)) as chunks:
                async for chunk in chunks:
                    entering.append(_Entering(chunk, await self._enqueue(chunk)))
                    if len(entering) == CHUNKS_AHEAD:
                        await self._note(number, entering.popleft())
        except RowsUnreadable as error:
            raise HaltedError(UNREADABLE) from error
        for each in entering:
            await self._note(number, each)
        if number not in self._sequencer.books.imports:  # somebody ended it meanwhile
            return
        (outcome,) = await (await self._enqueue([CompleteImport(maker=batch.maker, batch=number)]))
        if isinstance(outcome, NotAllowed):
            raise HaltedError(MAKER_LEFT)
        if isinstance(outcome, Refused):
            raise outcome
        self._entered += approved.rows
        _log.info("an import is complete", batch=number)

    async def _note(self, number: int, entering: "_Entering") -> None:
        """Which rows of a chunk were refused, and why. Raises HaltedError where it is for whose name they bear."""
        outcomes = await entering.outcomes
        refused = [
            (gift.command.row, outcome)
            for gift, outcome in zip(entering.chunk, outcomes, strict=True)
            if isinstance(outcome, Refused) and isinstance(gift.command, ReceiveMoney)
        ]
        if not refused or number not in self._sequencer.books.imports:
            return
        if any(isinstance(outcome, NotAllowed) for _, outcome in refused):
            raise HaltedError(MAKER_LEFT)
        row, first = refused[0]
        _log.warning("rows were refused", batch=number, rows=len(refused), first_row=row, first=str(first))
        self.refused.add(number, refused)

    async def _enqueue(self, work: Sequence[Work]) -> asyncio.Future[list[Outcome | Refused]]:
        """As soon as the queue has room: nobody else would go on with the import."""
        while True:
            try:
                return self._sequencer.enqueue(work)
            except Busy:
                await asyncio.sleep(PAUSE_S)


class _Entering(NamedTuple):
    chunk: Sequence[SealedGift]
    outcomes: asyncio.Future[list[Outcome | Refused]]
