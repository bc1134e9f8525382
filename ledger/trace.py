"""Traces: where every fen of a gift is, and how it got there. Pieces, entries and names come in as arguments."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from typing import Any, Literal, NamedTuple

from ledger import account, entries
from ledger.entries import DonorClass, Entry
from ledger.fiscal import standing


class Piece(NamedTuple):
    """A run of the traced positions, as one posting moved them (or, backward, as one posting brought them).

    `off` counts from the first traced position; the positions [off, off+qty) lie at [lo, lo+qty) of the line of
    `address`. Within one depth pieces do not overlap.
    """

    depth: int
    off: int
    qty: int
    address: str
    unit: str
    lo: int
    seq: int
    n: int


def resting(pieces: Iterable[Piece]) -> list[Piece]:
    """The parts of the pieces that no later posting moved on, in order of the traced positions: the leaves.

    Pieces come by depth, then by `off`.
    """
    depths = [[*each] for _, each in groupby(pieces, lambda piece: piece.depth)]
    leaves: list[Piece] = []
    for here, moved in zip(depths, [*depths[1:], []], strict=True):
        following = iter(moved)
        onward = next(following, None)
        for piece in here:
            at, end = piece.off, piece.off + piece.qty
            while onward is not None and onward.off < end:  # what moved on lies wholly in one piece
                if at < onward.off:
                    leaves.append(_part(piece, at, onward.off))
                at = onward.off + onward.qty
                onward = next(following, None)
            if at < end:
                leaves.append(_part(piece, at, end))
    return sorted(leaves, key=lambda leaf: leaf.off)


def until_suspense(pieces: list[Piece]) -> list[Piece]:
    """Without what came of money that went back into suspense: whatever it is identified as next is another gift."""
    stopped = [each for each in pieces if each.depth and each.address.startswith("suspense:")]
    if not stopped:
        return pieces
    return [
        each
        for each in pieces
        if not any(stop.depth < each.depth and stop.off <= each.off < stop.off + stop.qty for stop in stopped)
    ]


class State(StrEnum):
    """Where money is on its way: one word for each state, and never one word for two. In the order of pages."""

    CONFIRMED = "confirmed"
    """Paid, and the recipients confirmed the whole payment."""
    PAID = "paid"
    REFUNDED = "refunded"
    LOST = "lost"
    """Lost in an exchange of currency."""
    FEES = "fees"
    """Kept by a channel or platform, as the fund's clause allows."""
    IN_TRANSIT = "in_transit"
    """Sent to another organisation, not yet received there."""
    VOIDED = "voided"
    """Entered wrongly, and taken back."""
    ALLOCATED = "allocated"
    """In a project, not spent."""
    HELD = "held"
    """In its fund, not allocated."""


FiscalState = Literal["none", "issued", "voided", "anonymous", "declined"]
"""What the log says of a gift's fiscal receipt: nothing; one holds; the last was voided; waived, and why."""


