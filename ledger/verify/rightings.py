"""Right entries: each cites one of its kind that was taken back, once, and moves what of the right amount is left."""

from typing import Protocol

from ledger.verify.rule import Rule
from ledger.verify.state import Righted, State, part_of

_FROM_OUTSIDE = frozenset({"income.received", "money.received", "money.unidentified"})


class Righting(Protocol):
    """A body that may correct another entry."""

    @property
    def corrects(self) -> int:
        """The wrong entry; 0: none."""

    @property
    def right_fen(self) -> int:
        """What would have been right; 0 where nothing is corrected."""


def check(state: State, kind: str, body: Righting, org: str, qty: int) -> None:
    """`qty`: what the entry, in all its parts, moves; this is the last of them.

    What comes from outside keeps the wrong entry's reference.
    """
    if not (body.corrects or body.right_fen):
        return
    wrong = state.taken_back.get(body.corrects)
    if wrong is None or (wrong.kind, wrong.org) != (kind, org):
        told = "nothing taken back" if wrong is None else f"{wrong.kind} of {wrong.org}"
        state.find(Rule.RIGHT_ENTRY, f"an entry {kind} of {org} that was taken back", f"{body.corrects}: {told}")
        return
    if kind in _FROM_OUTSIDE:
        state.references.take_over(state.position, body.corrects)
    before = state.righted.setdefault(body.corrects, state.position)
    if before != state.position:
        state.find(Rule.RIGHTED_ONCE, f"one right entry of {body.corrects}", f"another after {before}")
        return
    first = state.position - part_of(body)[0] + 1
    state.right[first] = Righted(body.corrects, body.right_fen, wrong.moved)
    if body.right_fen - wrong.moved != qty:
        said = f"{body.right_fen} less the {wrong.moved} that had moved on with entry {body.corrects}"
        state.find(Rule.RIGHT_AMOUNT, said, qty)
