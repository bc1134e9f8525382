"""Projections: what each entry means for the tables. The same code serves the sequencer and `sunledger rebuild`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

import asyncpg

from ledger import account, entries
from ledger.account import Account, AccountClass
from ledger.books import Books
from ledger.campaigns import campaign_of
from ledger.donations import GIFTS
from ledger.entries import Entry
from ledger.posting import NO_LINE, Posting
from ledger.store import rare, rows
from ledger.store.figures import Alike, FigureRows, alike
from ledger.store.rows import BLOCK_ENTRIES

FEES = "fees"
"""In a rollup, in place of a kind: what went to fees, at receipt or later."""

REDIRECTED = "redirected"
"""The same: what a redirection brought to a fund, beside what it took from another one."""

LATE = "late"
"""The same: what came home late to a successor, and (below zero) what its predecessor no longer has to show for."""

_RollupKey = tuple[int, str, str, str, str, date]


@dataclass(frozen=True, slots=True)
class Projected:
    """Rows on their way into the tables."""

    tables: rows.Gathered
    """Of the tables that every batch touches, each after those it refers to."""
    _statements: list[tuple[Any, ...]]

    @property
    def has_rare(self) -> bool:
        """Whether other tables have rows, too."""
        return bool(self._statements)

    async def write_rare(self, connection: asyncpg.Connection) -> None:
        """The rows of the other tables, after `tables`."""
        for statement, *arguments in self._statements:
            await connection.execute(statement, *arguments)


@dataclass(slots=True)
class Projector:
    """Moves the books on, entry by entry, and gathers the rows that say so."""

    books: Books
    ids: dict[Account, int]
    """Every account's row, ever. New ones get the next number in the order in which entries name them."""
    _entry: list[tuple[Any, ...]] = field(default_factory=list)
    _account: list[tuple[Any, ...]] = field(default_factory=list)
    _posting: list[tuple[Any, ...]] = field(default_factory=list)
    _gift: list[tuple[Any, ...]] = field(default_factory=list)
    _citation: list[tuple[Any, ...]] = field(default_factory=list)
    _rollup: dict[_RollupKey, list[int]] = field(default_factory=dict)
    _turnover: dict[tuple[int, date, int], list[int]] = field(default_factory=dict)
    _figures: FigureRows = field(default_factory=FigureRows)
    _given: dict[Alike, list[int]] = field(default_factory=dict)
    """Count, what went to the fund and to fees, of gifts as they arrive: nearly all entries, and nearly all alike."""
    _touched: set[Account] = field(default_factory=set)
    _entered: dict[int, list[int]] = field(default_factory=dict)
    _raised: dict[str, list[int]] = field(default_factory=dict)
    _statements: list[tuple[Any, ...]] = field(default_factory=list)

    def add(self, entry: Entry, written: bytes, digest: str) -> None:
        """One more entry."""
        org = entries.org_of(entry)
        self._entry.append((entry.seq, written, _moment(entry.at), entry.kind, org))
        if entry.postings:
            self._post(entry)
            if isinstance(entry.body, entries.MoneyReceived):
                self._sum_gift(entry, entry.body)
            else:
                self._sum(entry)
        if corrects := getattr(entry.body, "corrects", 0):
            self._citation.append((corrects, entry.seq, entry.kind, entries.qty_of(entry)))
        if isinstance(entry.body, entries.MoneyReceived):
            self._give(entry, entry.body, org)
        else:
            if isinstance(entry.body, entries.MoneyIdentified):
                self._give(entry, entry.body, org)
            self._note(entry)
        if isinstance(entry.body, entries.EntryReversed):
            self._release(entry.body)
        self.books.apply(entry, digest)

    def take(self) -> "Projected":
        """The rows gathered since the last time; gathering begins anew."""
        for gifts, given in self._given.items():
            self._sum_up(gifts, *given)
        self._given = {}
        tables = [
            (rows.ENTRY, self._entry),
            (rows.ACCOUNT, self._account),
            (rows.POSTING, self._posting),
            (rows.GIFT, self._gift),
            (rows.CITATION, self._citation),
            (rows.LINE, [self._line(where) for where in sorted(self._touched)]),
            (rows.ROLLUP, [(*key, *sums) for key, sums in sorted(self._rollup.items())]),
            (rows.TURNOVER, [(*key, *sums) for key, sums in sorted(self._turnover.items())]),
            *self._figures.tables(),
        ]
        statements = [*self._statements, *self._figures.statements]
        if self._entered:
            sums = ((batch, *entered) for batch, entered in self._entered.items())
            statements.append((_ENTERED, *zip(*sums, strict=True)))
        if self._raised:
            raised = ((campaign, *sums) for campaign, sums in self._raised.items())
            statements.append((_RAISED, *zip(*raised, strict=True)))
        self._entry, self._account, self._posting, self._gift, self._citation = [], [], [], [], []
        self._rollup, self._turnover, self._touched, self._entered, self._statements = {}, {}, set(), {}, []
        self._raised = {}
        self._figures = FigureRows()
        return Projected(tables, statements)

    def _id(self, where: Account) -> int:
        if (known := self.ids.get(where)) is not None:
            return known
        number = self.ids[where] = len(self.ids) + 1
        self._account.append(
            (number, where.address, where.unit, account.has_line(where.address), account.parse(where.address).org)
        )
        return number

    def _post(self, entry: Entry) -> None:
        """Rows of posting: each names the credit just before its own, and one that covers what it spends."""
        seq, lines = entry.seq, self.books.lines
        ends: dict[Account, int] = {}  # lines this entry has credited already
        for n, (src_address, src_lo, dst_address, dst_lo, qty, unit) in enumerate(map(_fields, entry.postings)):
            src, dst = Account(src_address, unit), Account(dst_address, unit)
            cover: tuple[int | None, int | None] = (None, None)
            if src_lo != NO_LINE:
                cover = (lines[src].credited, lines[src].last_seq)
                self._touched.add(src)
            before = ends.get(dst, lines[dst].last_seq)
            ends[dst] = seq
            self._touched.add(dst)
            self._posting.append(
                (
                    seq,
                    n,
                    unit,
                    qty,
                    self._id(src),
                    None if src_lo == NO_LINE else src_lo,
                    self._id(dst),
                    dst_lo,
                    before if dst_lo else None,
                    *cover,
                )
            )

    def _sum(self, entry: Entry) -> None:
        """What the entry adds to sums, by block."""
        block, day = entry.seq // BLOCK_ENTRIES, _day(entry.body.on)  # type: ignore[union-attr]  # every body with postings
        for posting in entry.postings:
            self._turn((self.ids[Account(posting.dst, posting.unit)], day, block), posting.qty, 0)
            self._turn((self.ids[Account(posting.src, posting.unit)], day, block), 0, posting.qty)
        self._roll(entry, block, day)
        self._figures.add(entry, day, self.books)

    def _sum_gift(self, entry: Entry, body: entries.MoneyReceived) -> None:
        """The same of a gift as it arrives; `_sum_up` does the rest for all that are alike."""
        gifts, qty, fee = alike(entry, body, entry.seq // BLOCK_ENTRIES)
        if (sums := self._given.get(gifts)) is None:
            sums = self._given[gifts] = [0, 0, 0]
        sums[0] += 1
        sums[1] += qty
        sums[2] += fee

    def _sum_up(self, gifts: Alike, count: int, qty: int, fee: int) -> None:
        """What `_sum` would add for them one by one."""
        block, day = gifts.block, _day(gifts.on)
        where = (block, *_dimensions(gifts.fund, gifts.fund))
        self._turn((self.ids[Account(gifts.fund, gifts.unit)], day, block), qty, 0)
        self._turn((self.ids[Account(gifts.donors, gifts.unit)], day, block), 0, qty + fee)
        rolled = self._rollup.setdefault((*where, "money.received", day), [0, 0])
        rolled[0] += count
        rolled[1] += qty + fee
        if fee:
            fees = account.fees(account.parse(gifts.fund).org)
            self._turn((self.ids[Account(fees, gifts.unit)], day, block), fee, 0)
            self._rollup.setdefault((*where, FEES, day), [0, 0])[1] += fee
        self._figures.give(gifts, count, qty, fee)

    def _turn(self, key: tuple[int, date, int], credited: int, consumed: int) -> None:
        """Turnover of an account on a day, in a block."""
        if (sums := self._turnover.get(key)) is None:
            sums = self._turnover[key] = [0, 0]
        sums[0] += credited
        sums[1] += consumed

    def _roll(self, entry: Entry, block: int, day: date) -> None:
        """Sums by block, organisation, fund, project, kind and day; an effect in parts counts as one entry."""
        counts = entries.part_of(entry.body)[0] == 1
        for posting in entry.postings:
            if isinstance(entry.body, entries.EntryReversed) and entry.body.of not in _SHOWN_GROSS:
                self._unroll(block, entry.body.of, day, posting)
                continue
            if isinstance(entry.body, entries.EntryReversed) and posting.src.startswith("fees:"):
                voided = ((entry.kind, int(counts), posting.qty), (FEES, 0, -posting.qty))
                self._statements += [(_ROLL_GIFT, entry.body.ref, block, day, *each) for each in voided]
                counts = False
                continue
            # A fee at receipt belongs to the fund of the gift, whose first posting names it.
            touched = posting if posting.src_lo != NO_LINE else entry.postings[0]
            where = (block, *_dimensions(touched.src, touched.dst))
            key = (*where, entry.kind, day)
            if (sums := self._rollup.get(key)) is None:
                sums = self._rollup[key] = [0, 0]
            if counts:
                sums[0] += 1
                counts = False
            sums[1] += posting.qty
            if isinstance(entry.body, entries.GiftRedirected):
                there = (block, *_dimensions(posting.dst, posting.dst))
                self._rollup.setdefault((*there, REDIRECTED, day), [0, 0])[1] += posting.qty
            if posting.dst.startswith("fees:"):
                self._rollup.setdefault((*where, FEES, day), [0, 0])[1] += posting.qty
        if isinstance(body := entry.body, entries.MoneyReturned | entries.TransferReturned):
            self._roll_late(entry, block, day, body.ref, {entry.kind: 1})
        elif isinstance(body, entries.EntryReversed):
            undone = {body.of: -1} | ({FEES: -1} if body.of == "fee.charged" else {})
            self._roll_late(entry, block, day, body.ref, undone)

    def _roll_late(self, entry: Entry, block: int, day: date, ref: int, kinds: dict[str, int]) -> None:
        """What came home to a successor, as if it had gone to the line it left, and on from there.

        `kinds`: into what it was summed, with its sign.
        """
        for posting in entry.postings:
            for address, qty in self.books.came_from(ref, posting):
                if address != posting.dst:
                    for at, moved in ((address, qty), (posting.dst, -qty)):
                        where = (block, *_dimensions(at, at))
                        for kind, sign in kinds.items():
                            self._rollup.setdefault((*where, kind, day), [0, 0])[1] += sign * moved
                        self._rollup.setdefault((*where, LATE, day), [0, 0])[1] -= moved

    def _unroll(self, block: int, of: str, day: date, posting: Posting) -> None:
        """What a reversal took back is off the sums of the kind that it reverses."""
        key = (block, *_dimensions(posting.dst, posting.src), of, day)
        self._rollup.setdefault(key, [0, 0])[1] -= posting.qty
        if of == "fee.charged":
            self._rollup.setdefault((*key[:4], FEES, day), [0, 0])[1] -= posting.qty

    def _give(self, entry: Entry, body: entries.MoneyReceived | entries.MoneyIdentified, org: str) -> None:
        posting = entry.postings[0]
        qty = entries.qty_of(entry)
        campaign = campaign_of(body, self.books.funds[org, body.fund])
        ref, batch, row = (body.ref, body.batch, body.row) if isinstance(body, entries.MoneyReceived) else ("", 0, 0)
        self._gift.append(
            (
                entry.seq,
                self.ids[Account(posting.dst, posting.unit)],
                qty,
                body.channel,
                body.donor_class,
                body.event,
                _day(body.on),
                bytes.fromhex(ref) if ref else None,
                batch or None,
                row or None,
                campaign,
            )
        )
        if campaign:
            late = body.on > self.books.campaigns[campaign].last_on
            sums = self._raised.setdefault(campaign, [0, 0, 0, 0])
            for i, more in enumerate((1, qty, int(late), qty if late else 0)):
                sums[i] += more
        if batch:
            sums = self._entered.setdefault(batch, [0, 0])
            sums[0] += 1
            sums[1] += qty

    def _release(self, body: entries.EntryReversed) -> None:
        """The channel reference of what was taken back may come again: its row, written or not, gives it up."""
        ref = body.ref
        self._gift = given_up(self._gift, {ref})
        self._statements.append(("update gift set ref = null where seq = $1", ref))
        if body.of in {"income.received", "money.unidentified"}:
            self._statements.append(("update reference set ref = null where seq = $1", ref))

    def _note(self, entry: Entry) -> None:
        """Rows of the kinds that are rare."""
        body, seq = entry.body, entry.seq
        self._statements += rare.statements(entry, self.books)
        if isinstance(body, entries.DeliveryConfirmed):
            self._citation.append((body.ref, seq, entry.kind, body.qty))
            self._figures.confirm(seq, body)
        elif isinstance(ref := getattr(body, "ref", None), int):
            self._citation.append((ref, seq, entry.kind, entries.qty_of(entry)))
        if isinstance(body, entries.ProposalMade):
            self._touched.update(hold.account for hold in body.holds)
        number = getattr(body, "proposal", 0) or entry.by.proposal
        if number in self.books.proposals:
            self._touched.update(hold.account for hold in self.books.proposals[number].holds)

    def _line(self, where: Account) -> tuple[int, ...]:
        line = self.books.lines[where]
        first = line.consumed.first(0)
        front = first.hi if first is not None and first.lo == 0 else 0
        held = line.balance - line.available
        return (self._id(where), line.credited, line.consumed.total, front, held, line.last_seq)


def given_up(gifts: Sequence[tuple[Any, ...]], taken_back: Collection[int]) -> list[tuple[Any, ...]]:
    """Rows of gifts, those that were taken back without their references."""
    return [(*row[:_REF], None, *row[_REF + 1 :]) if row[0] in taken_back else row for row in gifts]


_SHOWN_GROSS = {*GIFTS, "income.received"}
"""What came in is shown whole, and what of it was voided beside it; other kinds are off their sums again."""

_REF = [*rows.GIFT.columns].index("ref")
_ENTERED = """
  update import_batch b set entered_rows = entered_rows + n, entered_fen = entered_fen + fen
  from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as entered (seq, n, fen) where b.seq = entered.seq
"""
_RAISED = """
  update campaign c set gifts = gifts + n, received_fen = received_fen + fen,
    late_gifts = late_gifts + late_n, late_fen = c.late_fen + raised.late_fen
  from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
    as raised (campaign, n, fen, late_n, late_fen)
  where c.campaign = raised.campaign
"""
# Into the sums of the fund that a gift came to, as its entry says: it may be of long ago.
_ROLL_GIFT = """
  insert into rollup (block, org, fund, project, kind, day, entries, qty)
  select $2, split_part(address, ':', 2), split_part(address, ':', 3), '', $4, $3, $5, $6
  from (select convert_from(bytes, 'utf8')::jsonb #>> '{postings,0,2}' as address from entry where seq = $1) gift
  on conflict (org, fund, project, kind, day, block) do update
  set entries = rollup.entries + excluded.entries, qty = rollup.qty + excluded.qty
"""


def _fields(posting: Posting) -> tuple[str, int, str, int, int, str]:
    return (posting.src, posting.src_lo, posting.dst, posting.dst_lo, posting.qty, posting.unit)


@lru_cache(maxsize=65_536)
def _dimensions(src: str, dst: str) -> tuple[str, str, str]:
    """Organisation, fund and project of a movement: of the inside accounts it touches, the source's first."""
    org, fund, project = "", "", ""
    for address in (src, dst):
        kind, its_org, rest = account.parse(address)
        if account.class_of(address) is AccountClass.INSIDE and kind != "transit":
            org = org or its_org
            if kind in {"fund", "project"}:
                fund = fund or rest[-1]
            if kind == "project":
                project = project or rest[0]
    return org, fund, project


_day = lru_cache(maxsize=4096)(date.fromisoformat)
_moment = lru_cache(maxsize=64)(entries.moment)
