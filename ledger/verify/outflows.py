"""Allocations, releases, payments and refunds: the accounts of the kind, the right positions, the donor's intent."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from ledger import account
from ledger.entries import (
    EntryReversed,
    ExchangeSettled,
    FeeCharged,
    GiftRedirected,
    GiftRefunded,
    MoneyAllocated,
    MoneyDisbursed,
    MoneyReleased,
    MoneyReturned,
    SuspenseReturned,
    TransferReceived,
    TransferReturned,
    TransferSent,
)
from ledger.verify import authority, citable, currencies, gifts, order, periods, postings, reversals, rightings, targets
from ledger.verify.entry import NO_PROPOSAL, Envelope
from ledger.verify.line import Line, Piece
from ledger.verify.persons import check_digests, check_division, check_evidence, check_few
from ledger.verify.postings import Leg
from ledger.verify.routes import books_of, destination, is_homeward
from ledger.verify.rule import Rule
from ledger.verify.runs import follow
from ledger.verify.society import fits, keeps, lies_in
from ledger.verify.state import Held, Proposal, Run, State

Targeted: TypeAlias = (
    EntryReversed
    | GiftRedirected
    | GiftRefunded
    | MoneyReleased
    | MoneyReturned
    | SuspenseReturned
    | TransferReceived
    | TransferReturned
)
Untargeted: TypeAlias = ExchangeSettled | FeeCharged | MoneyAllocated | MoneyDisbursed | TransferSent
Outflow: TypeAlias = Untargeted | Targeted
Rightable: TypeAlias = Untargeted | GiftRefunded | TransferReceived

_EVIDENCED = (
    ExchangeSettled,
    FeeCharged,
    GiftRedirected,
    GiftRefunded,
    MoneyDisbursed,
    MoneyReturned,
    SuspenseReturned,
)


def enter(state: State, entry: Envelope, body: Outflow) -> None:
    """One part of an effect that moves money. What was proposed is weighed with its first part, else with its last."""
    run = follow(state, entry, body)
    proposal = state.proposals.get(entry.by.proposal)
    if run.index == 1:
        _check_words(state, body)
        if isinstance(body, EntryReversed):
            reversals.check(state, body, proposal)
    if proposal is not None:
        authority.lift(proposal)  # what it holds is for this entry
    reading = postings.read(state, entry)
    legs = reading.legs
    is_of_kind = reading.is_sound and _is_of_kind(state, entry.kind, body, legs)
    if legs and run.index == 1 and entry.by.proposal != NO_PROPOSAL:
        qty = 0 if proposal is None else proposal.qty
        authority.check(state, entry, body, org=_org(run.kind, legs), qty=qty, approved=run.approved)
    is_right = is_of_kind and _keeps_its_way(state, run, legs, proposal) and _keeps_intent(state, body, legs)
    if is_right:
        _check_positions(state, run, body, legs, proposal)
    postings.move(entry, legs)
    periods.count(state, entry, body.on)
    run.qty += sum(leg.qty for leg in legs)
    if is_of_kind:
        citable.note(state, run, entry, body, legs)
    if legs and run.is_whole:
        _weigh(state, run, entry, body, _org(run.kind, legs))
    if proposal is not None:
        _settle(state, run, proposal, is_right=is_right)
    if reading.is_sound:
        check_available(state, {leg.src for leg in legs if leg.src is not None})


def _weigh(state: State, run: Run, entry: Envelope, body: Outflow, org: str) -> None:
    """What shows with the last part: how much was moved in all."""
    if isinstance(body, Rightable):
        rightings.check(state, entry.kind, body, org, run.qty)
    if isinstance(body, ExchangeSettled):
        currencies.check_bound(state, body)
    if entry.by.proposal == NO_PROPOSAL:
        authority.check(state, entry, body, org=org, qty=run.qty, approved=run.approved)


def check_available(state: State, lines: Iterable[Line]) -> None:
    """What others hold stays covered."""
    for line in sorted(lines, key=repr):
        if line.available < 0:
            state.find(Rule.AVAILABLE, f"{line}: 0 or more available", line.available)


def _check_words(state: State, body: Outflow) -> None:
    """What the body says beside the money."""
    state.check_on(body.on)
    if isinstance(body, MoneyDisbursed):
        check_few(state, body.beneficiaries, body.region)
        check_division(state, body.region)
    if isinstance(body, FeeCharged):
        gifts.check_channel(state, body.channel)
    if isinstance(body, _EVIDENCED):
        check_evidence(state, body.evidence)


def _org(kind: str, legs: Sequence[Leg]) -> str:
    """In whose books the entry is."""
    return books_of(kind, legs[0].dst.place)


def _is_of_kind(state: State, kind: str, body: Outflow, legs: Sequence[Leg]) -> bool:
    """From the accounts of this kind and body to one account, or each back to its own."""
    sources = [leg.src.place for leg in legs if leg.src is not None]
    into = {leg.dst for leg in legs}
    if sources and len(sources) == len(legs) and (len(into) == 1 or is_homeward(kind, legs[0].dst.place)):
        is_this_project = not isinstance(body, MoneyDisbursed) or sources[0].rest[:1] == (body.project,)
        if is_this_project and all(destination(kind, sources, dst.place) == dst.name for dst in into):
            return True
    told = ", ".join(f"{leg.src} → {leg.dst}" for leg in legs[:3])
    state.find(Rule.POSTINGS_OF_KIND, "postings between the accounts of its kind and body", told or "no postings")
    return False


def _keeps_its_way(state: State, run: Run, legs: Sequence[Leg], proposal: Proposal | None) -> bool:
    """Into the accounts that were proposed, every part into the same one; what comes back, to where it left."""
    dst = legs[0].dst
    if proposal is not None and not {leg.dst.name for leg in legs} <= {*proposal.into}:
        state.find(Rule.PROPOSAL_HOLDS, f"into {', '.join(proposal.into) or 'no account'}", f"into {dst}")
        return False
    if is_homeward(run.kind, dst.place):
        found = [(Piece(leg.src, leg.src_lo, leg.src_hi), leg.dst) for leg in legs if leg.src is not None]
        homes = [home for piece, _ in found for home in targets.homes(state, [piece])]
        if [each for _, each in homes] != [each for _, each in found]:
            told = ", ".join(f"{piece.line} [{piece.lo}, {piece.hi}) → {home}" for piece, home in homes[:3])
            state.find(Rule.RETURN_HOME, told, f"into {', '.join(map(repr, dict.fromkeys(leg.dst for leg in legs)))}")
            return False
        return _fits_successors(state, legs)
    if run.into is None:
        run.into = dst
    if run.into is not dst:
        state.find(Rule.PARTS, f"all parts into {run.into}", f"into {dst}")
        return False
    return True


def _keeps_intent(state: State, body: Outflow, legs: Sequence[Leg]) -> bool:
    """The restriction at allocation; spending and recipient where money is paid."""
    if isinstance(body, MoneyAllocated):
        org, (project, fund) = legs[0].dst.place.org, legs[0].dst.place.rest
        restriction = state.society.funds[org, fund].restriction
        if not fits(restriction, state.society.projects[org, project]):
            state.find(Rule.RESTRICTION, f"a project that has {restriction}", project)
            return False
    if isinstance(body, GiftRedirected):
        return _keeps_consent(state, body, legs)
    if isinstance(body, TransferReceived | TransferReturned):
        return _keeps_promises(state, body, legs[0].dst)
    if isinstance(body, ExchangeSettled | FeeCharged) and legs[0].src is not None:
        return _keeps_clause(state, body, legs[0].src)
    if isinstance(body, MoneyDisbursed):
        for line in dict.fromkeys(leg.src for leg in legs if leg.src is not None):
            if not order.allows_spending(state, body, line):
                state.find(Rule.SPENDING, "lines whose fund allows this spending", f"{body.spending} from {line}")
                return False
            if not order.pays_recipient(state, body, line):
                state.find(Rule.RECIPIENT, f"the recipient whom the fund of {line} names", body.payee)
                return False
        return _keeps_region(state, body, legs[0].dst.place.org)
    return True


def _fits_successors(state: State, legs: Sequence[Leg]) -> bool:
    """What comes home to another project, or with another fund, comes where its donors wanted it."""
    for place in dict.fromkeys(leg.dst.place for leg in legs if leg.dst.place.kind == "project"):
        project, fund = place.rest
        restriction = state.society.funds[place.org, fund].restriction
        if not fits(restriction, state.society.projects[place.org, project]):
            state.find(Rule.RESTRICTION, f"a project that has {restriction}", project)
            return False
    return True


def _keeps_consent(state: State, body: GiftRedirected, legs: Sequence[Leg]) -> bool:
    """The donor agreed, or every promise of the funds that the money leaves is kept."""
    if body.consent:
        check_digests(state, "consent", body.consent)
        return True
    into = state.society.funds[legs[0].dst.place.org, legs[0].dst.place.rest[0]]
    for line in dict.fromkeys(leg.src for leg in legs if leg.src is not None):
        if not keeps(state.society.funds[line.place.org, line.place.rest[-1]], into):
            state.find(Rule.CONSENT, "the donor's consent, or a fund as narrow as before", f"from {line}")
            return False
    return True


def _keeps_clause(state: State, body: ExchangeSettled | FeeCharged, src: Line) -> bool:
    """A fund bears a later fee where its clause says so, and the losses of gifts it got in another currency."""
    if isinstance(body, ExchangeSettled):
        return currencies.is_of_gift(state, body, src)
    if not state.society.funds[src.place.org, src.place.rest[0]].charges:
        state.find(Rule.FEE_CLAUSE, "a fund whose clause allows later fees", src)
        return False
    return True


def _keeps_promises(state: State, body: TransferReceived | TransferReturned, into: Line) -> bool:
    """Another organisation's fund is as narrow as the sending one, or narrower; what comes back, comes back to that.

    Or to its successor, where it was closed.
    """
    sent = state.transfers.get(body.ref)
    if sent is None:
        return True  # said where positions are compared
    if isinstance(body, TransferReturned):
        home = state.heir(sent.fund)
        if into is not home:
            state.find(Rule.RETURN_HOME, f"into {home}", f"into {into}")
        return into is home
    funds = [state.society.funds[line.place.org, line.place.rest[0]] for line in (sent.fund, into)]
    if not keeps(*funds):
        state.find(Rule.RESTRICTION, f"a fund that keeps every promise of {sent.fund}", into)
        return False
    return True


def _keeps_region(state: State, body: MoneyDisbursed, org: str) -> bool:
    """A payment lies in its project's region or names a wider one."""
    region = state.society.projects[org, body.project].region
    if lies_in(body.region, region) or lies_in(region, body.region):
        return True
    state.find(Rule.PAYMENT_REGION, f"in {region}, or a division that it lies in", body.region)
    return False


