"""What a check found, for whoever decides whether the sheet is entered. It names rows and batches, nobody else."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from ledger.imports import scratch as scratch_file
from ledger.imports.fault import Reason
from ledger.imports.sheet import Rejected

REJECTED_AT_ONCE = 1_000


class Footing(StrEnum):
    """Whether what a notice prints is what its rows come to."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    NOT_PRINTED = "not_printed"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSummary:
    """One notice. Printed totals are compared with what is listed, whether accepted or not: that is what they count."""

    name: str
    count: int
    """Accepted gifts, their sum and their days."""
    sum_fen: int
    first_on: str
    last_on: str
    listed_count: int
    """Accepted and rejected."""
    listed_sum_fen: int
    outside_window: int
    """Gifts dated outside the days the profile expects: a warning."""
    printed_count: int | None
    printed_sum_fen: int | None
    count_footing: Footing
    """A warning: some notices print one donor more than they list."""
    sum_footing: Footing
    """An error: the batch is not proposed."""

    @property
    def is_proposable(self) -> bool:
        """Whether there is anything to propose, and the total is the printed one."""
        return self.count > 0 and self.sum_footing is not Footing.DISAGREES


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Gifts in different notices that may be the same one: see `check.likeness`. Reported, never refused or merged."""

    on: str
    amount_fen: int
    places: tuple[tuple[str, int], ...]
    """Batch and row of each, in the order of the sheet; of very many the first."""
    gift_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """Large gifts of a notice that may stand in one that was imported or proposed before. Never refused or merged."""

    batch: str
    earlier: str
    """The notice that came before, by name; its imports' and proposals' numbers, the newest first."""
    imports: tuple[int, ...]
    proposals: tuple[int, ...]
    gift_count: int
    sum_fen: int
    large_count: int
    """All gifts of the notice that are large enough to be compared: how much `gift_count` is."""
    first_row: int
    names_compared: bool
    """False: day and amount are all that is compared, since the names lie sealed in the vault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole finding. Long lists are cut here and counted; `write_rejected` writes all."""

    sha256: str
    profile: str
    channel: str
    row_count: int
    """Accepted and rejected."""
    count: int
    sum_fen: int
    batches: tuple[BatchSummary, ...]
    """In the order of the sheet."""
    totals_without_rows: tuple[str, ...]
    """Notices whose total was given and of which the sheet has no row."""
    rejected: tuple[Rejected, ...]
    rejected_count: int
    rejected_by_reason: Mapping[Reason, int]
    overlaps: tuple[Overlap, ...]
    """The largest first."""
    overlap_count: int
    overlap_sum_fen: int
    """Each suspected gift counted once."""
    scratch: Path
    earlier: tuple[Earlier, ...] = ()
    """The largest sums first."""
    earlier_count: int = 0
    """Pairs of a notice and one before it."""
    earlier_unread: int = 0
    """Imports and sheets before this one that were not compared: they are too many, or cannot be read."""

    def write_rejected(self, path: Path) -> None:
        """All rejected rows as CSV, for the spreadsheet they will be mended in."""
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(rejected_csv(self.scratch))

    def as_json(self) -> dict[str, Any]:
        """The report for a JSON encoder: all but where the scratch file lies."""
        told: dict[str, Any] = msgspec.to_builtins(self, enc_hook=str)
        del told["scratch"]
        for written, batch in zip(told["batches"], self.batches, strict=True):
            written["is_proposable"] = batch.is_proposable
        for written, line in zip(told["rejected"], self.rejected, strict=True):
            written["reason_zh"], written["reason_en"] = line.reason.zh, line.reason.en
        return told


def rejected_csv(scratch: Path) -> Iterator[str]:
    """All rows that the check with this scratch file rejected, as CSV: some at a time, with a byte-order mark."""
    with scratch_file.opened(scratch) as notes:
        yield "\ufeff" + _csv([("row", "batch", "reason", "原因", "meaning", "detail")])
        lines = notes.rejected()
        while some := [*islice(lines, REJECTED_AT_ONCE)]:
            yield _csv((each.row, *map(_no_formula, _cells(each))) for each in some)


def _cells(line: Rejected) -> tuple[str, ...]:
    return line.batch, line.reason.value, line.reason.zh, line.reason.en, line.detail


def _csv(rows: Iterable[Iterable[object]]) -> str:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue()


def _no_formula(cell: str) -> str:
    """A spreadsheet runs a cell that begins like a formula; the name of a batch comes from whoever made the sheet."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
