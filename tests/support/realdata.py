"""Where the published notices of 2020 lie. They are not part of the repository."""

from pathlib import Path

from tests.support.needs import shared


def realdata(name: str) -> Path:
    """A file of real published data; the test is skipped, and says so, where there are none."""
    return shared(f"realdata/{name}")
