"""Corrections: an entry taken back. Nothing is erased: both stay, the later one says why."""

from ledger.account import Whole
from ledger.bodies.body import Body, Part


class EntryReversed(Body, frozen=True):
    """What is left of entry `ref`, of kind `of`, goes back to where it came from; a gift's to `voided`.

    `left`: what went back; `moved`: what had moved on before and is not taken back; together what `ref` moved.
    """

    of: str
    on: str
    org: str
    reason: str
    ref: Whole
    statement: str
    left: Whole = 0
    moved: Whole = 0
    part: Part = ()
