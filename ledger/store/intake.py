"""Imports that were approved are entered here, row by row; what is true of them stands in the log."""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import structlog

from ledger.books import Import
from ledger.donations import CompleteImport
from ledger.imports import check as checking
from ledger.imports.sheet import Row
from ledger.privacy import Identity
from ledger.refusals import Refused
from ledger.store.availability import Busy, Stopped
from ledger.store.batch import Outcome, Work
from ledger.store.sequencer import Sequencer
from ledger.store.sheets import Sheets
from ledger.store.vault import Gift, SealedGift, Sealer

CHUNK_ROWS = 500
"""Gifts of one transaction: others wait no longer than for these."""

CHUNKS_AHEAD = 2
"""One is being written, one decided."""

PAUSE_S = 0.05
RETRY_S = 1

_log = structlog.get_logger()


class Intake:
    """Enters approved imports, beginning with what a crash left."""

    def __init__(self, sequencer: Sequencer, sealer: Sealer, sheets: Sheets) -> None:
        self._sequencer = sequencer
        self._sealer = sealer
        self._sheets = sheets
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
            for number, batch in sorted(self._sequencer.books.imports.items()):
                try:
                    await self._enter(number, batch)
                except Stopped:
                    self._arrived.set()
                    break
                except Exception as error:  # noqa: BLE001  one sheet's fault must not stop the others
                    _log.error("an import cannot go on", batch=number, exc_info=error)
            self._sheets.clear_away()

    async def _enter(self, number: int, batch: Import) -> None:
        """Enter what is left of one approved batch, chunk by chunk, and complete it."""
        approved = batch.approved
        found = self._sheets.find(approved.file)
        if found is None:
            _log.error("the sheet of an approved import is missing", batch=number)
            return
        folder, manifest = found
        rows = checking.accepted(
            folder / "sheet",
            manifest.fitted(),
            folder / "scratch.sqlite",
            after=batch.last_row,
            batch=approved.name,
        )
        _log.info("entering an import", batch=number, rows=approved.rows, entered=batch.rows)

        def next_chunk() -> list[SealedGift]:
            return [self._seal(row, number, batch) for row in islice(rows, CHUNK_ROWS)]

        loop = asyncio.get_running_loop()
        entering: deque[asyncio.Future[list[Outcome | Refused]]] = deque()
        with ThreadPoolExecutor(1) as reader:  # one thread: the generator and its scratch file stay in it
            chunk = loop.run_in_executor(reader, next_chunk)
            while sealed := await chunk:
                # While these chunks are decided and committed, the next one is read and sealed.
                chunk = loop.run_in_executor(reader, next_chunk)
                entering.append(await self._enqueue(sealed))
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

    def _seal(self, row: Row, number: int, batch: Import) -> SealedGift:
        approved = batch.approved
        return self._sealer.seal(
            Gift(
                maker=batch.maker,
                org=approved.org,
                fund=approved.fund,
                amount_fen=row.amount_fen,
                channel=approved.channel,
                channel_ref=row.reference,
                on=row.on,
                donor_class=row.donor_class,
                identity=Identity(name=row.donor_name),
                event=approved.event,
                batch=number,
                row=row.row,
            )
        )


def _warn(outcomes: Sequence[Outcome | Refused]) -> None:
    refused = [each for each in outcomes if isinstance(each, Refused)]
    if refused:
        _log.warning("rows were refused", rows=len(refused), first=str(refused[0]))