@dataclass(frozen=True, slots=True)
class Named:
    """An id and what it is called."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Began(Named):
    """An event and the day it began."""

    began: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the ids of a trace are called. Funds and projects by (organisation, id)."""

    organisations: Mapping[str, str]
    funds: Mapping[tuple[str, str], str]
    projects: Mapping[tuple[str, str], str]
    events: Mapping[str, str]
    began: Mapping[str, str] = field(default_factory=dict)
    """Events → the day each began, where its entry says so."""
    serves: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Projects by (organisation, id) → the event they are for."""

    def organisation(self, org: str) -> Named:
        """An organisation."""
        return Named(org, self.organisations[org])

    def fund(self, org: str, fund: str) -> Named:
        """A fund of an organisation."""
        return Named(fund, self.funds[org, fund])

    def project(self, org: str, project: str) -> Named:
        """A project of an organisation."""
        return Named(project, self.projects[org, project])


class Campaign(NamedTuple):
    """The campaign a gift belongs to."""

    id: str
    name: str
    last_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """A gift as its entry tells it."""

    seq: int
    sha256: str
    on: str
    organisation: Named
    fund: Named
    event: Named | None
    campaign: Named | None
    late: bool
    """It came after the last day of that campaign."""
    fiscal: FiscalState
    amount_fen: int
    channel: str
    donor_class: DonorClass
    batch: int | None
    """The import it came with."""
    entering: bool
    """Rows of that import are still being entered."""
    earlier_than: tuple[Began, ...]
    """Events it was given for, or used for, that began after it was given: it came to a standing fund."""
    currency: str
    original: int
    """In the currency's smallest unit; 0 where the gift was in CNY."""
    rate: str
    corrects: int | None
    """The wrong entry whose place it took."""
    right_fen: int
    """Then, what would have been right: a part of it had gone its way with the wrong entry. 0 for other gifts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What one entry (all its parts) says of the money it moved, or of the payment it speaks of."""

    seq: int
    on: str
    organisation: Named
    other: Named | None
    """Of a transfer: the organisation at the other end."""
    fund: Named | None
    project: Named | None
    entry_amount_fen: int
    decision: str
    purpose: str
    payee: str
    spending: str
    region: str
    beneficiaries: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf(Move):
    """Where a part of the gift is now, and the entry that put it there."""

    state: State
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Move):
    """Something that happened to the gift. `amount_fen`: this gift's part; of a statement, in the payment `ref`."""

    kind: str
    amount_fen: int
    ref: int | None
    approvals: int
    reason: str
    outcome: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The whole answer. The leaves always sum to the gift."""

    gift: Gift
    states: Mapping[State, int]
    leaves: tuple[Leaf, ...]
    steps: tuple[Step, ...]
    """The newest first."""

    @property
    def reversal(self) -> Step | None:
        """How the gift itself was taken back, if it was."""
        return next((each for each in self.steps if (each.kind, each.ref) == ("entry.reversed", self.gift.seq)), None)

    def __post_init__(self) -> None:
        for shown in (sum(leaf.amount_fen for leaf in self.leaves), sum(self.states.values())):
            assert shown == self.gift.amount_fen, f"entry {self.gift.seq}: {self.gift.amount_fen} fen, {shown} traced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the log holds of a gift."""

    gift: Entry
    sha256: str
    pieces: Sequence[Piece]
    """Forward from the gift's own credits."""
    moves: Mapping[int, Entry]
    """The entries of all pieces after those."""
    totals: Mapping[int, int]
    """Effect → what all its parts moved."""
    citing: Sequence[Entry]
    """Confirmations and feedback about its payments."""
    entering: bool
    campaign: Campaign | None = None
    receipts: Sequence[Entry] = ()
    """What was said of its fiscal receipts, in the order of the log."""


def effect_of(entry: Entry) -> int:
    """The number an entry's effect is cited by: that of its first part."""
    return entry.seq - entries.part_of(entry.body)[0] + 1


def effects(moves: Iterable[Entry]) -> dict[int, int]:
    """Effects → their last entries."""
    return {first: first + entries.part_of(entry.body)[1] - 1 for entry in moves for first in [effect_of(entry)]}


def assemble(found: Found, names: Names) -> Trace:
    """Put the answer together."""
    leaves = sorted(_leaves(found, names), key=lambda leaf: (_ORDER[leaf.state], -leaf.amount_fen, leaf.seq))
    states = dict.fromkeys(State, 0)
    for leaf in leaves:
        states[leaf.state] += leaf.amount_fen
    steps = sorted(_steps(found, names), key=lambda step: -step.seq)
    return Trace(gift=_gift(found, names), states=states, leaves=tuple(leaves), steps=tuple(steps))


