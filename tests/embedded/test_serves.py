"""The launcher of our own PostgreSQL, against real servers: made, found, reached, and ended."""

from pathlib import Path

import asyncpg
import pytest

from ledger.store import embedded
from ledger.store.cluster import beside
from ledger.store.embedded import NO_SETTINGS, Server
from ledger.store.postmaster import processes, read_pid_file
from tests.embedded.clusters import UNSYNCED, rows, running
from tests.support.program import free_port


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
    port = free_port()
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
