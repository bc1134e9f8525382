"""Four eyes: who made an entry, who checked it, and whether that was enough by the policy of then."""

from ledger.entries import AnyBody
from ledger.verify.entry import NO_PROPOSAL, Envelope, commitment
from ledger.verify.persons import check_digests
from ledger.verify.roles import REQUIRED
from ledger.verify.rule import Rule
from ledger.verify.state import NONE, Proposal, State


def check_entry(state: State, entry: Envelope, body: AnyBody, org: str, qty: int = 0) -> None:
    """An effect of one entry that moves nothing itself: checked, and its proposal resolved. `qty`: what it allows."""
    check(state, entry, body, org=org, qty=qty, approved=state.approved)
    proposal = state.proposals.get(entry.by.proposal)
    if proposal is not None:
        resolve(state, proposal)


def check(state: State, entry: Envelope, body: AnyBody, *, org: str, qty: int, approved: int) -> None:  # noqa: PLR0913
    """The maker's role, and the approvals that this kind and amount need now.

    `approved`: the proposal that the entry before the effect approved.
    """
    by = entry.by
    check_maker(state, entry.kind, by.maker, org)
    needed = state.society.approvals(entry.kind, qty)
    decision_from = state.society.decision_from(entry.kind)
    if decision_from is not None and qty >= decision_from and not getattr(body, "decision", ""):
        state.find(Rule.DECISION_DOCUMENT, f"a decision document from {decision_from} on", f"none for {qty}")
    if by.proposal == NO_PROPOSAL:
        check_alone(state, entry)
        if needed:
            state.find(Rule.APPROVALS, f"{needed} approvals of a proposal", "no proposal")
        return
    proposal = state.proposals.get(by.proposal)
    if proposal is None:
        state.find(Rule.PROPOSAL_OPEN, "an open proposal", by.proposal)
        return
    _check_as_made(state, entry, proposal, org)
    for other in sorted(proposal.orgs - {org}):
        check_maker(state, entry.kind, by.maker, other)
    _check_checkers(state, entry, proposal, needed)
    if approved != by.proposal:
        before = "another entry" if approved == NONE else f"an approval of {approved}"
        state.find(Rule.APPROVAL_EFFECT, f"an approval of {by.proposal} in the entry before", before)


def check_alone(state: State, entry: Envelope) -> None:
    """What was not proposed names nobody but its maker."""
    if entry.by.checkers or entry.by.salt or entry.by.proposal != NO_PROPOSAL:
        state.find(Rule.FOUR_EYES, "checkers of a proposal alone", f"{', '.join(entry.by.checkers) or 'a salt'}")


def resolve(state: State, proposal: Proposal) -> None:
    """What it still holds is free again."""
    lift(proposal)
    del state.proposals[proposal.number]


def lift(proposal: Proposal) -> None:
    """Take its holds off the lines."""
    for hold in proposal.holds:
        if hold.lo < 0:
            hold.line.held_qty -= hold.qty
        else:
            hold.line.held.remove(hold.lo, hold.lo + hold.qty)


def lay(proposal: Proposal) -> None:
    """Put its holds on the lines."""
    for hold in proposal.holds:
        if hold.lo < 0:
            hold.line.held_qty += hold.qty
        else:
            hold.line.held.add(hold.lo, hold.lo + hold.qty)


def check_maker(state: State, kind: str, maker: str, org: str) -> None:
    """Who makes an entry, or proposes it, holds a maker's role in the organisation."""
    roles = state.society.roles(maker, org)
    wanted = REQUIRED[kind].maker
    if roles.isdisjoint(wanted):
        state.find(
            Rule.ROLE_OF_MAKER,
            f"{maker} with one of {', '.join(sorted(wanted))} in {org or 'the whole log'}",
            ", ".join(sorted(roles)) or "no role",
        )


def check_checker(state: State, kind: str, checker: str, org: str) -> None:
    """Who says yes or no holds a checker's role in the organisation."""
    roles = state.society.roles(checker, org)
    wanted = REQUIRED[kind].checker
    if roles.isdisjoint(wanted):
        state.find(
            Rule.ROLE_OF_CHECKER,
            f"{checker} with one of {', '.join(sorted(wanted))} in {org or 'the whole log'}",
            ", ".join(sorted(roles)) or "no role",
        )


def _check_as_made(state: State, entry: Envelope, proposal: Proposal, org: str) -> None:
    made = (proposal.command, proposal.maker, proposal.org)
    found = (entry.kind, entry.by.maker, org)
    if found != made:
        state.find(
            Rule.PROPOSAL_AS_MADE, " by ".join(made[:2]) + f" in {made[2]}", " by ".join(found[:2]) + f" in {org}"
        )
    check_digests(state, "salt", entry.by.salt)
    opened = commitment(entry.body, entry.by.salt)
    if opened != proposal.commitment:
        state.find(Rule.PROPOSAL_COMMITMENT, proposal.commitment, opened)


def _check_checkers(state: State, entry: Envelope, proposal: Proposal, needed: int) -> None:
    checkers = entry.by.checkers
    if len({entry.by.maker, *checkers}) != 1 + len(checkers):
        state.find(Rule.FOUR_EYES, "a maker and other people, each once", f"{entry.by.maker}: {', '.join(checkers)}")
    for checker in checkers:
        for org in sorted(proposal.orgs):
            check_checker(state, entry.kind, checker, org)
    approved = [checker for checker in proposal.approvals if checker in checkers]
    if len(approved) < max(needed, 1) or approved != [*dict.fromkeys(checkers)]:
        expected = f"{max(needed, 1)} at least, in the order of their approvals: {', '.join(proposal.approvals)}"
        state.find(Rule.APPROVALS, expected, ", ".join(checkers) or "nobody")
