"""The replay's own arithmetic of positions, against sets of single ones."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ledger.account import Address
from ledger.verify import references
from ledger.verify.finding import Findings
from ledger.verify.line import Line, Piece, joined, resting
from ledger.verify.references import References
from ledger.verify.rule import Rule
from ledger.verify.spans import Spans, first_of
from tests.support.fixed import FIXED

spans = st.tuples(st.integers(0, 40), st.integers(1, 10)).map(lambda pair: (pair[0], pair[0] + pair[1]))
steps = st.lists(st.tuples(st.booleans(), spans), max_size=40)


@FIXED
@given(steps, spans)
def test_spans_are_sets_of_positions(done: list[tuple[bool, tuple[int, int]]], probe: tuple[int, int]) -> None:
    ours, theirs = Spans(), set[int]()
    for is_added, (lo, hi) in done:
        if is_added:
            ours.add(lo, hi)
            theirs |= set(range(lo, hi))
        else:
            ours.remove(lo, hi)
            theirs -= set(range(lo, hi))
        gaps = [*ours.gaps(0, 60)]
        assert {position for lo, hi in gaps for position in range(lo, hi)} == set(range(60)) - theirs
        assert all(a[1] < b[0] for a, b in pairwise(gaps)), "gaps that could be one"
        assert ours.total == len(theirs)
    assert ours.overlaps(*probe) is bool(theirs & set(range(*probe)))
    assert [*ours.gaps(*probe)] == [(max(lo, probe[0]), min(hi, probe[1])) for lo, hi in ours.gaps(0, 60)
                                    if lo < probe[1] and hi > probe[0]]  # fmt: skip


@FIXED
@given(st.lists(spans, max_size=5), st.integers(0, 60))
def test_the_first_positions_are_the_first(pieces: list[tuple[int, int]], qty: int) -> None:
    taken = [position for lo, hi in first_of(pieces, qty) for position in range(lo, hi)]
    assert taken == [position for lo, hi in pieces for position in range(lo, hi)][:qty]


def line(name: str, credited: int) -> Line:
    made = Line(name, Address("fund", "330800", ("general",)))
    made.credit(0, credited, 1)
    return made


def test_money_that_went_round_is_found_where_it_rests() -> None:
    fund, project = line("fund", 0), line("project", 0)
    for _ in range(3_000):  # deeper than Python recurses
        lo = fund.credited
        fund.departures.add(lo, lo + 10, project, lo)
        project.departures.add(lo, lo + 10, fund, lo + 10)
        fund.credit(lo, 10, 1)
        project.credit(lo, 10, 1)
    assert [*resting(fund, 2, 7)] == [Piece(fund, 30_002, 30_007)]


def test_pieces_come_in_the_order_of_their_origin() -> None:
    fund, project, payees = line("fund", 10), line("project", 6), line("payees", 2)
    fund.departures.add(4, 7, project, 0)
    fund.departures.add(1, 4, project, 3)
    project.departures.add(4, 6, payees, 0)
    found = [*resting(fund, 0, 10)]
    assert found == [
        Piece(fund, 0, 1),
        Piece(project, 3, 4),
        Piece(payees, 0, 2),
        Piece(project, 0, 3),
        Piece(fund, 7, 10),
    ]
    assert joined(iter([Piece(fund, 0, 1), Piece(fund, 1, 3), Piece(fund, 4, 5)])) == [
        Piece(fund, 0, 3),
        Piece(fund, 4, 5),
    ]
    assert joined(iter(found), 3) == [Piece(fund, 0, 1), Piece(project, 3, 4), Piece(payees, 0, 1)]


def test_a_line_knows_which_entry_credited_what() -> None:
    made = line("fund", 5)
    made.credit(5, 3, 7)
    made.credit(8, 1, 9)
    assert [made.seq_at(position) for position in (0, 4, 5, 7, 8)] == [1, 1, 7, 7, 9]
    assert [made.credit_of(seq) for seq in (1, 7, 8, 9)] == [(0, 5), (5, 8), None, (8, 9)]


def test_references_are_compared_from_files_as_from_memory(monkeypatch: object) -> None:
    for buffered in (1, 3, references.BUFFERED):
        findings = Findings()
        seen = References(findings)
        seen._refs.clear()
        for seq in range(200):
            seen.add(f"{seq * 7919 % 150:064x}", seq)
            if len(seen._refs) >= buffered:
                seen._part()
        seen.close()
        assert findings.counts == {Rule.REFERENCE_UNIQUE: 50}
        assert findings.listed[0].expected.endswith(" once")


def test_one_entry_may_not_carry_its_reference_twice_in_a_row() -> None:
    findings = Findings()
    seen = References(findings)
    seen.add("a" * 64, 5)
    seen.add("a" * 64, 6)
    seen.close()
    (finding,) = findings.listed
    assert (finding.seq, finding.found) == (6, "in entry 5 and again in 6")
