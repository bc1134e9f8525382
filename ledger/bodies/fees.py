"""Fees: what channels and platforms keep."""

from ledger.account import Whole
from ledger.bodies.body import Body, Part


class FeeCharged(Body, frozen=True):
    """A platform's later fee, out of a fund whose clause allows it: first in, first out."""

    channel: str
    on: str
    reason: str
    corrects: Whole = 0
    evidence: tuple[str, ...] = ()
    part: Part = ()
    right_fen: Whole = 0
