"""A cluster's directory DATA, what runs it, and how it is made. Beside it stand DATA.lock, .log and .password."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ledger.store.binaries import PostgresError
from ledger.store.files import sync_directory
from ledger.store.os_account import OsAccount

SUPERUSER = "sunledger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One cluster and the means to run it."""

    data: Path
    bin: Path
    major: int
    account: OsAccount
    settings: Mapping[str, str]
    report: Callable[[str], None]


def make(cluster: Cluster, lock: int) -> None:
    """Make a cluster beside DATA and move it there whole."""
    data, account = cluster.data, cluster.account
    if data.is_mount():
        raise PostgresError(f"{data} is a mount point: name a directory inside it")
    if data.exists() and any(data.iterdir()):
        raise PostgresError(f"{data} is not empty and holds no PostgreSQL cluster: name another directory")
    cluster.report(f"making a PostgreSQL {cluster.major} cluster in {data}")
    staging = beside(data, "initdb")
    shutil.rmtree(staging, ignore_errors=True)  # a killed launcher's; its initdb has ended, or it would hold the lock
    staging.mkdir()
    staging.chmod(0o711)  # it stays ours; what is in it is closed
    (staging / "data").mkdir(mode=0o700)
    account.own(staging / "data")
    secret = staging / "password"
    descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(24))
        file.flush()
        os.fsync(descriptor)
    account.own(secret)
    _initdb(cluster, staging, lock)
    if account.user is not None:
        os.chown(secret, os.geteuid(), os.getegid())
    secret.replace(beside(data, "password"))
    # Killed here: there is no cluster yet; the next start makes one, with a password of its own.
    (staging / "data").rename(data)
    sync_directory(data.parent)
    # Durable.
    staging.rmdir()


def _initdb(cluster: Cluster, staging: Path, lock: int) -> None:
    account = cluster.account
    # With LC_CTYPE=C the trigrams of Chinese text are empty, and search silently finds nothing.
    provider = ["builtin", "--builtin-locale=C.UTF-8"] if cluster.major >= 17 else ["libc"]
    with account.door(staging) as (way, descriptors):
        made = subprocess.run(  # noqa: S603 (the programs are the operator's choice)
            [
                cluster.bin / "initdb",
                *("--pgdata", way / "data", "--pwfile", way / "password", "--username", SUPERUSER),
                *("--auth=scram-sha-256", "--data-checksums", "--encoding=UTF8", "--locale=C.UTF-8"),
                *("--locale-provider", *provider),
                *(["--no-sync"] if cluster.settings.get("fsync") == "off" else []),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            cwd="/",
            env=environment(),
            pass_fds=(*descriptors, lock),  # should we be killed, the lock is held until initdb has ended too
            user=account.user,
            group=account.group,
            extra_groups=account.extra_groups,
        )
    if made.returncode != 0:
        raise PostgresError(f"initdb failed: {made.stdout.decode(errors='replace').strip()}")


def environment() -> dict[str, str]:
    """What the programs need of ours, and none of our secrets: they run under another account."""
    wanted = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    return wanted | {name: value for name, value in os.environ.items() if name == "LD_LIBRARY_PATH"}


def password_of(data: Path) -> str:
    """The superuser's password."""
    path = beside(data, "password")
    try:
        return path.read_text()
    except FileNotFoundError:
        raise PostgresError(f"{path} is missing: without it nobody can log in to {data}; put it back") from None


def beside(data: Path, what: str) -> Path:
    """The file DATA.what."""
    return data.with_name(f"{data.name}.{what}")
