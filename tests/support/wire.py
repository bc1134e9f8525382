"""A wire between asyncpg and PostgreSQL, with a gate on it that can cut or hold it at any message. Faults are real."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from ledger.settings import Settings
from ledger.store.embedded import Server

COMMIT = "COMMIT;"
BEGIN = "BEGIN;"
APPEND = "with moved as ("
"""Begins the statement that moves the head on. Outside a transaction it is a whole batch."""
MESSAGE_BYTES_MAX = 1 << 26
LOCK_WAIT_S_MAX = 60

_ANSWERS = {b"S": b"Z", b"Q": b"ZG", b"c": b"Z", b"f": b"Z", b"H": b"TnE", b"p": b"RZ", b"X": b""}
"""What ends a client's request (Sync, Query, CopyDone, CopyFail, Flush after Describe, a word of the log-in,
Terminate) → what ends the server's answer to it."""


class CutError(Exception):
    """The wire is cut here: neither side hears of the other again."""


class LateError(Exception):
    """The client's side is cut here; what it had sent reaches the server when the late one is delivered."""

    def __init__(self, late: "LateCommit") -> None:
        super().__init__()
        self.late = late


class Gate:
    """Passes everything. A test's own gate raises CutError or LateError, or waits."""

    _is_open = False

    def commits(self, sql: str) -> bool:
        """Whether this makes a batch durable. To be asked of each request, or of each answer, in order."""
        self._is_open = (self._is_open or sql == BEGIN) and sql != COMMIT
        return sql == COMMIT or (sql.startswith(APPEND) and not self._is_open)

    async def request(self, sql: str) -> None:
        """Before the request reaches the server."""

    async def answer(self, sql: str) -> None:
        """After the server has done it, before its answer reaches the client."""


class CutAtNew(Gate):
    """Cuts the wire once: at the first statement of a transaction that writes at which it was not cut before."""

    def __init__(self, before: Collection[str], *, answered: bool) -> None:
        self._before = before
        self._answered = answered
        self._writes = False
        self.at = ""
        """The statement it was cut at; empty until then."""

    async def request(self, sql: str) -> None:
        self._writes |= sql == BEGIN or sql.startswith(APPEND)
        if not self._answered:
            self._cut(sql)

    async def answer(self, sql: str) -> None:
        if self._answered:
            self._cut(sql)
        self._writes &= not self.commits(sql)

    def _cut(self, sql: str) -> None:
        if self._writes and not self.at and sql not in self._before:
            self.at = sql
            raise CutError


_OPEN = Gate()


class HoldCommit(Gate):
    """Keeps the next COMMIT (or batch in one statement), or the answer to it, until `passed` is set."""

    def __init__(self, *, answered: bool = False) -> None:
        self._answered = answered
        self.held = asyncio.Event()
        self.passed = asyncio.Event()

    async def request(self, sql: str) -> None:
        if self.commits(sql) and not self._answered:
            await self._hold()

    async def answer(self, sql: str) -> None:
        if self.commits(sql) and self._answered:
            await self._hold()

    async def _hold(self) -> None:
        if not self.held.is_set():
            self.held.set()
            await self.passed.wait()


class HoldRows(HoldCommit):
    """Keeps a COMMIT of rows that went in by COPY: the first, or that of a later chunk."""

    def __init__(self, *, chunk: int = 1) -> None:
        super().__init__()
        self._chunk = chunk
        self._is_copied = False

    async def request(self, sql: str) -> None:
        self._is_copied |= sql.startswith("COPY")
        if self.commits(sql) and self._is_copied:
            self._is_copied = False
            self._chunk -= 1
            if self._chunk == 0:
                await self._hold()


class CutAtCommit(HoldCommit):
    """Keeps a COMMIT, or its answer, and cuts the wire there."""

    async def _hold(self) -> None:
        first = not self.held.is_set()
        await super()._hold()
        if first:
            raise CutError


class LateCommit(Gate):
    """Cuts the client off at its next COMMIT, or batch in one statement: the server gets it when `delivered` is set."""

    def __init__(self) -> None:
        self.cut = asyncio.Event()
        self.delivered = asyncio.Event()
        self.answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        """What the server said to it, and nobody heard."""

    async def request(self, sql: str) -> None:
        if self.commits(sql) and not self.cut.is_set():
            self.cut.set()
            raise LateError(self)