def _check_positions(state: State, run: Run, body: Outflow, legs: Sequence[Leg], proposal: Proposal | None) -> None:
    """Exactly the positions that first in, first out or the cited entry gives."""
    taken = postings.pieces(legs)
    org = legs[0].dst.place.org
    if isinstance(body, Targeted):
        if proposal is not None:
            _check_held_target(state, body, taken, proposal)
        else:
            _check_target(state, run, body, legs[0].dst, taken)
    elif proposal is not None:
        if run.index == 1 and isinstance(body, MoneyDisbursed):
            _check_chosen(state, body, proposal)
        _check_held_order(state, taken, proposal)
    else:
        if not run.plan:
            run.plan = _plan(state, body, org, taken[0].line)
        _check_order(state, run, body, taken)
    if run.end == (taken[0].line, taken[0].lo, legs[0].dst):
        state.find(Rule.FIRST_IN_FIRST_OUT, "parts whose postings could not be one", told(taken[:1]))
    run.end = (taken[-1].line, taken[-1].hi, legs[-1].dst)


def _check_held_target(state: State, body: Targeted, taken: list[Piece], proposal: Proposal) -> None:
    held = [Piece(hold.line, hold.lo, hold.lo + hold.qty) for hold in proposal.holds[: len(taken)]]
    del proposal.holds[: len(taken)]
    if taken != held:
        state.find(Rule.PROPOSAL_HOLDS, told(held), told(taken))
    elif body.ref != proposal.ref:
        state.find(Rule.TARGET_CITED, f"entry {proposal.ref}, whose positions were held", body.ref)


