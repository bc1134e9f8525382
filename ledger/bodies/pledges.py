"""Pledges: promises, in no balance."""

from typing import Literal

from ledger.account import Whole
from ledger.bodies.body import Body

PledgeEnd = Literal["fulfilled", "lapsed", "withdrawn"]


class PledgeMade(Body, frozen=True):
    """Somebody promises a gift. `promiser`: an institution's name, or `person`: no person is named."""

    amount_fen: Whole
    fund: str
    on: str
    org: str
    promiser: str
    due: str = ""


class PledgeEnded(Body, frozen=True):
    """The pledge `ref` was fulfilled by gifts, withdrawn, or lapsed."""

    on: str
    org: str
    outcome: PledgeEnd
    ref: Whole
    note: str = ""
