"""Pledges: they move nothing, are for a known fund, and end once."""

from ledger.account import MAX_POSITION
from ledger.entries import PledgeEnded, PledgeMade
from ledger.verify.authority import check_entry
from ledger.verify.entry import Envelope, is_day
from ledger.verify.postings import none
from ledger.verify.rule import Rule
from ledger.verify.state import State


def made(state: State, entry: Envelope, body: PledgeMade) -> None:
    """A promise, in no balance."""
    none(state, entry)
    check_entry(state, entry, body, body.org)
    state.check_on(body.on)
    if (body.org, body.fund) not in state.society.funds:
        state.find(Rule.FUND_KNOWN, f"a fund of {body.org}", body.fund)
    if not 0 < body.amount_fen <= MAX_POSITION or (body.due and not (is_day(body.due) and body.on <= body.due)):
        state.find(Rule.PLEDGE, "an amount, due on or after the day it was made", f"{body.amount_fen}, {body.due}")
    state.pledges[entry.seq] = body.org


def ended(state: State, entry: Envelope, body: PledgeEnded) -> None:
    """An open one of this organisation."""
    none(state, entry)
    check_entry(state, entry, body, body.org)
    state.check_on(body.on)
    if state.pledges.pop(body.ref, None) != body.org:
        state.find(Rule.PLEDGE, f"an open pledge of {body.org}", body.ref)
