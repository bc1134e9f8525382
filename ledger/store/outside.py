"""The last checkpoint in a file outside the database and its backups: what keeps a restored log from signing twice."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class OutsideChangedError(Exception):
    """The file is not what this process last saw there: another process publishes this log."""


class OutsideCheckpoint:
    """Compare-and-swap on one small file. Durable before swap() returns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self._path

    def read(self) -> bytes | None:
        """The signed note, or None where none was ever written."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None

    def swap(self, expected: bytes | None, note: bytes) -> None:
        """Put `note` in the place of `expected`. Raises OutsideChangedError where something else stands there."""
        with self._locked():
            if self.read() != expected:
                raise OutsideChangedError(f"{self._path} changed under this process")
            staging = self._path.with_name(f".{self._path.name}.new")
            with staging.open("wb") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            staging.replace(self._path)
            directory = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self._path.with_name(f"{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
