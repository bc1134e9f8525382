"""Erasure: a donor's data are destroyed; that they were, stays."""

from typing import Literal

from ledger.account import Whole
from ledger.bodies.body import Body

ErasureBasis = Literal["ordered", "request", "retention"]


class ErasureRecorded(Body, frozen=True):
    """What was kept of the donor of gift `ref` is destroyed. The gift and every proof of it stay.

    `basis`: `request` (PIPL, article 47, by the donor or whoever acts for her), `ordered` by an authority, `retention`:
    the time for which it had to be kept is over.
    """

    basis: ErasureBasis
    org: str
    ref: Whole
