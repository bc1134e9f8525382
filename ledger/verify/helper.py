"""Processes that help a verifier: each reads, or is handed, a stretch and checks its bytes.

A module of its own, so that a helper imports what it needs and is there sooner.
"""

import os
import sys
from collections.abc import Generator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.util import Finalize
from types import ModuleType

from ledger.log.tile import Bundle
from ledger.verify.source import BulkSource
from ledger.verify.stretch import Checked, Stretch, check

MAX_PROCESSES = 2
"""More would wait for the one that reads."""

WORTH_PROCESSES = 500_000
"""Entries from which other processes help: starting them takes longer than checking fewer."""

WAITING = 4
"""Stretches handed to each process and not yet answered."""


@contextmanager
def helpers(
    processes: int | None, size: int, source: BulkSource | None, *, is_replayed: bool
) -> Generator[tuple[Executor | None, int]]:
    """Processes that hash, and how many stretches may wait for them; none for a log they are not worth.

    `source` is opened in each of them, for `read_and_check`. `processes`: None for as many as seem worth it.
    """
    if processes is None:
        spare = (os.cpu_count() or 1) - is_replayed  # the replay keeps one processor busy
        processes = min(spare, MAX_PROCESSES) if size >= WORTH_PROCESSES else 0
    if not processes:
        yield None, 0
        return
    # Not forked: threads that read files are running in this process.
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_open, initargs=(source,))
    try:
        with _bare_main():
            for _ in range(processes):  # each of these starts one
                pool.submit(_there)
        yield pool, processes * WAITING
    finally:
        pool.shutdown(cancel_futures=True)


def read_and_check(order: tuple[Bundle, ...]) -> Checked | None:
    """In a helper: these bundles, as far as they are all there; None where not even the first is."""
    pieces = _opened[0].pieces(order)
    return check(Stretch(pieces=tuple(pieces))) if pieces else None


_opened: list[BulkSource] = []
"""In a helper: the log."""


def _open(source: BulkSource | None) -> None:
    if source is not None:
        _opened.append(source)
        Finalize(source, source.close, exitpriority=0)  # when this process ends; atexit is not for such


def _there() -> None: ...


@contextmanager
def _bare_main() -> Generator[None]:
    """Processes started meanwhile do not import the program that runs: it has nothing for them, and takes its time."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
