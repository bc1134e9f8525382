"""Postings: balanced double entries that also say which positions moved."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from ledger import account
from ledger.line import Span

MAX_POSTINGS = 500
"""Postings in one entry at most; a larger effect is several entries with `part`."""

MAX_POSTING_BYTES = 49_152
"""What the postings of one entry may take of its 65,535 bytes; only very long addresses reach this before 500."""

NO_LINE = -1
"""`src_lo` of a posting out of a source, `lo` of a held amount."""


class Hold(msgspec.Struct, frozen=True, array_like=True):
    """An open proposal keeps `qty` of this account: the positions from `lo` on, or (lo NO_LINE) whatever is lowest."""

    address: str
    lo: account.Whole
    qty: account.Whole
    unit: str

    @property
    def account(self) -> account.Account:
        """Where it is held."""
        return account.Account(self.address, self.unit)


class Posting(msgspec.Struct, frozen=True, array_like=True):
    """Moves `qty` units: consumes [src_lo, src_lo+qty) of the source's line, takes [dst_lo, dst_lo+qty) of the other's.

    The k-th consumed position becomes the k-th new one. Written as a JSON array in this order.
    """

    src: str
    src_lo: account.Whole
    dst: str
    dst_lo: account.Whole
    qty: account.Whole
    unit: str

    @property
    def src_span(self) -> Span:
        """The positions consumed; of no meaning for a source."""
        return Span(self.src_lo, self.src_lo + self.qty)

    @property
    def dst_span(self) -> Span:
        """The positions credited."""
        return Span(self.dst_lo, self.dst_lo + self.qty)


Item = TypeVar("Item", Posting, Hold)


class Origins(msgspec.Struct, frozen=True):
    """Which lines the positions that an effect put on one account came from."""

    spans: tuple[tuple[Span, str], ...] = ()
    """Ascending, with the address."""

    def plus(self, postings: Iterable[Posting]) -> "Origins":
        """With what one more part brought."""
        spans = [*self.spans]
        for posting in postings:
            lo, hi = posting.dst_span
            if spans and spans[-1][1] == posting.src and spans[-1][0].hi == lo:
                spans[-1] = (Span(spans[-1][0].lo, hi), posting.src)
            else:
                spans.append((Span(lo, hi), posting.src))
        return Origins(tuple(spans))

    def of(self, postings: Iterable[Posting]) -> list[tuple[str, int]]:
        """Of what these postings take away again: the addresses that it had come from, and how much from each."""
        return [
            (address, qty)
            for posting in postings
            for span, address in self.spans
            if (qty := min(span.hi, posting.src_span.hi) - max(span.lo, posting.src_lo)) > 0
        ]


class Take(msgspec.Struct, frozen=True):
    """Spans of one account that an outflow consumes, in the order in which they are moved."""

    account: account.Account
    spans: tuple[Span, ...]

    @property
    def qty(self) -> int:
        """How much is taken here."""
        return sum(span.qty for span in self.spans)


def move(takes: Iterable[Take], dst: str, dst_lo: int) -> list[Posting]:
    """Postings that move all of `takes`, in order, onto the line of `dst` from `dst_lo` on."""
    postings = []
    for take in takes:
        src, unit = take.account
        for lo, hi in take.spans:
            postings.append(Posting(src, lo, dst, dst_lo, hi - lo, unit))
            dst_lo += hi - lo
    return postings


def parts(items: Sequence[Item]) -> list[tuple[Item, ...]]:
    """Postings (or holds) in runs that fit an entry each: MAX_POSTINGS and MAX_POSTING_BYTES; at least one run."""
    runs: list[tuple[Item, ...]] = []
    run: list[Item] = []
    size = 1  # a bracket
    for item in items:
        item_bytes = len(msgspec.json.encode(item)) + 1  # and what follows it
        if len(run) == MAX_POSTINGS or size + item_bytes > MAX_POSTING_BYTES:
            runs.append(tuple(run))
            run, size = [], 1
        run.append(item)
        size += item_bytes
    runs.append(tuple(run))
    return runs
