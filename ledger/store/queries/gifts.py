"""Gifts and what became of them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import asyncpg

from ledger import entries
from ledger.entries import Entry
from ledger.store.database import Database
from ledger.store.keys import LookupKeys
from ledger.store.queries.head import Head, read_operator
from ledger.store.queries.log import END, Progress
from ledger.store.queries.names import read_names
from ledger.store.queries.public_names import opened
from ledger.store.queries.receipts import chosen, digests_of, opened_by
from ledger.store.queries.shared import Shared
from ledger.store.queries.trace import TooManyPieces, forward_all
from ledger.trace import Campaign, Names, Trace
from ledger.tracing import Found, assemble, effect_of, effects

MAX_SHARED = 50
"""Gifts traced by one query at most."""

ENTRIES_KEPT = 4_096
"""Entries that moved money and are kept in memory, decoded: many gifts went the same ways."""


class Traced(NamedTuple):
    """A trace, and the moment of the log that it is of."""

    head: Head
    progress: Progress
    trace: Trace | None
    """None for an entry that is no gift, or no entry."""
    wrong: tuple[Trace, ...] = ()
    """Of the entries whose place the gift took, newest first: each was taken back."""
    righted_by: int | None = None
    """The entry that took the gift's place."""
    donor_name: str = ""
    """What its donor is called in public."""


class _Coded(NamedTuple):
    """A question by receipt code: what it may be stored under, and which of its entries."""

    digests: list[bytes]
    wanted: int


class _Read(NamedTuple):
    """What the log holds of entries that were asked for."""

    found: dict[int, Found | None]
    """None: too many pieces. No gift, not there."""
    donor_names: dict[int, str]


