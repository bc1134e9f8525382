"""PostgreSQL of our own, for the default that needs no database server: a launcher over its programs. Linux only.

Beside the data directory DATA stand DATA.lock, DATA.log and DATA.password.
"""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from ledger.store.binaries import PostgresError, find_binaries, major_of, within_reach
from ledger.store.cluster import SUPERUSER, Cluster, beside, environment, make, password_of
from ledger.store.os_account import account_for
from ledger.store.postmaster import PostmasterLog, answers, mark, processes, read_pid_file, runs, socket_directory

POLL_SECONDS = 0.02
REPORT_SECONDS = 1.0
STOP_SECONDS_MAX = 300

NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "listen_addresses": "",
        "port": "5432",  # names the socket's file only; clusters do not collide, for each has its own directory
        "max_wal_size": "4GB",
        # What a large batch writes is on the disk when its commit waits for the disk, but for its last 10 ms.
        "wal_writer_delay": "10ms",
        "log_startup_progress_interval": "1s",
    }
)

MEGABYTE = 2**20
FEWEST_BUFFERS_MB, MOST_BUFFERS_MB = 128, 16_384
LIMIT_OF_CONTAINER = Path("/sys/fs/cgroup/memory.max")

_children: dict[int, subprocess.Popen[bytes]] = {}  # the postmasters this process started, to be reaped


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running PostgreSQL cluster of ours."""

    data: Path
    bin: Path
    port: int  # names the socket's file; the TCP port too when the starter's settings have `listen_addresses`
    socket: Path
    superuser: str
    password: str
    pid: int
    started: bool  # by this call; only the starter stops it

    def url(self, *, user: str | None = None, password: str | None = None, database: str = "postgres") -> str:
        """The address for a client on this machine; the superuser's unless a user is named."""
        if user is None:
            user, password = self.superuser, self.password
        secret = "" if password is None else f":{quote(password, safe='')}"
        host = quote(str(self.socket), safe="")
        return f"postgresql://{quote(user, safe='')}{secret}@/{quote(database, safe='')}?host={host}&port={self.port}"


def start(
    data: Path,
    *,
    report: Callable[[str], None],
    settings: Mapping[str, str] = NO_SETTINGS,
    binaries: Path | None = None,
) -> Server:
    """Make the cluster if there is none, start it if it does not run, and return when it takes connections.

    Waits as long as a recovery takes, and tells `report` about it each second. A server that runs already is reused
    as it is: `settings`, which go over DEFAULTS, count for the call that starts it.
    """
    if not Path("/proc/self/stat").exists():
        raise PostgresError("the embedded server needs Linux: name a running server in SUNLEDGER_DATABASE_URL")
    data = data.resolve()  # one cluster, one lock, whatever path it is called by
    data.parent.mkdir(parents=True, exist_ok=True)
    with _locked(data, report) as lock:
        programs = find_binaries(os.environ) if binaries is None else binaries.resolve()
        if (running := _running(data, programs, report)) is not None:
            return running
        account = account_for(data)
        cluster = Cluster(
            data=data,
            bin=within_reach(programs, can_run=account.can_run, report=report),
            major=major_of(programs),
            account=account,
            settings={**DEFAULTS, "shared_buffers": f"{buffers_mb(memory_of_machine())}MB", **settings},
            report=report,
        )
        if not (data / "PG_VERSION").exists():
            make(cluster, lock)
        return _launch(cluster)


def stop(server: Server) -> None:
    """End a server that this process started: sessions are cut, nothing committed is lost. Others are left alone."""
    if server.started:
        _end(server.pid, server.data, server.socket)


def stop_left_behind(data: Path, *, report: Callable[[str], None]) -> None:
    """End what runs on DATA though nobody uses it: its starter was killed. Only for whoever knows that nobody does.

    A launcher at work, and an initdb whose launcher was killed, are waited for.
    """
    data = data.resolve()
    if not beside(data, "lock").exists():  # nobody ever started one
        return
    with _locked(data, report):
        if (file := read_pid_file(data)) is not None and runs(file.pid, data):
            report(f"stopping PostgreSQL {file.pid}, which was left running on {data}")
            _end(file.pid, data, file.socket)
        _await_children(data, report)


def _end(pid: int, data: Path, socket: Path) -> None:
    if runs(pid, data):
        os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + STOP_SECONDS_MAX
    while runs(pid, data):
        if time.monotonic() > deadline:
            raise PostgresError(f"PostgreSQL {pid} is not down after {STOP_SECONDS_MAX} s; it is left to finish")
        time.sleep(POLL_SECONDS)
    if (child := _children.pop(pid, None)) is not None:
        child.wait()
    if socket != data:
        with suppress(OSError):  # the next start makes it again
            socket.rmdir()


