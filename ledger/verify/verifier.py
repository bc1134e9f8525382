"""verify(source) → a report. Bytes and meaning are checked from one reading, so both are about the same log."""

import os
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context

from ledger.log.errors import MalformedError
from ledger.log.policy import Policy
from ledger.log.tile import decode_bundle
from ledger.verify.anchor import Anchor, check_receipt, check_saved, open_anchor
from ledger.verify.finding import LISTED, WHOLE_LOG, Findings
from ledger.verify.reading import stretches
from ledger.verify.regrown import Regrown
from ledger.verify.replay import Replay
from ledger.verify.report import Report, counted, instant
from ledger.verify.rule import Rule
from ledger.verify.source import Source, SourceError
from ledger.verify.stretch import Checked, Stretch, check

GENESIS_PREV = "0" * 64
"""What entry 0 names as the hash before it."""

MAX_PROCESSES = 2
"""More would wait for the one that reads."""

WORTH_PROCESSES = 500_000
"""Entries from which other processes help: starting them takes longer than checking fewer."""

WAITING = 4
"""Stretches handed to each process and not yet answered."""

Progress = Callable[[int, int], None]
"""Is told how many entries of how many were read."""


def verify(  # noqa: PLR0913  each is a choice of its own
    source: Source,
    *,
    policy: Policy | None,
    saved: bytes | None = None,
    receipts: Sequence[bytes] = (),
    meaning: bool = True,
    progress: Progress | None = None,
    processes: int | None = None,
    listed: int = LISTED,
) -> Report:
    """Check a whole log: its bytes against its checkpoint, and what its entries say against the rules.

    `policy` says whose signatures count; without one the report says that none was checked. `saved` is a checkpoint
    from an earlier visit. `processes`: helpers for hashing; None: as many as seem worth it.
    """
    findings = Findings(listed)
    try:
        note = source.checkpoint()
    except SourceError as error:
        return Report(has_policy=policy is not None, is_meaning_asked=meaning, trouble=str(error))
    anchor = open_anchor(note, policy, findings)
    if anchor is None:
        return Report(
            has_policy=policy is not None,
            is_meaning_asked=meaning,
            findings=findings.ordered(),
            counts=counted(findings.counts),
        )
    work = _Work(source, anchor, findings, Replay(anchor.checkpoint.origin, findings) if meaning else None)
    trouble = ""
    is_continued: bool | None = None
    try:
        work.run(processes, progress)
        if saved is not None:
            before = findings.counts[Rule.CHECKPOINT_CONSISTENT]
            check_saved(source, anchor, saved, policy, findings)
            is_continued = findings.counts[Rule.CHECKPOINT_CONSISTENT] == before
        for receipt in receipts:
            check_receipt(source, anchor, receipt, policy, findings)
    except (SourceError, BrokenProcessPool) as error:
        trouble = str(error)
    replay = work.replay
    if replay is not None:
        replay.close()
    if not findings.counts and not trouble:
        assert work.hashed == anchor.checkpoint.size, "good means that all was read"
        assert replay is None or replay.size == anchor.checkpoint.size
    return Report(
        origin=anchor.checkpoint.origin,
        size=anchor.checkpoint.size,
        root=anchor.checkpoint.root.hex(),
        checkpoint=note.decode(),
        signed_by=anchor.signed_by,
        has_policy=policy is not None,
        cosigned_at={name: instant(at) for name, at in anchor.cosigned_at_s.items()},
        is_saved_continued=is_continued,
        receipts=len(receipts),
        hashed=work.hashed,
        replayed=0 if replay is None else replay.size,
        is_meaning_asked=meaning,
        kinds={} if replay is None else replay.kinds,
        totals_fen={} if replay is None else replay.totals_fen,
        findings=findings.ordered(),
        counts=counted(findings.counts),
        trouble=trouble,
    )


class _Work:
    """One reading of the log: stretches go to the check of bytes, wherever that runs, and to the replay, here."""

    def __init__(self, source: Source, anchor: Anchor, findings: Findings, replay: Replay | None) -> None:
        self._source = source
        self._anchor = anchor
        self._findings = findings
        self.replay = replay
        self._regrown = Regrown(source, findings)
        self._prev: str | None = GENESIS_PREV
        self._is_followed = replay is not None
        self.hashed = 0

    def run(self, processes: int | None, progress: Progress | None) -> None:
        """Read it all. Raises SourceError."""
        size = self._anchor.checkpoint.size
        read = 0
        waiting: deque[tuple[Stretch, Future[Checked]]] = deque()
        with _executor(processes, size, is_replayed=self.replay is not None) as (executor, room):
            for stretch in stretches(self._source, size, self._findings):
                if executor is None:
                    self._join(stretch, check(stretch))
                else:
                    waiting.append((stretch, executor.submit(check, stretch)))
                self._follow(stretch)
                while len(waiting) > room:
                    self._collect(*waiting.popleft())
                read += stretch.size
                if progress is not None:
                    progress(read, size)
            for each in waiting:
                self._collect(*each)
        if read == size:
            self._finish()

    def _collect(self, stretch: Stretch, coming: Future[Checked]) -> None:
        self._join(stretch, coming.result())

    def _join(self, stretch: Stretch, checked: Checked) -> None:
        """What a stretch alone cannot know."""
        self._findings.join(checked.findings)
        first = stretch.pieces[0].bundle.span.start
        if None not in {checked.first_prev, self._prev} and checked.first_prev != self._prev:
            self._findings.add(first, Rule.PREV_CHAIN, self._prev, checked.first_prev)
        self._prev = checked.last_digest
        for root in checked.roots:
            self._regrown.add_tile(root)
        if checked.leaves:
            self._regrown.add_leaves(checked.leaves)
        self.hashed += stretch.size

    def _follow(self, stretch: Stretch) -> None:
        """Replay a stretch. Nothing after entries that cannot be read can be judged."""
        if self.replay is None or not self._is_followed:
            return
        for piece in stretch.pieces:
            try:
                entries = decode_bundle(piece.entries, piece.bundle)
            except MalformedError:
                self._is_followed = False
                return
            for written in entries:
                self.replay.step(written)

    def _finish(self) -> None:
        checkpoint = self._anchor.checkpoint
        root = self._regrown.finish()
        if root != checkpoint.root:
            self._findings.add(WHOLE_LOG, Rule.CHECKPOINT_ROOT, f"root {root.hex()}", checkpoint.root.hex())
        if self.replay is not None and self._is_followed:
            self.replay.finish()


@contextmanager
def _executor(processes: int | None, size: int, *, is_replayed: bool) -> Generator[tuple[Executor | None, int]]:
    """Processes that hash, and how many stretches may wait for them; none for a log they are not worth."""
    if processes is None:
        spare = (os.cpu_count() or 1) - is_replayed  # the replay keeps one processor busy
        processes = min(spare, MAX_PROCESSES) if size >= WORTH_PROCESSES else 0
    if not processes:
        yield None, 0
        return
    # Not forked: threads that read files are running in this process.
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    try:
        yield pool, processes * WAITING
    finally:
        pool.shutdown(cancel_futures=True)
