"""Tracing: a trace from what the log holds of a gift. Pure: pieces, entries and names come in as arguments."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger import account, entries
from ledger.entries import Entry
from ledger.fiscal import standing
from ledger.pieces import Piece, resting
from ledger.trace import Began, Campaign, FiscalState, Gift, Leaf, Named, Names, State, Step, Trace


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
    returned: Mapping[int, int]
    """Payment → what came back of it: handed back, or taken back as wrong."""
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
        if where not in latest or latest[where].seq < piece.seq:
            latest[where] = piece
    for where, piece in latest.items():
        entry = _entry(found, piece)
        total = _total(found, entry)
        kept = total - found.returned.get(effect_of(entry), 0)
        place = piece.address if _is_place(piece.address) else _came_from(entry, piece)
        yield Leaf(
            state=_state(piece.address, whole=confirmed[effect_of(entry)] >= kept),
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
            return State.CONFIRMED if whole else State.UNCONFIRMED
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


_ORDER = {state: i for i, state in enumerate(State)}