class Traces:
    """Traces gifts; those asked for at the same time are read together, all as of one entry."""

    def __init__(self, database: Database, lookup: LookupKeys | None = None) -> None:
        """Without the look-up keys there are no codes, and no donor has a name."""
        self._database = database
        self._lookup = lookup
        self._operator = ""
        self._shared = Shared(self._read, most=MAX_SHARED)
        self._entries: dict[int, Entry] = {}

    async def of(self, seq: int | None) -> Traced:
        """Where the gift is and how it got there. Raises TooManyPieces."""
        return await self._shared.ask(_NOTHING if seq is None else seq)

    async def of_code(self, typed: str, wanted: int) -> Traced:
        """Where the gift of a receipt code is; `trace` is None alike for an unknown code, a mistyped one and no code.

        `wanted` says which of the code's entries, or NEWEST. Raises TooManyPieces.
        """
        assert self._lookup is not None, "made without look-up keys"
        return await self._shared.ask(_Coded(digests_of(self._lookup, typed), wanted))

    async def _read(self, questions: Sequence[int | _Coded]) -> list[Traced | Exception]:
        # No transaction, whose beginning and end would be two questions more: nothing in the log changes, so what is
        # read of the entries up to the last one is of that moment, whatever comes meanwhile.
        async with self._database.raw() as connection:
            at, progress, asked = await _begin(connection, questions)
            size = progress.sequenced
            head = Head(size - 1, at, await self._who_keeps_it(connection, size))
            found, donor_names = await self._found(connection, asked, size)
            while wrong := {each for one in found.values() if one and (each := _corrects(one))} - found.keys():
                found |= (await self._found(connection, [*wrong], size)).found
            names = await _names(connection, found.values())
            told = {seq: assemble(each, names) if each else TooManyPieces() for seq, each in found.items()}
            taken_back = [seq for seq in asked if isinstance(trace := told.get(seq), Trace) and trace.reversal]
            rows = await connection.fetch(_RIGHTED, taken_back, size) if taken_back else []
            righted = {row["ref"]: row["seq"] for row in rows}
        answers: list[Traced | Exception] = []
        for seq in asked:
            chain = [*_chain(told, seq)]
            too_large = next((each for each in chain if isinstance(each, TooManyPieces)), None)
            traces = [each for each in chain if isinstance(each, Trace)]
            trace, wrong_ones = traces[0] if traces else None, tuple(traces[1:])
            answer = Traced(head, progress, trace, wrong_ones, righted.get(seq), donor_names.get(seq, ""))
            answers.append(too_large or answer)
        return answers

    async def _who_keeps_it(self, connection: asyncpg.Connection, size: int) -> str:
        """As the first entry says, for good."""
        if not self._operator and size:
            self._operator = await read_operator(connection)
        return self._operator

    async def at(self, connection: asyncpg.Connection, seq: int, size: int) -> tuple[Found, Trace] | None:
        """What the first `size` entries hold of the gift and tell of it; None for an entry that is no gift.

        Inside one snapshot. Raises TooManyPieces.
        """
        found, _ = await self._found(connection, [seq], size)
        if seq not in found:
            return None
        if (its := found[seq]) is None:
            raise TooManyPieces
        return its, assemble(its, await _names(connection, [its]))

    async def _found(self, connection: asyncpg.Connection, asked: Sequence[int], size: int) -> _Read:
        """What the first `size` entries hold of those that are gifts."""
        rows = {row["seq"]: row for row in await connection.fetch(_GIFTS, asked, size)}
        written = {seq: row["bytes"] for seq, row in rows.items()}
        gifts = {seq: entries.decode(each) for seq, each in written.items()}
        pieces = {
            # What moved money on came later than what brought it: without late pieces the rest is the trace of then.
            seq: followed if followed is None else [each for each in followed if each.seq < size]
            for seq, followed in (await forward_all(connection, gifts)).items()
        }
        moves = await self._moves(connection, {each.seq for followed in pieces.values() for each in followed or ()})
        effect_ends = effects(moves.values())
        citing = [entries.decode(row["bytes"]) for row in await connection.fetch(_CITING, [*effect_ends], size)]
        totals = await _totals(connection, moves)
        returned = Counter[int]()
        for entry in citing:
            if isinstance(entry.body, _COMES_BACK):
                returned[entry.body.ref] += entries.qty_of(entry)
        citing = [entry for entry in citing if not isinstance(entry.body, _COMES_BACK)]
        found: dict[int, Found | None] = {}
        for seq, gift in gifts.items():
            if (followed := pieces[seq]) is None:
                found[seq] = None
                continue
            its_moves = {each.seq: moves[each.seq] for each in followed if each.depth}
            its_effects = effects(its_moves.values())
            found[seq] = Found(
                gift=gift,
                sha256=entries.digest(written[seq]),
                pieces=followed,
                moves=its_moves,
                totals=totals,
                returned=returned,
                citing=[entry for entry in citing if getattr(entry.body, "ref", -1) in its_effects],
                entering=rows[seq]["entering"],
                campaign=_campaign(rows[seq]),
                receipts=[entry for entry in citing if getattr(entry.body, "ref", -1) == seq],
            )
        return _Read(found, self._names_of(rows.values(), gifts))

    def _names_of(self, rows: Iterable[asyncpg.Record], gifts: Mapping[int, Entry]) -> dict[int, str]:
        lookup = self._lookup
        if lookup is None:
            return {}
        return {
            row["seq"]: opened(lookup, row["key_id"], gifts[row["seq"]], row["sealed"]) for row in rows if row["sealed"]
        }

    async def _moves(self, connection: asyncpg.Connection, seqs: set[int]) -> dict[int, Entry]:
        """These entries. What is in the log never changes."""
        known = {seq: entry for seq in seqs if (entry := self._entries.get(seq)) is not None}
        if missing := seqs - known.keys():
            rows = await connection.fetch("select seq, bytes from entry where seq = any($1)", missing)
            found = {row["seq"]: entries.decode(row["bytes"]) for row in rows}
            if len(self._entries) + len(found) > ENTRIES_KEPT:
                self._entries.clear()
            self._entries |= found
            known |= found
        return known