def _gift(found: Found, names: Names) -> Gift:
    entry, body = found.gift, found.gift.body
    assert isinstance(body, entries.MoneyReceived | entries.MoneyIdentified)
    org = entries.org_of(entry)
    return Gift(
        seq=entry.seq,
        sha256=found.sha256,
        on=body.on,
        organisation=names.organisation(org),
        fund=names.fund(org, body.fund),
        event=Named(body.event, names.events[body.event]) if body.event else None,
        campaign=Named(found.campaign.id, found.campaign.name) if found.campaign else None,
        late=found.campaign is not None and body.on > found.campaign.last_on,
        fiscal=_fiscal(found.receipts),
        amount_fen=entries.qty_of(entry),
        channel=body.channel,
        donor_class=body.donor_class,
        batch=getattr(body, "batch", 0) or None,
        entering=found.entering,
        currency=getattr(body, "currency", ""),
        original=getattr(body, "original", 0),
        rate=getattr(body, "rate", ""),
        corrects=getattr(body, "corrects", 0) or None,
        right_fen=getattr(body, "right_fen", 0),
        earlier_than=tuple(_later_events(found, body.on, names)),
    )


def _fiscal(receipts: Sequence[Entry]) -> FiscalState:
    now = standing(receipts)
    if now.issued:
        return "issued"
    return now.waived or ("voided" if now.voided else "none")


def _later_events(found: Found, on: str, names: Names) -> Iterator[Began]:
    """Of the gift's own event and of those its money was used for, by id."""
    its = {getattr(found.gift.body, "event", "")}
    for piece in found.pieces:
        kind, org, ids = account.parse(piece.address)
        if kind == "project":
            its.add(names.serves.get((org, ids[0]), ""))
    for event in sorted(its):
        if (began := names.began.get(event, "")) and on < began:
            yield Began(event, names.events[event], began)


def _leaves(found: Found, names: Names) -> Iterator[Leaf]:
    """One for each place, and for each payment or refund."""
    confirmed = _confirmed(found.citing)
    amounts: Counter[tuple[str, int]] = Counter()
    latest: dict[tuple[str, int], Piece] = {}
    for piece in resting(found.pieces):
        where = (piece.address, 0 if _is_place(piece.address) else effect_of(_entry(found, piece)))
        amounts[where] += piece.qty
        latest[where] = max(latest.get(where, piece), piece, key=lambda each: each.seq)
    for where, piece in latest.items():
        entry = _entry(found, piece)
        total = _total(found, entry)
        place = piece.address if _is_place(piece.address) else _came_from(entry, piece)
        yield Leaf(
            state=_state(piece.address, whole=confirmed[effect_of(entry)] == total),
            amount_fen=amounts[where],
            entry_amount_fen=total,
            **_said(entry, place, names),
        )


def _steps(found: Found, names: Names) -> Iterator[Step]:
    """The gift itself, each effect that moved a part of it, and what was said of its payments."""
    parts: Counter[int] = Counter()
    first: dict[int, Piece] = {}
    for piece in found.pieces:
        effect = effect_of(_entry(found, piece))
        parts[effect] += piece.qty
        first.setdefault(effect, piece)
    for effect, piece in first.items():
        entry = _entry(found, piece)
        posting = entry.postings[piece.n]
        # Money that goes to a project, or comes back from one: the project's line says more than the fund's. Of another
        # purpose, the new one does.
        is_new_purpose = isinstance(entry.body, entries.GiftRedirected)
        place = posting.dst if is_new_purpose else max((posting.dst, posting.src), key=_tells)
        yield _step(entry, place, names, part=parts[effect], total=_total(found, entry))
    for entry in found.citing:
        body = entry.body
        assert isinstance(body, entries.DeliveryConfirmed | entries.FeedbackPublished)
        said = body.qty if isinstance(body, entries.DeliveryConfirmed) else found.totals[body.ref]
        yield _step(entry, "", names, part=parts[body.ref], total=said)


