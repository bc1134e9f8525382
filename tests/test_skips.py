"""A run that must not skip: the switch SUNLEDGER_NO_SKIPS, tried on a small suite of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SUITE = """
import pytest

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
"""


def run(folder: Path, *, no_skips: bool) -> str:
    (folder / "test_suite.py").write_text(SUITE)
    (folder / "test_file.py").write_text("import pytest\npytest.skip('no browser', allow_module_level=True)\n")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n long: takes minutes\n browser: a page\n")
    environ = {key: value for key, value in os.environ.items() if key != "SUNLEDGER_NO_SKIPS"}
    arguments = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-q", "--continue-on-collection-errors", "."]
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


def test_a_skip_fails_where_skips_are_forbidden_except_what_takes_minutes_or_a_browser(tmp_path: Path) -> None:
    said = run(tmp_path, no_skips=True)
    assert "test_that_skips_itself" in said
    assert "skipped, which SUNLEDGER_NO_SKIPS forbids: Skipped: nothing to test with" in said
    assert "skipped, which SUNLEDGER_NO_SKIPS forbids: Skipped: not today" in said
    assert "skipped, which SUNLEDGER_NO_SKIPS forbids: Skipped: no browser" in said
    assert "1 failed, 1 passed, 2 skipped, 1 xfailed, 2 errors" in said.splitlines()[-1]


def test_a_skip_is_a_skip_elsewhere(tmp_path: Path) -> None:
    said = run(tmp_path, no_skips=False)
    assert "1 passed, 5 skipped, 1 xfailed" in said.splitlines()[-1]
