"""Where the demo lives: a folder of its own, whatever the environment says of a log in use beside it."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.settings import Settings
from ledger.store import signing
from ledger.store.files import SetupError, private_file

FROM_ENVIRONMENT = frozenset({
    "public_host", "public_port", "admin_host", "admin_port", "trusted_proxies", "requests_per_minute",
    "failures_per_hour", "failures_per_code", "pool_size", "queue_size", "contact", "data_licence", "iati_org",
    "giving_prefix", "stale_hours", "read_only", "log_level",
})  # fmt: skip
"""What the demo takes from the environment. Any other setting, and one added later, has its default: paths, addresses
and secrets belong to the log in use. The formats of fiscal receipts are those of the story."""


def settle(chosen: Settings) -> Settings:
    """The demo's settings. Of the operator's only `demo/` in the data directory is used, and what is harmless."""
    folder = chosen.data_dir / "demo"
    own = {"log": "demo", "data_dir": folder, "signing_passphrase_file": folder / "signing.passphrase"}
    chosen_here = {name: getattr(chosen, name) for name in FROM_ENVIRONMENT}
    # Each is named, even with its default: what is not named would come from the environment again.
    defaults = {name: field.get_default() for name, field in Settings.model_fields.items()}
    return Settings(**(defaults | chosen_here | own))


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """While a demo lives it holds a lock, however it ends: what is found running without it, nobody uses.

    Raises SetupError where another one lives.
    """
    folder = settings.data_dir
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside the folder, which may be thrown away meanwhile. Children do not inherit it, PostgreSQL least of all.
    descriptor = os.open(folder.with_name(f"{folder.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError(f"a demo runs on {folder}: stop the demo first") from None
        yield
    finally:
        os.close(descriptor)


def notes(settings: Settings) -> Path:
    """The story's codes and tokens: the file that is written when all of it is told."""
    return settings.data_dir / "demo.json"


def was_cut_short(settings: Settings) -> bool:
    """Whether a demo died while it told its story. It cannot go on: half of what it would say again stands already.

    The passphrase is what only a demo makes, and before the first entry: another log in this folder has none.
    """
    return _passphrase_file(settings).exists() and not notes(settings).exists()


def make_signing_key(settings: Settings) -> None:
    """A demo signs, too; its passphrase lies beside its data, as no operator's may."""
    if settings.signing.exists():
        return
    if not _passphrase_file(settings).exists():
        private_file(_passphrase_file(settings), secrets.token_urlsafe(24).encode())
    signing.create(settings.signing, settings.passphrase)


def _passphrase_file(settings: Settings) -> Path:
    assert settings.signing_passphrase_file is not None
    return settings.signing_passphrase_file
