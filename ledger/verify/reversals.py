"""Reversals: what is wrong goes back whole, once, and says truly how much went back and how much had moved on."""

from collections.abc import Sequence

from ledger.entries import EntryReversed
from ledger.verify.line import Line, Piece, resting
from ledger.verify.postings import Leg
from ledger.verify.rule import Rule
from ledger.verify.state import Proposal, State, TakenBack
from ledger.verify.targets import fee_of, gift_of, is_theirs, reversible


def check_proposed(state: State, proposal: Proposal, into: Line) -> None:
    """All that is left is taken back: nobody else may hold a part of it."""
    found = reversible(state, proposal.ref)
    if found is None:
        gift = gift_of(state, proposal.ref, into.place.org)
        pieces = [] if gift is None else [*resting(*gift)]
        left = sum(hi - lo for line, lo, hi in pieces if is_theirs(state, proposal.command, proposal.maker, line, into))
        left += sum(map(_unconsumed, fee_of(state, proposal.ref, into.place.org)))
    else:
        left = sum(map(_unconsumed, [found[1], *state.given_back.get(proposal.ref, ())]))
    if left != proposal.qty:
        state.find(Rule.REVERSAL, f"all {left} that entry {proposal.ref} left", proposal.qty)


def check(state: State, body: EntryReversed, proposal: Proposal | None) -> None:
    """Once; of the kind that it says; and the two amounts make up what the entry moved."""
    if body.ref in state.reversed:
        state.find(Rule.REVERSED_ONCE, f"entry {body.ref} reversed once", f"again after {state.reversed[body.ref]}")
        return
    state.reversed[body.ref] = state.position
    state.references.release(body.ref, state.position)
    found = reversible(state, body.ref)
    kind, piece = found or (_gift_kind(state, body.ref), gift_of(state, body.ref, body.org))
    if piece is None or proposal is None:
        return  # said where positions and approvals are compared
    fee = fee_of(state, body.ref, body.org) if found is None else []
    qty = sum(each.hi - each.lo for each in (piece, *fee))
    before = state.right.get(body.ref)
    moved = qty - proposal.qty + (0 if before is None else before.moved)
    state.taken_back[body.ref] = TakenBack(kind, body.org, moved)
    expected = (kind, proposal.qty, qty - proposal.qty)
    if (body.of, body.left, body.moved) != expected:
        state.find(Rule.REVERSAL, expected, (body.of, body.left, body.moved))


def give_back(state: State, seq: int, body: EntryReversed, legs: Sequence[Leg]) -> None:
    """What was found in suspense, or received of a transfer, may be taken from there again."""
    if body.ref in state.found_in:
        taken_from = state.found_in[body.ref]
    elif body.ref in state.arrivals:
        taken_from = state.arrivals[body.ref][0]
    else:
        return
    pieces = [Piece(leg.dst, leg.dst_lo, leg.dst_lo + leg.qty) for leg in legs]
    state.given_back.setdefault(taken_from, []).extend(pieces)
    state.first_parts[seq] = taken_from


def _gift_kind(state: State, ref: int) -> str:
    return "money.identified" if ref in state.identified else "money.received"


def _unconsumed(piece: Piece) -> int:
    return sum(hi - lo for lo, hi in piece.line.consumed.gaps(piece.lo, piece.hi))
