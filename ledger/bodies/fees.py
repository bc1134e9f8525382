"""Fees: what channels and platforms keep."""

from ledger.bodies.body import Body, Part


class FeeCharged(Body, frozen=True):
    """A platform's later fee, out of a fund whose clause allows it: first in, first out."""

    channel: str
    on: str
    reason: str
    evidence: tuple[str, ...] = ()
    part: Part = ()
