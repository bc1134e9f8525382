"""A watchdog's file: the newest checkpoint it saw that held. Its time says when that was."""

import os
from hashlib import sha256
from pathlib import Path


class KeptCheckpoint:
    """One signed note, replaced whole; what contradicts it is put beside it and never over it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> bytes | None:
        """The note; None before the first visit."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None

    def since_s(self) -> float | None:
        """When it was put there, in seconds since 1970 UTC."""
        try:
            return self._path.stat().st_mtime
        except FileNotFoundError:
            return None

    def replace(self, note: bytes, *, now_s: float) -> None:
        """Keep this one from now on. Durable when it returns."""
        _write(self._path, note, now_s)

    def set_aside(self, note: bytes, *, now_s: float) -> Path:
        """Keep a note that contradicts it, as evidence; the same one once. Answers where."""
        path = self._path.with_name(f"{self._path.name}.evidence-{sha256(note).hexdigest()[:16]}")
        if not path.exists():
            _write(path, note, now_s)
        return path


def _write(path: Path, content: bytes, now_s: float) -> None:
    staging = path.with_name(f".{path.name}.new")
    with staging.open("wb") as file:
        file.write(content)
        file.flush()
        os.utime(file.fileno(), (now_s, now_s))
        os.fsync(file.fileno())
    staging.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
