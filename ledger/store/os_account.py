"""The operating system's account that the server runs as, when we are root: an existing one; none is created."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ledger.store.binaries import PostgresError

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class OsAccount:
    """Arguments for `subprocess`; all None means: as we are."""

    user: int | None = None
    group: int | None = None
    extra_groups: tuple[int, ...] | None = None

    @property
    def uid(self) -> int:
        """The number of the account."""
        return os.geteuid() if self.user is None else self.user

    def own(self, path: Path) -> None:
        """Give PATH, which we have just made, to the account."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)

    def can_run(self, path: Path) -> bool:
        """Whether the account gets to PATH and may execute or enter it. Asked of the kernel: modes are not all."""
        try:
            asked = subprocess.run(  # noqa: S603 (the path is an argument, not part of the script)
                ["/bin/sh", "-c", 'test -x "$0"', path],
                check=False,
                cwd="/",
                user=self.user,
                group=self.group,
                extra_groups=self.extra_groups,
            )
        except PermissionError as error:
            raise PostgresError(
                f"PostgreSQL refuses to run as root, and we may not become account {self.user} ({error}):"
                " run as an ordinary user, or name a running server in SUNLEDGER_DATABASE_URL"
            ) from error
        return asked.returncode == 0

    @contextmanager
    def door(self, directory: Path) -> Iterator[tuple[Path, tuple[int, ...]]]:
        """A path by which the account gets to its DIRECTORY, and the descriptors to hand down for that.

        Below a folder closed to the account (root's home, a temporary folder of root's) the path leads through a
        descriptor that we open: no folder's mode changes.
        """
        if self.user is None or self.can_run(directory):
            yield directory, ()
            return
        descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY)
        try:
            yield Path(f"/proc/self/fd/{descriptor}"), (descriptor,)
        finally:
            os.close(descriptor)


def account_for(data: Path) -> OsAccount:
    """The owner of a cluster that exists, else the first candidate there is; ourselves when we are not root."""
    if os.geteuid() != 0:
        return OsAccount()
    if (data / "PG_VERSION").exists() and (owner := data.stat()).st_uid != 0:
        return OsAccount(user=owner.st_uid, group=owner.st_gid, extra_groups=())
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return OsAccount(user=entry.pw_uid, group=entry.pw_gid, extra_groups=())
    raise PostgresError(
        f"PostgreSQL refuses to run as root, and none of the accounts {', '.join(CANDIDATES)} exists:"
        " run as an ordinary user, or name a running server in SUNLEDGER_DATABASE_URL"
    )
