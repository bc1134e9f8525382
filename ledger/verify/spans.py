"""Sets of positions on a line, as disjoint ascending spans that do not touch."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class Spans:
    """What was consumed, or is held. Forgiving: a broken log is followed as far as it goes."""

    __slots__ = ("_his", "_los", "total")

    def __init__(self) -> None:
        self._los: list[int] = []
        self._his: list[int] = []
        self.total = 0

    def add(self, lo: int, hi: int) -> None:
        """Every position of [lo, hi) is in the set."""
        los, his = self._los, self._his
        i, j = bisect_left(his, lo), bisect_right(los, hi)  # those from i to j touch or overlap it
        if i < j:
            lo, hi = min(lo, los[i]), max(hi, his[j - 1])
            self.total -= sum(his[i:j]) - sum(los[i:j])
        los[i:j], his[i:j] = [lo], [hi]
        self.total += hi - lo

    def remove(self, lo: int, hi: int) -> None:
        """No position of [lo, hi) is in the set."""
        los, his = self._los, self._his
        i, j = bisect_right(his, lo), bisect_left(los, hi)
        if i >= j:
            return
        left, right = (los[i], lo), (hi, his[j - 1])
        kept = [(a, b) for a, b in (left, right) if a < b]
        self.total -= sum(his[i:j]) - sum(los[i:j]) - sum(b - a for a, b in kept)
        los[i:j], his[i:j] = [a for a, _ in kept], [b for _, b in kept]

    def overlaps(self, lo: int, hi: int) -> bool:
        """Whether any position of [lo, hi) is in the set."""
        i = bisect_right(self._his, lo)
        return i < len(self._los) and self._los[i] < hi

    def gaps(self, lo: int, hi: int) -> Iterator[tuple[int, int]]:
        """The parts of [lo, hi) that are not in the set, ascending."""
        i = bisect_right(self._his, lo)
        while lo < hi:
            if i == len(self._los) or self._los[i] >= hi:
                yield lo, hi
                return
            if lo < self._los[i]:
                yield lo, self._los[i]
            lo = self._his[i]
            i += 1


def first_of(spans: Iterable[tuple[int, int]], qty: int) -> list[tuple[int, int]]:
    """The first `qty` positions, or all, where there are fewer."""
    found: list[tuple[int, int]] = []
    for lo, hi in spans:
        if qty <= 0:
            break
        found.append((lo, min(hi, lo + qty)))
        qty -= hi - lo
    return found
