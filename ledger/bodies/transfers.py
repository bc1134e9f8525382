"""Transfers: money between organisations, passed up or down without losing whose it was."""

from ledger.account import Whole
from ledger.bodies.body import Body, Part


class TransferSent(Body, frozen=True):
    """From a fund towards another organisation, first in first out; in transit until that one received it."""

    on: str
    corrects: Whole = 0
    decision: str = ""
    part: Part = ()
    right_fen: Whole = 0


class TransferReceived(Body, frozen=True):
    """The other organisation has what the transfer `ref` sent, or a part of it, in a fund as narrow or narrower."""

    on: str
    ref: Whole
    corrects: Whole = 0
    part: Part = ()
    right_fen: Whole = 0


class TransferReturned(Body, frozen=True):
    """What is left in transit of the transfer `ref` is back in the fund that sent it."""

    on: str
    reason: str
    ref: Whole
    part: Part = ()
