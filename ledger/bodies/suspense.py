"""Suspense: money in the bank whose donor is not known yet, and what became of it."""

from ledger.account import Whole
from ledger.bodies.body import Body, Part
from ledger.bodies.money import DonorClass


class MoneyUnidentified(Body, frozen=True):
    """Money arrived and nobody knows from whom. It is no donation until it is identified. `ref`: as of a gift."""

    channel: str
    on: str
    corrects: Whole = 0
    ref: str = ""
    right_fen: Whole = 0


class MoneyIdentified(Body, frozen=True):
    """A gift, found in suspense: what is left of the `money.unidentified` that `ref` cites, or a part of it."""

    channel: str
    donor: str
    fund: str
    on: str
    ref: Whole
    agreement: str = ""
    campaign: str = ""
    corrects: Whole = 0
    donor_class: DonorClass = "unknown"
    event: str = ""
    receipt: str = ""
    right_fen: Whole = 0


class SuspenseReturned(Body, frozen=True):
    """Given back to where it came from: what is left of the `money.unidentified` that `ref` cites."""

    on: str
    reason: str
    ref: Whole
    evidence: tuple[str, ...] = ()
    part: Part = ()
