"""Lines: everything ever credited to an account, and what became of it, in arrays of a few bytes a credit."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from ledger import account
from ledger.account import Address
from ledger.verify.spans import Spans, first_of


class Move(NamedTuple):
    """Positions [lo, hi) of a line, and where on another line they went to or came from."""

    lo: int
    hi: int
    other: "Line"
    other_lo: int


class Moves:
    """The moves out of a line, or into it, by position."""

    __slots__ = ("_his", "_los", "_other_los", "_others")

    def __init__(self) -> None:
        self._los = array("q")
        self._his = array("q")
        self._others: list[Line] = []
        self._other_los = array("q")

    def add(self, lo: int, hi: int, other: "Line", other_lo: int) -> None:
        """One more move. Mostly at the end: money leaves in the order in which it came."""
        i = bisect_left(self._los, lo)
        self._los.insert(i, lo)
        self._his.insert(i, hi)
        self._others.insert(i, other)
        self._other_los.insert(i, other_lo)

    def within(self, lo: int, hi: int) -> Iterator[Move]:
        """The moves that touch [lo, hi), cut to it, ascending."""
        i = max(bisect_right(self._los, lo) - 1, 0)
        while i < len(self._los) and self._los[i] < hi:
            start, end = max(lo, self._los[i]), min(hi, self._his[i])
            if start < end:
                yield Move(start, end, self._others[i], self._other_los[i] + start - self._los[i])
            i += 1


class Line:
    """One account. available = credited - consumed - held positions - held amounts."""

    __slots__ = (
        "arrivals",
        "consumed",
        "credit_los",
        "credit_seqs",
        "credited",
        "departures",
        "donors",
        "held",
        "held_qty",
        "name",
        "place",
    )

    def __init__(self, name: str, place: Address) -> None:
        self.name = name
        self.place = place
        self.donors = account.donors(place.org) if place.kind == "fund" else ""
        """Where gifts to it come from, if a gift is one posting: empty where the fund's clause takes a fee."""
        self.credited = 0
        self.credit_los = array("q")
        self.credit_seqs = array("q")
        self.consumed = Spans()
        self.held = Spans()
        self.held_qty = 0
        self.departures = Moves()
        self.arrivals = Moves()

    def __repr__(self) -> str:
        return self.name

    @property
    def available(self) -> int:
        """What a new outflow may take."""
        return self.credited - self.consumed.total - self.held.total - self.held_qty

    def credit(self, lo: int, qty: int, seq: int) -> None:
        """Entry `seq` put `qty` from `lo` on."""
        self.credit_los.append(lo)
        self.credit_seqs.append(seq)
        self.credited = max(self.credited, lo + qty)

    def seq_at(self, position: int) -> int:
        """The entry that credited this position."""
        return self.credit_seqs[bisect_right(self.credit_los, position) - 1]

    def credit_of(self, seq: int) -> tuple[int, int] | None:
        """The positions that entry `seq` put here, if it did."""
        i = bisect_left(self.credit_seqs, seq)
        j = bisect_right(self.credit_seqs, seq)
        if i == j:
            return None
        return self.credit_los[i], self.credit_los[j] if j < len(self.credit_los) else self.credited

    def free(self, lo: int = 0, hi: int | None = None) -> Iterator[tuple[int, int]]:
        """Positions of [lo, hi) that are neither consumed nor held, ascending."""
        for start, end in self.consumed.gaps(lo, self.credited if hi is None else min(hi, self.credited)):
            yield from self.held.gaps(start, end)

    def lowest(self, qty: int) -> list[tuple[int, int]]:
        """The lowest free positions: first in, first out."""
        return first_of(self.free(), qty)

    def oldest_seq(self) -> int | None:
        """The entry that credited the lowest free position."""
        for lo, _ in self.free():
            return self.seq_at(lo)
        return None


class Piece(NamedTuple):
    """Positions [lo, hi) of a line."""

    line: Line
    lo: int
    hi: int


def resting(line: Line, lo: int, hi: int) -> Iterator[Piece]:
    """Where these positions are now, in their own order. Money may go round many times, so without recursion."""
    waiting = [Piece(line, lo, hi)]
    while waiting:
        piece = waiting.pop()
        if piece.line.place.kind == "suspense" and piece.line is not line:  # identified next, it is another gift
            yield piece
            continue
        pieces: list[Piece] = []
        at = piece.lo
        for move in piece.line.departures.within(piece.lo, piece.hi):
            if at < move.lo:
                pieces.append(Piece(piece.line, at, move.lo))
            pieces.append(Piece(move.other, move.other_lo, move.other_lo + move.hi - move.lo))
            at = move.hi
        if not pieces:
            yield piece
            continue
        if at < piece.hi:
            pieces.append(Piece(piece.line, at, piece.hi))
        waiting.extend(reversed(pieces))


def joined(pieces: Iterator[Piece], qty: int | None = None) -> list[Piece]:
    """The first `qty` positions (all, if none is said), neighbours on one line as one piece."""
    found: list[Piece] = []
    for piece in pieces:
        taken = piece if qty is None else Piece(piece.line, piece.lo, min(piece.hi, piece.lo + qty))
        if taken.lo >= taken.hi:
            break
        if found and found[-1].line is taken.line and found[-1].hi == taken.lo:
            found[-1] = Piece(taken.line, found[-1].lo, taken.hi)
        else:
            found.append(taken)
        if qty is not None:
            qty -= taken.hi - taken.lo
    return found
