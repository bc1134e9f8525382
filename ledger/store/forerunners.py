"""What was imported or proposed before a sheet and may hold the same gifts: told to who approves, decided nowhere.

Compared are large gifts of one channel of one organisation. While the earlier sheet is staged, by what makes two rows
of one sheet alike: name, amount, day. Where it was entered and is gone, by amount and day: names lie in the vault,
which nobody opens for this.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

import asyncpg

from ledger.imports import scratch as scratch_file
from ledger.imports.check import LARGE_FEN, OVERLAPS_SHOWN
from ledger.imports.fault import Unreadable
from ledger.imports.report import Earlier, Report
from ledger.imports.scratch import Scratch, Shared
from ledger.store.database import Database
from ledger.store.staging import SCRATCH, Manifest, Staging

SHEETS_COMPARED = 100
IMPORTS_LISTED = 10_000
ROWS_COMPARED = 2_000_000
"""Of imports that were entered, the newest first: the server reads a million in about a second."""

GIFTS_AT_ONCE = 8_192


class Own(NamedTuple):
    """The sheet that was checked."""

    sheet: str
    org: str
    commitment: str
    """As its imports and proposals have it: what is left of them goes on with it, and they are no forerunners."""


class _Import(NamedTuple):
    number: int
    name: str
    file: str
    rows: int


@dataclass(slots=True)
class _Comparison:
    notes: Scratch
    large: Mapping[str, int]
    """Batch → its large gifts."""
    first_on: str
    last_on: str
    found: list[Earlier]
    unread: int = 0

    def add(self, shared: Shared, earlier: str, imports: Sequence[int], proposals: Sequence[int]) -> None:
        self.found.append(
            Earlier(
                batch=shared.batch,
                earlier=earlier,
                imports=tuple(imports),
                proposals=tuple(proposals),
                gift_count=shared.gift_count,
                sum_fen=shared.sum_fen,
                large_count=self.large[shared.batch],
                first_row=shared.first_row,
                names_compared=bool(shared.other),
            )
        )


async def compared(database: Database, staging: Staging, own: Own, report: Report) -> Report:
    """The report, with what came before."""
    with scratch_file.opened(report.scratch) as notes:
        large = await asyncio.to_thread(notes.large_counts)
        if not large:
            return report
        batches = [batch for batch in report.batches if batch.count]
        first_on, last_on = min(each.first_on for each in batches), max(each.last_on for each in batches)
        comparison = _Comparison(notes, large, first_on, last_on, [])
        async with database.raw() as connection:
            listed = await connection.fetch(
                _IMPORTS, own.org, report.channel, own.commitment, first_on, last_on, IMPORTS_LISTED
            )
            imports = [_Import(*row) for row in listed]
            waiting = {row["proposal"]: row["name"] for row in await connection.fetch(_WAITING, own.org)}
        staged = [*_staged(staging, own, comparison)]
        await _compare_staged(comparison, staged, imports, waiting)  # no transaction waits for it
        files = {manifest.commitment for _, manifest in staged}
        async with database.snapshot() as connection:
            await _compare_entered(comparison, [each for each in imports if each.file not in files], connection)
    found = sorted(comparison.found, key=lambda each: each.sum_fen, reverse=True)
    return replace(
        report, earlier=tuple(found[:OVERLAPS_SHOWN]), earlier_count=len(found), earlier_unread=comparison.unread
    )


def _staged(staging: Staging, own: Own, comparison: _Comparison) -> Iterator[tuple[Path, Manifest]]:
    """Sheets of the organisation that were checked before and have gifts of these days."""
    for sheet, manifest in staging.checked():
        is_near = any(
            batch.first_on <= comparison.last_on and comparison.first_on <= batch.last_on for batch in manifest.batches
        )
        is_other = sheet != own.sheet and manifest.commitment != own.commitment
        if is_other and manifest.org == own.org and is_near:
            yield staging.folder(sheet) / SCRATCH, manifest


async def _compare_staged(
    comparison: _Comparison,
    staged: Sequence[tuple[Path, Manifest]],
    imports: Sequence[_Import],
    waiting: Mapping[int, str],
) -> None:
    """With batches that wait for approval, or were approved: not with those that somebody rejected."""
    comparison.unread += len(staged[SHEETS_COMPARED:])
    for scratch, manifest in staged[:SHEETS_COMPARED]:
        try:
            found = await asyncio.to_thread(comparison.notes.shared_with, scratch)
        except Unreadable:
            comparison.unread += 1
            continue
        made = manifest.proposals or ()
        for shared in found:
            approved = [
                each.number for each in imports if (each.file, each.name) == (manifest.commitment, shared.other)
            ]
            proposed = [number for number in made if waiting.get(number) == shared.other]
            if approved or proposed:
                comparison.add(shared, shared.other, approved, proposed)


async def _compare_entered(comparison: _Comparison, imports: Sequence[_Import], connection: asyncpg.Connection) -> None:
    """With what the ledger holds of imports whose sheets are gone; not with what was taken back."""
    left = ROWS_COMPARED
    notes = comparison.notes
    days = date.fromisoformat(comparison.first_on), date.fromisoformat(comparison.last_on)
    for each in imports:
        left -= each.rows
        if left < 0:
            comparison.unread += 1
            continue
        cursor = await connection.cursor(_LARGE, each.number, LARGE_FEN, *days)
        while rows := await cursor.fetch(GIFTS_AT_ONCE):
            await asyncio.to_thread(notes.hold, [(str(day), qty, gifts) for day, qty, gifts in rows])
        for shared in await asyncio.to_thread(notes.shared_with_held):
            comparison.add(shared, each.name, [each.number], [])


_IMPORTS = """
  select seq, name, body ->> 'file', rows from (
    select b.seq, b.name, b.rows, convert_from(e.bytes, 'utf8')::jsonb -> 'body' as body
    from import_batch b join entry e on e.seq = b.seq where b.org = $1 and b.channel = $2
  ) i
  where body ->> 'file' <> $3 and body ->> 'last_on' >= $4 and body ->> 'first_on' <= $5
  order by seq desc limit $6
"""
_WAITING = """
  select p.seq as proposal, convert_from(d.command, 'utf8')::jsonb ->> 'name' as name
  from proposal p join draft d on d.proposal = p.seq
  where p.status = 'open' and p.command = 'import.approved' and p.org = $1
"""
_LARGE = """
  select g.day, g.qty, count(*) from gift g
  where g.batch = $1 and g.qty >= $2 and g.day between $3 and $4
    and not exists (select from citation c where c.ref = g.seq and c.kind = 'entry.reversed')
  group by g.day, g.qty
"""
