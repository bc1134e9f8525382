"""A run that must not skip: the switch SUNLEDGER_NO_SKIPS, tried on a small suite of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import needs as machine
from tests.support.needs import Absent, needs
from tests.support.realdata import realdata
from tests.support.vectors import vectors

ROOT = Path(__file__).resolve().parents[1]
SUITE = """
import pytest
from tests.support.needs import needs

def test_that_runs(): ...

def test_that_skips_itself():
    pytest.skip("nothing to test with")

@pytest.mark.skip(reason="not today")
def test_that_is_marked(): ...

@pytest.mark.xfail(reason="known")
def test_that_is_known_to_fail():
    assert False

@pytest.mark.long
def test_that_takes_minutes(): ...

@pytest.mark.browser
def test_that_has_no_browser():
    pytest.skip("no browser")

@pytest.mark.needs("no-such-program", "sh", "no-other")
def test_that_lacks_a_program():
    assert False

def test_that_lacks_a_program_half_way():
    needs("no-such-program")

@pytest.mark.needs("sh")
def test_that_lacks_nothing(): ...
"""


def run(folder: Path, *, no_skips: bool) -> str:
    (folder / "test_suite.py").write_text(SUITE)
    (folder / "test_file.py").write_text("import pytest\npytest.skip('no browser', allow_module_level=True)\n")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n long: takes minutes\n browser: a page\n needs: a thing\n")
    environ = {key: value for key, value in os.environ.items() if key != "SUNLEDGER_NO_SKIPS"}
    arguments = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-q", "-rs", "--continue-on-collection-errors", "."]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=folder,
        env={**environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        | ({"SUNLEDGER_NO_SKIPS": "1"} if no_skips else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_a_skip_fails_where_skips_are_forbidden_except_for_minutes_a_browser_and_what_is_absent(tmp_path: Path) -> None:
    said = run(tmp_path, no_skips=True)
    assert "test_that_skips_itself" in said
    assert "skipped, which SUNLEDGER_NO_SKIPS forbids: Skipped: nothing to test with" in said
    assert "skipped, which SUNLEDGER_NO_SKIPS forbids: Skipped: not today" in said
    assert "skipped, which SUNLEDGER_NO_SKIPS forbids: Skipped: no browser" in said
    assert "1 failed, 2 passed, 4 skipped, 1 xfailed, 2 errors" in said.splitlines()[-1]
    assert "NOT TESTED: no no-such-program (apt-get install no-such-program); no no-other (apt" in said


def test_a_skip_is_a_skip_elsewhere(tmp_path: Path) -> None:
    said = run(tmp_path, no_skips=False)
    assert "2 passed, 7 skipped, 1 xfailed" in said.splitlines()[-1]


@pytest.mark.parametrize("thing", ["root", "postgresql-15", "shared"])
def test_what_is_there_is_no_reason_to_skip(thing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(machine, "SYSTEM_15", tmp_path)
    monkeypatch.setattr(machine, "_BESIDE", tmp_path)
    (tmp_path / "postgres").touch()
    needs(thing)


@pytest.mark.parametrize("thing", ["root", "postgresql-15", "shared"])
def test_what_is_absent_is_named(thing: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(machine, "SYSTEM_15", tmp_path)
    monkeypatch.setattr(machine, "_BESIDE", tmp_path / "shared")
    monkeypatch.delenv("SUNLEDGER_SHARED", raising=False)
    with pytest.raises(Absent, match=r"^NOT TESTED: .*(root|PostgreSQL 15|SUNLEDGER_SHARED)"):
        needs(thing)


def test_a_collection_that_lacks_a_file_or_was_named_wrongly_is_a_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SUNLEDGER_SHARED", str(tmp_path / "elsewhere"))
    assert not realdata("a sheet.csv").exists()
    assert not vectors("a case.json").exists()
