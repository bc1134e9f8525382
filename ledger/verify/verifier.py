"""verify(source) → a report. Bytes and meaning are checked from one reading, so both are about the same log."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

from cryptography.x509 import Certificate

from ledger.log.errors import MalformedError
from ledger.log.policy import Policy
from ledger.verify.anchor import Anchor, check_receipt, check_saved, open_anchor
from ledger.verify.code import GENESIS_PREV, Codes
from ledger.verify.finding import LISTED, WHOLE_LOG, Findings
from ledger.verify.helper import helpers, read_and_check
from ledger.verify.reading import Order, not_whole, orders, stretches
from ledger.verify.regrown import Regrown
from ledger.verify.replay import Replay
from ledger.verify.report import Report, counted, instant, stamped
from ledger.verify.rule import Rule
from ledger.verify.source import BulkSource, Source, SourceError
from ledger.verify.stamps import check_roots
from ledger.verify.stretch import Checked, Stretch, check

Progress = Callable[[int, int], None]
"""Is told how many entries of how many were read."""


def verify(  # noqa: PLR0913  each is a choice of its own
    source: Source,
    *,
    policy: Policy | None,
    saved: bytes | None = None,
    receipts: Sequence[bytes] = (),
    codes: Sequence[str] = (),
    authorities: Sequence[Certificate] = (),
    meaning: bool = True,
    progress: Progress | None = None,
    processes: int | None = None,
    listed: int = LISTED,
) -> Report:
    """Check a whole log: its bytes against its checkpoint, and what its entries say against the rules.

    `policy` says whose signatures count; without one the report says that none was checked. `saved` is a checkpoint
    from an earlier visit. `codes`: receipt codes as printed, without hyphens. `authorities`: certificates whose RFC
    3161 timestamps count; without one their signatures are not looked at. `processes`: helpers for hashing; None: as
    many as seem worth it.
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
    replay = Replay(anchor.checkpoint.origin, findings, authorities) if meaning else None
    work = _Work(source, anchor, findings, replay, Codes(codes))
    trouble = ""
    is_continued: bool | None = None
    try:
        work.run(processes, progress)
        if replay is not None:
            check_roots(source, anchor, replay.stamps, findings)
        if saved is not None:
            before = findings.counts[Rule.CHECKPOINT_CONSISTENT]
            check_saved(source, anchor, saved, policy, findings)
            is_continued = findings.counts[Rule.CHECKPOINT_CONSISTENT] == before
        for receipt in receipts:
            check_receipt(source, anchor, receipt, policy, findings)
    except (SourceError, BrokenProcessPool) as error:
        trouble = str(error)
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
        opened=tuple(work.codes.opened),
        hashed=work.hashed,
        replayed=0 if replay is None else replay.size,
        is_meaning_asked=meaning,
        stamps=None if replay is None else stamped(replay.stamps, are_verified=bool(authorities)),
        kinds={} if replay is None else replay.kinds,
        totals_fen={} if replay is None else replay.totals_fen,
        findings=findings.ordered(),
        counts=counted(findings.counts),
        trouble=trouble,
    )


class _Work:
    """One reading of the log: stretches go to the check of bytes, wherever that runs, and to the replay, here."""

    def __init__(self, source: Source, anchor: Anchor, findings: Findings, replay: Replay | None, codes: Codes) -> None:
        self._source = source
        self._anchor = anchor
        self._findings = findings
        self.replay = replay
        self.codes = codes
        self._regrown = Regrown(source, findings)
        self._prev: str | None = GENESIS_PREV
        self._is_followed = replay is not None or bool(codes)
        self.hashed = 0

    def run(self, processes: int | None, progress: Progress | None) -> None:
        """Read it all. Raises SourceError."""
        size = self._anchor.checkpoint.size
        told = progress or _untold
        source = self._source if isinstance(self._source, BulkSource) else None
        with helpers(processes, size, source, is_replayed=self.replay is not None) as (executor, room):
            if executor is not None and source is not None and not self._is_followed:
                self._order(executor, room, size, told)
            else:
                self._read(executor, room, size, told)
        if self.hashed == size:
            self._finish()

    def _read(self, executor: Executor | None, room: int, size: int, progress: Progress) -> None:
        """Read here; hash here, or hand what was read to those who hash."""
        read = 0
        waiting: deque[Future[Checked]] = deque()
        for stretch in stretches(self._source, size, self._findings):
            if executor is None:
                self._join(check(stretch))
            else:
                waiting.append(executor.submit(check, stretch))
            self._follow(stretch)
            while len(waiting) > room:
                self._join(waiting.popleft().result())
            read += stretch.size
            progress(read, size)
        for each in waiting:
            self._join(each.result())

    def _order(self, executor: Executor, room: int, size: int, progress: Progress) -> None:
        """Have it read where it is hashed: nothing but results comes here."""
        waiting: deque[tuple[Order, Future[Checked | None]]] = deque()
        coming = orders(size)
        while True:
            for order in islice(coming, room - len(waiting)):
                waiting.append((order, executor.submit(read_and_check, order)))
            if not waiting:
                return
            order, future = waiting.popleft()
            checked = future.result()
            if checked is not None:
                self._join(checked)
                progress(self.hashed, size)
            missing = [bundle for bundle in order if bundle.span.start >= self.hashed]
            if missing:
                not_whole(missing[0], self._findings)
                return

    def _join(self, checked: Checked) -> None:
        """What a stretch alone cannot know."""
        self._findings.join(checked.findings)
        if None not in {checked.first_prev, self._prev} and checked.first_prev != self._prev:
            self._findings.add(checked.first, Rule.PREV_CHAIN, self._prev, checked.first_prev)
        self._prev = checked.last_digest
        for root in checked.roots:
            self._regrown.add_tile(root)
        if checked.leaves:
            self._regrown.add_leaves(checked.leaves)
        self.hashed += checked.size

    def _follow(self, stretch: Stretch) -> None:
        """Replay a stretch. Nothing after entries that cannot be read can be judged."""
        if not self._is_followed:
            return
        for piece in stretch.pieces:
            try:
                entries = piece.apart()
            except MalformedError:
                self._is_followed = False
                return
            for written in entries:
                if self.replay is not None:
                    self.replay.step(written)
                if self.codes:
                    self.codes.step(written)

    def _finish(self) -> None:
        checkpoint = self._anchor.checkpoint
        root = self._regrown.finish()
        if root != checkpoint.root:
            self._findings.add(WHOLE_LOG, Rule.CHECKPOINT_ROOT, f"root {root.hex()}", checkpoint.root.hex())
        if self.replay is not None and self._is_followed:
            self.replay.finish()
        if self.codes:
            self.codes.finish(self._findings)


def _untold(_read: int, _size: int) -> None: ...
