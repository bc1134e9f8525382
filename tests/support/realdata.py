"""Where the published notices of 2020 lie. They are not part of the repository."""

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[3] / "shared"


def realdata(name: str) -> Path:
    """A file of real published data; the test is skipped, and says so, where the folder is absent."""
    path = Path(os.environ.get("SUNLEDGER_SHARED", _BESIDE)) / "realdata" / name
    if not path.exists():
        pytest.skip(f"real data absent: no {name}; set SUNLEDGER_SHARED to the folder that holds realdata/")
    return path
