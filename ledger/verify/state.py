"""What a replay knows after the entries it has read: no more than the rules ask for, so that ten million gifts fit."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from cryptography.x509 import Certificate

from ledger import account
from ledger.account import AccountClass
from ledger.entries import AnyBody, By, ImportApproved, Part
from ledger.log.checkpoint import Checkpoint
from ledger.verify.entry import is_day
from ledger.verify.finding import Findings
from ledger.verify.line import Line, Piece
from ledger.verify.references import References
from ledger.verify.rule import Rule
from ledger.verify.society import Society

NONE = -1
"""In place of an entry's number."""

SINGLE: Part = (1, 1)
"""The part that an undivided effect is."""


@dataclass(slots=True)
class Held:
    """What an open proposal keeps of a line: `qty` of whatever is lowest, or (lo not -1) the positions from lo."""

    line: Line
    lo: int
    qty: int


@dataclass(slots=True)
class Candidate:
    """A line that a payment might have drawn on when it was proposed."""

    oldest_seq: int
    line: Line
    available: int


@dataclass(slots=True, kw_only=True)
class Proposal:
    """An open proposal."""

    number: int
    command: str
    commitment: str
    org: str
    orgs: set[str]
    """Whose people have to agree: its own, and those whose funds or projects it takes from."""
    maker: str
    day: str
    """In Beijing, when it was made."""
    into: tuple[str, ...]
    holds: list[Held]
    qty: int
    ref: int = NONE
    """The entry whose positions a targeted one holds."""
    candidates: list[Candidate] = field(default_factory=list)
    approvals: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Run:
    """Entries that belong together: the parts of an effect, or of a proposal, as far as they have come."""

    kind: str
    body: AnyBody
    """Without what differs from part to part."""
    by: By
    first_seq: int
    count: int
    index: int = 0
    qty: int = 0
    approved: int = NONE
    """The proposal that the entry before the first part approved."""
    plan: list[Held] = field(default_factory=list)
    """Of a first-in-first-out outflow that was not proposed: the lines it draws on, in order."""
    holds: list[Held] = field(default_factory=list)
    """Of a proposal: what its parts hold so far."""
    is_broken: bool = False
    """One of these holds is of no account that could be held."""
    into: Line | None = None
    """The account that its parts go into."""
    costs: list[tuple[str, str, str]] = field(default_factory=list)
    """Of a payment of management cost: funds and years it counts in."""
    end: tuple[Line, int, Line] | None = None
    """The line last taken from, where that ended, and where it went."""

    @property
    def is_whole(self) -> bool:
        """Whether the last part was read."""
        return self.index >= self.count


@dataclass(slots=True)
class Payment:
    """What may be confirmed of it, and what the payee got."""

    org: str
    piece: Piece
    year: str
    is_management: bool
    qty: int = 0
    returned: int = 0
    confirmed: int = 0


@dataclass(slots=True)
class Cost:
    """What a fund paid in a year, and what of it was management."""

    spent: int = 0
    management: int = 0


@dataclass(slots=True)
class Transfer:
    """What an organisation sent to another one, and the line of the fund it left."""

    fund: Line
    piece: Piece


@dataclass(slots=True)
class Import:
    """An approved import, as far as its rows were entered."""

    approved: ImportApproved
    maker: str
    rows: int = 0
    sum_fen: int = 0
    last_row: int = 0


class TakenBack(NamedTuple):
    """An entry that was reversed."""

    kind: str
    org: str
    moved: int
    """What of it had moved on before; and of those that it corrects, if it is a right entry."""


class Righted(NamedTuple):
    """A right entry."""

    wrong: int
    right_fen: int
    moved: int
    """What had moved on with those that it corrects."""


class Stamp(NamedTuple):
    """What entry `seq` says an authority saw, and when (`at`, empty if its token says nothing)."""

    seq: int
    checkpoint: Checkpoint
    authority: str
    at: str
    is_verified: bool
    """An authority that the reader named signed the token."""


