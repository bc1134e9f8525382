"""Key files: outside PostgreSQL and its backups, so that destroying a key destroys what it sealed."""

import fcntl
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from ledger.privacy import FiscalNumbers, reference
from ledger.store.setup import SetupError, private_file

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class LookupKeys:
    """Keys that turn a receipt code into what the store is searched for. New codes use the current one."""

    current: int
    keys: dict[int, bytes]

    @classmethod
    def read(cls, path: Path) -> "LookupKeys":
        """Raises SetupError where there is no such file."""
        kept = json.loads(_content(path))
        return cls(kept["current"], {int(number): bytes.fromhex(key) for number, key in kept["keys"].items()})


@dataclass(frozen=True, slots=True)
class LogKeys:
    """Keys of the writing application that never rotate."""

    references: bytes
    """Makes `ref` of channel references; one per log, for ever."""
    requests: bytes
    """Hides idempotency keys and requests in the store."""

    @classmethod
    def read(cls, folder: Path) -> "LogKeys":
        """Raises SetupError where there are no such files."""
        return cls(*(bytes.fromhex(_content(folder / f"{name}.key")) for name in ("references", "requests")))

    def ref(self, org: str, channel: str, channel_ref: str) -> str:
        """`ref` of an entry; empty where the channel gives no reference."""
        return reference(self.references, org, channel, channel_ref) if channel_ref else ""

    def fiscal_number(self, numbers: FiscalNumbers) -> bytes:
        """Equal for equal code and number, whatever else is printed: no two gifts have the same fiscal receipt."""
        text = f"sunledger/fiscal-number/1\n{numbers.code}\n{numbers.number}\n"
        return hmac.digest(self.references, text.encode(), "sha256")


def create(folder: Path, lookup: Path) -> None:
    """Draw what is missing; what is there stays."""
    for name in ("references", "requests"):
        if not (folder / f"{name}.key").exists():
            private_file(folder / f"{name}.key", secrets.token_hex(KEY_BYTES).encode())
    if not lookup.exists():
        private_file(lookup, json.dumps({"current": 1, "keys": {"1": secrets.token_hex(KEY_BYTES)}}).encode())


class SubjectKeys:
    """One key for each subject, found by its slot: read by offset, never loaded whole. A key of zeros is destroyed."""

    def __init__(self, path: Path, *, write: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_RDWR | os.O_CREAT if write else os.O_RDONLY
        self._file = os.open(path, flags, 0o600)
        if write:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(self._file)
                raise SetupError(f"{path} is in use: another writing application runs on this log") from None
            sync_directory(path.parent)  # a file just made has its name before a COMMIT relies on what is in it
        # A torn last record, left by a crash before its COMMIT, is nobody's key: go on after it.
        self._slots = -(-os.fstat(self._file).st_size // KEY_BYTES)

    @property
    def count(self) -> int:
        """How many keys there are, destroyed ones and nobody's too."""
        return self._slots

    def append(self, keys: list[bytes]) -> int:
        """Put keys at the end; answers the first one's slot. Not durable before sync()."""
        first = self._slots
        written = b"".join(keys)
        if os.pwrite(self._file, written, first * KEY_BYTES) != len(written):
            raise OSError("the key file took only a part of the keys")  # disk full: the batch is given up
        self._slots = first + len(keys)
        return first

    def sync(self) -> None:
        """After this, keys appended before survive a power cut."""
        os.fdatasync(self._file)

    def read(self, slot: int) -> bytes | None:
        """The key, or None where it was destroyed."""
        key = os.pread(self._file, KEY_BYTES, slot * KEY_BYTES)
        return key if len(key) == KEY_BYTES and any(key) else None

    def destroy(self, slot: int) -> None:
        """Overwrite one key, durably."""
        os.pwrite(self._file, bytes(KEY_BYTES), slot * KEY_BYTES)
        os.fsync(self._file)

    def close(self) -> None:
        """Let another process write."""
        os.close(self._file)


def sync_directory(directory: Path) -> None:
    """After this, names in it survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _content(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        raise SetupError(f"{path} is missing: run `sunledger init`, or give this process its key file") from None
