"""Servers of our own launcher for a while, and what is asked of them and of the system."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg

from ledger.store import embedded
from ledger.store.embedded import Server
from ledger.store.os_account import account_for
from ledger.store.postmaster import read_pid_file

WAIT_SECONDS_MAX = 60
UNSYNCED = {"fsync": "off"}  # it guards against power cuts, and here we only kill processes
LAUNCHER = """
import json, sys
from pathlib import Path
from ledger.store import embedded
server = embedded.start(Path(sys.argv[1]), report=lambda line: print(line, file=sys.stderr), settings={"fsync": "off"})
print(json.dumps({"pid": server.pid, "started": server.started}), flush=True)
sys.stdin.read()
embedded.stop(server)
"""


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that any account may pass, as /var/lib is."""
    path = Path(tempfile.mkdtemp(prefix="sunledger-test-"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path)


@contextmanager
def running(
    data: Path, said: list[str] | None = None, *, settings: Mapping[str, str] = UNSYNCED, binaries: Path | None = None
) -> Iterator[Server]:
    """A server for a while."""
    lines = [] if said is None else said
    server = embedded.start(data, report=lines.append, settings=settings, binaries=binaries)
    try:
        yield server
    finally:
        embedded.stop(server)


async def rows(server: Server, sql: str, *, password: str | None = None, host: str | None = None) -> list[Any]:
    url = server.url(user=server.superuser, password=password or server.password)
    connection = await asyncpg.connect(url, host=host or str(server.socket))
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


def wait_until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not true():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.005)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def accounts() -> tuple[bytes, bytes]:
    return Path("/etc/passwd").read_bytes(), Path("/etc/group").read_bytes()


def cpu_ticks(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[11])  # utime


def is_ready(data: Path) -> bool:
    return (file := read_pid_file(data)) is not None and file.status == "ready"


@contextmanager
def child(arguments: Sequence[str | Path], data: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A child of ours, which nobody else can reap, under the account of the server on DATA."""
    account = account_for(data)
    process = subprocess.Popen(
        arguments,
        stderr=subprocess.DEVNULL,
        user=account.user,
        group=account.group,
        extra_groups=account.extra_groups,
        cwd="/",
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def launcher(data: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, data],
        cwd=Path(embedded.__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def modes(paths: Sequence[Path]) -> list[tuple[Path, int, int, int]]:
    return [(path, path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in paths]