@dataclass(slots=True, kw_only=True)
class State:
    """As of the last entry that was read."""

    findings: Findings
    references: References
    origin: str
    authorities: tuple[Certificate, ...] = ()
    """Whose timestamps count; none named: none is verified."""
    position: int = NONE
    """Where the entry in hand stands in the log; what its `seq` should be."""
    at: str = ""
    day: str = ""
    """The date in Beijing at that time."""
    society: Society = field(default_factory=Society)
    lines: dict[str, Line] = field(default_factory=dict)
    project_lines: dict[tuple[str, str], list[Line]] = field(default_factory=dict)
    fund_lines: dict[str, list[Line]] = field(default_factory=dict)
    proposals: dict[int, Proposal] = field(default_factory=dict)
    imports: dict[int, Import] = field(default_factory=dict)
    allocations: dict[int, Piece] = field(default_factory=dict)
    """By first part: the positions of the project's line that it credited."""
    transfers: dict[int, Transfer] = field(default_factory=dict)
    """By first part: what was put in transit."""
    incomes: dict[int, Piece] = field(default_factory=dict)
    """The positions of a fund that each income that nobody donated credited."""
    arrivals: dict[int, tuple[int, Piece]] = field(default_factory=dict)
    """What was received of transfers, by first part: the transfer, and the positions of the fund."""
    given_back: dict[int, list[Piece]] = field(default_factory=dict)
    """Transfers and money in suspense: what reversals put back there of what others had taken."""
    given_out: dict[int, tuple[str, Piece]] = field(default_factory=dict)
    """Fees, exchange losses and refunds, by first part: the kind, and the positions of the account they went to."""
    taken_back: dict[int, TakenBack] = field(default_factory=dict)
    righted: dict[int, int] = field(default_factory=dict)
    """Entries that were taken back, and the right entries that took their place."""
    right: dict[int, Righted] = field(default_factory=dict)
    """Right entries, by first part."""
    reversed: dict[int, int] = field(default_factory=dict)
    """Entries that were taken back, and by which."""
    erased: set[int] = field(default_factory=set)
    """Gifts whose donors' data were destroyed."""
    first_parts: dict[int, int] = field(default_factory=dict)
    """Later parts of a split effect → its first part; a reversal that gave back → the entry it gave back to."""
    unidentified: dict[int, Piece] = field(default_factory=dict)
    """The positions of suspense that each `money.unidentified` credited."""
    identified: dict[int, Piece] = field(default_factory=dict)
    """The positions of its fund that each `money.identified` credited."""
    found_in: dict[int, int] = field(default_factory=dict)
    """Of these, the `money.unidentified` each was found in."""
    turnovers: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    """By account and business date: credited, consumed."""
    closed: dict[str, str] = field(default_factory=dict)
    """Organisation → the last day of its last closed period."""
    costs: dict[tuple[str, str, str], Cost] = field(default_factory=dict)
    """By organisation, fund and year: what was paid."""
    pledges: dict[int, str] = field(default_factory=dict)
    """Open ones → organisation."""
    stamps: list[Stamp] = field(default_factory=list)
    foreign: dict[int, tuple[str, str, int]] = field(default_factory=dict)
    """Gifts in a foreign currency → organisation, fund, and the fen that were booked."""
    receipts: dict[int, int] = field(default_factory=dict)
    """Gift → the entry of its fiscal receipt; negative: that was voided, and none has followed."""
    waived: set[int] = field(default_factory=set)
    """Gifts whose fiscal receipt was waived."""
    refunded: Counter[int] = field(default_factory=Counter)
    """Gift → what refunds gave back of it, and nobody took back."""
    lost: Counter[int] = field(default_factory=Counter)
    """The same of what was lost in exchange."""
    of_gift: dict[int, int] = field(default_factory=dict)
    """Refunds and losses of exchange, by first part → the gift."""
    payments: dict[int, Payment] = field(default_factory=dict)
    run: Run | None = None
    """Parts are still to come."""
    due: tuple[int, int] | None = None
    """A proposal that has its approvals, and where the last one stands: the effect comes next."""
    approved: int = NONE
    """The proposal that the entry before approved."""
    channels: set[str] = field(default_factory=set)
    """Those whose form was looked at."""
    kinds: Counter[str] = field(default_factory=Counter)

    def find(self, rule: Rule, expected: object, found: object) -> None:
        """Something is wrong with the entry in hand."""
        self.findings.add(self.position, rule, expected, found)

    def check_on(self, on: str) -> None:
        """The business date is a day, and in Beijing not after the entry's."""
        if on > self.day or not is_day(on):
            self.find(Rule.BUSINESS_DATE, f"a day until {self.day}", on)

    def taken_of(self, gift: int, taken: Counter[int]) -> int:
        """Of the gift, and of those that it corrects one after the other, each of which came before it."""
        fen = taken[gift]
        while gift in self.right:
            gift = self.right[gift].wrong
            fen += taken[gift]
        return fen

    def line(self, address: str) -> Line | None:
        """The line of a known account; None for a source, or for what the entries have not set up."""
        line = self.lines.get(address)
        if line is None and self.knows(address) and account.class_of(address) is not AccountClass.SOURCE:
            place = account.parse(address)
            line = self.lines[address] = Line(address, place)
            if place.kind == "project":
                self.project_lines.setdefault((place.org, place.rest[0]), []).append(line)
            elif place.kind == "fund":
                if self.society.funds[place.org, place.rest[0]].receipt_fee_ppm:
                    line.donors = ""
                self.fund_lines.setdefault(place.org, []).append(line)
        return line

    def heir(self, line: Line) -> Line:
        """The line of the successor, where this one's fund or project was closed."""
        if not self.society.heirs or line.place.kind not in {"fund", "project"}:
            return line
        org, rest = line.place.org, line.place.rest
        fund = self.society.heir(org, "fund", rest[-1])
        names = [fund] if line.place.kind == "fund" else [self.society.heir(org, "project", rest[0]), fund]
        return self.line(":".join((line.place.kind, org, *names))) or line

    def knows(self, address: str) -> bool:
        """Whether the entries have set this account up."""
        try:
            kind, org, rest = account.parse(address)
        except ValueError:
            return False
        if org not in self.society.organisations:
            return False
        match kind:
            case "fund":
                return (org, rest[0]) in self.society.funds
            case "project":
                return (org, rest[0]) in self.society.projects and (org, rest[1]) in self.society.funds
            case "transit":
                return rest[0] in self.society.organisations and rest[0] != org
            case _:
                return True


def part_of(body: object) -> Part:
    """(i, k): this entry is the i-th of k."""
    part: Part = getattr(body, "part", ()) or SINGLE
    return part
