"""Ends: a fund or project is closed once, with nothing on its lines, on its way to them, or proposed."""

from ledger.entries import FundClosed, ProjectClosed
from ledger.verify.authority import check_entry
from ledger.verify.entry import Envelope
from ledger.verify.line import Line
from ledger.verify.persons import check_evidence
from ledger.verify.postings import none
from ledger.verify.rule import Rule
from ledger.verify.state import State


def fund_closed(state: State, entry: Envelope, body: FundClosed) -> None:
    """Its own line and those in projects are empty, nothing it sent is in transit, no rows of an import are to come."""
    _check(state, entry, body, "fund", body.fund, is_known=(body.org, body.fund) in state.society.funds)
    own = [line for line in state.lines.values() if _is_of(line, body.org, -1, body.fund)]
    _check_empty(state, own)
    for number, sent in state.transfers.items():
        pieces = [sent.piece, *state.given_back.get(number, ())] if sent.fund in own else []
        if any(next(line.consumed.gaps(lo, hi), None) for line, lo, hi in pieces):
            state.find(Rule.CLOSED_EMPTY, "nothing of it in transit", f"transfer {number}")
    for number, each in state.imports.items():
        if (each.approved.org, each.approved.fund) == (body.org, body.fund):
            state.find(Rule.CLOSED_EMPTY, "no rows still to be entered", f"import {number}")


def project_closed(state: State, entry: Envelope, body: ProjectClosed) -> None:
    """Its lines are empty."""
    _check(state, entry, body, "project", body.project, is_known=(body.org, body.project) in state.society.projects)
    lines = [line for line in state.lines.values() if line.place.kind == "project"]
    _check_empty(state, [line for line in lines if _is_of(line, body.org, 0, body.project)])


def _check(  # noqa: PLR0913  what both say
    state: State, entry: Envelope, body: FundClosed | ProjectClosed, what: str, name: str, *, is_known: bool
) -> None:
    none(state, entry)
    check_entry(state, entry, body, body.org)
    check_evidence(state, body.evidence)
    closed = state.society.closed
    if not is_known or (body.org, what, name) in closed:
        state.find(Rule.CLOSED_EMPTY, f"an open {what}", name)
    is_moved = body.residue == "moved"
    known = state.society.funds if what == "fund" else state.society.projects
    is_right = (body.org, body.successor) in known and (body.org, what, body.successor) not in closed
    if is_moved is not bool(body.successor) or (is_moved and (not is_right or body.successor == name)):
        state.find(Rule.CLOSED_EMPTY, f"another open {what} that what was left was moved to", body.successor or "none")
    if body.residue in {"agreed", "moved"} and not body.evidence:
        state.find(Rule.CLOSED_EMPTY, "evidence of the consent or the agreement", "none")
    closed.add((body.org, what, name))
    if body.successor:
        state.society.heirs[body.org, what, name] = body.successor


def _is_of(line: Line, org: str, at: int, name: str) -> bool:
    return line.place.kind in {"fund", "project"} and line.place.org == org and line.place.rest[at] == name


def _check_empty(state: State, lines: list[Line]) -> None:
    for line in lines:
        balance = line.credited - line.consumed.total
        if balance:
            state.find(Rule.CLOSED_EMPTY, f"nothing on {line}", balance)
    for number, proposal in state.proposals.items():
        if any(hold.line in lines for hold in proposal.holds) or {line.name for line in lines} & {*proposal.into}:
            state.find(Rule.CLOSED_EMPTY, "no proposal that waits for it", f"proposal {number}")
