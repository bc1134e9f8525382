"""Files beside the database: written whole, for their owner alone, and there after a power cut."""

import os
import secrets
from pathlib import Path

from ledger.trouble import Trouble


class SetupError(Trouble):
    """The server or the files are not as they must be; the message says what to do."""


def private_file(path: Path, content: bytes) -> None:
    """Write a new file that only its owner reads; durable before it has its name. Raises FileExistsError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    staging = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.link(staging, path)
    finally:
        staging.unlink()
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """After this, names in it survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
