"""What holds of lines and positions, however they came about: checked naively, entry by entry, fen by fen."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from hypothesis.stateful import invariant

from ledger import entries
from ledger.account import CNY, Account
from ledger.posting import NO_LINE, Posting
from tests.rules.histories.history import History
from tests.support.units import Place, Unit


class OnLines(History):
    """Checked after every command."""

    @invariant()
    def lines_are_tiled(self) -> None:
        ends: Counter[tuple[str, str]] = Counter()
        for posting in self.postings:
            assert posting.dst_lo == ends[posting.dst, posting.unit]
            assert posting.qty > 0
            ends[posting.dst, posting.unit] += posting.qty

    @invariant()
    def positions_are_consumed_once_and_after_their_credit(self) -> None:
        credited: set[Place] = set()
        for entry in self.pen.entries:
            consumed = _places(entry.postings)
            assert len(set(consumed)) == len(consumed)
            assert credited.issuperset(consumed), "spent twice, or before an earlier entry credited it"
            credited.difference_update(consumed)
            credited.update(Place(each.dst, position) for each in entry.postings for position in range(*each.dst_span))

    @invariant()
    def outflows_take_what_came_first_or_what_is_cited(self) -> None:
        taken = [posting for entry in self.new for posting in entry.postings]
        assert _places(taken) == self.expected
        for left, right in pairwise(taken):
            ends = (left.src, left.src_span.hi, left.dst)
            assert ends != (right.src, right.src_lo, right.dst), "neighbours that could be one"

    @invariant()
    def available_is_never_negative_and_as_in_the_model(self) -> None:
        for where in self.pen.credits:
            line = self.pen.line(where)
            assert line.available == self.units.available(where.address) >= 0
            for proposal in line.holders():
                assert line.available_to(proposal) == self.units.available(where.address, proposal)

    @invariant()
    def lines_hold_the_units_of_the_model(self) -> None:
        found: dict[str, list[Unit]] = {}
        for entry in self.pen.entries:
            for posting in entry.postings:
                if posting.src_lo == NO_LINE:
                    first = sum(each.qty for each in entry.postings[: entry.postings.index(posting)])
                    moved = [Unit(entry.seq, nth) for nth in range(first, first + posting.qty)]
                else:
                    moved = found[posting.src][posting.src_lo : posting.src_span.hi]
                if entry.kind == "money.identified":  # a gift from here on
                    nth = posting.dst_lo - entry.postings[0].dst_lo
                    moved = [Unit(entry.seq, nth + i) for i in range(posting.qty)]
                found.setdefault(posting.dst, []).extend(moved)
        modelled = {address: [slot.unit for slot in slots] for address, slots in self.units.accounts.items()}
        assert found == {address: units for address, units in modelled.items() if units}

    @invariant()
    def what_is_gone_and_what_is_held_is_as_in_the_model(self) -> None:
        for where in self.pen.credits:
            line, slots = self.pen.line(where), self.units.accounts[where.address]
            consumed = {position for span in line.consumed for position in range(*span)}
            assert consumed == {position for position, slot in enumerate(slots) if slot.gone}
            positions = {n: {p for span in spans for p in range(*span)} for n, spans in line.held_spans.items()}
            assert (line.held_amounts, positions) == self.units.held(where.address)

    @invariant()
    def every_gift_is_found_whole(self) -> None:
        for entry in self.pen.entries:
            if isinstance(entry.body, entries.MoneyReceived | entries.MoneyIdentified):
                rest = [
                    (where.address, self.units.accounts[where.address][position])
                    for posting in entry.postings
                    for where, span in self.pen.images(Account(posting.dst, CNY), posting.dst_span)
                    for position in range(*span)
                ]
                units = [Unit(entry.seq, nth) for nth in range(entries.qty_of(entry))]
                assert [slot.unit for _, slot in rest] == units
                # Back in suspense, it may have been found to be another gift.
                assert not any(slot.gone for address, slot in rest if not address.startswith("suspense:"))

    @invariant()
    def money_is_conserved(self) -> None:
        given = sum(posting.qty for posting in self.postings if posting.src_lo == NO_LINE)
        assert given == sum(self.pen.line(where).balance for where in self.pen.credits)


def _places(postings: Iterable[Posting]) -> list[Place]:
    """Every position that is consumed, in order."""
    lines = (posting for posting in postings if posting.src_lo != NO_LINE)
    return [Place(posting.src, position) for posting in lines for position in range(*posting.src_span)]
