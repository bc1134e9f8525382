"""Findings: where a rule did not hold, what was expected, what was found. Collected, never raised."""

from collections import Counter
from dataclasses import dataclass

from ledger.verify.rule import Rule

WHOLE_LOG = -1
"""In place of an entry's number: the finding is about the log, not about one entry."""

LISTED = 100
"""Findings kept at most; all of them are counted."""

EXAMPLES = 3
"""Findings of each rule that are kept in any case, so that a flood of one does not hide another."""

_SHOWN = 240


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a rule did not hold."""

    seq: int
    rule: Rule
    expected: str
    found: str
    place: str = ""
    """Table, key and column, where the finding is about a table."""


class Findings:
    """All that was found: the first ones in full, every one counted by rule."""

    def __init__(self, limit: int = LISTED) -> None:
        self.listed: list[Finding] = []
        self.counts: Counter[Rule] = Counter()
        self._limit = limit

    def add(self, seq: int, rule: Rule, expected: object, found: object, *, place: str = "") -> None:
        """Note one finding."""
        self.counts[rule] += 1
        if len(self.listed) < self._limit or self.counts[rule] <= EXAMPLES:
            self.listed.append(Finding(seq, rule, str(expected)[:_SHOWN], str(found)[:_SHOWN], place))

    def join(self, other: "Findings") -> None:
        """Take over what was found elsewhere."""
        kept = Counter(each.rule for each in self.listed)
        self.counts.update(other.counts)
        for each in other.listed:
            kept[each.rule] += 1
            if len(self.listed) < self._limit or kept[each.rule] <= EXAMPLES:
                self.listed.append(each)

    def ordered(self) -> tuple[Finding, ...]:
        """Those kept, by entry; of one entry in the order in which they were made."""
        return tuple(sorted(self.listed, key=lambda each: each.seq))
