"""Check a sheet before anything of it is entered, and give its accepted rows again when it is."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import assert_never

from ledger.imports import scratch as scratch_file
from ledger.imports.cell import folded
from ledger.imports.fault import Fault, Reason, Unreadable
from ledger.imports.profile import Profile
from ledger.imports.report import Overlap, Report
from ledger.imports.scratch import Large, Scratch
from ledger.imports.sheet import Footer, Rejected, Row, read
from ledger.imports.tally import Tallies
from ledger.imports.totals import PrintedTotal

CHUNK = 8_192  # rows settled at a time; what the check holds in memory
LARGE_FEN = 1_000_000  # 10,000 yuan: from here gifts of different notices are compared
REJECTED_SHOWN = 200
OVERLAPS_SHOWN = 200
PLACES_SHOWN = 20

ReferenceDigest = Callable[[str], bytes]
Known = Callable[[Sequence[bytes]], Collection[bytes]]
ReportProgress = Callable[[int, int], None]


def check(  # noqa: PLR0913  what it asks of the ledger is injected, each by name
    path: Path,
    profile: Profile,
    *,
    totals: Mapping[str, PrintedTotal],
    reference_digest: ReferenceDigest,
    known: Known,
    report_progress: ReportProgress,
    scratch: Path,
    agreement_from: int = -1,
    today: str = "",
) -> Report:
    """Read the sheet once, to its end, and say what is in it. Raises `Unreadable` if it cannot be read at all.

    `known` answers which of these digests the ledger holds already; `report_progress` is told bytes read and bytes in
    all. `scratch` is written anew; `accepted` and `Report.write_rejected` need it. A row whose reference stands on an
    earlier row, or in the ledger, is rejected; so is one of `agreement_from` fen or more (-1: none), which needs a
    written agreement that no sheet brings, and one dated after `today`, Beijing's date (empty: any day). Rows in memory
    are bounded by CHUNK.
    """
    meter = _Meter(path.stat().st_size)
    last_on = today or "9999-99-99"
    tallies = Tallies(profile.window)
    gifts: list[Row] = []
    refused: list[Rejected] = []

    with scratch_file.new(scratch) as notes:

        def settle() -> None:
            refused.extend(_taken(gifts, notes, reference_digest, known, tallies))
            tallies.reject(refused)
            notes.reject(refused)
            gifts.clear()
            refused.clear()
            report_progress(meter.read, meter.size)

        for line in read(path, profile, observe=meter.observe):
            match line:
                case Row() if line.on > last_on:
                    refused.append(Rejected(line.row, line.batch, Reason.DATE_AHEAD, "", line.amount_fen))
                case Row() if 0 <= agreement_from <= line.amount_fen:
                    refused.append(Rejected(line.row, line.batch, Reason.AGREEMENT_REQUIRED, "", line.amount_fen))
                case Row():
                    gifts.append(line)
                case Rejected():
                    refused.append(line)
                case Footer():
                    tallies.print(line)
                case _:
                    assert_never(line)
            if len(gifts) + len(refused) >= CHUNK:
                settle()
        settle()
        notes.finish(meter.sha256.digest(), profile.fingerprint(path), tallies.spans())
        # From here on the rows can be entered: `accepted` finds a finished scratch file.
        return _report(profile, meter, totals, tallies, notes)


def accepted(path: Path, profile: Profile, scratch: Path, *, after: int = 0, batch: str | None = None) -> Iterator[Row]:
    """The accepted rows again, in the order of the sheet: all, or those of one batch, or those behind row `after`.

    `after` is the `row` of one given out before. The file must be, byte for byte, the one that was checked.
    """
    with scratch_file.opened(scratch) as notes:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").digest()
        if notes.finished() != (sha256, profile.fingerprint(path)):
            raise Unreadable(Fault.CHANGED)
        spans = {name: span for name, span in notes.spans().items() if span.gift_count and batch in {None, name}}
        if not spans:
            return
        start = max(after, min(span.first_row for span in spans.values()))
        end = max(span.last_row for span in spans.values())
        refused_rows = notes.rejected_rows(start)
        refused = next(refused_rows, end + 1)
        given = 0
        for line in read(path, profile, start=start):
            if line.row > end:
                break
            if line.row == refused:
                refused = next(refused_rows, end + 1)
            elif isinstance(line, Row) and line.row > after and line.batch in spans:
                given += 1
                yield line
        assert after or given == sum(span.gift_count for span in spans.values()), "both readings accept the same rows"


def likeness(gift: Row) -> str:
    """What two gifts share that may be the same one: donor name as published, amount to the fen, and day.

    Names are folded (width, spaces, brackets), not guessed at: in the notices of Hubei 2020 most are family names with
    asterisks, and by name and amount alone 51 sums from 10,000 yuan up stand in more than one notice. With the day they
    are 11, worth 3,453,800.00 yuan with each counted once: the gifts of 23 to 25 January that the second notice
    repeats, and one of 10,000 yuan. They may still be different people, so nothing is refused and nothing merged.
    """
    return f"likeness\n{gift.on}\n{gift.amount_fen}\n{folded(gift.donor_name)}"


class _Meter:
    """Counts and hashes what is read, so that the report speaks of the bytes that were parsed."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.read = 0
        self.sha256 = hashlib.sha256()

    def observe(self, piece: memoryview) -> None:
        self.read += len(piece)
        self.sha256.update(piece)


