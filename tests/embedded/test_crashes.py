"""The launcher of our own PostgreSQL where something died: the server, the launcher, what is left of either."""

import asyncio
import json
import os
import signal
from pathlib import Path

import asyncpg
import pytest

from ledger.store import embedded
from ledger.store.postmaster import processes, runs
from tests.embedded.clusters import (
    UNSYNCED,
    WAIT_SECONDS_MAX,
    child,
    cpu_ticks,
    is_ready,
    kill,
    launcher,
    rows,
    running,
    wait_until,
)


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
