"""Proposals: what they hold, who may approve, reject or withdraw them, and that each is resolved once."""

from datetime import date

from ledger.account import CNY
from ledger.entries import ProposalApproved, ProposalExpired, ProposalMade, ProposalRejected, ProposalWithdrawn
from ledger.verify import authority, order, outflows, reversals, targets
from ledger.verify.entry import NO_LINE, Envelope
from ledger.verify.line import Piece
from ledger.verify.persons import check_digests
from ledger.verify.postings import MAX_POSTINGS, none
from ledger.verify.roles import REQUIRED
from ledger.verify.routes import OUTFLOWS, PAYMENT, REVERSAL, TARGETED, books_of, destination, is_homeward
from ledger.verify.rule import Rule
from ledger.verify.runs import follow
from ledger.verify.state import Held, Proposal, Run, State

IMPORT = "import.approved"


def made(state: State, entry: Envelope, body: ProposalMade) -> None:
    """Part by part; a proposal is weighed when its last part was read, and nothing can come between."""
    none(state, entry)
    authority.check_alone(state, entry)
    if len(body.holds) > MAX_POSTINGS:
        state.find(Rule.POSTING_COUNT, f"at most {MAX_POSTINGS} holds", len(body.holds))
    check_digests(state, "commitment", body.commitment)
    run = follow(state, entry, body)
    for hold in body.holds:
        line = state.line(hold.address)
        if line is None or hold.unit != CNY or hold.qty <= 0 or hold.lo < NO_LINE:
            run.is_broken = True
        else:
            run.holds.append(Held(line, hold.lo, hold.qty))
    if run.is_whole:
        _open(state, run, body)


def approved(state: State, entry: Envelope, body: ProposalApproved) -> None:
    """One approval; with the last one that is needed, the effect comes next."""
    proposal = _answer(state, entry, body)
    if proposal is None:
        return
    for org in sorted(proposal.orgs):
        authority.check_checker(state, proposal.command, entry.by.maker, org)
    if _is_late(state, proposal):
        state.find(Rule.PROPOSAL_EXPIRY, f"within {state.society.expires_days} days of {proposal.day}", state.day)
    if entry.by.maker in {proposal.maker, *proposal.approvals}:
        state.find(Rule.FOUR_EYES, "somebody else than the maker and those who approved", entry.by.maker)
    else:
        proposal.approvals.append(entry.by.maker)
    state.approved = proposal.number
    wanted = REQUIRED[proposal.command].checker
    standing = [
        each
        for each in proposal.approvals
        if not any(state.society.roles(each, org).isdisjoint(wanted) for org in proposal.orgs)
    ]
    if len(standing) >= max(_needed(state, proposal), 1):
        state.due = (proposal.number, state.position)


def rejected(state: State, entry: Envelope, body: ProposalRejected) -> None:
    """A checker's no."""
    proposal = _answer(state, entry, body)
    if proposal is None:
        return
    authority.check_checker(state, proposal.command, entry.by.maker, proposal.org)
    if entry.by.maker == proposal.maker:
        state.find(Rule.FOUR_EYES, "somebody else than the maker", entry.by.maker)
    authority.resolve(state, proposal)


def withdrawn(state: State, entry: Envelope, body: ProposalWithdrawn) -> None:
    """Its maker alone takes a proposal back."""
    proposal = _answer(state, entry, body)
    if proposal is None:
        return
    if entry.by.maker != proposal.maker:
        state.find(Rule.PROPOSAL_AS_MADE, f"withdrawn by {proposal.maker}", entry.by.maker)
    authority.resolve(state, proposal)


def expired(state: State, entry: Envelope, body: ProposalExpired) -> None:
    """Its days are over; by somebody who could have made or checked it."""
    proposal = _answer(state, entry, body)
    if proposal is None:
        return
    if not _is_late(state, proposal):
        state.find(Rule.PROPOSAL_EXPIRY, f"{state.society.expires_days} days after {proposal.day}", state.day)
    required = REQUIRED[proposal.command]
    if state.society.roles(entry.by.maker, proposal.org).isdisjoint(required.maker | required.checker):
        state.find(Rule.ROLE_OF_MAKER, f"a maker's or checker's role in {proposal.org}", entry.by.maker)
    authority.resolve(state, proposal)


def _is_late(state: State, proposal: Proposal) -> bool:
    days = state.society.expires_days
    if not (days > 0 and proposal.day):
        return False
    return (date.fromisoformat(state.day) - date.fromisoformat(proposal.day)).days > days


