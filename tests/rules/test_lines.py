"""Lines and sets of positions, against a plain set of integers."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from ledger.line import NO_PROPOSAL, Line, Span, Spans, first_of
from ledger.refusals import InsufficientAmount
from tests.support.fixed import FIXED

END = 40
"""Positions of the sets that are tried lie below."""

positions = st.frozensets(st.integers(0, END - 1), max_size=END)
ranges = st.tuples(st.integers(0, END), st.integers(0, END)).map(sorted).filter(lambda ends: ends[0] < ends[1])


def runs(members: frozenset[int] | set[int]) -> list[Span]:
    """The members as spans, as long as can be."""
    found: list[Span] = []
    for member in sorted(members):
        if found and found[-1].hi == member:
            found[-1] = Span(found[-1].lo, member + 1)
        else:
            found.append(Span(member, member + 1))
    return found


def members_of(spans: Iterable[Span]) -> set[int]:
    """The positions of some spans."""
    return {member for span in spans for member in range(*span)}


class Sets(RuleBasedStateMachine):
    """Spans do what a set of integers does."""

    def __init__(self) -> None:
        super().__init__()
        self.spans = Spans()
        self.members: set[int] = set()

    @rule(ends=ranges)
    def add(self, ends: list[int]) -> None:
        if self.members.isdisjoint(range(*ends)):
            self.spans.add(*ends)
            self.members.update(range(*ends))
        else:
            with pytest.raises(AssertionError):
                self.spans.add(*ends)

    @rule(ends=ranges)
    def remove(self, ends: list[int]) -> None:
        if self.members.issuperset(range(*ends)):
            self.spans.remove(*ends)
            self.members.difference_update(range(*ends))
        else:
            with pytest.raises(AssertionError):
                self.spans.remove(*ends)

    @precondition(lambda self: self.members)
    @rule(data=st.data())
    def remove_a_part(self, data: st.DataObject) -> None:
        span = data.draw(st.sampled_from(list(self.spans)))
        lo = data.draw(st.integers(span.lo, span.hi - 1))
        self.remove([lo, data.draw(st.integers(lo + 1, span.hi))])

    @invariant()
    def they_are_the_members_in_runs_that_do_not_touch(self) -> None:
        assert list(self.spans) == runs(self.members)
        assert (len(self.spans), self.spans.total) == (len(runs(self.members)), len(self.members))


def test_a_hold_that_was_taken_whole_is_forgotten() -> None:
    line = Line(10)
    line.hold_amount(7, 2)
    line.hold_span(8, Span(4, 6))
    line.consume(Span(0, 2), 7)
    line.consume(Span(4, 6), 8)
    assert line.holders() == ()


def test_spans_do_what_a_set_of_integers_does() -> None:
    run_state_machine_as_test(Sets, settings=settings(FIXED, max_examples=60, stateful_step_count=25))


@FIXED
@given(positions, ranges)
def test_what_is_without_a_set_is_the_rest_of_the_range(members: frozenset[int], ends: list[int]) -> None:
    assert list(Spans(runs(members)).without(*ends)) == runs(set(range(*ends)) - members)


@FIXED
@given(positions, st.integers(0, END))
def test_the_first_span_at_or_after_a_position_ends_after_it(members: frozenset[int], at: int) -> None:
    expected = next((span for span in runs(members) if span.hi > at), None)
    assert Spans(runs(members)).first(at) == expected


@FIXED
@given(positions, st.integers(0, END))
def test_the_first_positions_are_the_lowest(members: frozenset[int], qty: int) -> None:
    if qty == 0:
        return
    if qty > len(members):
        with pytest.raises(AssertionError):
            list(first_of(runs(members), qty))
    else:
        assert members_of(list(first_of(runs(members), qty))) == set(sorted(members)[:qty])


class Held(RuleBasedStateMachine):
    """A line does what lists of positions and holds do."""

    def __init__(self) -> None:
        super().__init__()
        self.line = Line()
        self.gone: set[int] = set()
        self.positions: dict[int, set[int]] = {}
        self.amounts: dict[int, int] = {}
        self.number = NO_PROPOSAL

    def available(self, proposal: int = NO_PROPOSAL) -> int:
        amounts = sum(qty for number, qty in self.amounts.items() if number != proposal)
        return len(self.free(proposal)) - amounts

    def free(self, proposal: int = NO_PROPOSAL) -> list[int]:
        held = set().union(*(each for number, each in self.positions.items() if number != proposal))
        return sorted(set(range(self.line.credited)) - self.gone - held)

    @rule(qty=st.integers(1, 12))
    def credit(self, qty: int) -> None:
        before = self.line.credited
        assert self.line.credit(qty, before + 1) == before
        assert (self.line.credited, self.line.last_seq) == (before + qty, before + 1)

    @rule(qty=st.integers(1, 15))
    def take_first_in(self, qty: int) -> None:
        if qty > self.available():
            with pytest.raises(InsufficientAmount) as refused:
                self.line.first_in(qty)
            assert refused.value.facts["available"] == self.available()
            assert refused.value.facts["proposals"] == sorted(self.amounts.keys() | self.positions.keys())
            return
        spans = self.line.first_in(qty)
        assert spans == runs(set(self.free()[:qty]))
        for span in spans:
            self.line.consume(span)
        self.gone |= members_of(spans)

    @rule(qty=st.integers(1, 9))
    def hold_an_amount(self, qty: int) -> None:
        if qty <= self.available():
            self.number += 1
            self.line.hold_amount(self.number, qty)
            self.amounts[self.number] = qty

    @precondition(lambda self: self.available() > 0)
    @rule(data=st.data())
    def hold_positions(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sets(st.sampled_from(self.free()), min_size=1, max_size=self.available()))
        self.number += 1
        for span in runs(chosen):
            self.line.hold_span(self.number, span)
        self.positions[self.number] = chosen

    @precondition(lambda self: self.amounts)
    @rule(data=st.data())
    def take_a_held_amount(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.amounts)))
        qty = data.draw(st.integers(1, self.amounts[number]))
        spans = self.line.first_in(qty, number)
        assert spans == runs(set(self.free(number)[:qty]))
        for span in spans:
            self.line.consume(span, number)
        self.gone |= members_of(spans)
        if qty < self.amounts[number]:
            self.amounts[number] -= qty
        else:
            del self.amounts[number]

    @precondition(lambda self: self.positions)
    @rule(data=st.data())
    def take_held_positions(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.positions)))
        spans = runs(self.positions.pop(number))
        for span in spans:
            assert list(self.line.free(number, *span)) == [span]
            assert not list(self.line.free(NO_PROPOSAL, *span))
            self.line.consume(span, number)
        self.gone |= members_of(spans)

    @precondition(lambda self: self.amounts or self.positions)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.amounts.keys() | self.positions.keys())))
        self.line.release(number)
        self.amounts.pop(number, None)
        self.positions.pop(number, None)

    @precondition(lambda self: self.available() == 0 and self.line.balance > 0)
    @rule()
    def refuse_to_lose_what_is_held(self) -> None:
        broken = Line(self.line.credited, 0, self.line.consumed)
        broken.hold_amount(1, broken.balance)
        with pytest.raises(AssertionError):
            broken.consume(next(broken.free()))

    @invariant()
    def it_counts_what_rests_and_what_is_available(self) -> None:
        assert self.line.balance == self.line.credited - len(self.gone)
        assert self.line.available == self.available() >= 0
        for number in (*self.amounts, *self.positions):
            assert self.line.available_to(number) == self.available(number)

    @invariant()
    def it_knows_which_positions_are_free(self) -> None:
        assert list(self.line.free()) == runs(set(self.free()))
        assert self.line.lowest_free() == next(iter(self.free()), None)
        assert list(self.line.free(NO_PROPOSAL, 3, 17)) == runs(set(self.free()) & set(range(3, 17)))

    @invariant()
    def it_names_who_holds(self) -> None:
        assert self.line.holders() == tuple(sorted(self.amounts.keys() | self.positions.keys()))


def test_a_line_does_what_lists_of_positions_and_holds_do() -> None:
    run_state_machine_as_test(Held, settings=settings(FIXED, max_examples=60, stateful_step_count=30))
