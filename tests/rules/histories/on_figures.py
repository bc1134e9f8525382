"""What holds of the published figures: they add up, and never fall without a visible correction.

Made by the code that publishes them, out of the rows that the store would write.
"""

import dataclasses
from collections import Counter
from typing import Any, TypeAlias

from hypothesis.stateful import invariant

from ledger import account, entries
from ledger.account import Account
from ledger.books import Books
from ledger.donations import GIFTS
from ledger.line import Line
from ledger.store import projections, rows
from ledger.store.projections import Projector
from ledger.store.queries.figures import Figures, ProjectFigures, Tally
from tests.rules.histories.history import History

Published: TypeAlias = dict[tuple[str, ...], dict[str, int]]
"""Of whom → figure → fen, or how many."""

_ONLY_GROW = ("gift_count", "received_fen", "income_fen", "voided_fen", "released_fen", "redirected_fen")
"""Counted gross: whatever is taken back stands beside them."""
_OFF_AGAIN = ("refunded_fen", "fees_fen", "lost_fen")
"""What a reversal takes back is off them again."""

_FIGURES = {"fees": "fees_fen", "losses": "lost_fen", "payees": "paid_fen", "refunds": "refunded_fen"}
"""What left → the figure it counts in."""


class OnFigures(History):
    """Checked after every command."""

    def __init__(self) -> None:
        super().__init__()
        self._projector = Projector(Books(), {})
        self._rollup: Counter[tuple[str, str, str, str]] = Counter()
        self._counts: Counter[tuple[str, str, str, str]] = Counter()
        self._by_event: Counter[str] = Counter()
        self.published: Published = {}

    @invariant()
    def published_figures_add_up_and_never_fall_without_a_correction(self) -> None:
        read = self._projector.books.seq + 1
        new = self.pen.entries[read:]
        for entry, written in zip(new, self.pen.written[read:], strict=True):
            for each in entry.postings:
                for where in (Account(each.src, each.unit), Account(each.dst, each.unit)):
                    self._projector.books.lines.setdefault(where, Line())
            self._projector.add(entry, written, entries.digest(written))
        self._gather()
        published = self._publish()
        corrected = sum(e.body.left for e in new if isinstance(e.body, entries.EntryReversed) and _is_first(e.body))
        handed_back = sum(entries.qty_of(entry) for entry in new if isinstance(entry.body, entries.MoneyReturned))
        for whose, before in self.published.items():
            for figure, qty in before.items():
                fell = qty - published[whose][figure]
                if figure in _ONLY_GROW or whose[0] == "event":
                    assert fell <= 0, (whose, figure, fell)
                elif figure in _OFF_AGAIN:
                    assert fell <= corrected, (whose, figure, fell)
                elif figure in {"paid_fen", "total_allocated_fen"}:
                    assert fell <= corrected + handed_back, (whose, figure, fell)
        self.published = published

    @invariant()
    def what_was_received_voided_and_paid_is_what_the_model_has(self) -> None:
        for whose, figures in self.published.items():
            if whose[0] != "organisation":
                continue
            org = whose[1]
            gifts = [entry for entry in self.pen.entries if entry.kind in GIFTS and entries.org_of(entry) == org]
            assert figures["gift_count"] == len(gifts)
            assert figures["received_fen"] == sum(map(entries.qty_of, gifts))
            assert figures["paid_fen"] == self._resting("payees", org)
            assert figures["voided_fen"] == self._voided(org)

    @invariant()
    def what_funds_and_projects_paid_refunded_and_lost_is_what_the_model_has(self) -> None:
        found: Counter[tuple[str, ...]] = Counter()
        for address, slots in self.units.accounts.items():
            figure = _FIGURES.get(address.split(":")[0], "")
            for slot in slots if figure else ():
                kind, org, names = account.parse(slot.home or slot.purpose)  # a fee at receipt: of the gift's fund
                if kind in {"fund", "project"} and not slot.gone:
                    found[figure, "fund", org, names[-1]] += 1
                    found[figure, "project", org, names[0]] += kind == "project"
        for whose, figures in self.published.items():
            assert min(figures.values()) >= 0, whose
            for figure in _FIGURES.values():
                if whose[0] in {"fund", "project"} and figure in figures:
                    assert figures[figure] == found[figure, *whose], (whose, figure)

    def _gather(self) -> None:
        projected = self._projector.take()
        for statement, *arguments in projected._statements:
            if statement is projections._ROLL_GIFT:  # into the sums of a gift's fund, which the store looks up
                ref, _, _, kind, count, qty = arguments
                _, org, (fund,) = account.parse(self.pen.entries[ref].postings[0].dst)
                self._rollup[org, fund, "", kind] += qty
                self._counts[org, fund, "", kind] += count
        for table, found in projected.tables:
            for row in found:
                columns: dict[str, Any] = dict(zip(table.columns, row, strict=True))
                if table is rows.ROLLUP:
                    key = (columns["org"], columns["fund"], columns["project"], columns["kind"])
                    self._rollup[key] += columns["qty"]
                    self._counts[key] += columns["entries"]
                elif table is rows.GIFT:
                    self._by_event[columns["event"]] += columns["qty"]

    def _resting(self, kind: str, org: str) -> int:
        places = [(address, account.parse(address)) for address in self.units.accounts]
        return sum(len(self.units.resting(each)) for each, place in places if (place.kind, place.org) == (kind, org))

    def _voided(self, org: str) -> int:
        """What reversals took back of what is shown gross, where it lay."""
        reversals = {
            entry.seq - entries.part_of(entry.body)[0] + 1
            for entry in self.pen.entries
            if isinstance(entry.body, entries.EntryReversed) and entry.body.of in {*GIFTS, "income.received"}
        }
        slots = (slot for slots in self.units.accounts.values() for slot in slots if slot.seq in reversals)
        return sum(account.parse(slot.home).org == org for slot in slots)

    def _publish(self) -> Published:
        moved = [(*key, self._counts[key], qty) for key, qty in self._rollup.items()]
        resting = [(where.address, line.balance) for where, line in self._projector.books.lines.items()
                   if account.has_line(where.address)]  # fmt: skip
        tally = Tally(moved, resting)
        books = self.pen.books
        found: dict[tuple[str, ...], Figures | ProjectFigures] = {
            ("organisation", org): tally.organisation(org) for org in books.organisations
        }
        found |= {("fund", *each): tally.fund(*each) for each in books.funds}
        found |= {("project", *each): tally.project(*each) for each in books.projects}
        figures = {whose: dataclasses.asdict(each) for whose, each in found.items()}
        return figures | {("event", event): {"received_fen": qty} for event, qty in self._by_event.items()}


def _is_first(body: entries.EntryReversed) -> bool:
    return entries.part_of(body)[0] == 1
