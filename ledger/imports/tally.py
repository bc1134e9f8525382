"""Counting by batch while a sheet is read, and comparing with what its notices print."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ledger.imports.fault import Fault, Reason, Unreadable
from ledger.imports.report import BatchSummary, Footing
from ledger.imports.scratch import Span
from ledger.imports.sheet import Footer, Rejected, Row
from ledger.imports.totals import PrintedTotal

MAX_BATCHES = 2_000


@dataclass(slots=True)
class _Tally:
    """One batch so far. `met` is its first line: rows and totals are not counted quite in the order of the sheet."""

    met: int
    count: int = 0
    sum_fen: int = 0
    first_on: str = ""
    last_on: str = ""
    first_row: int = 0
    last_row: int = 0
    outside_window: int = 0
    rejected_count: int = 0
    rejected_fen: int = 0
    footers: list[PrintedTotal] = field(default_factory=list)


class Tallies:
    """All batches so far."""

    def __init__(self, window: tuple[str, str] | None) -> None:
        self._batches: dict[str, _Tally] = {}
        self._window = window or ("", "9999-99-99")
        self.reasons: Counter[Reason] = Counter()
        """How many rows were rejected for which reason."""

    def accept(self, gift: Row) -> None:
        """Count an accepted gift."""
        tally = self._batches.get(gift.batch) or self._add(gift)
        on = gift.on
        if not tally.count:
            tally.met = min(tally.met, gift.row)
            tally.first_on = tally.last_on = on
            tally.first_row = gift.row
        elif on < tally.first_on:
            tally.first_on = on
        elif on > tally.last_on:
            tally.last_on = on
        tally.last_row = gift.row
        tally.count += 1
        tally.sum_fen += gift.amount_fen
        if not self._window[0] <= on <= self._window[1]:
            tally.outside_window += 1

    def reject(self, lines: Iterable[Rejected]) -> None:
        """Count rejected rows where their batch is known. A line of totals is no gift."""
        for line in lines:
            self.reasons[line.reason] += 1
            if line.batch and line.reason is not Reason.FOOTER_UNREADABLE:
                tally = self._batches.get(line.batch) or self._add(line)
                tally.met = min(tally.met, line.row)
                tally.rejected_count += 1
                tally.rejected_fen += line.amount_fen

    def print(self, footer: Footer) -> None:
        """Note what a batch says of itself."""
        tally = self._batches.get(footer.batch) or self._add(footer)
        tally.footers.append(PrintedTotal(count=footer.count, sum_fen=footer.sum_fen))

    def spans(self) -> dict[str, Span]:
        """Where the accepted gifts stand."""
        return {name: Span(tally.first_row, tally.last_row, tally.count) for name, tally in self._batches.items()}

    def summaries(self, totals: Mapping[str, PrintedTotal]) -> tuple[BatchSummary, ...]:
        """Each batch, in the order of the sheet, beside its printed totals: the given one and those in the sheet."""
        in_order = sorted(self._batches.items(), key=lambda item: item[1].met)
        return tuple(_summary(name, tally, totals.get(name)) for name, tally in in_order)

    def _add(self, line: Row | Rejected | Footer) -> _Tally:
        if len(self._batches) == MAX_BATCHES:
            raise Unreadable(Fault.TOO_MANY_BATCHES, line=line.row)
        tally = self._batches[line.batch] = _Tally(met=line.row)
        return tally


def _summary(name: str, tally: _Tally, given: PrintedTotal | None) -> BatchSummary:
    printed = ([given] if given else []) + tally.footers
    listed_count, listed_sum_fen = tally.count + tally.rejected_count, tally.sum_fen + tally.rejected_fen
    printed_count, count_footing = _footing([total.count for total in printed], listed_count)
    printed_sum_fen, sum_footing = _footing([total.sum_fen for total in printed], listed_sum_fen)
    return BatchSummary(
        name=name,
        count=tally.count,
        sum_fen=tally.sum_fen,
        first_on=tally.first_on,
        last_on=tally.last_on,
        listed_count=listed_count,
        listed_sum_fen=listed_sum_fen,
        outside_window=tally.outside_window,
        printed_count=printed_count,
        printed_sum_fen=printed_sum_fen,
        count_footing=count_footing,
        sum_footing=sum_footing,
    )


def _footing(printed: list[int | None], listed: int) -> tuple[int | None, Footing]:
    """Where several are printed, all must agree; one that does not is the one to show."""
    said = [figure for figure in printed if figure is not None]
    if not said:
        return None, Footing.NOT_PRINTED
    wrong = [figure for figure in said if figure != listed]
    return (wrong[0], Footing.DISAGREES) if wrong else (listed, Footing.AGREES)
