"""Published test vectors. They stay outside the repository; without them the tests that need them skip and say so."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

_REPOSITORY = Path(__file__).resolve().parents[2]


def vectors(name: str) -> Path:
    """The file or folder of that name among the vectors, or skip the test."""
    shared = Path(os.environ.get("SUNLEDGER_SHARED") or _REPOSITORY.parent / "shared")
    path = shared / "vectors" / name
    if not path.exists():
        pytest.skip(f"PUBLISHED VECTORS NOT CHECKED: no {name} beside the repository; set SUNLEDGER_SHARED")
    return path


def cases(name: str) -> list[dict[str, Any]]:
    """The cases in a JSON file among the vectors, or skip the test."""
    found: list[dict[str, Any]] = json.loads(vectors(name).read_bytes())
    return found
