"""Effects and proposals too large for one entry: parts (1,k) to (k,k), one directly after the other, the same body."""

from typing import TypeVar

from msgspec import structs

from ledger.entries import AnyBody, Part
from ledger.verify.entry import Envelope
from ledger.verify.rule import Rule
from ledger.verify.state import SINGLE, Run, State, part_of

_VARYING = {"holds": (), "part": ()}
"""What differs from part to part."""

Body = TypeVar("Body", bound=AnyBody)


def settle(state: State, entry: Envelope, body: AnyBody) -> None:
    """What had to come next, comes; else that is reported and forgotten."""
    if state.due is not None:
        number, position = state.due
        state.due = None
        if entry.by.proposal != number:
            state.findings.add(position, Rule.APPROVAL_EFFECT, f"the effect of {number} in the next entry", entry.kind)
    run = state.run
    if run is not None and not _continues(run, entry, body):
        state.find(Rule.PARTS, f"part {run.index + 1} of {run.count} of entry {run.first_seq}", entry.kind)
        state.run = None


def follow(state: State, entry: Envelope, body: AnyBody) -> Run:
    """The run that this entry belongs to, be it alone."""
    index, count = _part(state, body)
    run = state.run
    if run is None:
        if index != 1:
            state.find(Rule.PARTS, f"part 1 of {count} before", f"part {index}")
        run = Run(
            kind=entry.kind,
            body=plain(body),
            by=entry.by,
            first_seq=entry.seq,
            count=count,
            approved=state.approved,
        )
    run.index = index
    state.run = None if run.is_whole else run
    return run


def finish(state: State) -> None:
    """No checkpoint ends inside a split."""
    run = state.run
    if run is not None:
        state.find(Rule.PARTS, f"part {run.index + 1} of {run.count} of entry {run.first_seq}", "the end of the log")


def plain(body: Body) -> Body:
    """The body without what differs from part to part."""
    return structs.replace(body, **{name: _VARYING[name] for name in _VARYING if name in body.__struct_fields__})


def _continues(run: Run, entry: Envelope, body: AnyBody) -> bool:
    return (
        (entry.kind, entry.by) == (run.kind, run.by)
        and part_of(body) == (run.index + 1, run.count)
        and plain(body) == run.body
    )


def _part(state: State, body: AnyBody) -> Part:
    part = part_of(body)
    if part != SINGLE and not (len(part) == 2 and 1 <= part[0] <= part[1] > 1):
        state.find(Rule.PARTS, "part (i, k), i from 1 to k", part)
        return SINGLE
    if part is not SINGLE and part == SINGLE:
        state.find(Rule.PARTS, "no part where there is only one", part)
    return part
