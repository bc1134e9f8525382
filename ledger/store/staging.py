"""Where sheets lie from their upload until nothing speaks of them any more, each in a folder of its own with its check.

They hold names: only this account reads here. A folder without a manifest was not read to its end, and is of no use to
anybody after a crash: whoever sent it sends it again.
"""

import asyncio
import hmac
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Container, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ledger.donations import ApproveImport
from ledger.imports.profile import Profile, fitted
from ledger.refusals import Invalid, Unknown
from ledger.store.files import sync_directory

MAX_SHEET_BYTES = 2**31
UNCHECKED_KEPT_S = 86_400
"""So long somebody may take between sending a sheet and having it checked."""

SCRATCH = "scratch.sqlite"
"""The scratch file of the check whose rows are proposed."""

_MANIFEST = "manifest.json"
_REPORT = "report.json"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What was said when the sheet was handed in, and what a check to its end found to propose."""

    profile: str
    name: str
    maker: str
    org: str
    fund: str
    event: str
    totals: dict[str, tuple[int | None, int | None]]
    """Batch → printed count, printed sum in fen."""
    commitment: str = ""
    """What the log says of the file: no hash of a guessable file without salt."""
    batches: tuple[ApproveImport, ...] = ()
    """What is to be proposed of it. Kept before the first is: a crash in between changes none."""
    already_proposed: dict[str, int] = msgspec.field(default_factory=dict)
    """Batch → proposal of the same sheet as it was sent before, which waited for approval when this one was checked."""
    proposals: tuple[int, ...] | None = None
    """The proposals made of it; None until each batch was proposed or refused."""

    def fitted(self) -> Profile:
        """The profile, for this sheet."""
        return fitted(self.profile, self.name)


class Staging:
    """The folder of all staged sheets."""

    def __init__(self, folder: Path) -> None:
        """Removes what an upload or a check that was cut short has left."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.remove_unchecked(kept_s=0)

    async def stage(self, chunks: AsyncIterator[bytes]) -> str:
        """Keep an uploaded sheet; answers the name of its folder. Raises Invalid beyond MAX_SHEET_BYTES."""
        name = secrets.token_hex(8)
        folder = self._folder / name
        folder.mkdir(mode=0o700)
        size = 0
        try:
            with (folder / "sheet").open("xb") as file:
                async for chunk in chunks:
                    size += len(chunk)
                    _check_size(size)
                    await asyncio.to_thread(file.write, chunk)
                file.flush()
                await asyncio.to_thread(os.fsync, file.fileno())  # an approval may be all that is left to rest on it
        except BaseException:  # whoever sent it is gone, the disk is full
            shutil.rmtree(folder)
            raise
        return name

    def folder(self, sheet: str) -> Path:
        """Where a staged sheet lies. Raises Unknown."""
        folder = self._folder / sheet
        if not sheet.isalnum() or not folder.is_dir():
            raise Unknown(f"no sheet {sheet} is staged", sheet=sheet)
        return folder

    def has(self, sheet: str) -> bool:
        """Whether it is still there."""
        return (self._folder / sheet).is_dir()

    def kept(self, sheet: str) -> Manifest | None:
        """What was kept of a sheet that was checked to its end."""
        try:
            return _decode((self._folder / sheet / _MANIFEST).read_bytes())
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def keep(self, sheet: str, manifest: Manifest) -> None:
        """Whole or not at all, and durable when it returns."""
        self._write(sheet, _MANIFEST, msgspec.json.encode(manifest))
        sync_directory(self._folder)

    def report(self, sheet: str) -> dict[str, Any] | None:
        """What the check found whose rows are proposed; None where it was made before such reports were kept."""
        try:
            found: dict[str, Any] = msgspec.json.decode((self._folder / sheet / _REPORT).read_bytes())
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        return found

    def keep_report(self, sheet: str, report: Mapping[str, Any]) -> None:
        """For whoever approves, and as long as the sheet is: whole or not at all, and durable when it returns."""
        self._write(sheet, _REPORT, msgspec.json.encode(report))

    def checked(self) -> list[tuple[str, Manifest]]:
        """All that were checked to their end."""
        names = sorted(path.parent.name for path in self._folder.glob(f"*/{_MANIFEST}"))
        return [(name, manifest) for name in names if (manifest := self.kept(name)) is not None]

    def find(self, commitment: str) -> tuple[Path, Manifest] | None:
        """The sheet that an approved import speaks of. Where it was handed in again: as it came last."""
        found = [
            (self._folder / name, manifest)
            for name, manifest in self.checked()
            if hmac.compare_digest(manifest.commitment, commitment)
        ]
        return max(found, key=lambda each: (each[0] / _MANIFEST).stat().st_mtime_ns, default=None)

    def rejected(self, sheet: str) -> Path:
        """Where the list of its rejected rows is, which names nobody: it may be asked for when the sheet is gone."""
        return self._folder / f"rejected-{sheet}.csv"

    def remove(self, sheet: str) -> None:
        """With the names that are in it."""
        shutil.rmtree(self._folder / sheet, ignore_errors=True)

    def remove_unchecked(self, *, kept_s: float = UNCHECKED_KEPT_S, but: Container[str] = ()) -> None:
        """Those that were sent longer ago, and never checked to their end; and lists of rejected rows as old."""
        for path in self._folder.glob("rejected-*.csv"):
            if time.time() - path.stat().st_mtime >= kept_s:
                path.unlink()
        for folder in self._folder.iterdir():
            if not folder.is_dir() or folder.name in but or self.kept(folder.name) is not None:
                continue
            if time.time() - folder.stat().st_mtime >= kept_s:
                self.remove(folder.name)

    def _write(self, sheet: str, name: str, content: bytes) -> None:
        folder = self.folder(sheet)
        draft = folder / f".{name}"
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / name)
        sync_directory(folder)


def _check_size(size: int) -> None:
    if size > MAX_SHEET_BYTES:
        raise Invalid(f"a sheet has at most {MAX_SHEET_BYTES} bytes")


_decode = msgspec.json.Decoder(Manifest).decode
