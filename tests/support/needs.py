"""What a machine may lack, and the tests that have to do without: the one place where a test may skip itself in CI."""

import os
import shutil
from pathlib import Path

from _pytest.outcomes import Skipped

SYSTEM_15 = Path("/usr/lib/postgresql/15/bin")
"""Where Debian keeps the oldest PostgreSQL that we promise."""

_BESIDE = Path(__file__).resolve().parents[3] / "shared"


class Absent(Skipped):
    """Something truly is not there. SUNLEDGER_NO_SKIPS lets this skip pass, and the summary names it."""


def needs(*things: str) -> None:
    """Skip the test, loudly, where the machine lacks one of these: root, postgresql-15, shared, or a program's name."""
    if lacking := [_lack(thing) for thing in things if not _is_there(thing)]:
        raise Absent(f"NOT TESTED: {'; '.join(lacking)}")


def shared(name: str) -> Path:
    """A file or folder of the collection that was handed to the project; skips, loudly, where there is no collection.

    A collection without the file is no absence but a fault: what asks for it fails.
    """
    needs("shared")
    return _collection() / name


def _collection() -> Path:
    return Path(os.environ.get("SUNLEDGER_SHARED") or _BESIDE)


def _is_there(thing: str) -> bool:
    match thing:
        case "root":
            return os.geteuid() == 0
        case "postgresql-15":
            return (SYSTEM_15 / "postgres").exists()
        case "shared":
            # Named and not there is a slip of whoever named it, and no absence.
            return bool(os.environ.get("SUNLEDGER_SHARED")) or _BESIDE.is_dir()
        case program:
            return shutil.which(program) is not None


def _lack(thing: str) -> str:
    match thing:
        case "root":
            return "only root has another account to run as"
        case "postgresql-15":
            return f"no PostgreSQL 15 in {SYSTEM_15} (Debian 12: apt-get install postgresql-15)"
        case "shared":
            return "no real notices, published vectors and schemas beside the repository (set SUNLEDGER_SHARED)"
        case program:
            return f"no {program} (apt-get install {program})"
