"""Postings one by one: known accounts, right classes and units, tiled lines, nothing spent twice or too early."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from ledger import account
from ledger.account import CNY, MAX_POSITION, AccountClass
from ledger.posting import Posting
from ledger.verify.entry import NO_LINE, Envelope
from ledger.verify.line import Line, Piece
from ledger.verify.rule import Rule
from ledger.verify.spans import Spans
from ledger.verify.state import State

MAX_POSTINGS = 500


class Leg(NamedTuple):
    """A posting with its lines; a source has none. `is_sound`: every check of this file held."""

    src: Line | None
    src_lo: int
    dst: Line
    dst_lo: int
    qty: int
    is_sound: bool

    @property
    def src_hi(self) -> int:
        """Where the consumed positions end."""
        return self.src_lo + self.qty


@dataclass(slots=True)
class Reading:
    """The postings of one entry while they are checked."""

    legs: list[Leg] = field(default_factory=list)
    is_sound: bool = True
    ends: dict[Line, int] = field(default_factory=dict)
    """Where the next credit of a line starts."""
    taken: dict[Line, Spans] = field(default_factory=dict)
    """What this entry has consumed of a line so far."""


def read(state: State, entry: Envelope) -> Reading:
    """The entry's postings, checked against the lines as they were before it. Nothing is moved yet."""
    reading = Reading()
    if len(entry.postings) > MAX_POSTINGS:
        state.find(Rule.POSTING_COUNT, f"at most {MAX_POSTINGS} postings", len(entry.postings))
    if state.society.policy is None:
        state.find(Rule.POLICY_FIRST, "no posting before policy.set", f"{len(entry.postings)} postings")
        reading.is_sound = False
    for posting in entry.postings:
        src, dst = state.line(posting.src), state.line(posting.dst)
        is_sound = _check_accounts(state, posting) and _check_quantity(state, posting)
        if is_sound and src is not None:
            is_sound = _check_source(state, posting, src, reading.taken)
        if dst is not None:
            is_sound = _check_tiled(state, posting, dst, reading.ends) and is_sound
            reading.legs.append(Leg(src, posting.src_lo, dst, posting.dst_lo, posting.qty, is_sound))
        reading.is_sound = reading.is_sound and is_sound
    return reading


def move(entry: Envelope, legs: Iterable[Leg]) -> None:
    """Move on. What is not sound is followed as far as it goes, so that later entries are judged by themselves."""
    for src, src_lo, dst, dst_lo, qty, is_sound in legs:
        if qty <= 0 or dst_lo < 0 or dst_lo + qty > MAX_POSITION:
            continue
        if src is not None and src_lo >= 0 and src_lo + qty <= MAX_POSITION:
            src.consumed.add(src_lo, src_lo + qty)
            if is_sound:
                src.departures.add(src_lo, src_lo + qty, dst, dst_lo)
                dst.arrivals.add(dst_lo, dst_lo + qty, src, src_lo)
        dst.credit(dst_lo, qty, entry.seq)


def none(state: State, entry: Envelope) -> None:
    """Kinds that move nothing have no postings."""
    if entry.postings:
        state.find(Rule.POSTINGS_OF_KIND, "no postings", f"{len(entry.postings)} postings")


def pieces(legs: Iterable[Leg]) -> list[Piece]:
    """What is taken, in order."""
    return [Piece(leg.src, leg.src_lo, leg.src_hi) for leg in legs if leg.src is not None]


def _check_accounts(state: State, posting: Posting) -> bool:
    for address in (posting.src, posting.dst):
        if not state.knows(address):
            state.find(Rule.POSTING_ACCOUNT, "an account that the entries set up", address)
            return False
    if state.society.closed and (told := _closed(state, posting)):
        state.find(Rule.CLOSED_UNTOUCHED, "accounts of open funds and projects", told)
        return False
    if posting.unit != CNY:
        state.find(Rule.POSTING_UNIT, CNY, posting.unit)
        return False
    if posting.src == posting.dst:
        state.find(Rule.POSTING_SELF, "two accounts", posting.src)
        return False
    is_source = account.class_of(posting.src) is AccountClass.SOURCE
    if account.class_of(posting.dst) is AccountClass.SOURCE or is_source is not (posting.src_lo == NO_LINE):
        state.find(Rule.POSTING_SOURCE, "src_lo -1 for a source alone, which gets nothing", _told(posting))
        return False
    return True


def _closed(state: State, posting: Posting) -> str:
    """Which end of the posting is on a line of a closed fund or project."""
    for address in (posting.src, posting.dst):
        kind, org, rest = account.parse(address)
        names = {"fund": [("fund", rest[-1:])], "project": [("project", rest[:1]), ("fund", rest[-1:])]}.get(kind, [])
        if any((org, what, *name) in state.society.closed for what, name in names):
            return address
    return ""


def _check_quantity(state: State, posting: Posting) -> bool:
    is_right = (
        posting.qty > 0
        and posting.src_lo >= NO_LINE
        and posting.dst_lo >= 0
        and posting.dst_lo + posting.qty <= MAX_POSITION
    )
    if not is_right:
        state.find(Rule.POSTING_QUANTITY, "a positive quantity on lines from 0 to 2^53-1", _told(posting))
    return is_right


def _check_source(state: State, posting: Posting, src: Line, taken: dict[Line, Spans]) -> bool:
    """Credited before this entry, and neither consumed nor held by anybody else."""
    lo, hi = posting.src_lo, posting.src_lo + posting.qty
    if hi > src.credited:
        state.find(Rule.SPENT_AFTER_CREDIT, f"positions of {src} below {src.credited}", f"[{lo}, {hi})")
        return False
    now = taken.setdefault(src, Spans())
    if src.consumed.overlaps(lo, hi) or now.overlaps(lo, hi):
        state.find(Rule.SPENT_ONCE, f"positions of {src} that nothing consumed", f"[{lo}, {hi})")
        return False
    now.add(lo, hi)
    if src.held.overlaps(lo, hi):
        state.find(Rule.SPENT_HELD, f"positions of {src} that no other proposal holds", f"[{lo}, {hi})")
        return False
    return True


def _check_tiled(state: State, posting: Posting, dst: Line, ends: dict[Line, int]) -> bool:
    end = ends.setdefault(dst, dst.credited)
    ends[dst] = max(end, posting.dst_lo + posting.qty)
    if posting.dst_lo != end:
        state.find(Rule.LINE_TILED, f"{dst} from {end} on", f"from {posting.dst_lo} on")
        return False
    return True


def _told(posting: Posting) -> str:
    return f"{posting.src} {posting.src_lo} → {posting.dst} {posting.dst_lo}: {posting.qty} {posting.unit}"
