"""Fiscal receipts 公益事业捐赠票据: issued, waived or voided. Their numbers stay in the vault."""

from typing import Literal

from ledger.account import Whole
from ledger.bodies.body import Body

WaiverReason = Literal["anonymous", "declined"]
VoidReason = Literal["mistake", "refunded", "requested", "reversed"]


class ReceiptIssued(Body, frozen=True):
    """A fiscal receipt for the gift `ref`. `commitment`: salted, of its numbers; `replaces`: the voided one before."""

    amount_fen: Whole
    commitment: str
    on: str
    org: str
    ref: Whole
    replaces: Whole = 0


class ReceiptWaived(Body, frozen=True):
    """The gift `ref` gets none: nobody knows whose it is, or the donor does not want one."""

    on: str
    org: str
    reason: WaiverReason
    ref: Whole


class ReceiptVoided(Body, frozen=True):
    """The fiscal receipt that entry `issued` speaks of, for the gift `ref`, holds no more."""

    issued: Whole
    on: str
    org: str
    reason: VoidReason
    ref: Whole