class _Message(NamedTuple):
    kind: bytes
    written: bytes

    @property
    def strings(self) -> list[str]:
        return [each.decode(errors="replace") for each in self.written[5:].split(b"\0")]


@dataclass(slots=True)
class Wire:
    """Listens where asyncpg looks for a server, and passes on what comes to the one there is."""

    server: Server
    folder: Path
    gate: Gate = field(default_factory=Gate)
    listener: asyncio.Server | None = None
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def url(self, url: str) -> str:
        """The same database, by way of this wire."""
        return urlunsplit(urlsplit(url)._replace(query=f"host={quote(str(self.folder), safe='')}&port=5432"))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        path = str(self.server.socket / f".s.PGSQL.{self.server.port}")
        to_client = _End(reader, writer)
        to_server = _End(*await asyncio.open_unix_connection(path))
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError, CutError):
                await self._relay(to_client, to_server)
        finally:
            to_client.abort()
            to_server.abort()
            self._tasks.discard(task)

    async def close(self) -> None:
        """Cut what is open, and listen no more."""
        if self.listener is not None:
            self.listener.close()
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _relay(self, client: "_End", server: "_End") -> None:
        server.write(await client.startup())
        client.write(await server.messages(until=_ANSWERS[b"p"]))
        statements: dict[str, str] = {}
        sql = ""
        while True:
            request, said, end = await _request(client, statements)
            sql = said or f"rows of {sql}"
            try:
                await self._gate_for(end).request(sql)
            except LateError as error:
                client.abort()
                await error.late.delivered.wait()
                server.write(request)
                error.late.answered.set_result(await server.messages(until=_ANSWERS[end]))
                return
            server.write(request)
            if end == b"X":
                return
            answer = await server.messages(until=_ANSWERS[end])
            await self._gate_for(end).answer(sql)
            client.write(answer)

    def _gate_for(self, end: bytes) -> Gate:
        """Preparing a statement and logging in are no steps."""
        return self.gate if end in b"SQc" else _OPEN


class _End:
    """One side of the wire, message by message (PostgreSQL's manual, "Message Formats")."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def startup(self) -> bytes:
        size = await self._reader.readexactly(4)
        return size + await self._reader.readexactly(int.from_bytes(size, "big") - 4)

    async def message(self) -> _Message:
        head = await self._reader.readexactly(5)
        size = int.from_bytes(head[1:], "big")
        assert size <= MESSAGE_BYTES_MAX
        return _Message(head[:1], head + await self._reader.readexactly(size - 4))

    async def messages(self, *, until: bytes) -> bytes:
        written = b""
        while True:
            message = await self.message()
            written += message.written
            if message.kind in until and not _is_done(message):
                return written

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    def abort(self) -> None:
        self._writer.transport.abort()


def _is_done(message: _Message) -> bool:
    """AuthenticationOk and the last word of SCRAM are not waited at: the server goes on by itself."""
    return message.kind == b"R" and int.from_bytes(message.written[5:9], "big") in {0, 12}


async def _request(client: _End, statements: dict[str, str]) -> tuple[bytes, str, bytes]:
    """All a client sends before it waits, and the statement it is about."""
    written, sql = [], ""
    while True:
        message = await client.message()
        written.append(message.written)
        if message.kind == b"Q":
            sql = message.strings[0]
        elif message.kind == b"P":
            name, sql = message.strings[:2]
            statements[name] = sql
        elif message.kind == b"B":
            sql = statements.get(message.strings[1], "")
        if message.kind in _ANSWERS:
            return b"".join(written), sql.strip(), message.kind


@asynccontextmanager
async def stretched(server: Server) -> AsyncGenerator[Wire]:
    """A wire to a running server."""
    folder = Path(tempfile.mkdtemp(prefix="sunledger-wire-"))
    wire = Wire(server, folder)
    wire.listener = await asyncio.start_unix_server(wire.serve, folder / ".s.PGSQL.5432")
    try:
        yield wire
    finally:
        await wire.close()
        shutil.rmtree(folder)


async def somebody_waits_for_a_lock(settings: Settings) -> None:
    """Return once a session of this database waits for another one."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        async with asyncio.timeout(LOCK_WAIT_S_MAX):
            while not await connection.fetchval(_LOCKED):  # noqa: ASYNC110  the server tells nobody
                await asyncio.sleep(0.01)
    finally:
        await connection.close()


_LOCKED = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
