"""Sheets handed in: checked whole, proposed batch by batch. Nothing is entered here."""

import asyncio
import hmac
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog

from ledger.approvals import is_late
from ledger.donations import ApproveImport
from ledger.imports import check as checking
from ledger.imports.profile import PROFILES
from ledger.imports.report import Report
from ledger.imports.totals import PrintedTotal
from ledger.refusals import Invalid, Refused, Unknown
from ledger.store.availability import Busy, Stopped
from ledger.store.batch import Idempotency, Outcome, Replayed
from ledger.store.clock import now, today
from ledger.store.database import Database
from ledger.store.forerunners import Own, compared
from ledger.store.keys import LogKeys
from ledger.store.sequencer import Sequencer
from ledger.store.staging import SCRATCH, Manifest, Staging

KNOWN_REFS = 5_000
JOBS_KEPT = 1_000
PAUSE_S = 0.05

_log = structlog.get_logger()


@dataclass(slots=True)
class Job:
    """A check that runs or has ended."""

    manifest: Manifest | None = None
    """What was said of the sheet when it was to be checked; None of one that a start found."""
    read: int = 0
    size: int = 0
    report: Report | None = None
    proposals: dict[str, int] = field(default_factory=dict)
    """Batch → proposal."""
    already_proposed: dict[str, int] = field(default_factory=dict)
    """Batch → proposal that waits since the same sheet was sent before; there is no second one."""
    not_proposed: dict[str, Refused] = field(default_factory=dict)
    """Batch → why it cannot be."""
    resumed: dict[str, list[int]] = field(default_factory=dict)
    """Batch → approved imports that go on with this sheet."""
    namesakes: dict[str, list[int]] = field(default_factory=dict)
    """Batch → approved imports of other sheets that were called the same: perhaps the same notice, mended."""
    refused: Refused | None = None
    """Why the sheet cannot be used at all."""
    failed: bool = False

    @property
    def done(self) -> bool:
        """Whether there is a result."""
        return self.refused is not None or self.failed or (self.report is not None and self.read < 0)