def _check_target(state: State, run: Run, body: Targeted, into: Line, taken: list[Piece]) -> None:
    expected = targets.left(state, run.kind, body.ref, run.by.maker, into, _qty(taken))
    if expected is None:
        state.find(Rule.TARGET_CITED, f"an entry of {into.place.org} that {run.kind} may cite", body.ref)
    elif taken != expected:
        state.find(Rule.TARGET_CITED, told(expected), told(taken))


def _check_chosen(state: State, body: MoneyDisbursed, proposal: Proposal) -> None:
    """A proposed payment draws on the lines that were the oldest when it was proposed."""
    expected = order.chosen(state, body, proposal.candidates, proposal.qty)
    if expected != proposal.holds:
        told = [", ".join(f"{each.qty} of {each.line}" for each in plan) for plan in (expected, proposal.holds)]
        state.find(Rule.OLDEST_LINE_FIRST, *told)


def _check_held_order(state: State, taken: list[Piece], proposal: Proposal) -> None:
    expected = order.take(proposal.holds, _qty(taken))
    if taken != expected:
        is_order = order.by_line(taken) == order.by_line(expected)
        state.find(Rule.FIRST_IN_FIRST_OUT if is_order else Rule.PROPOSAL_HOLDS, told(expected), told(taken))


def _plan(state: State, body: Untargeted, org: str, src: Line) -> list[Held]:
    """The lines that an outflow without a proposal draws on, in order; how much it takes shows with its last part."""
    if not isinstance(body, MoneyDisbursed):
        return [Held(src, order.AMOUNT, account.MAX_POSITION)]
    return order.chosen(state, body, order.candidates(state, org, body.project), account.MAX_POSITION)