def _step(entry: Entry, place: str, names: Names, *, part: int, total: int) -> Step:
    body = entry.body
    return Step(
        kind=entry.kind,
        amount_fen=part,
        entry_amount_fen=total,
        ref=ref if isinstance(ref := getattr(body, "ref", None), int) else None,
        approvals=len(entry.by.checkers),
        reason=getattr(body, "reason", ""),
        outcome=getattr(body, "outcome", ""),
        text=getattr(body, "text", "") or getattr(body, "statement", ""),
        **_said(entry, place, names),
    )


def _said(entry: Entry, place: str, names: Names) -> dict[str, Any]:
    """What entries of several kinds say under these names, and the names of a place."""
    body = entry.body
    fund = project = None
    if place:
        kind, org, ids = account.parse(place)
        fund = names.fund(org, ids[-1]) if kind in {"fund", "project"} else None
        project = names.project(org, ids[0]) if kind == "project" else None
    return {
        "seq": effect_of(entry),
        "on": getattr(body, "on", ""),
        "organisation": names.organisation(entries.org_of(entry)),
        "other": names.organisation(other) if (other := _other_end(entry)) else None,
        "fund": fund,
        "project": project,
        "decision": getattr(body, "decision", ""),
        "purpose": getattr(body, "purpose", ""),
        "payee": getattr(body, "payee", ""),
        "spending": getattr(body, "spending", ""),
        "region": getattr(body, "region", ""),
        "beneficiaries": getattr(body, "beneficiaries", ""),
        "evidence": getattr(body, "evidence", ()),
    }


def _state(address: str, *, whole: bool) -> State:
    match account.parse(address).kind:
        case "fund":
            return State.HELD
        case "project":
            return State.ALLOCATED
        case "transit":
            return State.IN_TRANSIT
        case "voided" | "suspense":
            return State.VOIDED
        case "payees":
            return State.CONFIRMED if whole else State.PAID
        case "refunds":
            return State.REFUNDED
        case "fees":
            return State.FEES
        case "losses":
            return State.LOST
        case kind:
            raise AssertionError(f"a trace that ends in {kind}")


def _confirmed(citing: Iterable[Entry]) -> Counter[int]:
    """Payments → what their recipients confirmed as good."""
    amounts: Counter[int] = Counter()
    for entry in citing:
        if isinstance(entry.body, entries.DeliveryConfirmed) and entry.body.outcome == "ok":
            amounts[entry.body.ref] += entry.body.qty
    return amounts


def _tells(address: str) -> tuple[bool, bool]:
    """How much an address says of where money is."""
    return account.parse(address).kind == "project", _is_place(address)


def _is_place(address: str) -> bool:
    """Where money waits to be used; what is in transit, paid or given back is told by the entry that put it there."""
    return account.parse(address).kind in {"fund", "project"}


def _other_end(entry: Entry) -> str:
    """The organisation at the other end of a transfer; empty for anything else."""
    for address in (entry.postings[0].src, entry.postings[0].dst) if entry.postings else ():
        kind, sender, rest = account.parse(address)
        if kind == "transit":
            return sender if rest[0] == entries.org_of(entry) else rest[0]
    return ""


def _came_from(entry: Entry, piece: Piece) -> str:
    """The place a piece left last; of a fee at receipt, the fund of the gift."""
    posting = entry.postings[piece.n]
    return posting.src if account.has_line(posting.src) else entry.postings[0].dst


def _entry(found: Found, piece: Piece) -> Entry:
    return found.moves[piece.seq] if piece.depth else found.gift


def _total(found: Found, entry: Entry) -> int:
    return found.totals[effect_of(entry)] if entry is not found.gift else entries.qty_of(entry)


def _part(piece: Piece, at: int, end: int) -> Piece:
    return piece._replace(off=at, qty=end - at, lo=piece.lo + at - piece.off)


_ORDER = {state: i for i, state in enumerate(State)}
