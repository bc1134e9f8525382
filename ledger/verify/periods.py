"""Periods: what moved on which day, what is closed, and that nothing is dated into it."""

import hashlib
from datetime import date, timedelta

import msgspec

from ledger import account
from ledger.account import CNY
from ledger.entries import PeriodClosed
from ledger.verify import authority, postings
from ledger.verify.entry import Envelope, is_day
from ledger.verify.rule import Rule
from ledger.verify.state import State


def count(state: State, entry: Envelope, on: str) -> None:
    """What the entry's postings move on their day, which is open for every organisation concerned."""
    for posting in entry.postings:
        for address, at in ((posting.dst, 0), (posting.src, 1)):
            days = state.turnovers.get(address)
            if days is None:
                days = state.turnovers[address] = {}
            sums = days.get(on)
            if sums is None:
                sums = days[on] = [0, 0]
            sums[at] += posting.qty
    if state.closed:
        _check_open(state, entry, on)


def closed(state: State, entry: Envelope, body: PeriodClosed) -> None:
    """The next days that are over, with the root of everything dated until the last of them."""
    postings.none(state, entry)
    authority.check_entry(state, entry, body, body.org)
    if body.org not in state.society.organisations:
        state.find(Rule.ORG_KNOWN, "a registered organisation", body.org)
    before = state.closed.get(body.org)
    if not (is_day(body.first_on) and is_day(body.last_on) and body.first_on <= body.last_on < state.day):
        state.find(Rule.PERIOD_CLOSING, f"days before {state.day}", f"{body.first_on} to {body.last_on}")
        return
    if before is not None and body.first_on != _day_after(before):
        state.find(Rule.PERIOD_CLOSING, f"from {_day_after(before)} on", body.first_on)
    for number, each in state.imports.items():
        if each.approved.org == body.org and each.approved.first_on <= body.last_on:
            state.find(Rule.PERIOD_CLOSING, "no import that still enters rows of these days", number)
    expected = _root(state, body.org, body.last_on)
    if body.root != expected:
        state.find(Rule.PERIOD_ROOT, expected, body.root)
    state.closed[body.org] = body.last_on


def _check_open(state: State, entry: Envelope, on: str) -> None:
    for org in sorted({_org(address) for each in entry.postings for address in (each.src, each.dst)}):
        last_on = state.closed.get(org, "")
        if on <= last_on:
            state.find(Rule.PERIOD_OPEN, f"a day after {last_on}, until which {org} is closed", on)


def _root(state: State, org: str, last_on: str) -> str:
    rows: list[list[str | int]] = []
    for address, days in state.turnovers.items():
        if _org(address) != org:
            continue
        sums = [each for on, each in days.items() if on <= last_on]
        if sums:
            rows.append([address, CNY, sum(each[0] for each in sums), sum(each[1] for each in sums)])
    written = msgspec.json.encode(sorted(rows))
    text = b"sunledger/trial-balance/1\n%b\n%b\n%b\n" % (org.encode(), last_on.encode(), written)
    return hashlib.sha256(text).hexdigest()


def _org(address: str) -> str:
    try:
        return account.parse(address).org
    except ValueError:
        return ""


def _day_after(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
