"""What a cluster's files and `/proc` say about its processes. A pid file alone proves nothing."""

import hashlib
import os
import socket
import stat
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ledger.store.binaries import PostgresError
from ledger.store.os_account import OsAccount

SOCKET_PATH_BYTES_MAX = 107  # sockaddr_un
LOG_BYTES_MAX = 8 * 1024 * 1024
LOG_TAIL_BYTES = 4096
ANSWER_SECONDS_MAX = 1.0
SSL_REQUEST = struct.pack("!ii", 8, 80877103)  # PostgreSQL's manual, "Message Formats": the least one can ask


@dataclass(frozen=True, slots=True, kw_only=True)
class PidFile:
    """`postmaster.pid`; written line by line as the server starts, so the later fields may still be empty."""

    pid: int
    port: int
    socket: Path
    status: str


def read_pid_file(data: Path) -> PidFile | None:
    """The pid file of a cluster. Its lines: pid, directory, time, port, socket directory, address, memory, status."""
    try:
        lines = (data / "postmaster.pid").read_text(errors="replace").splitlines()
        lines += [""] * (8 - len(lines))
        directory = (
            data if lines[4].startswith("/proc/self/") else Path(lines[4])
        )  # what the server calls its directory
        return PidFile(pid=int(lines[0]), port=int(lines[3] or 0), socket=directory, status=lines[7].strip())
    except (FileNotFoundError, ValueError):
        return None


def runs(pid: int, data: Path) -> bool:
    """Whether PID is a living PostgreSQL process of this cluster.

    Signal 0 would find a zombie alive too, and whatever other program has that number by now.
    """
    try:
        name, _, rest = Path(f"/proc/{pid}/stat").read_bytes().partition(b"(")[2].rpartition(b")")
        if name != b"postgres" or rest.split()[0] in {b"Z", b"X"}:
            return False
        try:
            return Path(f"/proc/{pid}/cwd").samefile(data)  # the server and its children work in their directory
        except PermissionError:  # root in a container may not look so closely at another account's process
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
            return mark(data).encode() in line or os.fsencode(data) in line.split(b"\0")
    except OSError:
        return False  # it is gone


def answers(directory: Path, port: int) -> bool:
    """Whether a server takes connections. One killed a moment ago looks alive until the kernel has buried it."""
    with socket.socket(socket.AF_UNIX) as client, suppress(OSError):
        client.settimeout(ANSWER_SECONDS_MAX)
        client.connect(str(directory / f".s.PGSQL.{port}"))
        client.sendall(SSL_REQUEST)
        return client.recv(1) in {b"N", b"S"}  # a new child of the server says so
    return False


def processes(data: Path) -> list[int]:
    """Every living PostgreSQL process of this cluster; of a killed one, the children that have not noticed yet."""
    return [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and runs(int(p.name), data)]


def mark(data: Path) -> str:
    """The `cluster_name` we give a cluster: it stands in the command line of each of its processes."""
    return f"sunledger-{_digest(data)}"


def socket_directory(data: Path, port: str, account: OsAccount) -> Path:
    """Where the socket goes: the data directory, or a private one of ours if that path is too long for a socket."""
    if len(os.fsencode(data / f".s.PGSQL.{port}")) <= SOCKET_PATH_BYTES_MAX:
        return data
    directory = Path(tempfile.gettempdir(), f"sunledger-{_digest(data)}")
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    found = directory.lstat()  # whoever else made it must not own our socket
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), account.uid} or found.st_mode & 0o077:
        raise PostgresError(f"{directory} is not a private directory of the server's account: remove it")
    account.own(directory)
    return directory


class PostmasterLog:
    """What a server writes from this start on; the file is emptied first when it has grown large."""

    def __init__(self, path: Path) -> None:
        self._path = path
        before = path.stat().st_size if path.exists() else 0
        self._from = 0 if before > LOG_BYTES_MAX else before
        if before > LOG_BYTES_MAX:
            os.truncate(path, 0)

    @contextmanager
    def opened(self) -> Iterator[int]:
        """A descriptor to write at its end; nobody else may read it, for it can quote statements."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def tail(self) -> str:
        """The end of what was written since."""
        with self._path.open("rb") as file:
            file.seek(max(self._from, self._path.stat().st_size - LOG_TAIL_BYTES))
            return file.read().decode(errors="replace").strip()

    def last_line(self) -> str:
        """The last line without its time and process."""
        return self.tail().rpartition("\n")[2].rpartition("] ")[2] or "no word yet"


def _digest(data: Path) -> str:
    return hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
