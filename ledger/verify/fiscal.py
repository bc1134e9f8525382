"""Fiscal receipts: for a gift of the organisation, over what stands of it, one at a time."""

from typing import get_args

from ledger import account
from ledger.entries import ReceiptIssued, ReceiptVoided, ReceiptWaived, VoidReason, WaiverReason
from ledger.verify.authority import check_entry
from ledger.verify.entry import Envelope
from ledger.verify.persons import check_digests
from ledger.verify.postings import none
from ledger.verify.rule import Rule
from ledger.verify.state import NONE, State
from ledger.verify.targets import gift_of


def issued(state: State, entry: Envelope, body: ReceiptIssued) -> None:
    """Over what was right less what was refunded; citing the one voided before, if any."""
    given = _check(state, entry, body)
    check_digests(state, "commitment", body.commitment)
    stands = 0 if body.ref in state.reversed else given - state.taken_of(body.ref, state.refunded)
    if given != NONE and (body.amount_fen != stands or stands <= 0):
        state.find(Rule.FISCAL_AMOUNT, f"{stands} fen, what stands of gift {body.ref}", body.amount_fen)
    before = state.receipts.get(body.ref, 0)
    if before > 0:
        state.find(Rule.FISCAL_ONCE, f"no second receipt for gift {body.ref}", f"one beside entry {before}")
    elif body.replaces != -before:
        state.find(Rule.FISCAL_ONCE, f"replaces {-before or 'nothing'}", body.replaces)
    state.receipts[body.ref] = entry.seq
    state.waived.discard(body.ref)


def waived(state: State, entry: Envelope, body: ReceiptWaived) -> None:
    """For a reason of the law, once, and not beside a receipt that holds."""
    _check(state, entry, body)
    if body.reason not in get_args(WaiverReason):
        state.find(Rule.ENTRY_FORM, f"one of {', '.join(get_args(WaiverReason))}", body.reason)
    before = state.receipts.get(body.ref, 0)
    if before > 0 or body.ref in state.waived:
        told = f"entry {before} holds" if before > 0 else "waived before"
        state.find(Rule.FISCAL_ONCE, f"gift {body.ref} without a receipt, waived once", told)
    state.waived.add(body.ref)


def voided(state: State, entry: Envelope, body: ReceiptVoided) -> None:
    """The one that holds."""
    _check(state, entry, body)
    if body.reason not in get_args(VoidReason):
        state.find(Rule.ENTRY_FORM, f"one of {', '.join(get_args(VoidReason))}", body.reason)
    before = state.receipts.get(body.ref, 0)
    if before <= 0 or before != body.issued:
        told = f"entry {before}" if before > 0 else "no receipt"
        state.find(Rule.FISCAL_ONCE, f"the receipt of gift {body.ref} that holds: {told}", f"entry {body.issued}")
    else:
        state.receipts[body.ref] = -before


def _check(state: State, entry: Envelope, body: ReceiptIssued | ReceiptWaived | ReceiptVoided) -> int:
    """What was given with the cited gift, a fee at receipt included; NONE where it is no gift to this organisation.

    Of a right entry: what would have been right, whatever of it had moved on with the wrong one.
    """
    none(state, entry)
    check_entry(state, entry, body, body.org)
    state.check_on(body.on)
    gift = None if body.ref in state.incomes else gift_of(state, body.ref, body.org)
    if gift is None:
        state.find(Rule.FISCAL_AMOUNT, f"a gift to {body.org}", body.ref)
        return NONE
    if body.ref in state.right:
        return state.right[body.ref].right_fen
    fees = state.lines.get(account.fees(body.org))
    fee = None if fees is None else fees.credit_of(body.ref)
    return gift.hi - gift.lo + (0 if fee is None else fee[1] - fee[0])