def _check_order(state: State, run: Run, body: Untargeted, taken: list[Piece]) -> None:
    expected = order.take(run.plan, _qty(taken))
    if taken == expected:
        return
    if order.by_line(taken) == order.by_line(expected):
        rule = Rule.FIRST_IN_FIRST_OUT
    elif isinstance(body, MoneyDisbursed) and _qty(taken) == _qty(expected):
        rule = Rule.OLDEST_LINE_FIRST
    else:
        rule = Rule.AVAILABLE
    state.find(rule, told(expected), told(taken))


def _settle(state: State, run: Run, proposal: Proposal, *, is_right: bool) -> None:
    """A part gives back of the hold what it took; the last part resolves the proposal."""
    if not run.is_whole:
        authority.lay(proposal)
        return
    left = sum(hold.qty for hold in proposal.holds)
    if left and is_right:
        state.find(Rule.PROPOSAL_HOLDS, f"all {proposal.qty} that were held", f"{left} left")
    del state.proposals[proposal.number]


def _qty(pieces: Iterable[Piece]) -> int:
    return sum(hi - lo for _, lo, hi in pieces)


def told(pieces: Sequence[Piece]) -> str:
    """Positions, for a finding."""
    shown = ", ".join(f"{line} [{lo}, {hi})" for line, lo, hi in pieces[:4])
    return f"{shown}, … {len(pieces)} in all" if len(pieces) > 4 else shown or "nothing"
