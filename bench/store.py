"""The store under measure: an embedded server that loses nothing, a log with the demo's organisation, its programs."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from api import main as applications
from api.admin.resources import Resources
from ledger import demo
from ledger.settings import Settings
from ledger.store import embedded, keys, setup
from ledger.store.clock import Clock
from ledger.store.embedded import Server
from ledger.store.prewarm import prewarm

CITY = demo.CITY


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Where everything is."""

    server: Server
    settings: Settings
    tokens: Mapping[str, str]

    def environment(self) -> dict[str, str]:
        """For a program of ours."""
        settings = self.settings
        passphrase = settings.signing_passphrase_file
        return {
            **os.environ,
            "SUNLEDGER_LOG": settings.log,
            "SUNLEDGER_DATA_DIR": str(settings.data_dir),
            "SUNLEDGER_DATABASE_URL": self.server.url(),
            "SUNLEDGER_ADMIN_PORT": str(settings.admin_port),
            "SUNLEDGER_PUBLIC_PORT": str(settings.public_port),
            "SUNLEDGER_PUBLIC_WORKERS": str(settings.public_workers),
            "SUNLEDGER_ADMIN_URL": f"http://127.0.0.1:{settings.admin_port}",
            "SUNLEDGER_LOG_LEVEL": "WARNING",
            "SUNLEDGER_REQUESTS_PER_MINUTE": "0",  # all of it comes from one address
            "SUNLEDGER_FAILURES_PER_HOUR": "0",
            "SUNLEDGER_FAILURES_PER_CODE": "0",
            **({"SUNLEDGER_SIGNING_PASSPHRASE_FILE": str(passphrase)} if passphrase else {}),
        }


@asynccontextmanager
async def opened(folder: Path) -> AsyncGenerator[Store]:
    """A fresh log on a fresh server; both are gone afterwards."""
    settings = Settings(log="bench", data_dir=folder, admin_port=free_port(), public_port=free_port())
    server = await asyncio.to_thread(embedded.start, settings.cluster, report=lambda _: None)
    try:
        keys.create(settings.keys, settings.lookup)
        await setup.prepare(settings, server.url())
        store = Store(server=server, settings=settings, tokens={})
        notes = folder / "demo.json"
        clock = demo.StoryClock(notes)
        async with writing(store, clock) as resources:
            told = await demo.tell(resources.sequencer, resources.sealer, resources.database, notes, clock)
        yield Store(server=server, settings=settings, tokens=told["tokens"])
    finally:
        await asyncio.to_thread(embedded.stop, server)


async def at_rest(store: Store) -> None:
    """What the server does by itself in the minute after an import, while look-ups are slower: rows counted, frozen."""
    connection = await asyncpg.connect(store.server.url())
    try:
        await connection.execute("vacuum (analyze)")
        await connection.execute("checkpoint")
    finally:
        await connection.close()


async def read_ahead(store: Store) -> float:
    """What the admin application does by itself after an import, if it is left to run; seconds it took."""
    database = setup.database(store.settings, store.server.url(), "writer", by_index=True)
    try:
        began = time.perf_counter()
        await prewarm(database)
        return time.perf_counter() - began
    finally:
        await database.close()


@asynccontextmanager
async def slower_disk(store: Store, *, by_ms: int) -> AsyncGenerator[None]:
    """Each flush of the server's log takes so much longer: whoever flushes waits, and the others wait for her."""
    connection = await asyncpg.connect(store.server.url())
    try:
        for setting, value in (("commit_delay", by_ms * 1000), ("commit_siblings", 0)):
            await connection.execute(f"alter system set {setting} = {value}")
        await connection.execute("select pg_reload_conf()")
        yield
    finally:
        for setting in ("commit_delay", "commit_siblings"):
            await connection.execute(f"alter system reset {setting}")
        await connection.execute("select pg_reload_conf()")
        await connection.close()


@asynccontextmanager
async def writing(store: Store, clock: Clock | None = None) -> AsyncGenerator[Resources]:
    """The sequencer and all it needs, in this process."""
    async with applications.admin_resources(store.settings, store.server.url(), clock) as resources:
        yield resources


@dataclass(slots=True)
class Program:
    """A program of ours that runs, and the most memory it took."""

    process: asyncio.subprocess.Process
    port: int
    _peaks: dict[int, float] = field(default_factory=dict)

    def rss_mib(self) -> float:
        """Peak resident memory so far, of the largest of its processes; of those that ended, as it was last asked."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        for pid in (self.process.pid, *(int(each) for task in tasks for each in task.read_text().split())):
            with contextlib.suppress(OSError):  # it ended
                status = Path(f"/proc/{pid}/status").read_text()
                if peak := re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE):
                    self._peaks[pid] = int(peak[1]) / 1024
        return max(self._peaks.values(), default=0.0)


@asynccontextmanager
async def program(store: Store, name: str) -> AsyncGenerator[Program]:
    """`sunledger admin` or `sunledger public` in a process of its own, as an operator runs it."""
    port = store.settings.admin_port if name == "admin" else store.settings.public_port
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("sunledger")), name, env=store.environment()
    )
    try:
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            if process.returncode is not None:
                raise RuntimeError(f"sunledger {name} ended with {process.returncode}")
            await asyncio.sleep(0.05)
        yield Program(process, port)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            await process.wait()


async def command(store: Store, *arguments: str, token: str = "") -> None:
    """Run `sunledger …` to its end; raises where it fails."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("sunledger")),
        *arguments,
        env={**store.environment(), "SUNLEDGER_TOKEN": token},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    if process.returncode:
        raise RuntimeError(said.decode())


def free_port() -> int:
    """A port of this machine nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
