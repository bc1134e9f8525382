"""Pieces: runs of the positions one traces, as postings moved them, and where they rest."""

from collections import defaultdict
from collections.abc import Iterable
from operator import attrgetter
from typing import NamedTuple


class Piece(NamedTuple):
    """A run of the traced positions, as one posting moved them (or, backward, as one posting brought them).

    `off` counts from the first traced position; the positions [off, off+qty) lie at [lo, lo+qty) of the line of
    `address`. Within one depth pieces do not overlap.
    """

    depth: int
    off: int
    qty: int
    address: str
    unit: str
    lo: int
    seq: int
    n: int


def resting(pieces: Iterable[Piece]) -> list[Piece]:
    """The parts of the pieces that no later posting moved on, in order of the traced positions: the leaves.

    Pieces come by depth, then by `off`.
    """
    depths: defaultdict[int, list[Piece]] = defaultdict(list)
    for piece in pieces:
        depths[piece.depth].append(piece)
    leaves: list[Piece] = []
    for depth, here in [*depths.items()]:
        following = iter(depths.get(depth + 1, ()))
        onward = next(following, None)
        for piece in here:
            at, end = piece.off, piece.off + piece.qty
            while onward is not None and onward.off < end:  # what moved on lies wholly in one piece
                if at < onward.off:
                    leaves.append(_part(piece, at, onward.off))
                at = onward.off + onward.qty
                onward = next(following, None)
            if at < end:
                leaves.append(piece if at == piece.off else _part(piece, at, end))
    return sorted(leaves, key=_BY_OFF)


def _part(piece: Piece, at: int, end: int) -> Piece:
    return piece._replace(off=at, qty=end - at, lo=piece.lo + at - piece.off)


def until_suspense(pieces: list[Piece]) -> list[Piece]:
    """Without what came of money that went back into suspense: whatever it is identified as next is another gift."""
    stopped = [each for each in pieces if each.depth and each.address.startswith("suspense:")]
    if not stopped:
        return pieces
    return [
        each
        for each in pieces
        if not any(stop.depth < each.depth and stop.off <= each.off < stop.off + stop.qty for stop in stopped)
    ]


_BY_OFF = attrgetter("off")