def _taken(
    gifts: Sequence[Row], notes: Scratch, reference_digest: ReferenceDigest, known: Known, tallies: Tallies
) -> list[Rejected]:
    """Accept these gifts, but for those whose reference is taken; these are the answer."""
    if not gifts:
        return []
    digests = [reference_digest(gift.reference) for gift in gifts]
    holders = notes.claim(digests, [gift.row for gift in gifts])
    entered = frozenset(known(digests))
    taken: list[Rejected] = []
    large: list[Large] = []
    for gift, digest in zip(gifts, digests, strict=True):
        if gift.row in holders:
            detail = f"row {holders[gift.row]}"
            taken.append(Rejected(gift.row, gift.batch, Reason.DUPLICATE, detail, gift.amount_fen))
        elif digest in entered:
            taken.append(Rejected(gift.row, gift.batch, Reason.ALREADY_ENTERED, "", gift.amount_fen))
        else:
            tallies.accept(gift)
            if gift.amount_fen >= LARGE_FEN and gift.donor_name:
                alike = reference_digest(likeness(gift))  # keyed, so that the scratch file names nobody
                large.append(Large(alike, gift.row, gift.batch, gift.on, gift.amount_fen))
    notes.note_large(large)
    return taken


def _report(
    profile: Profile, meter: _Meter, totals: Mapping[str, PrintedTotal], tallies: Tallies, notes: Scratch
) -> Report:
    batches = tallies.summaries(totals)
    count, rejected_count = sum(batch.count for batch in batches), sum(tallies.reasons.values())
    overlaps: list[Overlap] = []
    overlap_count = overlap_sum_fen = 0
    for alike in notes.alike():
        overlap_count += 1
        overlap_sum_fen += alike.amount_fen
        if overlap_count <= OVERLAPS_SHOWN:
            places = notes.places(alike, limit=PLACES_SHOWN)
            overlaps.append(
                Overlap(on=alike.on, amount_fen=alike.amount_fen, places=places, gift_count=alike.gift_count)
            )
    return Report(
        sha256=meter.sha256.hexdigest(),
        profile=profile.name,
        channel=profile.channel,
        row_count=count + rejected_count,
        count=count,
        sum_fen=sum(batch.sum_fen for batch in batches),
        batches=batches,
        totals_without_rows=tuple(sorted(totals.keys() - {batch.name for batch in batches})),
        rejected=tuple(notes.rejected(limit=REJECTED_SHOWN)),
        rejected_count=rejected_count,
        rejected_by_reason=dict(tallies.reasons),
        overlaps=tuple(overlaps),
        overlap_count=overlap_count,
        overlap_sum_fen=overlap_sum_fen,
        scratch=notes.path,
    )
