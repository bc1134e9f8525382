"""Imports that were approved are entered here, row by row; what is true of them stands in the log."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import aclosing

import structlog

from ledger.books import Import
from ledger.donations import CompleteImport
from ledger.refusals import Refused
from ledger.store.availability import Busy, Stopped
from ledger.store.batch import Outcome, Work
from ledger.store.keys import LogKeys, LookupKeys
from ledger.store.sealing import Draw, RowSealer, SealerGone, Wanted
from ledger.store.sequencer import Sequencer
from ledger.store.sheets import Sheets

CHUNKS_AHEAD = 2
"""One is being written, one decided."""

PAUSE_S = 0.05
RETRY_S = 1

_log = structlog.get_logger()


class Intake:
    """Enters approved imports, beginning with what a crash left."""

    def __init__(self, sequencer: Sequencer, keys: LogKeys, lookup: LookupKeys, sheets: Sheets, *, draw: Draw) -> None:
        """`draw` makes subject keys."""
        self._sequencer = sequencer
        self._keys = keys
        self._lookup = lookup
        self._sheets = sheets
        self._draw = draw
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look what is approved and not completed, then wait for more."""
        self._arrived.set()
        self._task = asyncio.create_task(self._run(), name="intake")

    async def stop(self) -> None:
        """Leave off; the chunk that runs is entered or not, as a whole."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def wake(self) -> None:
        """Something was approved."""
        self._arrived.set()

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._sequencer.stopped:  # noqa: ASYNC110  it tells nobody
                await asyncio.sleep(RETRY_S)
            async with RowSealer(self._keys, self._lookup, self._draw) as sealer:
                for number, batch in sorted(self._sequencer.books.imports.items()):
                    try:
                        await self._enter(number, batch, sealer)
                    except Stopped:
                        self._arrived.set()
                        break
                    except SealerGone:  # killed, perhaps for its memory: another one goes on behind the last row
                        _log.warning("the process that reads rows is gone", batch=number)
                        await asyncio.sleep(RETRY_S)
                        self._arrived.set()
                        break
                    except Exception as error:  # noqa: BLE001  one sheet's fault must not stop the others
                        _log.error("an import cannot go on", batch=number, exc_info=error)
            self._sheets.clear_away()

    async def _enter(self, number: int, batch: Import, sealer: RowSealer) -> None:
        """Enter what is left of one approved batch, chunk by chunk, and complete it."""
        approved = batch.approved
        found = self._sheets.find(approved.file)
        if found is None:
            _log.error("the sheet of an approved import is missing", batch=number)
            return
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
        entering: deque[asyncio.Future[list[Outcome | Refused]]] = deque()
        async with aclosing(sealer.chunks(wanted)) as chunks:
            async for chunk in chunks:
                entering.append(await self._enqueue(chunk))
                if len(entering) == CHUNKS_AHEAD:
                    _warn(await entering.popleft())
        for each in entering:
            _warn(await each)
        (outcome,) = await (await self._enqueue([CompleteImport(maker=batch.maker, batch=number)]))
        if isinstance(outcome, Refused):
            raise outcome
        _log.info("an import is complete", batch=number)

    async def _enqueue(self, work: Sequence[Work]) -> asyncio.Future[list[Outcome | Refused]]:
        """As soon as the queue has room: nobody else would go on with the import."""
        while True:
            try:
                return self._sequencer.enqueue(work)
            except Busy:
                await asyncio.sleep(PAUSE_S)


def _warn(outcomes: Sequence[Outcome | Refused]) -> None:
    refused = [each for each in outcomes if isinstance(each, Refused)]
    if refused:
        _log.warning("rows were refused", rows=len(refused), first=str(refused[0]))
