"""Money: gifts, allocations, payments."""

from typing import Literal

from ledger.account import Whole
from ledger.bodies.body import Body, Part, Spending

DonorClass = Literal["person", "organisation", "unknown"]


class MoneyReceived(Body, frozen=True):
    """A gift. `ref`: see privacy.reference; `batch`, `row`: of an import; `agreement`, `donor`, `receipt`: commitments.

    Of a right entry, here and in other kinds, `corrects`: the wrong one, which was taken back; `right_fen`: what would
    have been right. It moves `right_fen` less what of the wrong one had moved on.
    """

    channel: str
    donor: str
    fund: str
    on: str
    agreement: str = ""
    batch: Whole = 0
    campaign: str = ""
    corrects: Whole = 0
    currency: str = ""
    donor_class: DonorClass = "unknown"
    event: str = ""
    original: Whole = 0
    rate: str = ""
    receipt: str = ""
    ref: str = ""
    right_fen: Whole = 0
    row: Whole = 0


class MoneyAllocated(Body, frozen=True):
    """From a fund to a project of the same organisation, first in first out."""

    on: str
    corrects: Whole = 0
    decision: str = ""
    part: Part = ()
    right_fen: Whole = 0


class MoneyReleased(Body, frozen=True):
    """Back from the project to its fund: what is left of the allocation `ref`."""

    on: str
    reason: str
    ref: Whole
    part: Part = ()


class MoneyDisbursed(Body, frozen=True):
    """Paid to an institution, or to persons. `beneficiaries`: a count, or `1-4` where fewer than five."""

    on: str
    payee: str
    project: str
    purpose: str
    spending: Spending
    beneficiaries: str = ""
    corrects: Whole = 0
    decision: str = ""
    evidence: tuple[str, ...] = ()
    part: Part = ()
    region: str = ""
    right_fen: Whole = 0


class MoneyReturned(Body, frozen=True):
    """Handed back by the payee of `ref`: the positions it was paid, each to the project's line it left."""

    on: str
    reason: str
    ref: Whole
    evidence: tuple[str, ...] = ()
    part: Part = ()


class GiftRedirected(Body, frozen=True):
    """Moved to another purpose: what of the gift `ref` was neither spent nor held. `consent`: the donor's, a digest."""

    on: str
    reason: str
    ref: Whole
    consent: str = ""
    evidence: tuple[str, ...] = ()
    part: Part = ()


class GiftRefunded(Body, frozen=True):
    """Given back to the donor: what of the gift `ref` was neither spent nor held."""

    on: str
    reason: str
    ref: Whole
    corrects: Whole = 0
    evidence: tuple[str, ...] = ()
    part: Part = ()
    right_fen: Whole = 0