class Sheets:
    """The staged sheets and the checks that run on them."""

    def __init__(self, database: Database, sequencer: Sequencer, keys: LogKeys, folder: Path) -> None:
        self.staging = Staging(folder)
        self.when_wanted: Callable[[], None] = lambda: None
        """Called when an approved import may go on, or something is left to take up."""
        self._database = database
        self._sequencer = sequencer
        self._keys = keys
        self._jobs: dict[str, Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, sheet: str, manifest: Manifest) -> Job:
        """Check the sheet and propose what is in order. The same sheet again: the job there is.

        Where that one could not propose everything, it is tried again.
        """
        before = self._jobs.get(sheet)
        if before is not None and before.manifest is not None and before.manifest != manifest:
            raise Invalid(_FOR_SOMETHING_ELSE)
        if before is not None and not (
            before.done and (before.failed or before.not_proposed) and self.staging.has(sheet)
        ):
            return before
        if manifest.profile not in PROFILES:
            raise Invalid(f"profile: one of {', '.join(sorted(PROFILES))}", field="profile")
        folder = self.staging.folder(sheet)
        asked, manifest = manifest, _as_before(self.staging.kept(sheet), manifest)
        self._forget()
        job = self._jobs[sheet] = Job(asked, size=(folder / "sheet").stat().st_size)
        task = asyncio.create_task(self._check(sheet, manifest, job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def job(self, sheet: str) -> Job:
        """How far a check is. Raises Unknown."""
        if sheet not in self._jobs:
            raise Unknown(f"no sheet {sheet} is being checked", sheet=sheet)
        return self._jobs[sheet]

    async def namesakes(self, org: str, batches: Sequence[str], commitment: str) -> dict[str, list[int]]:
        """Batch → approved imports of other sheets than this one, in which a batch is called the same."""
        async with self._database.raw() as connection:
            rows = await connection.fetch(_NAMESAKES, org, batches, commitment)
        return {row["name"]: row["imports"] for row in rows}

    async def take_up(self) -> None:
        """Propose what a crash kept from being proposed after a check had come to its end. Raises Stopped."""
        for sheet, manifest in self.staging.checked():
            if manifest.proposals is None and sheet not in self._running():
                job = self._jobs.get(sheet, Job())
                try:
                    await self._propose_all(sheet, manifest, job)
                    job.failed, job.read = False, -1
                except Stopped:
                    raise
                except Exception as error:  # noqa: BLE001  one sheet's fault must not stop the others
                    _log.error("a sheet cannot be proposed", sheet=sheet, exc_info=error)

    def clear_away(self) -> None:
        """Remove sheets whose proposals are all resolved and whose batches are all entered: the vault has it all."""
        books = self._sequencer.books
        entering = {each.approved.file for each in books.imports.values()}
        running = self._running()
        for sheet, manifest in self.staging.checked():
            made = (*(manifest.proposals or ()), *manifest.already_proposed.values())
            waiting = manifest.proposals is None or any(number in books.proposals for number in made)
            if not waiting and manifest.commitment not in entering and sheet not in running:
                self.staging.remove(sheet)
        self.staging.remove_unchecked(but=running)

    def _forget(self) -> None:
        """Of checks that have ended the oldest, where there are many: nobody asks for these any more."""
        ended = [sheet for sheet, job in self._jobs.items() if job.done]
        for sheet in ended[: max(0, len(self._jobs) - JOBS_KEPT)]:
            del self._jobs[sheet]

    def _running(self) -> set[str]:
        return {sheet for sheet, job in self._jobs.items() if not job.done}

    async def _check(self, sheet: str, manifest: Manifest, job: Job) -> None:
        try:
            report = await self._read(sheet, manifest, job)
            if not manifest.commitment:
                checked = await self._checked(manifest, report)
                self.staging.keep_report(sheet, report.as_json())
                self.staging.keep(sheet, checked)  # the last: whose manifest there is, of that there is all
                manifest = checked
            # From here on all of it is proposed, if we stop now by take_up.
            await asyncio.to_thread(report.write_rejected, self.staging.rejected(sheet))
            job.report = report
            job.resumed, job.already_proposed = self._resumed(manifest, report), manifest.already_proposed
            batches = [batch.name for batch in report.batches]
            job.namesakes = await self.namesakes(manifest.org, batches, manifest.commitment)
            await self._propose_all(sheet, manifest, job)
            job.read = -1
        except Refused as refused:
            job.refused = refused
        except Exception as error:  # noqa: BLE001  told to whoever asks for the job
            _log.error("a sheet could not be checked", exc_info=error)
            job.failed = True
        if not manifest.commitment:  # nothing was proposed of it, and nothing will be
            self.staging.remove(sheet)
        if job.resumed or (job.failed and manifest.commitment):
            self.when_wanted()

    async def _read(self, sheet: str, manifest: Manifest, job: Job) -> Report:
        folder, profile = self.staging.folder(sheet), manifest.fitted()
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
            # What is entered is what the first check accepted, and may be being read just now.
            scratch=folder / ("again.sqlite" if manifest.commitment else SCRATCH),
            agreement_from=self._sequencer.books.agreement_from,
            today=today(now()),
        )
        own = Own(sheet, manifest.org, self._commitment(manifest, report))
        return await compared(self._database, self.staging, own, report)

    async def _checked(self, manifest: Manifest, report: Report) -> Manifest:
        """With what is to be proposed: not what an import or a proposal, whose sheet this is, is there for anyway."""
        manifest = msgspec.structs.replace(manifest, commitment=self._commitment(manifest, report))
        resumed, waiting = self._resumed(manifest, report), await self._waiting(manifest)
        batches = [each for each in _commands(manifest, report) if each.name not in resumed]
        return msgspec.structs.replace(
            manifest,
            batches=tuple(each for each in batches if each.name not in waiting),
            already_proposed={each.name: waiting[each.name] for each in batches if each.name in waiting},
        )

    def _commitment(self, manifest: Manifest, report: Report) -> str:
        stated = (manifest.profile, manifest.name, manifest.org, manifest.fund, manifest.event)
        return self._keys.file_commitment(report.sha256, stated)

    def _resumed(self, manifest: Manifest, report: Report) -> dict[str, list[int]]:
        """The commitment says that file, fund and all are the same; the name, that the batch is."""
        proposed = {each.name for each in manifest.batches}
        found: dict[str, list[int]] = {}
        for batch in report.batches:
            for number, each in self._sequencer.books.imports.items():
                if (each.approved.file, each.approved.name) == (manifest.commitment, batch.name):
                    found.setdefault(batch.name, []).append(number)
        return {name: numbers for name, numbers in found.items() if name not in proposed}

    async def _waiting(self, manifest: Manifest) -> dict[str, int]:
        """Batch → the first proposal of this sheet that can still be approved."""
        books, on = self._sequencer.books, today(now())
        async with self._database.raw() as connection:
            rows = await connection.fetch(_WAITING, manifest.org)
        found: dict[str, int] = {}
        for number, file, name in rows:
            proposal = books.proposals.get(number)
            if file == manifest.commitment and proposal is not None and not is_late(proposal, books, on):
                found.setdefault(name, number)
        return found

    async def _propose_all(self, sheet: str, manifest: Manifest, job: Job) -> None:
        """Batch by batch; one that is refused holds up no other. Raises Stopped."""
        for command in manifest.batches:
            try:
                job.proposals[command.name] = await self._propose(sheet, command)
            except Refused as refused:
                job.not_proposed[command.name] = refused
        self.staging.keep(sheet, msgspec.structs.replace(manifest, proposals=tuple(job.proposals.values())))

    async def _propose(self, sheet: str, command: ApproveImport) -> int:
        """Once, however often it is tried again after a crash."""
        key = hmac.digest(self._keys.requests, f"sheet\n{sheet}\n{command.name}".encode(), "sha256")
        request = hmac.digest(self._keys.requests, msgspec.json.encode(command), "sha256")
        outcome: Outcome | None = None
        while outcome is None:
            try:
                outcome = await self._sequencer.submit(command, Idempotency(key, request))
            except Busy:  # the sheet was read to its end for this
                await asyncio.sleep(PAUSE_S)
        return outcome.first_seq if isinstance(outcome, Replayed) else outcome.entries[0].seq

    async def _known(self, digests: Sequence[bytes]) -> Collection[bytes]:
        found: set[bytes] = set()
        async with self._database.raw() as connection:
            for i in range(0, len(digests), KNOWN_REFS):
                rows = await connection.fetch(_KNOWN, digests[i : i + KNOWN_REFS])
                found.update(row["ref"] for row in rows)
        return found


def _as_before(before: Manifest | None, manifest: Manifest) -> Manifest:
    """A sheet that was checked to its end keeps what is proposed of it. Raises Invalid: it was for something else."""
    if before is None:
        return manifest
    again = msgspec.structs.replace(
        manifest,
        commitment=before.commitment,
        batches=before.batches,
        already_proposed=before.already_proposed,
        proposals=before.proposals,
    )
    if again != before:
        raise Invalid(_FOR_SOMETHING_ELSE)
    return again


def _commands(manifest: Manifest, report: Report) -> list[ApproveImport]:
    return [
        ApproveImport(
            maker=manifest.maker,
            org=manifest.org,
            fund=manifest.fund,
            channel=report.channel,
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


_FOR_SOMETHING_ELSE = "this sheet was checked for another fund or with other totals: upload it again"
_KNOWN = """
  select ref from gift where ref = any($1)
  union all
  select ref from reference where ref = any($1)
"""
_WAITING = """
  select w.proposal, w.command ->> 'file', w.command ->> 'name' from (
    select p.seq as proposal, convert_from(d.command, 'utf8')::jsonb as command
    from proposal p join draft d on d.proposal = p.seq
    where p.status = 'open' and p.command = 'import.approved' and p.org = $1
  ) w
  order by w.proposal
"""
_NAMESAKES = """
  select name, array_agg(seq order by seq) as imports from import_batch b
  where org = $1 and name = any($2) and $3 <> (
    select convert_from(bytes, 'utf8')::jsonb #>> '{body,file}' from entry e where e.seq = b.seq)
  group by name
"""
