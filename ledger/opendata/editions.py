"""Editions: all open data as of one checkpoint, in a folder of their own, which is whole or not there.

FOLDER/18424/gifts.csv …      what the public interface answers as of that state
FOLDER/18424/index.json       each file's rows, sum, length and SHA-256, and where it stays
FOLDER/18424/SHA256SUMS       for `sha256sum --check`
FOLDER/latest → 18424
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import file_digest
from pathlib import Path

import msgspec

from ledger.trouble import Trouble

INDEX, SUMS, LATEST = "index.json", "SHA256SUMS", "latest"
_STAGING = ".new-"
"""How the name begins of what is not whole yet. Web servers show no such names, and nothing here reads them."""
_LOCK = ".lock"


class EditionError(Trouble):
    """The folder cannot take an edition just now; the message says why."""


class File(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file of an edition."""

    name: str
    title: str
    media_type: str
    address: str
    """Where the public interface answers the same for ever."""
    length: int
    """In bytes."""
    sha256: str
    """Hexadecimal."""
    rows: int | None = None
    sum_fen: int | None = None
    """Of a table."""


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A file that there is none of, and why."""

    name: str
    why: str


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in an index."""

    size: int
    """Entries of the published state."""
    as_of: int
    """The last of them."""
    at: str
    """When that was made."""
    licence: str
    files: tuple[File, ...]
    left_out: tuple[LeftOut, ...]


def sizes(folder: Path) -> list[int]:
    """Of all editions there are, the newest first."""
    try:
        return sorted((int(each.name) for each in folder.iterdir() if _is_edition(each)), reverse=True)
    except FileNotFoundError:
        return []


def read(folder: Path, size: int) -> Edition | None:
    """The index of an edition; None where there is none."""
    try:
        return msgspec.json.decode((folder / str(size) / INDEX).read_bytes(), type=Edition)
    except FileNotFoundError:
        return None


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Nobody else writes here meanwhile. What a run left behind that was killed is removed first.

    Raises EditionError where somebody does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EditionError(f"{folder}: an edition is being written already") from None
        for each in folder.glob(f"{_STAGING}*"):
            each.unlink() if each.is_symlink() else shutil.rmtree(each)
        yield


def staging(folder: Path, size: int) -> Path:
    """An empty folder for the files of an edition, while `writing`."""
    made = folder / f"{_STAGING}{size}"
    made.mkdir()
    return made


def finish(folder: Path, edition: Edition) -> None:
    """Give the staged files their index, their sums, and then, all at once, their name."""
    staged = folder / f"{_STAGING}{edition.size}"
    (staged / INDEX).write_bytes(msgspec.json.format(msgspec.json.encode(edition), indent=1) + b"\n")
    sums = {each.name: each.sha256 for each in edition.files} | {INDEX: sha256(staged / INDEX)}
    (staged / SUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))
    for each in staged.iterdir():
        _sync(each)
    _sync(staged)
    # Durable, and still without a name that anybody reads. If we stop now, the next run removes it and begins again.
    staged.rename(folder / str(edition.size))
    _sync(folder)
    # Whole. If we stop now, `latest` is the one before; the next run for this state only mends that.


def point(folder: Path) -> int:
    """Let `latest` lead to the newest edition; its size."""
    newest = sizes(folder)[0]
    latest = folder / LATEST
    if not latest.is_symlink() or latest.readlink() != Path(str(newest)):
        link = folder / f"{_STAGING}{LATEST}"
        with suppress(FileNotFoundError):
            link.unlink()
        link.symlink_to(str(newest))
        link.rename(latest)
        _sync(folder)
    return newest


def sha256(path: Path) -> str:
    """Of a file, hexadecimal."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _is_edition(path: Path) -> bool:
    return path.name.isdecimal() and (path / INDEX).is_file()


def _sync(path: Path) -> None:
    """As durable as it gets: a file's content, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
