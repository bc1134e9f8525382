"""Key files: outside PostgreSQL and its backups, so that destroying a key destroys what it sealed."""

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ledger.privacy import FiscalNumbers, reference
from ledger.store.files import SetupError, private_file, sync_directory

KEY_BYTES = 32
DRAWN_AHEAD = 256
"""Keys that are made durable at once: a gift does not wait for a disk of its own."""


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
        return reference(self.references, org, channel, channel_ref)

    def fiscal_number(self, numbers: FiscalNumbers) -> bytes:
        """Equal for equal code and number, whatever else is printed: no two gifts have the same fiscal receipt."""
        text = f"sunledger/fiscal-number/1\n{numbers.code}\n{numbers.number}\n"
        return hmac.digest(self.references, text.encode(), "sha256")

    def file_commitment(self, sha256: str, stated: Sequence[str]) -> str:
        """`file` of an import: equal for the same file with the same statements, so that a lost sheet can come again.

        `sha256`: hex, of the file. Nobody without the key can try whether a file that she guesses is the one.
        """
        text = b"sunledger/file-salt/1\n" + json.dumps([sha256, *stated]).encode()
        salt = hmac.digest(self.references, text, "sha256").hex()
        return hashlib.sha256(f"sunledger/file/1\n{salt}\n{sha256}\n".encode()).hexdigest()


def create(folder: Path, lookup: Path) -> None:
    """Draw what is missing; what is there stays."""
    for name in ("references", "requests"):
        if not (folder / f"{name}.key").exists():
            private_file(folder / f"{name}.key", secrets.token_hex(KEY_BYTES).encode())
    if not lookup.exists():
        private_file(lookup, json.dumps({"current": 1, "keys": {"1": secrets.token_hex(KEY_BYTES)}}).encode())


class SubjectKey(NamedTuple):
    """A key nobody else has, and where it is found again."""

    slot: int
    key: bytes


class SubjectKeys:
    """One key for each subject, found by its slot: read by offset, never loaded whole. A key of zeros is destroyed.

    Keys are drawn before there is anything to seal, and are durable before anybody gets one. Those that were not used
    when the process ends are nobody's for ever: a key seals one thing once.
    """

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
        self._ahead: deque[SubjectKey] = deque()

    @property
    def count(self) -> int:
        """How many keys there are, destroyed ones and nobody's too."""
        return self._slots

    def draw(self) -> SubjectKey:
        """One key. Raises OSError."""
        if not self._ahead:
            self._ahead.extend(self.draw_many(DRAWN_AHEAD))
        return self._ahead.popleft()

    def draw_many(self, count: int) -> list[SubjectKey]:
        """So many keys, in slots one behind the other. Raises OSError: the disk is full, or breaks.

        A caller waits for the disk, as long as for a COMMIT: to have a thread do that takes longer than the disk.
        """
        first, drawn = self._slots, os.urandom(count * KEY_BYTES)
        self.write(drawn, first * KEY_BYTES)
        self._slots = first + count
        return [SubjectKey(first + i, drawn[i * KEY_BYTES : (i + 1) * KEY_BYTES]) for i in range(count)]

    def write(self, keys: bytes, offset: int) -> None:
        """Put keys into the file; they survive a power cut. Raises OSError."""
        if os.pwrite(self._file, keys, offset) != len(keys):
            raise OSError("the key file took only a part of the keys")  # the disk is full
        os.fdatasync(self._file)

    def read(self, slot: int) -> bytes | None:
        """The key, or None where it was destroyed."""
        key = os.pread(self._file, KEY_BYTES, slot * KEY_BYTES)
        return key if len(key) == KEY_BYTES and any(key) else None

    def destroy(self, slot: int) -> None:
        """Overwrite one key, durably."""
        self.write(bytes(KEY_BYTES), slot * KEY_BYTES)

    def close(self) -> None:
        """Let another process write."""
        os.close(self._file)


def _content(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        raise SetupError(f"{path} is missing: run `sunledger init`, or give this process its key file") from None
