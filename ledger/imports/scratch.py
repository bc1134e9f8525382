"""What a check must remember of a sheet of any length: one temporary sqlite file, so that memory stays flat."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ledger.imports.fault import Fault, Reason, Unreadable
from ledger.imports.sheet import Rejected

CACHE_KIB = 65_536
# No journal and no waiting for the disk: a check that dies is made again. `finish` is what says that it did not.
_PRAGMAS = ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", f"cache_size = -{CACHE_KIB}")
_TABLES = """
CREATE TABLE claimed (digest BLOB PRIMARY KEY, line INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE rejected (line INTEGER PRIMARY KEY, batch TEXT, reason TEXT, detail TEXT, amount_fen INTEGER);
CREATE TABLE large (likeness BLOB, line INTEGER, batch TEXT, day TEXT, amount_fen INTEGER, PRIMARY KEY (likeness, line))
    WITHOUT ROWID;
CREATE TABLE batch (name TEXT PRIMARY KEY, first_row INTEGER, last_row INTEGER, accepted INTEGER);
CREATE TABLE finished (sha256 BLOB, fingerprint TEXT);
"""
PAIRS = 2_000
"""Of batches of two sheets, those with the largest sums."""
# `min` of two values pairs gifts one to one: three here and two there are two.
_SHARED = """
SELECT mine.batch, theirs.batch, sum(min(mine.gifts, theirs.gifts)), sum(min(mine.gifts, theirs.gifts) * mine.fen),
    min(mine.line)
FROM (SELECT likeness, batch, count(*) AS gifts, min(amount_fen) AS fen, min(line) AS line
    FROM main.large GROUP BY likeness, batch) mine
JOIN (SELECT likeness, batch, count(*) AS gifts FROM other.large GROUP BY likeness, batch) theirs USING (likeness)
GROUP BY mine.batch, theirs.batch ORDER BY 4 DESC LIMIT ?
"""
_HELD = """
CREATE TEMPORARY TABLE IF NOT EXISTS held (day TEXT, amount_fen INTEGER, gifts INTEGER, PRIMARY KEY (day, amount_fen))
    WITHOUT ROWID
"""
_SHARED_WITH_HELD = """
SELECT batch, '', sum(min(mine.gifts, held.gifts)), sum(min(mine.gifts, held.gifts) * amount_fen), min(line)
FROM (SELECT batch, day, amount_fen, count(*) AS gifts, min(line) AS line
    FROM large GROUP BY batch, day, amount_fen) mine
JOIN held USING (day, amount_fen) GROUP BY batch
"""


class Span(NamedTuple):
    """From which to which row the accepted gifts of a batch stand, and how many they are."""

    first_row: int
    last_row: int
    gift_count: int


class Large(NamedTuple):
    """A gift large enough to be looked for in the other notices; `likeness` is a digest of what makes two alike."""

    likeness: bytes
    row: int
    batch: str
    on: str
    amount_fen: int


class Alike(NamedTuple):
    """A likeness found in more than one batch, and how many gifts have it."""

    likeness: bytes
    on: str
    amount_fen: int
    gift_count: int


class Shared(NamedTuple):
    """Large gifts of a batch that are alike in a batch of another sheet, as far as they are paired one to one."""

    batch: str
    other: str
    """That batch; empty where only one was compared."""
    gift_count: int
    sum_fen: int
    first_row: int


class Scratch:
    """The temporary file, open."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self._connection = connection

    def claim(self, digests: Sequence[bytes], rows: Sequence[int]) -> dict[int, int]:
        """Note the references of these rows. Answers row → the earlier row that has its reference already."""
        before = self._connection.total_changes
        # In order of digest, to walk a large tree from left to right; of equal ones the first row comes first.
        self._connection.executemany(
            "INSERT OR IGNORE INTO claimed VALUES (?, ?)", sorted(zip(digests, rows, strict=True))
        )
        if self._connection.total_changes - before == len(rows):
            return {}
        find = "SELECT line FROM claimed WHERE digest = ?"
        holders = (self._connection.execute(find, (digest,)).fetchone()[0] for digest in digests)
        return {row: holder for row, holder in zip(rows, holders, strict=True) if holder != row}

    def reject(self, rows: Iterable[Rejected]) -> None:
        """Note rows that are not accepted."""
        self._connection.executemany(
            "INSERT INTO rejected VALUES (?, ?, ?, ?, ?)",
            ((row.row, row.batch, row.reason.name, row.detail, row.amount_fen) for row in rows),
        )

    def note_large(self, gifts: Iterable[Large]) -> None:
        """Note gifts to be compared across batches at the end."""
        self._connection.executemany("INSERT INTO large VALUES (?, ?, ?, ?, ?)", gifts)

    def alike(self) -> Iterator[Alike]:
        """The likenesses that occur in more than one batch, the largest amount first."""
        yield from map(
            Alike._make,
            self._connection.execute(
                "SELECT likeness, max(day), max(amount_fen), count(*) FROM large GROUP BY likeness"
                " HAVING min(batch) <> max(batch) ORDER BY max(amount_fen) DESC, min(line)"
            ),
        )

    def places(self, alike: Alike, limit: int) -> tuple[tuple[str, int], ...]:
        """Batch and row of gifts that are alike, in the order of the sheet."""
        find = "SELECT batch, line FROM large WHERE likeness = ? ORDER BY line LIMIT ?"
        return tuple(self._connection.execute(find, (alike.likeness, limit)))

    def large_counts(self) -> dict[str, int]:
        """Batch → how many of its gifts are large."""
        return dict(self._connection.execute("SELECT batch, count(*) FROM large GROUP BY batch"))

    def shared_with(self, other: Path) -> list[Shared]:
        """Large gifts of one likeness here and in the scratch file of another sheet. Raises `Unreadable`."""
        try:
            self._connection.execute("ATTACH DATABASE ? AS other", (f"{other.absolute().as_uri()}?mode=ro",))
        except sqlite3.DatabaseError:
            raise Unreadable(Fault.UNCHECKED) from None
        try:
            return [*map(Shared._make, self._connection.execute(_SHARED, (PAIRS,)))]
        except sqlite3.DatabaseError:
            raise Unreadable(Fault.UNCHECKED) from None
        finally:
            self._connection.execute("DETACH DATABASE other")

    def hold(self, gifts: Iterable[tuple[str, int, int]]) -> None:
        """Note day, amount in fen and number of large gifts that one earlier batch holds, for `shared_with_held`."""
        self._connection.execute(_HELD)
        self._connection.executemany("INSERT INTO held VALUES (?, ?, ?)", gifts)

    def shared_with_held(self) -> list[Shared]:
        """Large gifts of the day and amount of those that are held, which are then let go."""
        self._connection.execute(_HELD)
        shared = [*map(Shared._make, self._connection.execute(_SHARED_WITH_HELD))]
        self._connection.execute("DELETE FROM held")
        return shared

    def rejected(self, limit: int = -1) -> Iterator[Rejected]:
        """The rejected rows in the order of the sheet."""
        for row, batch, reason, detail, fen in self._connection.execute(
            "SELECT * FROM rejected ORDER BY line LIMIT ?", (limit,)
        ):
            yield Rejected(row, batch, Reason[reason], detail, fen)

    def rejected_rows(self, start: int) -> Iterator[int]:
        """Their numbers only, from a row on."""
        return (
            row
            for (row,) in self._connection.execute("SELECT line FROM rejected WHERE line >= ? ORDER BY line", (start,))
        )

    def finish(self, sha256: bytes, fingerprint: str, spans: dict[str, Span]) -> None:
        """The check has seen the whole file; what follows may rely on it, after a power cut too."""
        self._connection.executemany(
            "INSERT INTO batch VALUES (?, ?, ?, ?)", ((name, *span) for name, span in spans.items())
        )
        self._connection.execute("INSERT INTO finished VALUES (?, ?)", (sha256, fingerprint))
        self._connection.execute("COMMIT")
        with self.path.open("rb") as file:
            os.fsync(file.fileno())

    def finished(self) -> tuple[bytes, str]:
        """SHA-256 and fingerprint of the file that was checked. Raises `Unreadable` if the check did not end."""
        try:
            found = self._connection.execute("SELECT sha256, fingerprint FROM finished").fetchone()
        except sqlite3.DatabaseError:
            found = None
        if found is None:
            raise Unreadable(Fault.UNCHECKED)
        return found[0], found[1]

    def spans(self) -> dict[str, Span]:
        """Where the accepted gifts of each batch stand."""
        return {name: Span(*span) for name, *span in self._connection.execute("SELECT * FROM batch")}


@contextmanager
def new(path: Path) -> Iterator[Scratch]:
    """A new scratch file; what was there is gone."""
    path.unlink(missing_ok=True)
    with _connected(path, "rwc") as connection:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.executescript(_TABLES)
        connection.execute("BEGIN")
        yield Scratch(connection, path)


@contextmanager
def opened(path: Path) -> Iterator[Scratch]:
    """The scratch file of an earlier check, to be read. Raises `Unreadable` if there is none."""
    if not path.exists():
        raise Unreadable(Fault.UNCHECKED)
    with _connected(path, "ro") as connection:
        yield Scratch(connection, path)


@contextmanager
def _connected(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    # A generator over it may be driven from a thread pool, one thread after the other.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    try:
        yield connection
    finally:
        connection.close()
