"""Targeted outflows: which positions a cited entry leaves to take, in which order."""

from collections.abc import Iterable, Iterator

from ledger import account
from ledger.verify.line import Line, Move, Piece, joined, resting
from ledger.verify.roles import REQUIRED
from ledger.verify.routes import (
    ARRIVED,
    RELEASE,
    RETURN,
    REVERSAL,
    SENT_BACK,
    SUSPENSE,
    books_of,
    is_homeward,
    is_of_a_gift,
)
from ledger.verify.state import NONE, State


def left(  # noqa: PLR0913, PLR0917  what an outflow says of itself
    state: State, kind: str, ref: int, maker: str, into: Line, qty: int
) -> list[Piece] | None:
    """The first `qty` positions of what entry `ref` leaves to take, in its own order; None: no entry to be cited.

    `into`: the account that gets them; whatever is there already, a redirection leaves there.
    """
    org = books_of(kind, into.place)
    if is_of_a_gift(kind, into.place) and not (kind == REVERSAL and reversible(state, ref)):
        gift = gift_of(state, ref, org)
        if gift is None or (kind == REVERSAL and (ref in state.identified) is not (into.place.kind == SUSPENSE)):
            return None
        images = [each for each in resting(*gift) if is_theirs(state, kind, maker, each.line, into)]
        return joined(_free([*images, *(fee_of(state, ref, org) if kind == REVERSAL else ())]), qty)
    own = _credited(state, kind, ref)
    if own is None:
        return None
    credited = [own, *state.given_back.get(ref, ())]
    place = own.line.place
    if org != (place.rest[0] if kind == ARRIVED else place.org):
        return None
    found = joined(_free(credited), qty)
    return [piece for piece, _ in homes(state, found)] if is_homeward(kind, into.place) else found


def cited_by(state: State, kind: str, line: Line, position: int, into: Line) -> int:
    """The entry that a take of this position cites: the allocation that put it here, or the gift it came with."""
    if is_of_a_gift(kind, into.place):
        # Back along the way it came, a posting a step; each step leads to an earlier entry, so this ends.
        while move := next(line.arrivals.within(position, position + 1), None):
            if line.seq_at(position) in state.identified:  # a gift from here on
                break
            line, position = move.other, move.other_lo
    if not 0 <= position < line.credited:
        return NONE
    seq = line.seq_at(position)
    return state.first_parts.get(seq, seq)


def reversible(state: State, ref: int) -> tuple[str, Piece] | None:
    """The kind of what is no gift but may be taken back, and what it put on one account."""
    if ref in state.incomes:
        return "income.received", state.incomes[ref]
    if ref in state.unidentified:
        return "money.unidentified", state.unidentified[ref]
    if ref in state.given_out:
        return state.given_out[ref]
    if ref in state.allocations:
        return "money.allocated", state.allocations[ref]
    if ref in state.payments:
        return "money.disbursed", state.payments[ref].piece
    if ref in state.transfers:
        return "transfer.sent", state.transfers[ref].piece
    if ref in state.arrivals:
        return "transfer.received", state.arrivals[ref][1]
    return None


def fee_of(state: State, ref: int, org: str) -> list[Piece]:
    """The fee that a gift's own entry took, if it took one."""
    line = state.lines.get(account.fees(org))
    span = None if line is None else line.credit_of(ref)
    return [] if line is None or span is None else [Piece(line, *span)]


def _credited(state: State, kind: str, ref: int) -> Piece | None:
    """What an entry that this kind may cite put on one line."""
    if kind in {ARRIVED, SENT_BACK}:
        sent = state.transfers.get(ref)
        return None if sent is None else sent.piece
    if kind == REVERSAL:
        found = reversible(state, ref)
        return None if found is None else found[1]
    if kind == RETURN:
        payment = state.payments.get(ref)
        return None if payment is None else payment.piece
    return (state.allocations if kind == RELEASE else state.unidentified).get(ref)


def homes(state: State, pieces: Iterable[Piece]) -> list[tuple[Piece, Line]]:
    """Positions cut where they came from different lines, and the lines they came from, or whose successors."""
    found: list[tuple[Piece, Line]] = []
    for line, lo, hi in pieces:
        for move in line.arrivals.within(lo, hi):
            before, home = found[-1] if found else (None, None)
            into = state.heir(_home(state, line, move))
            if before is not None and (before.line, before.hi, home) == (line, move.lo, into):
                found[-1] = (Piece(line, before.lo, move.hi), into)
            else:
                found.append((Piece(line, move.lo, move.hi), into))
    return found


def _home(state: State, line: Line, move: Move) -> Line:
    """Where these positions came from; what is in transit, from the fund that sent it, whoever has had it since."""
    if line.place.kind != "transit":
        return move.other
    seq = line.seq_at(move.lo)
    sent = state.transfers.get(state.first_parts.get(seq, seq))
    return move.other if sent is None else sent.fund


def gift_of(state: State, seq: int, org: str) -> Piece | None:
    """What a gift to this organisation credited."""
    found = state.identified.get(seq)
    if found is not None:
        return found if found.line.place.org == org else None
    for line in state.fund_lines.get(org, []):
        span = line.credit_of(seq)
        if span is not None and next(line.arrivals.within(*span), None) is None:  # released money is no gift
            return Piece(line, *span)
    return None


def _free(pieces: Iterable[Piece]) -> Iterator[Piece]:
    for line, lo, hi in pieces:
        for start, end in line.free(lo, hi):
            yield Piece(line, start, end)


def is_theirs(state: State, kind: str, maker: str, line: Line, into: Line) -> bool:
    """A fund's or project's line of an organisation in which the maker may do this."""
    if line.place.kind not in {"fund", "project"} or line is into:
        return False
    return not state.society.roles(maker, line.place.org).isdisjoint(REQUIRED[kind].maker)