async def _begin(connection: asyncpg.Connection, questions: Sequence[int | _Coded]) -> tuple[str, Progress, list[int]]:
    """When the last entry was made, how far the log has come, and the entries that are asked for.

    Of these _NOTHING for a code that opens none.
    """
    coded = [each.digests for each in questions if isinstance(each, _Coded)]
    rows = await connection.fetch(_BEGIN, [*chain.from_iterable(coded)])
    at, *progress = rows[0][:-2]
    opens = iter(opened_by(rows, coded))
    found = (chosen(next(opens), each.wanted) if isinstance(each, _Coded) else each for each in questions)
    return at, Progress(*progress), [_NOTHING if each is None else each for each in found]


def _campaign(row: asyncpg.Record) -> Campaign | None:
    return Campaign(row["campaign"], row["name"], row["last_on"].isoformat()) if row["campaign"] else None


def _corrects(found: Found) -> int:
    return getattr(found.gift.body, "corrects", 0)


def _chain(told: Mapping[int, Trace | TooManyPieces], seq: int | None) -> Iterator[Trace | TooManyPieces]:
    """The gift's trace, and those of the wrong entries before it. Each lies before the one that corrects it."""
    while seq is not None and (trace := told.get(seq)) is not None:
        yield trace
        seq = trace.gift.corrects if isinstance(trace, Trace) else None


async def _names(connection: asyncpg.Connection, found: Iterable[Found | None]) -> Names:
    """What everything in these is called now."""
    those = [each for each in found if each]
    return await read_names(
        connection,
        orgs={entries.org_of(entry) for each in those for entry in each.citing},
        addresses={piece.address for each in those for piece in each.pieces},
        events={getattr(each.gift.body, "event", "") for each in those} - {""},
    )


async def _totals(connection: asyncpg.Connection, moves: Mapping[int, Entry]) -> dict[int, int]:
    """Effect → what all its parts moved; the parts are only asked for where there are several."""
    totals = {effect_of(entry): entries.qty_of(entry) for entry in moves.values()}
    split = {first: last for first, last in effects(moves.values()).items() if last > first}
    if split:
        found = await connection.fetch(_TOTALS, [*split], [*split.values()])
        totals |= {row["effect"]: row["qty"] for row in found}
    return totals


_NOTHING = -1
"""In place of an entry's number."""

_BEGIN = f"""
  select tail.*, receipt.digest, receipt.seq
  from ({END}) tail left join receipt on receipt.digest = any($1)
"""  # noqa: S608  ours
_GIFTS = """
  select e.seq, e.bytes, c.campaign, c.name, c.last_on, n.key_id, n.sealed,
         b.seq is not null and coalesce(b.completed_seq >= $2, true) as entering
  from entry e left join gift g on g.seq = e.seq left join campaign c on c.campaign = g.campaign
  left join import_batch b on b.seq = g.batch left join public_name n on n.seq = e.seq
  where e.seq = any($1) and e.seq < $2 and e.kind in ('money.received', 'money.identified')
"""
_COMES_BACK = (entries.EntryReversed, entries.MoneyReturned)
_CITING = """
  select e.bytes from citation c join entry e on e.seq = c.seq
  where c.ref = any($1) and c.seq < $2 and (c.kind in
    ('delivery.confirmed', 'feedback.published', 'money.returned', 'receipt.issued', 'receipt.voided', 'receipt.waived')
    or c.kind = 'entry.reversed' and (select paid.kind from entry paid where paid.seq = c.ref) = 'money.disbursed')
  order by e.seq
"""
_TOTALS = """
  select effect, sum(qty)::bigint as qty
  from unnest($1::bigint[], $2::bigint[]) as wanted (effect, last) join posting on seq between effect and last
  group by effect
"""
_RIGHTED = """
  select ref, min(seq) as seq from citation
  where ref = any($1) and seq < $2 and kind in ('money.received', 'money.identified') group by ref
"""
