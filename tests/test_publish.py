"""`sunledger publish`: the open data of a published state in a folder, whole or not there, as the interface answers."""

import csv
import fcntl
import json
import subprocess
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from api.public.app import Resources, build
from api.public.data import FILES as SUFFIXES
from api.public.editions import FILES
from ledger.opendata import editions
from ledger.settings import Settings
from ledger.store import setup
from ledger.store.keys import LookupKeys
from tests.support import office
from tests.support.packages import broken_keys
from tests.support.program import Ended, environment, run, running
from tests.support.signing import signing
from tests.support.visitor import visitor

SITE = "https://ledger.example.org"


@pytest.fixture
async def signed(told: Settings) -> Settings:
    """The demo's story, published."""
    settings = signing(told.model_copy(update={"site_url": SITE}))
    await give(settings, "the first")
    return settings


async def give(settings: Settings, reference: str) -> None:
    """One more gift, under a checkpoint."""
    async with office.opened(settings) as opened:
        answer = await opened.post(
            "gifts", office.gift(channel_ref=reference), key=f"key of {reference}", headers={"Prefer": "wait=9"}
        )
        assert answer.status_code == 201, answer.text


@pytest.fixture
async def http(signed: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    """The public application over the same log."""
    assert signed.database_url is not None
    database = setup.database(signed, signed.database_url, "reader")
    app = build(Resources(database=database, lookup=LookupKeys.read(signed.lookup), site_url=SITE))
    async with visitor(app) as client:
        yield client
    await database.close()


def published(settings: Settings, folder: Path, **more: object) -> Ended:
    """One run that went well."""
    ended = run(environment(settings, **more), "publish", folder)
    assert ended.code == 0, ended.err
    return ended


def checked(folder: Path) -> set[str]:
    """The files of an edition, whose sums hold."""
    said = subprocess.run(
        ["sha256sum", "--check", "--strict", editions.SUMS], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    return {line.removesuffix(": OK") for line in said.splitlines()}


def state(folder: Path) -> dict[Path, tuple[int, int]]:
    """Every name below, and which file it is, changed when."""
    return {path: (path.lstat().st_ino, path.lstat().st_mtime_ns) for path in folder.rglob("*")}


def sheet(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [*csv.DictReader(file)]


async def test_an_edition_is_what_the_interface_answers_with_sums_that_hold(
    signed: Settings, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    folder = tmp_path / "open"
    ended = published(signed, folder)
    (size,) = editions.sizes(folder)
    assert (folder / "latest").readlink() == Path(str(size))
    assert {each.name for each in folder.iterdir()} == {str(size), "latest", ".lock"}
    edition = editions.read(folder, size)
    assert edition is not None
    assert edition.as_of == size - 1
    names = {each.name for each in edition.files}
    assert checked(folder / "latest") == names | {"index.json"}
    assert {each.name for each in edition.left_out} == {"iati-activities.xml", "360giving.json"} == FILES.keys() - names
    assert "left out: iati-activities.xml" in ended.err
    for each in edition.files:
        answer = await http.get(each.address.removeprefix(SITE))
        assert answer.content == (folder / "latest" / each.name).read_bytes(), each.name
        assert (answer.headers["content-type"], len(answer.content)) == (each.media_type, each.length)
        assert answer.headers.get("sunledger-rows") == (None if each.rows is None else str(each.rows))
        assert answer.headers.get("sunledger-sum-fen") == (None if each.sum_fen is None else str(each.sum_fen))
        assert each.address.endswith(f"?as_of={edition.as_of}")
    package = json.loads((folder / "latest/datapackage.json").read_bytes())
    assert package["id"] == f"{SITE}/data/datapackage.json?as_of={edition.as_of}"
    described = {each["name"] for each in package["resources"]}
    assert {f"{name}.{suffix}" for name in described for suffix in SUFFIXES} == names - {
        "datapackage.json",
        "dcat.jsonld",
    }
    sheets = {name: sheet(folder / "latest" / f"{name}.csv") for name in described}
    assert min(map(len, sheets.values())) > 0
    assert broken_keys(package, sheets) == []
    paid = (await http.get("/api/v1/figures?measure=paid&by=channel,donor_class")).json()
    assert paid["as_of"]["seq"] == edition.as_of
    assert paid["sum_fen"] == (await http.get(f"/api/v1/figures?measure=paid&as_of={edition.as_of}")).json()["sum_fen"]


async def test_a_second_run_changes_nothing_and_a_later_state_stands_beside(signed: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "open"
    published(signed, folder)
    before = state(folder)
    published(signed, folder)
    assert state(folder) == before
    (first,) = editions.sizes(folder)
    await give(signed, "the second")
    published(signed, folder, iati_org="XI-IATI-EXAMPLE", giving_prefix="360G-example")
    assert (second := editions.sizes(folder)[0]) > first
    assert editions.sizes(folder) == [second, first]
    assert (folder / "latest").readlink() == Path(str(second))
    assert {path: before[path] for path in before if path.is_relative_to(folder / str(first))} == {
        path: found for path, found in state(folder).items() if path.is_relative_to(folder / str(first))
    }
    assert checked(folder / "latest") == FILES.keys() | {"index.json"}


def test_a_run_that_is_killed_leaves_nothing_half_made_and_the_next_one_does_it(
    signed: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "open"
    with running(environment(signed), "publish", tmp_path, folder) as killed:
        killed.until(lambda: any(folder.glob(".new-*/*")), "the first file is begun")
        killed.kill()
    for size in editions.sizes(folder):  # it was quicker than we: then it is whole
        checked(folder / str(size))
    published(signed, folder)
    (size,) = editions.sizes(folder)
    assert {each.name for each in folder.iterdir()} == {str(size), "latest", ".lock"}
    checked(folder / "latest")


def test_a_run_between_the_name_and_the_link_is_mended_by_the_next(signed: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "open"
    published(signed, folder)
    before = state(folder / "latest")
    (folder / "latest").unlink()
    (folder / ".new-latest").symlink_to("elsewhere")
    published(signed, folder)
    assert state(folder / "latest") == before
    assert not (folder / ".new-latest").is_symlink()


def test_two_runs_at_once_are_refused_in_a_sentence(signed: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = run(environment(signed), "publish", folder)
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == f"sunledger: {folder}: an edition is being written already\n"
    assert {each.name for each in folder.iterdir()} == {".lock"}


def test_a_log_without_a_checkpoint_has_no_edition(told: Settings, tmp_path: Path) -> None:
    for command in (("lineage",), ("publish", tmp_path / "open")):
        refused = run(environment(told), *command)
        assert (refused.code, refused.out) == (1, "")
        assert refused.err == "sunledger: nothing was published yet: the report is of a published checkpoint\n"
    assert not (tmp_path / "open").exists()
