"""Lines: the number line of everything ever credited to an account, and which positions of it are gone or held."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ledger.refusals import InsufficientAmount

NO_PROPOSAL = 0
"""In place of a proposal's number: entry 0 opens the log and is none."""


class Span(NamedTuple):
    """Positions lo, lo+1, …, hi-1."""

    lo: int
    hi: int

    @property
    def qty(self) -> int:
        """How many positions."""
        return self.hi - self.lo


class Spans:
    """A set of positions, kept as disjoint ascending spans that do not touch."""

    __slots__ = ("_his", "_los", "total")

    def __init__(self, spans: Iterable[tuple[int, int]] = ()) -> None:
        self._los: list[int] = []
        self._his: list[int] = []
        self.total = 0
        for lo, hi in spans:
            self.add(lo, hi)

    def __iter__(self) -> Iterator[Span]:
        return map(Span, self._los, self._his)

    def __len__(self) -> int:
        return len(self._los)

    def add(self, lo: int, hi: int) -> None:
        """Add [lo, hi), none of which is in the set yet. O(log n) and a memory move."""
        assert lo < hi
        los, his = self._los, self._his
        i = bisect_left(los, lo)
        assert i == 0 or his[i - 1] <= lo, "position added twice"
        assert i == len(los) or hi <= los[i], "position added twice"
        joins_left = i > 0 and his[i - 1] == lo
        joins_right = i < len(los) and los[i] == hi
        if joins_left and joins_right:
            his[i - 1] = his[i]
            del los[i], his[i]
        elif joins_left:
            his[i - 1] = hi
        elif joins_right:
            los[i] = lo
        else:
            los.insert(i, lo)
            his.insert(i, hi)
        self.total += hi - lo

    def remove(self, lo: int, hi: int) -> None:
        """Take [lo, hi) out; all of it is in the set, hence in one span."""
        i = bisect_right(self._los, lo) - 1
        assert i >= 0
        assert hi <= self._his[i], "position not in the set"
        left, right = self._los[i], self._his[i]
        self._los[i : i + 1] = [p for p, keep in ((left, left < lo), (hi, hi < right)) if keep]
        self._his[i : i + 1] = [p for p, keep in ((lo, left < lo), (right, hi < right)) if keep]
        self.total -= hi - lo

    def first(self, at_or_after: int) -> Span | None:
        """The first span that ends after `at_or_after`."""
        i = bisect_right(self._his, at_or_after)
        return Span(self._los[i], self._his[i]) if i < len(self._los) else None

    def without(self, lo: int, hi: int) -> Iterator[Span]:
        """The parts of [lo, hi) that are not in the set, ascending."""
        while lo < hi:
            span = self.first(lo)
            if span is None or span.lo >= hi:
                yield Span(lo, hi)
                return
            if lo < span.lo:
                yield Span(lo, span.lo)
            lo = span.hi


class Line:
    """The state of one account: what was credited, what was consumed, what open proposals hold.

    `credited` is where the next credit starts; `last_seq` the entry of the last credit (-1: none).
    available = credited - consumed - held positions - held amounts, never negative.
    """

    __slots__ = ("consumed", "credited", "held", "held_amount", "held_amounts", "held_spans", "last_seq")

    def __init__(self, credited: int = 0, last_seq: int = -1, consumed: Iterable[tuple[int, int]] = ()) -> None:
        self.credited = credited
        self.last_seq = last_seq
        self.consumed = Spans(consumed)
        self.held_spans: dict[int, Spans] = {}
        self.held_amounts: dict[int, int] = {}
        # What all proposals hold together: there may be thousands, and nearly every decision asks.
        self.held = Spans()
        self.held_amount = 0

    @property
    def balance(self) -> int:
        """What rests here, held or not."""
        return self.credited - self.consumed.total

    @property
    def available(self) -> int:
        """What a new command may use."""
        return self.available_to(NO_PROPOSAL)

    def available_to(self, proposal: int) -> int:
        """What the effect of `proposal` may use: the holds of all the others are not for it."""
        own = self.held_spans.get(proposal)
        amounts = self.held_amount - self.held_amounts.get(proposal, 0)
        positions = self.held.total - (own.total if own else 0)
        return self.balance - amounts - positions

    def free(self, proposal: int = NO_PROPOSAL, lo: int = 0, hi: int | None = None) -> Iterator[Span]:
        """Positions within [lo, hi) that are neither consumed nor held by another proposal, ascending."""
        others = self.held
        if proposal in self.held_spans:
            others = Spans(self.held)
            for span in self.held_spans[proposal]:
                others.remove(*span)
        for span in self.consumed.without(lo, self.credited if hi is None else min(hi, self.credited)):
            yield from others.without(*span)

    def first_in(self, qty: int, proposal: int = NO_PROPOSAL) -> list[Span]:
        """The lowest `qty` free positions: first in, first out. Raises InsufficientAmount."""
        self.check_available(qty, proposal)
        return list(first_of(self.free(proposal), qty))

    def check_available(self, qty: int, proposal: int = NO_PROPOSAL) -> None:
        """Raises InsufficientAmount, which names the proposals in the way."""
        available = self.available_to(proposal)
        if qty > available:
            raise InsufficientAmount(wanted=qty, available=available, in_the_way=self.holders(proposal))

    def lowest_free(self) -> int | None:
        """The lowest position that is neither consumed nor held."""
        return next((span.lo for span in self.free()), None)

    def holders(self, proposal: int = NO_PROPOSAL) -> tuple[int, ...]:
        """Open proposals other than `proposal` that hold something here."""
        return tuple(sorted((self.held_amounts.keys() | self.held_spans.keys()) - {proposal}))

    def credit(self, qty: int, seq: int) -> int:
        """Put `qty` on the end of the line; returns where they start."""
        lo = self.credited
        self.credited = lo + qty
        self.last_seq = seq
        return lo

    def consume(self, span: Span, proposal: int = NO_PROPOSAL) -> None:
        """Take `span` off the line, and off what `proposal` holds here."""
        assert span.hi <= self.credited, "spent before it was credited"
        self.consumed.add(*span)
        if proposal in self.held_spans:
            self.held.remove(*span)
            self.held_spans[proposal].remove(*span)
            if not self.held_spans[proposal]:
                del self.held_spans[proposal]
        elif proposal in self.held_amounts:
            self.held_amount -= span.qty
            self.held_amounts[proposal] -= span.qty
            if not self.held_amounts[proposal]:
                del self.held_amounts[proposal]
        assert self.available >= 0, "an outflow took what another proposal holds"

    def hold_amount(self, proposal: int, qty: int) -> None:
        """Keep `qty` of whatever is lowest for `proposal`."""
        self.held_amount += qty
        self.held_amounts[proposal] = self.held_amounts.get(proposal, 0) + qty
        assert self.available >= 0

    def hold_span(self, proposal: int, span: Span) -> None:
        """Keep exactly these positions for `proposal`."""
        self.held.add(*span)
        self.held_spans.setdefault(proposal, Spans()).add(*span)
        assert self.available >= 0

    def release(self, proposal: int) -> None:
        """Forget what `proposal` held here."""
        self.held_amount -= self.held_amounts.pop(proposal, 0)
        for span in self.held_spans.pop(proposal, ()):
            self.held.remove(*span)


def first_of(spans: Iterable[Span], qty: int) -> Iterator[Span]:
    """The first `qty` positions of `spans`, which hold at least that many."""
    for span in spans:
        if qty <= span.qty:
            yield Span(span.lo, span.lo + qty)
            return
        yield span
        qty -= span.qty
    assert qty == 0, "asked for more than is there"
