"""Foreign currency: what a settlement came to in the end."""

from ledger.account import Whole
from ledger.bodies.body import Body, Part


class ExchangeSettled(Body, frozen=True):
    """The bank settled the gift `ref`, given in a foreign currency, for less than was booked: the loss of its fund.

    A gain is `income.received` with source `exchange`.
    """

    on: str
    reason: str
    ref: Whole
    corrects: Whole = 0
    evidence: tuple[str, ...] = ()
    part: Part = ()
    right_fen: Whole = 0
