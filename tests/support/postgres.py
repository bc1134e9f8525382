"""A PostgreSQL of the tests' own, in a temporary folder, under the same launcher that users run."""

import os
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg

from ledger.store import embedded
from ledger.store.postmaster import processes

# To drop a database the server looks through all the pages it may keep: for a test there need not be many.
SMALL = {"shared_buffers": "128MB"}
# Losing a test's data in a power cut is no loss, and each commit becomes several times faster.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "256MB"}
# Each test's database is a copy of 330 files: 14 ms in memory, 61 ms on a disk (ext4).
MEMORY = Path("/dev/shm")
MEMORY_BYTES_MIN = 2 << 30
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


class Cluster:
    """One server with any number of databases. `SUNLEDGER_TEST_PG_BIN` chooses other programs than users get."""

    def __init__(self, *, durable: bool = False) -> None:
        self._settings = {**SMALL, **(DURABLE if durable else FAST)}
        self._folder = Path(tempfile.mkdtemp(prefix="sunledger-test-", dir=None if durable else _memory()))
        self._folder.chmod(0o711)  # as root, the server runs under another account, and may pass
        try:
            self.start()
        except BaseException:
            shutil.rmtree(self._folder)
            raise

    def start(self) -> None:
        """Start the server, at the same address as before."""
        named = os.environ.get("SUNLEDGER_TEST_PG_BIN")
        self.server = embedded.start(
            self._folder / "data",
            report=_unreported,
            settings=self._settings,
            binaries=Path(named) if named else None,
        )

    def kill(self) -> None:
        """Kill the server and every process of it, in the middle of whatever they do."""
        for pid in processes(self.server.data):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """End the server and remove all it held."""
        embedded.stop(self.server)
        shutil.rmtree(self._folder)

    def url(self, database: str = "postgres", *, user: str | None = None, password: str | None = None) -> str:
        """The address of a database; the superuser's unless a user is named."""
        return self.server.url(user=user, password=password, database=database)

    async def execute(self, sql: str, database: str = "postgres") -> list[Any]:
        """The rows of one statement, or nothing of several."""
        connection = await asyncpg.connect(self.url(database))
        try:
            return list(await connection.fetch(sql))
        finally:
            await connection.close()

    async def create_database(self, name: str, template: str | None = None) -> None:
        """A database; with a template, a copy of it, to which nobody may be connected just then."""
        # file_copy takes half the time of wal_log, and has the checkpoints it needs for nothing while fsync is off.
        copied = "" if template is None else f" TEMPLATE {_quoted(template)} STRATEGY file_copy"
        await self.execute(f"CREATE DATABASE {_quoted(name)}{copied}")

    async def drop_database(self, name: str) -> None:
        """Remove a database, and cut whoever is still connected to it."""
        await self.execute(f"DROP DATABASE {_quoted(name)} WITH (FORCE)")


def _memory() -> Path | None:
    """A folder that is no disk, where there is one with room: containers often have 64 MB of it."""
    is_there = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES_MIN
    return MEMORY if is_there else None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _unreported(_line: str) -> None: ...
