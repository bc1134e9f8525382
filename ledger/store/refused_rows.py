"""Rows of approved imports that were refused when they were entered: their numbers and why, and no more of them.

A file for each import, beside the staged sheets: these go when everything is entered, and somebody asks afterwards.
"""

import csv
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ledger.refusals import Refused

_HEADING = ("row", "reason", "原因", "detail")


class RefusedRow(NamedTuple):
    """A row, and what the rules said of it."""

    row: int
    reason: str
    """Last part of the problem's address."""
    title: str
    detail: str


class RefusedRows:
    """The files. What the last crash kept from being written here is counted in the log all the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, batch: int) -> Path:
        """Where the list of one import is, if any of its rows was refused."""
        return self._folder / f"refused-{batch}.csv"

    def add(self, batch: int, rows: Iterable[tuple[int, Refused]]) -> None:
        """Note more rows, behind those before."""
        told = [RefusedRow(row, refused.slug, refused.title, refused.detail) for row, refused in rows]
        if told:
            self._write(batch, told, "a")

    def rewind(self, batch: int, row: int) -> None:
        """Rows behind this one are decided again."""
        if self.path(batch).exists():
            self._write(batch, [each for each in self.read(batch) if each.row <= row], "w")

    def first(self, batch: int, limit: int) -> list[RefusedRow]:
        """The first rows of one import."""
        return [*islice(self.read(batch), limit)] if self.path(batch).exists() else []

    def read(self, batch: int) -> Iterator[RefusedRow]:
        """All, in the order of the sheet; a last line that a crash cut short is none."""
        with self.path(batch).open(encoding="utf-8-sig", newline="") as file:
            for cells in islice(csv.reader(file), 1, None):
                if len(cells) == len(_HEADING):
                    yield RefusedRow(int(cells[0]), *cells[1:])

    def _write(self, batch: int, rows: list[RefusedRow], mode: str) -> None:
        path = self.path(batch)
        is_new = mode == "w" or not path.exists()
        with path.open(mode, encoding="utf-8-sig" if is_new else "utf-8", newline="") as file:
            writer = csv.writer(file)
            if is_new:
                writer.writerow(_HEADING)
            writer.writerows(rows)
