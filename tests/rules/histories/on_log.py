"""What holds of the log itself: its bytes, its order, and that a refusal leaves nothing."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import msgspec
from hypothesis.stateful import invariant

from ledger import entries
from ledger.entries import Entry
from tests.rules.histories.history import History
from tests.support.foreign import foreign
from tests.support.model import read_back, shape, state


class OnLog(History):
    """Checked after every command."""

    @invariant()
    def references_are_unique(self) -> None:
        refs = Counter(_refs(entry for entry in self.pen.entries if entry.seq not in self.pen.books.reversed))
        assert all(count == 1 for count in refs.values())

    @invariant()
    def entries_are_numbered_and_chained(self) -> None:
        assert [entry.seq for entry in self.pen.entries] == list(range(len(self.pen.written)))
        digests = [entries.GENESIS_PREV, *map(entries.digest, self.pen.written)]
        assert [entry.prev for entry in self.pen.entries] == digests[:-1]
        assert (self.pen.books.seq, self.pen.books.prev) == (len(digests) - 2, digests[-1])
        assert all(left.at <= right.at for left, right in pairwise(self.pen.entries))

    @invariant()
    def entries_are_canonical(self) -> None:
        for entry in self.new:
            written = self.pen.written[entry.seq]
            assert entries.decode(written) == entry
            assert entries.encode(entry) == written
            assert foreign("rfc8785", "rfc8785").dumps(msgspec.json.decode(written)) == written
            assert b"null" not in written

    @invariant()
    def a_refused_command_changes_nothing(self) -> None:
        assert len(self.pen.written) == self.count_before + len(self.new)
        if not self.new:
            assert state(self.pen.books) == self.before

    @invariant()
    def books_read_back_from_the_bytes_are_the_living_ones(self) -> None:
        read = read_back(self.pen.written, self.pen.credits)
        assert read.refs == set(_refs(self.pen.entries))
        assert {where: shape(line) for where, line in read.lines.items()} == {
            where: shape(self.pen.line(where)) for where in self.pen.credits
        }
        read.lines.clear()
        read.refs.clear()
        assert state(read) == state(self.pen.books)


def _refs(log: Iterable[Entry]) -> list[str]:
    """Every channel's reference."""
    return [ref for entry in log if isinstance(ref := getattr(entry.body, "ref", ""), str) and ref]
