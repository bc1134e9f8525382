"""This tree as a wheel, and what is installed from one."""

import zipfile
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).resolve().parents[2]


def installed(folder: Path) -> Path:
    """Where the packages of a wheel built from this tree lie."""
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        assert len(archive.namelist()) == len({*archive.namelist()}), "each file once"
        archive.extractall(folder / "installed")
    return folder / "installed"
