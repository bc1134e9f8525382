"""Erasures: that a donor's data were destroyed. Whether they were, no entry can show; a table check does."""

from ledger.entries import ErasureRecorded
from ledger.verify.authority import check_entry
from ledger.verify.entry import Envelope
from ledger.verify.postings import none
from ledger.verify.rule import Rule
from ledger.verify.state import State
from ledger.verify.targets import gift_of


def recorded(state: State, entry: Envelope, body: ErasureRecorded) -> None:
    """Of a gift of that organisation, once."""
    none(state, entry)
    check_entry(state, entry, body, body.org)
    gift = gift_of(state, body.ref, body.org)
    if gift is None or body.ref in state.incomes:
        state.find(Rule.ERASURE, f"a gift to {body.org}", body.ref)
    elif body.ref in state.erased:
        state.find(Rule.ERASURE, "an erasure for each gift", f"another one of {body.ref}")
    state.erased.add(body.ref)
