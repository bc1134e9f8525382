"""Sheets handed in: staged, checked whole, proposed batch by batch. Nothing is entered here.

A staged sheet holds names, so it lies in a directory of its own that only this account reads, and goes when nothing
speaks of it any more.
"""

import asyncio
import hashlib
import hmac
import secrets
import shutil
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog

from ledger.donations import ApproveImport
from ledger.imports import check as checking
from ledger.imports.profile import PROFILES, Profile, fitted
from ledger.imports.report import Report
from ledger.imports.totals import PrintedTotal
from ledger.refusals import Invalid, Refused, Unknown
from ledger.store.availability import Busy
from ledger.store.batch import Idempotency, Outcome, Replayed
from ledger.store.database import Database
from ledger.store.keys import LogKeys
from ledger.store.sequencer import Sequencer

MAX_SHEET_BYTES = 2**31
KNOWN_REFS = 5_000
PAUSE_S = 0.05

_log = structlog.get_logger()


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What was said when the sheet was handed in."""

    profile: str
    name: str
    maker: str
    org: str
    fund: str
    event: str
    totals: dict[str, tuple[int | None, int | None]]
    """Batch → printed count, printed sum in fen."""
    salt: str
    commitment: str = ""
    """What the log says of the file: no hash of a guessable file without salt."""
    proposals: tuple[int, ...] | None = None
    """The proposals made of it; None until they are."""

    def fitted(self) -> Profile:
        """The profile, for this sheet."""
        return fitted(self.profile, self.name)


@dataclass(slots=True)
class Job:
    """A check that runs or has ended."""

    read: int = 0
    size: int = 0
    report: Report | None = None
    proposals: dict[str, int] = field(default_factory=dict)
    """Batch → proposal."""
    refused: Refused | None = None
    failed: bool = False

    @property
    def done(self) -> bool:
        """Whether there is a result."""
        return self.refused is not None or self.failed or (self.report is not None and self.read < 0)


class Sheets:
    """The staging folder and the checks that run on it."""

    def __init__(self, database: Database, sequencer: Sequencer, keys: LogKeys, folder: Path) -> None:
        self._database = database
        self._sequencer = sequencer
        self._keys = keys
        self._folder = folder
        self._jobs: dict[str, Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def stage(self, chunks: AsyncIterator[bytes]) -> str:
        """Keep an uploaded sheet; answers the name of its folder. Raises Invalid beyond MAX_SHEET_BYTES."""
        name = secrets.token_hex(8)
        folder = self._folder / name
        folder.mkdir(mode=0o700)
        size = 0
        with (folder / "sheet").open("xb") as file:
            async for chunk in chunks:
                size += len(chunk)
                if size > MAX_SHEET_BYTES:
                    shutil.rmtree(folder)
                    raise Invalid(f"a sheet has at most {MAX_SHEET_BYTES} bytes")
                await asyncio.to_thread(file.write, chunk)
        return name

    def begin(self, sheet: str, manifest: Manifest) -> Job:
        """Check the sheet and propose what is in order. The same sheet again: the job there is."""
        if sheet in self._jobs:
            return self._jobs[sheet]
        if manifest.profile not in PROFILES:
            raise Invalid(f"profile: one of {', '.join(sorted(PROFILES))}", field="profile")
        folder = self.folder(sheet)
        manifest = _as_before(folder, manifest)
        job = self._jobs[sheet] = Job(size=(folder / "sheet").stat().st_size)
        task = asyncio.create_task(self._check(sheet, manifest, job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def job(self, sheet: str) -> Job:
        """How far a check is. Raises Unknown."""
        if sheet not in self._jobs:
            raise Unknown(f"no sheet {sheet} is being checked", sheet=sheet)
        return self._jobs[sheet]

    def folder(self, sheet: str) -> Path:
        """Where a staged sheet lies. Raises Unknown."""
        folder = self._folder / sheet
        if not sheet.isalnum() or not folder.is_dir():
            raise Unknown(f"no sheet {sheet} is staged", sheet=sheet)
        return folder

    def find(self, commitment: str) -> tuple[Path, Manifest] | None:
        """The staged sheet that an approved import speaks of."""
        for folder, manifest in self._staged():
            if hmac.compare_digest(manifest.commitment, commitment):
                return folder, manifest
        return None

    def clear_away(self) -> None:
        """Remove sheets whose proposals are all resolved and whose batches are all entered: the vault has it all."""
        books = self._sequencer.books
        entering = {each.approved.file for each in books.imports.values()}
        for folder, manifest in self._staged():
            waiting = manifest.proposals is None or any(number in books.proposals for number in manifest.proposals)
            if not waiting and manifest.commitment not in entering:
                shutil.rmtree(folder)

    async def _check(self, sheet: str, manifest: Manifest, job: Job) -> None:
        try:
            await self._check_and_propose(sheet, manifest, job)
        except Refused as refused:
            job.refused = refused
        except Exception as error:  # noqa: BLE001  told to whoever asks for the job
            _log.error("a sheet could not be checked", exc_info=error)
            job.failed = True

    async def _check_and_propose(self, sheet: str, manifest: Manifest, job: Job) -> None:
        folder, profile = self.folder(sheet), manifest.fitted()
        loop = asyncio.get_running_loop()

        def known(digests: Sequence[bytes]) -> Collection[bytes]:
            return asyncio.run_coroutine_threadsafe(self._known(digests), loop).result()

        def progress(read: int, size: int) -> None:
            job.read, job.size = read, size

        report = await asyncio.to_thread(
            checking.check,
            folder / "sheet",
            profile,
            totals={
                name: PrintedTotal(count=count, sum_fen=sum_fen) for name, (count, sum_fen) in manifest.totals.items()
            },
            reference_digest=lambda reference: bytes.fromhex(self._keys.ref(manifest.org, profile.channel, reference)),
            known=known,
            report_progress=progress,
            scratch=folder / "scratch.sqlite",
            agreement_from=self._sequencer.books.agreement_from,
        )
        text = f"sunledger/file/1\n{manifest.salt}\n{report.sha256}\n"
        manifest = msgspec.structs.replace(manifest, commitment=hashlib.sha256(text.encode()).hexdigest())
        (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
        for command in _commands(manifest, profile, report):
            job.proposals[command.name] = await self._propose(sheet, command)
        manifest = msgspec.structs.replace(manifest, proposals=tuple(job.proposals.values()))
        (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
        job.report, job.read = report, -1

    async def _propose(self, sheet: str, command: ApproveImport) -> int:
        """Once, however often the check is run again after a crash."""
        key = hmac.digest(self._keys.requests, f"sheet\n{sheet}\n{command.name}".encode(), "sha256")
        request = hmac.digest(self._keys.requests, msgspec.json.encode(command), "sha256")
        outcome: Outcome | None = None
        while outcome is None:
            try:
                outcome = await self._sequencer.submit(command, Idempotency(key, request))
            except Busy:  # the sheet was read to its end for this
                await asyncio.sleep(PAUSE_S)
        return outcome.first_seq if isinstance(outcome, Replayed) else outcome.entries[0].seq

    def _staged(self) -> list[tuple[Path, Manifest]]:
        return [
            (path.parent, msgspec.json.decode(path.read_bytes(), type=Manifest))
            for path in sorted(self._folder.glob("*/manifest.json"))
        ]

    async def _known(self, digests: Sequence[bytes]) -> Collection[bytes]:
        found: set[bytes] = set()
        async with self._database.raw() as connection:
            for i in range(0, len(digests), KNOWN_REFS):
                rows = await connection.fetch("select ref from gift where ref = any($1)", digests[i : i + KNOWN_REFS])
                found.update(row["ref"] for row in rows)
        return found


def _as_before(folder: Path, manifest: Manifest) -> Manifest:
    """A check that a crash cut short goes on with the salt it had: its proposals speak of that commitment.

    Raises Invalid where the sheet was handed in for something else.
    """
    kept = folder / "manifest.json"
    if not kept.exists():
        return manifest
    before = msgspec.json.decode(kept.read_bytes(), type=Manifest)
    again = msgspec.structs.replace(
        manifest, salt=before.salt, commitment=before.commitment, proposals=before.proposals
    )
    if again != before:
        raise Invalid("this sheet was checked for another fund or with other totals: upload it again")
    return again


def _commands(manifest: Manifest, profile: Profile, report: Report) -> list[ApproveImport]:
    return [
        ApproveImport(
            maker=manifest.maker,
            org=manifest.org,
            fund=manifest.fund,
            channel=profile.channel,
            event=manifest.event,
            name=batch.name,
            profile=manifest.profile,
            file=manifest.commitment,
            rows=batch.count,
            sum_fen=batch.sum_fen,
            first_on=batch.first_on,
            last_on=batch.last_on,
        )
        for batch in report.batches
        if batch.is_proposable
    ]
