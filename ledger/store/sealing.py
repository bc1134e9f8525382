"""Rows of approved imports, read and sealed by a process of their own: that is half the work of entering them.

Both ways go frames: four bytes of length, then MessagePack. The process is told the keys, then one import after the
other; it answers with chunks of its rows, an empty one at the end. Subject keys are drawn by the one that started it,
as many ahead as may be read ahead. Nobody looks after the process: when the one that started it is gone, the pipe
breaks, and that ends it.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Self, TypeAlias

import msgspec

from ledger import collector
from ledger.imports import check as checking
from ledger.imports.profile import fitted
from ledger.imports.sheet import Row
from ledger.privacy import Identity
from ledger.store.keys import LogKeys, LookupKeys, SubjectKey
from ledger.store.staging import SCRATCH
from ledger.store.vault import Gift, SealedGift, Sealer

CHUNK_ROWS = 2000
"""Gifts of one transaction: others wait no longer than for these."""

CHUNKS_SEALED_AHEAD = 4
"""The process goes on while these are being entered."""

_LENGTH = 4
_READ_AHEAD = 2**21
"""Bytes, of some chunks."""

Draw: TypeAlias = Callable[[int], list[SubjectKey]]


class RowsUnreadable(Exception):  # noqa: N818  said of the rows
    """The rows cannot be read, and could not be another time."""


class SealerGone(Exception):  # noqa: N818  as above
    """The process is gone; another one can go on."""


class Keys(msgspec.Struct, frozen=True):
    """What sealing needs to know."""

    log: LogKeys
    lookup: LookupKeys


class Drawn(msgspec.Struct, frozen=True, tag=True):
    """More subject keys."""

    keys: list[SubjectKey]


class Wanted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An import to read, from behind the row that was entered last."""

    folder: str
    """Where its sheet is staged."""
    profile: str
    name: str
    """What the sheet is called."""
    batch: str
    """Which of the sheet's batches."""
    number: int
    """The import's entry."""
    maker: str
    org: str
    fund: str
    channel: str
    event: str
    after: int


class Answer(msgspec.Struct, frozen=True):
    """Some rows, none at the end; or what was wrong."""

    rows: list[SealedGift]
    wrong: str = ""


class RowSealer:
    """The process, started when first needed; leave the context and it is gone."""

    def __init__(self, keys: LogKeys, lookup: LookupKeys, draw: Draw) -> None:
        """`draw` makes subject keys; what it raises, chunks() raises."""
        self._keys = Keys(keys, lookup)
        self._draw = draw
        self._process: Process | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def chunks(self, wanted: Wanted) -> AsyncGenerator[list[SealedGift]]:
        """The rows of one import, CHUNK_ROWS at a time. Raises RowsUnreadable, SealerGone."""
        complete = False
        try:
            process = self._process = self._process or await self._start()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(_frame(wanted))
            await process.stdin.drain()
            while rows := await _rows(process.stdout):
                process.stdin.write(_frame(Drawn(self._draw(len(rows)))))
                yield rows
            complete = True
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise SealerGone from error
        finally:
            if not complete:  # what it still has to say belongs to nobody
                await self._end()

    async def _start(self) -> Process:
        # A session of its own: Ctrl-C in a terminal is for us, who end it. -P: nothing is imported from where we stand.
        command = (sys.executable, "-P", "-m", __name__)
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, start_new_session=True, limit=_READ_AHEAD
        )
        assert process.stdin is not None
        process.stdin.write(_frame(self._keys))
        process.stdin.write(_frame(Drawn(self._draw(CHUNKS_SEALED_AHEAD * CHUNK_ROWS))))
        return process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                process.kill()
            await process.communicate()


async def _rows(stream: asyncio.StreamReader) -> list[SealedGift]:
    length = int.from_bytes(await stream.readexactly(_LENGTH))
    answer = _decode_answer(await stream.readexactly(length))
    if answer.wrong:
        raise RowsUnreadable(answer.wrong)
    return answer.rows


def _frame(value: Keys | Drawn | Wanted | Answer) -> bytes:
    written = msgspec.msgpack.encode(value)
    return len(written).to_bytes(_LENGTH) + written


_decode_answer = msgspec.msgpack.Decoder(Answer).decode


# From here on: the process.


def main(asks: BinaryIO, answers: BinaryIO) -> None:
    """Serve one caller until it has no more to ask."""
    frames = _frames(asks)
    keys = msgspec.msgpack.decode(next(frames), type=Keys)
    decode = msgspec.msgpack.Decoder(Drawn | Wanted).decode
    ahead: deque[SubjectKey] = deque()

    def draw() -> SubjectKey:
        while not ahead:
            more = decode(next(frames))
            assert isinstance(more, Drawn), "the next import is asked for when this one is read"
            ahead.extend(more.keys)
        return ahead.popleft()

    sealer = Sealer(keys.log, keys.lookup, draw)
    collector.ease()
    for frame in frames:
        told = decode(frame)
        if isinstance(told, Drawn):
            ahead.extend(told.keys)
            continue
        for answer in _answers(told, sealer):
            answers.write(_frame(answer))
            answers.flush()


def _frames(stream: BinaryIO) -> Iterator[bytes]:
    while length := stream.read(_LENGTH):
        yield stream.read(int.from_bytes(length))


def _answers(wanted: Wanted, sealer: Sealer) -> Iterator[Answer]:
    folder = Path(wanted.folder)
    profile = fitted(wanted.profile, wanted.name)
    try:
        rows = checking.accepted(folder / "sheet", profile, folder / SCRATCH, after=wanted.after, batch=wanted.batch)
        while chunk := [_seal(row, wanted, sealer) for row in islice(rows, CHUNK_ROWS)]:
            yield Answer(chunk)
    except Exception as error:  # noqa: BLE001  told to whoever asked
        yield Answer([], f"{type(error).__name__}: {error}")
    else:
        yield Answer([])


def _seal(row: Row, wanted: Wanted, sealer: Sealer) -> SealedGift:
    return sealer.seal(
        Gift(
            maker=wanted.maker,
            org=wanted.org,
            fund=wanted.fund,
            amount_fen=row.amount_fen,
            channel=wanted.channel,
            channel_ref=row.reference,
            on=row.on,
            donor_class=row.donor_class,
            identity=Identity(name=row.donor_name),
            event=wanted.event,
            batch=wanted.number,
            row=row.row,
        )
    )


if __name__ == "__main__":
    try:
        main(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:  # nobody listens any more
        os._exit(0)
