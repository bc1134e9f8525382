"""Published test vectors. They stay outside the repository; without them the tests that need them skip and say so."""

import json
from pathlib import Path
from typing import Any

from tests.support.needs import shared


def vectors(name: str) -> Path:
    """The file or folder of that name among the vectors, or skip the test."""
    return shared(f"vectors/{name}")


def cases(name: str) -> list[dict[str, Any]]:
    """The cases in a JSON file among the vectors, or skip the test."""
    found: list[dict[str, Any]] = json.loads(vectors(name).read_bytes())
    return found
