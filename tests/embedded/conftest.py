"""Folders, programs, and a cluster that exists."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.store.binaries import find_binaries
from tests.embedded.clusters import open_folder, running
from tests.support.needs import SYSTEM_15, needs


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
