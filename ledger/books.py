"""The books: the state every decision reads, and the one function that moves it on, entry by entry."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, assert_never

from ledger import account, entries
from ledger.account import Account
from ledger.entries import Entry
from ledger.line import Line, Span
from ledger.posting import NO_LINE, Hold, Origins, Posting
from ledger.refusals import Closed, NotAllowed, Unknown
from ledger.roles import Role

Known = TypeVar("Known")

WHOLE_LOG = ""
"""In place of an organisation: concerns all of them."""


@dataclass(slots=True, kw_only=True)
class Proposal:
    """An open proposal, as the log tells it."""

    command: str
    commitment: str
    holds: list[Hold]
    into: tuple[str, ...]
    maker: str
    org: str
    on: str
    """The day it was made, in Beijing."""
    approvals: list[str] = field(default_factory=list)

    @property
    def qty(self) -> int:
        """What it holds in all."""
        return sum(hold.qty for hold in self.holds)

    @property
    def orgs(self) -> set[str]:
        """The organisations whose people have to agree: its own, and those whose funds or projects it takes from."""
        return {self.org, *account.answering(hold.address for hold in self.holds)}


@dataclass(slots=True, kw_only=True)
class Import:
    """An approved import whose rows are being entered."""

    approved: entries.ImportApproved
    maker: str
    rows: int = 0
    sum_fen: int = 0
    last_row: int = 0


@dataclass(frozen=True, slots=True)
class Cost:
    """What a fund paid in a year, and what of it was management."""

    management: int = 0
    spent: int = 0


@dataclass(frozen=True, slots=True)
class Payment:
    """The year of a payment, and whether it was management cost."""

    year: str
    is_management: bool


@dataclass(slots=True, kw_only=True)
class Books:
    """What the entries up to now amount to. Only `apply` changes it; the store drops and fills `lines` and `refs`.

    What is remembered of answers (`settled` and the roles) is no part of it.
    """

    seq: int = -1
    prev: str = entries.GENESIS_PREV
    at: str = ""
    organisations: dict[str, entries.OrganisationRegistered] = field(default_factory=dict)
    staff: dict[str, dict[str, frozenset[str]]] = field(default_factory=dict)
    policy: dict[str, entries.Rule] | None = None
    expires_days: int = 0
    """How long a proposal may be approved; 0: for ever."""
    agreement_from: int = -1
    """From how many fen a gift needs a written agreement; -1: none does."""
    campaigns: dict[str, entries.CampaignRegistered] = field(default_factory=dict)
    events: dict[str, entries.EventDeclared] = field(default_factory=dict)
    funds: dict[tuple[str, str], entries.FundOpened] = field(default_factory=dict)
    projects: dict[tuple[str, str], entries.ProjectOpened] = field(default_factory=dict)
    proposals: dict[int, Proposal] = field(default_factory=dict)
    imports: dict[int, Import] = field(default_factory=dict)
    costs: dict[tuple[str, str, str], Cost] = field(default_factory=dict)
    """By organisation, fund and year."""
    payments: dict[int, Payment] = field(default_factory=dict)
    """By first part."""
    origins: dict[int, Origins] = field(default_factory=dict)
    """Of payments, refunds, later fees and losses, by first part: where their money came from."""
    pledges: dict[int, str] = field(default_factory=dict)
    """Open ones → organisation."""
    reversed: dict[int, int] = field(default_factory=dict)
    """Entries that were taken back → what of each had moved on before."""
    erased: set[int] = field(default_factory=set)
    """Gifts whose donors' data were destroyed."""
    closed_funds: dict[tuple[str, str], str] = field(default_factory=dict)
    """By organisation and fund: the successor, if one was named."""
    closed_projects: dict[tuple[str, str], str] = field(default_factory=dict)
    in_transit: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By organisation and fund: what was sent and has neither arrived nor come back."""
    sent_from: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Transfers, by their first entry → organisation and fund."""
    arrived: dict[int, int] = field(default_factory=dict)
    """What was received of them, by its first entry → the transfer."""
    closed: dict[str, str] = field(default_factory=dict)
    """Organisation → the last day of its last closed period."""
    lines: dict[Account, Line] = field(default_factory=dict)
    refs: set[str] = field(default_factory=set)
    _roles: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict, compare=False, repr=False)
    """Answers of `roles` until an entry may change them."""
    settled: set[tuple[str, ...]] = field(default_factory=set, compare=False, repr=False)
    """What gifts share and was found in order, until any other entry may change that."""

    def line(self, address: str, unit: str = account.CNY) -> Line:
        """The line of an account the decision said it reads."""
        return self.lines[Account(address, unit)]

    def put(self, where: Account, line: Line) -> None:
        """Take over a line as the store kept it; what open proposals hold on it is added here."""
        for number, proposal in self.proposals.items():
            for hold in proposal.holds:
                if hold.account == where:
                    _hold(line, number, hold)
        self.lines[where] = line

    def organisation(self, org: str) -> entries.OrganisationRegistered:
        """A registered organisation. Raises Unknown."""
        return _known(self.organisations.get(org), "organisation", org)

    def fund(self, org: str, fund: str) -> entries.FundOpened:
        """An open fund. Raises Unknown, Closed."""
        if (org, fund) in self.closed_funds:
            raise Closed(f"fund {fund} is closed", fund=fund)
        return _known(self.funds.get((org, fund)), "fund", f"{org}:{fund}")

    def project(self, org: str, project: str) -> entries.ProjectOpened:
        """An open project. Raises Unknown, Closed."""
        if (org, project) in self.closed_projects:
            raise Closed(f"project {project} is closed", project=project)
        return _known(self.projects.get((org, project)), "project", f"{org}:{project}")

    def roles(self, staff: str, org: str) -> frozenset[str]:
        """The roles a person holds in an organisation. An administrator is one in every organisation below, too."""
        if (known := self._roles.get((staff, org))) is not None:  # asked for every gift of an import
            return known
        held = self.staff.get(staff, {})
        roles = held.get(org, frozenset())
        above = (held.get(each, frozenset()) for each in self._above(org))
        if any(Role.ADMINISTRATOR in each for each in above):
            roles |= {Role.ADMINISTRATOR}
        self._roles[staff, org] = roles
        return roles

    def require(self, staff: str, wanted: Iterable[Role], org: str) -> None:
        """Raises NotAllowed unless the person holds one of these roles in the organisation."""
        if self.roles(staff, org).isdisjoint(wanted):
            raise NotAllowed(
                f"{staff} holds none of {', '.join(wanted)} in {org or 'the whole log'}", roles=[*wanted], org=org
            )

    def require_any(self, staff: str, orgs: Iterable[str]) -> None:
        """Raises NotAllowed unless the person holds some role in one of these organisations, or in the whole log."""
        if not any(self.roles(staff, org) for org in (WHOLE_LOG, *orgs)):
            raise NotAllowed(f"{staff} holds no role in {', '.join(filter(None, sorted(orgs))) or 'the whole log'}")

    def administrators(self) -> set[str]:
        """Those who administer the whole log."""
        return {each for each, held in self.staff.items() if Role.ADMINISTRATOR in held.get(WHOLE_LOG, ())}

    def lies_under(self, org: str, above: str) -> bool:
        """Whether an organisation is this one, or lies below it."""
        return org == above or above in self._above(org)

    def _above(self, org: str) -> Iterable[str]:
        """The organisations above this one, nearest first; the whole log is above all."""
        while org in self.organisations:
            org = self.organisations[org].parent
            yield org
        yield WHOLE_LOG

    def came_from(self, ref: int, posting: Posting) -> list[tuple[str, int]]:
        """Of what goes home from entry `ref`: the lines it had left, and how much; empty for what is never late."""
        if ref in self.sent_from:
            return [(account.fund(*self.sent_from[ref]), posting.qty)]
        return self.origins.get(ref, Origins()).of([posting])

    def apply(self, entry: Entry, written_digest: str) -> None:
        """Move on by one entry whose bytes hash to `written_digest`. The entry was decided: nothing is checked here.

        Also how the books are read back at start: by the same code as in normal work. Lines that are not loaded are
        left alone.
        """
        assert entry.seq > self.seq, "in order; with gaps only while the store reads back all entries but the gifts"
        self.seq, self.prev, self.at = entry.seq, written_digest, entry.at
        proposal = entry.by.proposal
        for posting in entry.postings:
            if posting.src_lo != NO_LINE and (line := self.lines.get(Account(posting.src, posting.unit))):
                line.consume(posting.src_span, proposal)
            if line := self.lines.get(Account(posting.dst, posting.unit)):
                assert line.credited == posting.dst_lo, "credited beside the end of the line"
                line.credit(posting.qty, entry.seq)
        self._note(entry)
        if proposal in self.proposals:
            self._take_from_hold(proposal, entry)

    def _take_from_hold(self, number: int, entry: Entry) -> None:
        """An effect's part releases what it took; the last part resolves the proposal."""
        index, count = entries.part_of(entry.body)
        if index == count:
            self._resolve(number)
            return
        taken: Counter[Account] = Counter()
        for posting in entry.postings:
            taken[Account(posting.src, posting.unit)] += posting.qty
        starts = {(posting.src, posting.src_lo, posting.unit) for posting in entry.postings}
        proposal = self.proposals[number]
        proposal.holds = [left for hold in proposal.holds if (left := _less(hold, taken, starts)).qty]

    def _resolve(self, number: int) -> None:
        proposal = self.proposals.pop(number)
        for hold in proposal.holds:
            if line := self.lines.get(hold.account):
                line.release(number)

    def _note(self, entry: Entry) -> None:  # noqa: C901, PLR0912, PLR0915  an arm for each kind
        """What the entry says beside its postings."""
        if not isinstance(entry.body, entries.MoneyReceived):
            self.settled.clear()
        match entry.body:
            case entries.MoneyReceived() as body:  # first: nearly all entries are gifts
                if body.ref:
                    self.refs.add(body.ref)
                if body.batch and (batch := self.imports.get(body.batch)):
                    batch.rows += 1
                    batch.sum_fen += entries.qty_of(entry)
                    batch.last_row = body.row
            case entries.MoneyUnidentified(ref=ref) | entries.IncomeReceived(ref=ref):
                if ref:
                    self.refs.add(ref)
            case entries.LogOpened() as body:
                self._roles.clear()
                self.staff |= {each: {WHOLE_LOG: frozenset({Role.ADMINISTRATOR})} for each in body.administrators}
            case entries.OrganisationRegistered() as body:  # and OrganisationChanged
                self._roles.clear()
                self.organisations[body.org] = body
            case entries.StaffEnrolled() as body:
                self._roles.clear()
                held = self.staff.setdefault(body.staff, {})
                held[body.org] = held.get(body.org, frozenset()) | frozenset(body.roles)
            case entries.StaffDismissed() as body:
                self._roles.clear()
                self.staff[body.staff].pop(body.org)
            case entries.PolicySet() as body:
                self.policy = {rule.kind: rule for rule in body.rules}
                self.expires_days = body.expires_days
                self.agreement_from = body.agreement_from
            case entries.CampaignRegistered() as body:
                self.campaigns[body.campaign] = body
            case entries.EventDeclared() as body:
                self.events[body.event] = body
            case entries.FundOpened() as body:
                self.funds[body.org, body.fund] = body
            case entries.ProjectOpened() as body:
                self.projects[body.org, body.project] = body
            case entries.ProposalMade() as body:
                self._propose(entry, body)
            case entries.ProposalApproved() as body:
                self.proposals[body.proposal].approvals.append(entry.by.maker)
            case (
                entries.ProposalRejected(proposal=number)
                | entries.ProposalWithdrawn(proposal=number)
                | entries.ProposalExpired(proposal=number)
            ):
                self._resolve(number)
            case entries.ImportApproved() as body:
                self.imports[entry.seq] = Import(approved=body, maker=entry.by.maker)
            case entries.ImportCompleted() as body:
                del self.imports[body.batch]
            case entries.PledgeMade(org=org):
                self.pledges[entry.seq] = org
            case entries.PledgeEnded(ref=ref):
                del self.pledges[ref]
            case entries.FundClosed(org=org, fund=fund, successor=successor):
                self.closed_funds[org, fund] = successor
            case entries.ProjectClosed(org=org, project=project, successor=successor):
                self.closed_projects[org, project] = successor
            case entries.TransferSent():
                self._send(entry)
            case entries.TransferReceived(ref=ref) | entries.TransferReturned(ref=ref):
                self.in_transit[self.sent_from[ref]] -= entries.qty_of(entry)
                if isinstance(entry.body, entries.TransferReceived):
                    self.arrived[entry.seq - entries.part_of(entry.body)[0] + 1] = ref
            case entries.EntryReversed() as body:
                self._reverse(entry, body)
            case entries.ErasureRecorded(ref=ref):
                self.erased.add(ref)
            case entries.PeriodClosed(org=org, last_on=last_on):
                self.closed[org] = last_on
            case entries.MoneyDisbursed() as body:
                self._count_cost(entry, body)
            case entries.ExchangeSettled() | entries.FeeCharged() | entries.GiftRefunded():
                self._keep_origins(entry)
            case entries.MoneyReturned(ref=ref):
                self._return(entry, ref)
            case (
                entries.MoneyAllocated()
                | entries.MoneyReleased()
                | entries.GiftRedirected()
                | entries.MoneyIdentified()
                | entries.ReceiptIssued()
                | entries.ReceiptVoided()
                | entries.ReceiptWaived()
                | entries.SuspenseReturned()
                | entries.DeliveryConfirmed()
                | entries.CheckpointStamped()
                | entries.FeedbackPublished()
            ):
                pass  # their postings say it all, or the entries that they cite
            case body:
                assert_never(body)

    def _reverse(self, entry: Entry, body: entries.EntryReversed) -> None:
        ref = body.ref
        self.reversed[ref] = body.moved
        if ref in self.sent_from:
            self.in_transit[self.sent_from[ref]] -= entries.qty_of(entry)
        if ref in self.arrived:
            self.in_transit[self.sent_from[self.arrived[ref]]] += entries.qty_of(entry)
        if ref in self.payments:
            self._return(entry, ref)

    def _return(self, entry: Entry, payment: int) -> None:
        """What comes back of a payment was not spent, in the year in which it was paid."""
        paid = self.payments[payment]
        for address, qty in self.origins[payment].of(entry.postings):
            place = account.parse(address)
            self._add_cost((place.org, place.rest[1], paid.year), -qty, is_management=paid.is_management)

    def _send(self, entry: Entry) -> None:
        place = account.parse(entry.postings[0].src)
        source = (place.org, place.rest[0])
        self.sent_from[entry.seq - entries.part_of(entry.body)[0] + 1] = source
        self.in_transit[source] += entries.qty_of(entry)

    def _count_cost(self, entry: Entry, body: entries.MoneyDisbursed) -> None:
        paid = Payment(body.on[:4], body.spending == "management")
        self.payments[self._keep_origins(entry)] = paid
        for posting in entry.postings:
            place = account.parse(posting.src)
            self._add_cost((place.org, place.rest[1], paid.year), posting.qty, is_management=paid.is_management)

    def _keep_origins(self, entry: Entry) -> int:
        """The number of its first part."""
        number = entry.seq - entries.part_of(entry.body)[0] + 1
        self.origins[number] = self.origins.get(number, Origins()).plus(entry.postings)
        return number

    def _add_cost(self, key: tuple[str, str, str], qty: int, *, is_management: bool) -> None:
        before = self.costs.get(key, Cost())
        self.costs[key] = Cost(before.management + (qty if is_management else 0), before.spent + qty)

    def _propose(self, entry: Entry, body: entries.ProposalMade) -> None:
        index, _ = entries.part_of(body)
        number = entry.seq - index + 1
        if index == 1:
            self.proposals[number] = Proposal(
                command=body.command,
                commitment=body.commitment,
                holds=[],
                into=body.into,
                maker=entry.by.maker,
                org=body.org,
                on=entries.beijing_date(entries.moment(entry.at)).isoformat(),
            )
        self.proposals[number].holds += body.holds
        for hold in body.holds:
            if line := self.lines.get(hold.account):
                _hold(line, number, hold)


def _known(found: Known | None, what: str, name: str) -> Known:
    if found is None:
        raise Unknown(f"{what} {name} is not registered", **{what: name})
    return found


def _hold(line: Line, number: int, hold: Hold) -> None:
    if hold.lo == NO_LINE:
        line.hold_amount(number, hold.qty)
    else:
        line.hold_span(number, Span(hold.lo, hold.lo + hold.qty))


def _less(hold: Hold, taken: Mapping[Account, int], starts: Container[tuple[str, int, str]]) -> Hold:
    """What is still held after a part took so much of each account, by postings that start there.

    A held span is taken whole, by one posting.
    """
    if hold.lo == NO_LINE:
        gone = taken.get(hold.account, 0)
    else:
        gone = hold.qty if (hold.address, hold.lo, hold.unit) in starts else 0
    return Hold(hold.address, hold.lo, hold.qty - gone, hold.unit)
