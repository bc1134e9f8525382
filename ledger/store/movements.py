"""What an entry changes of each figure: the rows that lists are read from, and that sums are made of."""

from functools import lru_cache
from typing import NamedTuple

from ledger import account, entries
from ledger.account import CNY
from ledger.books import Books
from ledger.donations import GIFTS
from ledger.entries import Entry
from ledger.posting import Posting
from ledger.reversals import IDENTIFIED

STATES = {
    "fund": "held",
    "project": "allocated",
    "transit": "in_transit",
    "payees": "paid",
    "refunds": "refunded",
    "fees": "fees",
    "losses": "lost",
    "voided": "voided",
}
"""Kind of account → the state of the money that rests there. Suspense is in no figure: it is nobody's gift yet,
or nobody's again; then it was voided as a gift."""

BALANCES = {"held", "allocated", "in_transit"}
"""What money waits in: sums only. It comes in lumps and leaves in others; there is nothing to count."""

_OF_GIFTS = {"refunded", "voided"}
"""Measures that know the channel, class and event of the gift they are about."""

_CITES_GIFT = {*GIFTS, "gift.refunded"}
"""Kinds whose reversal is about a gift."""


_LEFT = {"fees", "losses", "payees", "refunds", "transit"}
"""Accounts whose money left a fund or project, and may come home."""


class Place(NamedTuple):
    """Whose money, under which restriction, for what; empty strings where there is none."""

    org: str
    fund: str
    project: str


NOWHERE = Place("", "", "")


class Movement(NamedTuple):
    """A change of one measure in one place."""

    measure: str
    place: Place
    """`NOWHERE`: where the cited gift was given to."""
    entries: int
    """1 where an effect first adds to a measure that is counted."""
    qty: int
    about: int
    """The entry that says whose gift this is about (the gift, or its refund); 0: no gift."""


def movements(entry: Entry, books: Books) -> list[Movement]:
    """Everything an entry with postings changes, a row for each measure and place.

    `books`: as they were before the entry; they know where transfers came from. Of every fund, at every entry:
    received + income + moved_in = held + allocated + in_transit + paid + refunded + fees + lost + voided + moved_on.
    """
    sums: dict[tuple[str, Place], int] = {}
    for posting in entry.postings:
        if posting.unit != CNY or not _is_shown(entry, posting):
            continue
        for origin, goal, part in _places(entry, posting, books):
            for measure, place, qty in _changes(entry, posting, origin, goal, part):
                sums[measure, place] = sums.get((measure, place), 0) + qty
    counted = entries.part_of(entry.body)[0] == 1
    about = _about(entry)
    found: list[Movement] = []
    seen: set[str] = set()
    for (measure, place), qty in sums.items():
        if qty:
            counts = counted and qty > 0 and measure not in BALANCES and measure not in seen
            seen |= {measure} if counts else set()
            is_about = measure in _OF_GIFTS or place == NOWHERE
            found.append(Movement(measure, place, int(counts), qty, about if is_about else 0))
    return found


def _is_shown(entry: Entry, posting: Posting) -> bool:
    """Money in suspense is in no figure: from when it is identified until that is taken back."""
    kinds = {_parsed(posting.src)[0], _parsed(posting.dst)[0]}
    return IDENTIFIED in {entry.kind, _reversed(entry)} or kinds.isdisjoint({"suspense", "unidentified"})


def _places(entry: Entry, posting: Posting, books: Books) -> list[tuple[Place, Place, int]]:
    """Where money comes from, where it gets to, and how much: a sink belongs to the place that it left.

    A source belongs to its goal, and what is in transit to the fund that sent it.
    """
    ref = getattr(entry.body, "ref", 0)
    origin, goal = _inside(posting.src), _inside(posting.dst)
    if _parsed(posting.src)[0] in _LEFT and (came := books.came_from(ref, posting)):
        return [(_inside(address), goal, qty) for address, qty in came]
    if _reversed(entry) == "transfer.received":
        goal = Place(*books.sent_from[books.arrived[ref]], "")
    if origin == goal == NOWHERE:  # a fee at receipt; and one that the reversal of its gift takes back
        goal = _inside(entry.postings[0].dst)
    return [((goal if origin == NOWHERE else origin), (origin if goal == NOWHERE else goal), posting.qty)]


def _changes(entry: Entry, posting: Posting, origin: Place, goal: Place, qty: int) -> list[tuple[str, Place, int]]:
    of = _reversed(entry)
    source, sink = _parsed(posting.src)[0], _parsed(posting.dst)[0]
    if of == IDENTIFIED and sink == "suspense":
        sink = "voided"
    found: list[tuple[str, Place, int]] = []
    if source == "donors" or entry.kind == IDENTIFIED:
        found.append(("received", goal, qty))
    elif source == "income":
        found.append(("income", goal, qty))
    elif source in STATES:
        found.append((STATES[source], origin, -qty))
    if sink in STATES:
        found.append((STATES[sink], goal, qty))
    if origin[:2] != goal[:2] or entry.kind == "gift.redirected":
        found += _between_funds(of, origin, goal, qty)
    if entry.kind == "money.allocated":
        found.append(("total_allocated", goal, qty))
    elif entry.kind == "money.returned":
        found.append(("returned", origin, qty))
    elif of == "money.allocated":
        found.append(("total_allocated", origin, -qty))
    return found


def _between_funds(of: str, origin: Place, goal: Place, qty: int) -> list[tuple[str, Place, int]]:
    """What an arrival that is taken back had moved is off again; late money of a closed fund moves to its successor."""
    if of == "transfer.received":
        return [("moved_in", origin, -qty), ("moved_on", goal, -qty)]
    return [("moved_on", origin, qty), ("moved_in", goal, qty)]


def _reversed(entry: Entry) -> str:
    """The kind that a reversal takes back; empty of all others."""
    return entry.body.of if isinstance(entry.body, entries.EntryReversed) else ""


def _about(entry: Entry) -> int:
    match entry.body:
        case entries.GiftRefunded(ref=ref):
            return ref
        case entries.EntryReversed(of=of, ref=ref) if of in _CITES_GIFT:
            return ref
        case _:
            return 0


@lru_cache(maxsize=65_536)
def _parsed(address: str) -> tuple[str, Place]:
    kind, org, rest = account.parse(address)
    match kind:
        case "fund":
            return kind, Place(org, rest[0], "")
        case "project":
            return kind, Place(org, rest[1], rest[0])
        case _:
            return kind, NOWHERE


def _inside(address: str) -> Place:
    return _parsed(address)[1]