def _answer(
    state: State, entry: Envelope, body: ProposalApproved | ProposalRejected | ProposalWithdrawn | ProposalExpired
) -> Proposal | None:
    """The open proposal that an answer is about."""
    none(state, entry)
    authority.check_alone(state, entry)
    proposal = state.proposals.get(body.proposal)
    if proposal is None:
        state.find(Rule.PROPOSAL_OPEN, "an open proposal", body.proposal)
    elif body.org != proposal.org:
        state.find(Rule.PROPOSAL_AS_MADE, f"in {proposal.org}", body.org)
    return proposal


def _needed(state: State, proposal: Proposal) -> int:
    """How many approvals make the effect happen. What an import allows shows with its effect: then, at most so many."""
    if proposal.command == IMPORT:
        return state.society.most_approvals(IMPORT)
    return state.society.approvals(proposal.command, proposal.qty)


def _open(state: State, run: Run, body: ProposalMade) -> None:
    """Weigh a whole proposal: the maker's role, what it holds, what stays available."""
    if body.command not in REQUIRED or not REQUIRED[body.command].checker:
        state.find(Rule.PROPOSAL_FORM, "a command that somebody may check", body.command)
        return
    proposal = Proposal(
        number=run.first_seq,
        command=body.command,
        commitment=body.commitment,
        org=body.org,
        orgs={body.org},
        maker=run.by.maker,
        day=state.day,
        into=body.into,
        holds=run.holds,
        qty=sum(hold.qty for hold in run.holds),
    )
    state.proposals[proposal.number] = proposal
    places = [hold.line.place for hold in run.holds]
    proposal.orgs |= {place.org for place in places if place.kind in {"fund", "project"}}
    for org in sorted(proposal.orgs):
        authority.check_maker(state, body.command, proposal.maker, org)
    if run.is_broken or not _holds_what_it_takes(state, proposal):
        told = ", ".join(f"{hold.qty} of {hold.address} from {hold.lo}" for hold in body.holds[:3])
        state.find(Rule.PROPOSAL_FORM, f"the holds and the account of {body.command}", f"{told} into {body.into}")
        proposal.holds = []
        return
    if body.command == PAYMENT:
        place = proposal.holds[0].line.place
        proposal.candidates = order.candidates(state, place.org, place.rest[0])
    if body.command in TARGETED and not _holds_its_target(state, proposal):
        proposal.holds = []
        return
    authority.lay(proposal)
    outflows.check_available(state, {hold.line for hold in proposal.holds})


def _holds_what_it_takes(state: State, proposal: Proposal) -> bool:
    """Amounts of lines, each once, or positions; of the accounts that its kind draws on and goes to."""
    if proposal.command not in OUTFLOWS:
        return not proposal.holds and not proposal.into
    into = [line for address in proposal.into if (line := state.line(address)) is not None]
    if not into or not proposal.holds or any(books_of(proposal.command, line.place) != proposal.org for line in into):
        return False
    if len(into) != len(proposal.into) or (len(into) > 1 and not is_homeward(proposal.command, into[0].place)):
        return False
    is_targeted = proposal.command in TARGETED
    if any((hold.lo >= 0) is not is_targeted for hold in proposal.holds):
        return False
    lines = [hold.line for hold in proposal.holds]
    if not is_targeted and len(set(lines)) != len(lines):
        return False
    places = [line.place for line in lines]
    return all(destination(proposal.command, places, line.place) == line.name for line in into)


def _holds_its_target(state: State, proposal: Proposal) -> bool:
    """Positions tell whose they are; they are all that entry leaves, in its order, up to where the proposal ends."""
    first = proposal.holds[0]
    into = state.lines[proposal.into[0]]
    proposal.ref = targets.cited_by(state, proposal.command, first.line, first.lo, into)
    held = [Piece(hold.line, hold.lo, hold.lo + hold.qty) for hold in proposal.holds]
    expected = targets.left(state, proposal.command, proposal.ref, proposal.maker, into, proposal.qty)
    if held != expected:
        told = outflows.told(expected or [])
        state.find(Rule.TARGET_CITED, f"of entry {proposal.ref}: {told}", outflows.told(held))
        return False
    if is_homeward(proposal.command, into.place):
        homes = tuple(dict.fromkeys(home.name for _, home in targets.homes(state, held)))
        if homes != proposal.into:
            state.find(Rule.RETURN_HOME, f"into {', '.join(homes)}", f"into {', '.join(proposal.into)}")
            return False
    if proposal.command == REVERSAL:
        reversals.check_proposed(state, proposal, into)
    return True
