"""Fiscal receipts 公益事业捐赠票据: a gift has at most one that holds; one that was voided is cited by the next.

Which gift has which is told by the entries that cite it; nothing of it stays in memory, for there may be as many
receipts as gifts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from ledger import entries
from ledger.books import Books
from ledger.command import (
    Effect,
    Facts,
    Needs,
    Proposable,
    body_of,
    check_cited,
    check_day,
    check_digest,
    check_quantity,
)
from ledger.donations import GIFTS
from ledger.entries import Entry, ReceiptIssued, ReceiptVoided, ReceiptWaived, VoidReason, WaiverReason
from ledger.refusals import AlreadyThere, Closed, Invalid, NothingLeft, ReceiptStands

WAIVER_REASONS: tuple[WaiverReason, ...] = get_args(WaiverReason)
VOID_REASONS: tuple[VoidReason, ...] = get_args(VoidReason)


class IssueReceipt(Proposable, frozen=True, kw_only=True, tag="receipt.issued"):
    """A fiscal receipt was issued. Its numbers come sealed beside this; here is what commits to them."""

    org: str
    ref: int
    amount_fen: int
    on: str
    commitment: str
    replaces: int = 0


class WaiveReceipt(Proposable, frozen=True, kw_only=True, tag="receipt.waived"):
    """Nobody is there to get one, or the donor does not want it: 第二十条 asks for a record of that."""

    org: str
    ref: int
    on: str
    reason: WaiverReason


class VoidReceipt(Proposable, frozen=True, kw_only=True, tag="receipt.voided"):
    """A fiscal receipt was taken back 作废/冲红."""

    org: str
    ref: int
    issued: int
    on: str
    reason: VoidReason


@dataclass(frozen=True, slots=True)
class Standing:
    """What the entries say of a gift's fiscal receipts; 0: none."""

    issued: int = 0
    """The one that holds."""
    voided: int = 0
    """The last one voided, if no other has followed."""
    waived: WaiverReason | None = None


def standing(receipts: Sequence[Entry]) -> Standing:
    """As of the last of these entries, which all speak of one gift, in order."""
    now = Standing()
    for entry in receipts:
        match entry.body:
            case ReceiptIssued():
                now = Standing(issued=entry.seq)
            case ReceiptVoided(issued=issued):
                now = Standing(voided=issued)
            case ReceiptWaived(reason=reason):
                now = Standing(voided=now.voided, waived=reason)
            case body:
                raise AssertionError(f"{body} is no receipt")
    return now


def needs_gift(command: IssueReceipt | WaiveReceipt | VoidReceipt) -> Needs:
    """The gift, what was refunded of it and of those it corrects, and what was said of its receipts."""
    return Needs(ref=command.ref, receipts=True)


def issue(command: IssueReceipt, books: Books, facts: Facts) -> Effect:
    """For what stands of the gift; after a voided one, citing it. Raises ReceiptStands, NothingLeft, Invalid."""
    now = _check(command, books, facts)
    check_digest("commitment", command.commitment)
    check_quantity(command.amount_fen)
    if now.issued:
        raise ReceiptStands(f"entry {now.issued} issued one for this gift", issued=now.issued)
    if now.voided != command.replaces:
        raise Invalid(f"replaces: {now.voided or 'nothing'}, the one voided last", field="replaces")
    assert facts.cited is not None
    stands = 0 if command.ref in books.reversed else stands_of(facts.cited, facts.refunded_qty)
    if not stands:
        raise NothingLeft(f"nothing of gift {command.ref} stands", left=0)
    if command.amount_fen != stands:
        raise Invalid(f"amount_fen: {stands}, what was right less what was refunded", field="amount_fen")
    return Effect(body=body_of(ReceiptIssued, command), org=command.org)


def stands_of(gift: Entry, refunded_fen: int) -> int:
    """What stands of a gift that was not taken back: what she gave less what she got back, in fen.

    Of a right entry all that was right, with what had moved on as the wrong ones; `refunded_fen`: of these, too.
    """
    return (getattr(gift.body, "right_fen", 0) or entries.qty_of(gift)) - refunded_fen


def waive(command: WaiveReceipt, books: Books, facts: Facts) -> Effect:
    """Once, not beside one that holds. A donor who asks later still gets one. Raises AlreadyThere, ReceiptStands."""
    now = _check(command, books, facts)
    if command.reason not in WAIVER_REASONS:
        raise Invalid(f"reason: one of {', '.join(WAIVER_REASONS)}", field="reason")
    if now.waived:
        raise AlreadyThere(f"the receipt of gift {command.ref} was waived", ref=command.ref)
    if now.issued:
        raise ReceiptStands(f"entry {now.issued} issued one for this gift", issued=now.issued)
    return Effect(body=body_of(ReceiptWaived, command), org=command.org)


def void(command: VoidReceipt, books: Books, facts: Facts) -> Effect:
    """The one that holds. Raises Closed for any other."""
    now = _check(command, books, facts)
    if command.reason not in VOID_REASONS:
        raise Invalid(f"reason: one of {', '.join(VOID_REASONS)}", field="reason")
    if not now.issued or now.issued != command.issued:
        raise Closed(f"entry {command.issued} issued no receipt that holds for gift {command.ref}", ref=command.ref)
    return Effect(body=body_of(ReceiptVoided, command), org=command.org)


def _check(command: IssueReceipt | WaiveReceipt | VoidReceipt, books: Books, facts: Facts) -> Standing:
    books.organisation(command.org)
    check_day("on", command.on, latest=facts.today)
    check_cited(facts, command.ref, GIFTS, command.org)
    return standing(facts.receipts)