def memory_of_machine() -> int:
    """Bytes of memory there are for this machine or, where that has a limit of its own, for this container."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError):
        if (limit := LIMIT_OF_CONTAINER.read_text().strip()).isdigit():  # else it says: max
            return min(physical, int(limit))
    return physical


def buffers_mb(memory: int) -> int:
    """Pages of its own that PostgreSQL keeps of so many bytes of memory: two fifths, the most it advises (19.4).

    It takes them one by one as there is something to keep. What look-ups touch among ten million gifts is nine
    gigabytes, and the kernel may drop its own copy of a page long before memory is short.
    """
    return min(max(memory // MEGABYTE * 2 // 5, FEWEST_BUFFERS_MB), MOST_BUFFERS_MB)


class _Waiting:
    """A pause in a wait that lasts as long as some process lives; says each second what it waits for."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._began = self._reported = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def turn(self, what: str) -> None:
        if time.monotonic() - self._reported >= REPORT_SECONDS:
            self._reported = time.monotonic()
            self._report(f"{what} ({self.seconds:.0f} s)")
        time.sleep(POLL_SECONDS)


@contextmanager
def _locked(data: Path, report: Callable[[str], None]) -> Iterator[int]:
    """Hold DATA.lock: of several launchers one works, and the others then find a running server."""
    descriptor = os.open(beside(data, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        waiting = _Waiting(report)
        while True:  # as long as the holder lives: the kernel frees a dead one's lock
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            waiting.turn("another launcher is starting PostgreSQL")
        yield descriptor
    finally:
        os.close(descriptor)


def _running(data: Path, programs: Path, report: Callable[[str], None]) -> Server | None:
    """The server that runs on DATA, once it is ready; None once no process of one is left."""
    waiting = _Waiting(report)
    while (file := read_pid_file(data)) is not None and runs(file.pid, data):
        if file.status == "ready" and answers(file.socket, file.port):
            return Server(
                data=data,
                bin=programs,
                port=file.port,
                socket=file.socket,
                superuser=SUPERUSER,
                password=password_of(data),
                pid=file.pid,
                started=False,
            )
        waiting.turn(f"PostgreSQL {file.pid} runs but does not answer yet")  # until it does, or is gone
    _await_children(data, report)
    return None


def _await_children(data: Path, report: Callable[[str], None]) -> None:
    """Wait for those of a killed server: PostgreSQL rightly refuses to start beside them."""
    waiting = _Waiting(report)
    while left := processes(data):
        waiting.turn(f"processes of a killed PostgreSQL are still ending: {', '.join(map(str, left))}")


def _launch(cluster: Cluster) -> Server:
    """Start a postmaster on a cluster that has none, and wait until it is ready."""
    data, account = cluster.data, cluster.account
    if (made_by := (data / "PG_VERSION").read_text().strip()) != str(cluster.major):
        raise PostgresError(
            f"{data} was made by PostgreSQL {made_by}, but {cluster.bin} is {cluster.major}:"
            f" name the bin directory of a PostgreSQL {made_by} in SUNLEDGER_PG_BIN"
        )
    password = password_of(data)
    socket = socket_directory(data, cluster.settings["port"], account)
    log = PostmasterLog(beside(data, "log"))
    cluster.report(f"starting PostgreSQL {cluster.major} on {data}")
    child = _spawn(cluster, socket, log)
    _children[child.pid] = child
    try:
        _await_ready(cluster, child, log)
    except BaseException:  # Ctrl-C during a long recovery, too: what we started does not stay behind half-known
        if child.poll() is None:
            child.send_signal(signal.SIGINT)
        child.wait()
        _children.pop(child.pid, None)
        raise
    return Server(
        data=data,
        bin=cluster.bin,
        port=int(cluster.settings["port"]),
        socket=socket,
        superuser=SUPERUSER,
        password=password,
        pid=child.pid,
        started=True,
    )


def _spawn(cluster: Cluster, socket: Path, log: PostmasterLog) -> subprocess.Popen[bytes]:
    data, account = cluster.data, cluster.account
    for pid, child in list(_children.items()):
        if child.poll() is not None:
            _children.pop(pid, None)
    variables = environment()
    if (file := read_pid_file(data)) is not None:
        # Its server is dead: we have looked. PostgreSQL itself only asks whether the number is taken, so a zombie, or
        # another program with that number after a reboot, would stop it; a "grandparent" with that number does not.
        # Its own check for shared memory still in use stands. Removing the file instead would switch that off.
        variables["PG_GRANDPARENT_PID"] = str(file.pid)
    with account.door(data) as (way, descriptors), log.opened() as output:
        listed = str(way if socket == data else socket).replace('"', '""')
        options = {**cluster.settings, "unix_socket_directories": f'"{listed}"', "cluster_name": mark(data)}
        return subprocess.Popen(  # noqa: S603 (the programs are the operator's choice)
            [cluster.bin / "postgres", "-D", way, *(part for o in options.items() for part in ("-c", "=".join(o)))],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=variables,
            pass_fds=descriptors,
            start_new_session=True,  # the terminal's Ctrl-C is for the starter, which then stops it in order
            user=account.user,
            group=account.group,
            extra_groups=account.extra_groups,
        )


def _await_ready(cluster: Cluster, child: subprocess.Popen[bytes], log: PostmasterLog) -> None:
    waiting = _Waiting(cluster.report)
    while child.poll() is None:  # recovery takes what it takes
        file = read_pid_file(cluster.data)
        if file is not None and file.pid == child.pid and file.status == "ready":
            cluster.report(f"PostgreSQL is ready after {waiting.seconds:.2f} s")
            return
        waiting.turn(f"PostgreSQL is starting: {log.last_line()}")
    raise PostgresError(f"PostgreSQL did not start (status {child.returncode}); its log says:\n{log.tail()}")
