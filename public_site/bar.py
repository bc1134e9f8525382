"""The bar that shows a gift's parts: five colours at most, and none for what is not used yet."""

from collections.abc import Sequence
from typing import NamedTuple

from ledger.trace import Leaf, State

WIDTH = 1000
_LEAST = 6
"""What is there is seen, however small."""
_GAP = 2
_SPENT = ("c1", "c2", "c3", "c0")
_OTHERS = "c5"
_CLASSES = {
    State.REFUNDED: "c4",
    State.FEES: _OTHERS,
    State.LOST: _OTHERS,
    State.IN_TRANSIT: _OTHERS,
    State.VOIDED: _OTHERS,
    State.ALLOCATED: "c7",
    State.HELD: "c6",
}


class Segment(NamedTuple):
    """A rectangle of the bar."""

    colour: str
    x: int
    width: int


def colours(leaves: Sequence[Leaf]) -> list[str]:
    """The class of each leaf: the largest payments have their own, the rest share one."""
    spent = iter(_SPENT)
    return [_CLASSES[leaf.state] if leaf.state in _CLASSES else next(spent, _OTHERS) for leaf in leaves]


def segments(leaves: Sequence[Leaf]) -> list[Segment]:
    """The bar; neighbours of one colour are one rectangle."""
    amounts: dict[str, int] = {}
    for colour, leaf in zip(colours(leaves), leaves, strict=True):
        amounts[colour] = amounts.get(colour, 0) + leaf.amount_fen
    total = sum(amounts.values())
    room = WIDTH - _LEAST * len(amounts)
    found: list[Segment] = []
    x = 0
    for colour, fen in amounts.items():
        width = _LEAST + room * fen // total
        found.append(Segment(colour, x, width - _GAP))
        x += width
    return found
