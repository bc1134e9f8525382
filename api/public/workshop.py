"""Files that must be whole before they are sent: built aside, a few at once, and gone when they were sent."""

import asyncio
import contextlib
import hashlib
import os
import tempfile
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any, BinaryIO, TypeVar, cast

from litestar import Request

from api.problems import ProblemError

BUILDS = 2
"""Files that are built at once."""
FILES = 16
"""Files there are at once, those that are still being sent with them: what slow readers may cost of the disk."""
WAIT_S = 10
"""How long a request waits for its turn."""
PIECE_BYTES = 64 * 1024

_Found = TypeVar("_Found")


class BuiltFile:
    """A file without a name. It is gone with this object, whatever becomes of its reader."""

    def __init__(self, file: BinaryIO, sha256: bytes, end: Callable[[], None]) -> None:
        self._file = file
        self.sha256 = sha256
        self.size = file.seek(0, os.SEEK_END)
        file.seek(0)
        self.close = weakref.finalize(self, end)
        """Give it up; a second time does nothing."""

    async def pieces(self) -> AsyncGenerator[bytes]:
        """All of it, once."""
        try:
            while piece := self._file.read(PIECE_BYTES):  # just written: from memory, faster than a thread takes it
                yield piece
        finally:
            self.close()


class Workshop:
    """Where they are built."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(BUILDS)
        self.files = 0
        """How many there are."""

    async def build(self, make: Callable[[BinaryIO, str], Awaitable[None]]) -> BuiltFile:
        """The file that `make` writes; it gets a folder, too, for what it must put aside.

        Raises ProblemError `busy` when there are too many files, or its turn does not come.
        """
        if self.files >= FILES:
            raise _busy()
        # It has no name from the start: even a killed process leaves nothing of it behind.
        file = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115  it outlives this function
        self.files += 1

        def end() -> None:
            if not file.closed:
                file.close()
                self.files -= 1

        try:
            async with self._in_turn():
                with tempfile.TemporaryDirectory(prefix="sunledger-") as folder:
                    await make(file, folder)
            return BuiltFile(file, await in_thread(_sha256, file), end)
        except BaseException:
            end()
            raise

    async def digest(self, pieces: AsyncGenerator[bytes]) -> bytes:
        """The SHA-256 of what is not kept. Raises ProblemError `busy` when its turn does not come."""
        async with self._in_turn():
            digest = hashlib.sha256()
            async for piece in pieces:
                digest.update(piece)
            return digest.digest()

    @contextlib.asynccontextmanager
    async def _in_turn(self) -> AsyncGenerator[None]:
        try:
            async with asyncio.timeout(WAIT_S):
                await self._turn.acquire()
        except TimeoutError as error:
            raise _busy() from error
        try:
            yield
        finally:
            self._turn.release()


async def while_there(request: Request[Any, Any, Any], work: Coroutine[Any, Any, _Found]) -> _Found:
    """What `work` finds. It is given up when whoever asked goes away; the answer is then nobody's."""
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ProblemError("busy")
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.wait({working, leaving})


async def in_thread(function: Callable[..., _Found], *arguments: Any) -> _Found:
    """Call it beside the event loop. A cancelled caller still waits for its end: nothing is taken from under it."""
    calling = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
    try:
        return await asyncio.shield(calling)
    except asyncio.CancelledError:
        while not calling.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({calling})
        raise


async def _left(request: Request[Any, Any, Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _sha256(file: BinaryIO) -> bytes:
    file.seek(0)
    return hashlib.file_digest(cast("Any", file), "sha256").digest()


def _busy() -> ProblemError:
    return ProblemError("busy", "正在生成的文件太多；CSV 和 NDJSON 不受影响", headers={"Retry-After": str(WAIT_S)})
