"""Projections: what each entry means for the tables. The same code serves the sequencer and `sunledger rebuild`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

import asyncpg
import msgspec

from ledger import account, entries
from ledger.account import Account, AccountClass
from ledger.books import Books, Payment
from ledger.campaigns import campaign_of
from ledger.donations import GIFTS
from ledger.entries import Entry
from ledger.posting import NO_LINE, Posting
from ledger.store import rows
from ledger.store.figures import FigureRows
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
        block, day = seq // BLOCK_ENTRIES, _day(entry.body.on)  # type: ignore[union-attr]  # every body with postings
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
            src_id, dst_id = self._id(src), self._id(dst)
            self._turn((dst_id, day, block), qty, 0)
            self._turn((src_id, day, block), 0, qty)
            self._posting.append(
                (
                    seq,
                    n,
                    unit,
                    qty,
                    src_id,
                    None if src_lo == NO_LINE else src_lo,
                    dst_id,
                    dst_lo,
                    before if dst_lo else None,
                    *cover,
                )
            )
        self._roll(entry, block, day)
        self._figures.add(entry, day, self.books)

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
        self._gift = [(*row[:_REF], None, *row[_REF + 1 :]) if row[0] == ref else row for row in self._gift]
        self._statements.append(("update gift set ref = null where seq = $1", ref))
        if body.of in {"income.received", "money.unidentified"}:
            self._statements.append(("update reference set ref = null where seq = $1", ref))

    def _note(self, entry: Entry) -> None:
        """Rows of the kinds that are rare: one statement each."""
        body, seq = entry.body, entry.seq
        if (write := _STATEMENTS.get(type(body))) is not None:
            self._statements.append(write(seq, body, entry))
        if isinstance(body, entries.MoneyDisbursed):
            self._statements += _cost(entry, body)
        if isinstance(body, entries.MoneyReturned | entries.EntryReversed) and body.ref in self.books.payments:
            paid, origins = self.books.payments[body.ref], self.books.origins[body.ref]
            self._statements += _cost_returned(origins.of(entry.postings), paid)
        if isinstance(body, entries.MoneyUnidentified | entries.IncomeReceived) and body.ref:
            self._statements.append((_REFERENCE, bytes.fromhex(body.ref), seq))
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
        if entry.by.proposal and len(set(entries.part_of(entry.body))) == 1:  # the last part, or the only one
            self._statements.append((_RESOLVE, entry.by.proposal, "effected", seq))

    def _line(self, where: Account) -> tuple[int, ...]:
        line = self.books.lines[where]
        first = line.consumed.first(0)
        front = first.hi if first is not None and first.lo == 0 else 0
        held = line.balance - line.available
        return (self._id(where), line.credited, line.consumed.total, front, held, line.last_seq)


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
_REFERENCE = "insert into reference (ref, seq) values ($1, $2)"
# Into the sums of the fund that a gift came to, as its entry says: it may be of long ago.
_ROLL_GIFT = """
  insert into rollup (block, org, fund, project, kind, day, entries, qty)
  select $2, split_part(address, ':', 2), split_part(address, ':', 3), '', $4, $3, $5, $6
  from (select convert_from(bytes, 'utf8')::jsonb #>> '{postings,0,2}' as address from entry where seq = $1) gift
  on conflict (org, fund, project, kind, day, block) do update
  set entries = rollup.entries + excluded.entries, qty = rollup.qty + excluded.qty
"""
_FROM_SUSPENSE = "update suspense set left_fen = left_fen - $2 where seq = $1"
_BACK_TO_SUSPENSE = """
  update suspense set left_fen = left_fen + $2 where seq = any(select ref from citation where seq = $1)
"""
_COST = """
  insert into cost (org, fund, year, management, spent) values ($1, $2, $3, $4, $5)
  on conflict (org, fund, year) do update
  set management = cost.management + excluded.management, spent = cost.spent + excluded.spent
"""
_UNSPENT = """
  update cost set management = management - $4, spent = spent - $5 where org = $1 and fund = $2 and year = $3
"""
_RESOLVE = "update proposal set status = $2, resolved_seq = $3 where seq = $1"
_ORGANISATION = """
  insert into organisation (org, name, level, parent, division, uscc, seq) values ($1, $2, $3, $4, $5, $6, $7)
  on conflict (org) do update set name = excluded.name, level = excluded.level, parent = excluded.parent,
    division = excluded.division, uscc = excluded.uscc, seq = excluded.seq
"""
_STAFF = """
  insert into staff (staff, org, roles, seq) values ($1, $2, $3, $4)
  on conflict (staff, org) do update set seq = excluded.seq,
    roles = array(select distinct unnest(staff.roles || excluded.roles) order by 1)
"""


def _organisation(seq: int, body: Any, _: Entry) -> tuple[Any, ...]:
    return (_ORGANISATION, body.org, body.name, body.level, body.parent, body.division, body.uscc, seq)


def _cost(entry: Entry, body: entries.MoneyDisbursed) -> list[tuple[Any, ...]]:
    spent: dict[tuple[str, str], int] = {}
    for posting in entry.postings:
        place = account.parse(posting.src)
        key = (place.org, place.rest[1])
        spent[key] = spent.get(key, 0) + posting.qty
    is_management = body.spending == "management"
    return [(_COST, org, fund, body.on[:4], qty if is_management else 0, qty) for (org, fund), qty in spent.items()]


def _cost_returned(given: list[tuple[str, int]], paid: Payment) -> list[tuple[Any, ...]]:
    places = ((account.parse(address), qty) for address, qty in given)
    return [
        (_UNSPENT, org, rest[1], paid.year, qty if paid.is_management else 0, qty) for (_, org, rest), qty in places
    ]


def _proposal(seq: int, body: Any, entry: Entry) -> tuple[Any, ...]:
    qty = sum(hold.qty for hold in body.holds)
    if entries.part_of(body)[0] > 1:
        return ("update proposal set qty = qty + $2 where seq = $1", seq - entries.part_of(body)[0] + 1, qty)
    return (
        """insert into proposal (seq, command, org, maker, qty, approvals, status)
           values ($1, $2, $3, $4, $5, 0, 'open')""",
        seq,
        body.command,
        body.org,
        entry.by.maker,
        qty,
    )


_STATEMENTS: dict[type[Any], Callable[[int, Any, Entry], tuple[Any, ...]]] = {
    entries.LogOpened: lambda seq, body, _: (
        """insert into staff (staff, org, roles, seq)
           select staff, '', array['administrator'], $2 from unnest($1::text[]) staff""",
        list(body.administrators),
        seq,
    ),
    entries.OrganisationRegistered: _organisation,
    entries.OrganisationChanged: _organisation,
    entries.StaffEnrolled: lambda seq, body, _: (_STAFF, body.staff, body.org, list(body.roles), seq),
    entries.StaffDismissed: lambda seq, body, _: (
        "update staff set roles = '{}', seq = $3 where staff = $1 and org = $2",
        body.staff,
        body.org,
        seq,
    ),
    entries.CampaignRegistered: lambda seq, body, _: (
        """insert into campaign (campaign, org, name, filing, first_on, last_on, seq)
           values ($1, $2, $3, $4, $5, $6, $7)""",
        body.campaign,
        body.org,
        body.name,
        body.filing,
        date.fromisoformat(body.first_on),
        date.fromisoformat(body.last_on),
        seq,
    ),
    entries.EventDeclared: lambda seq, body, _: (
        "insert into event (event, name, emergency, seq) values ($1, $2, $3, $4)",
        body.event,
        body.name,
        body.emergency,
        seq,
    ),
    entries.FundOpened: lambda seq, body, _: (
        """insert into fund (org, fund, name, restriction, spending, seq, management_ppm, over_ceiling,
                             receipt_fee_ppm, charges, campaign)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        body.org,
        body.fund,
        body.name,
        msgspec.json.encode(body.restriction).decode(),
        list(body.spending),
        seq,
        body.management_ppm,
        body.over_ceiling,
        body.receipt_fee_ppm,
        body.charges,
        body.campaign,
    ),
    entries.ProjectOpened: lambda seq, body, _: (
        """insert into project (org, project, name, category, region, event, budget_fen, starts, ends, seq)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        body.org,
        body.project,
        body.name,
        body.category,
        body.region,
        body.event,
        body.budget_fen,
        body.starts,
        body.ends,
        seq,
    ),
    entries.ProposalMade: _proposal,
    entries.ProposalApproved: lambda _, body, __: (
        "update proposal set approvals = approvals + 1 where seq = $1",
        body.proposal,
    ),
    entries.ProposalRejected: lambda seq, body, _: (_RESOLVE, body.proposal, "rejected", seq),
    entries.ProposalExpired: lambda seq, body, _: (_RESOLVE, body.proposal, "expired", seq),
    entries.ProposalWithdrawn: lambda seq, body, _: (_RESOLVE, body.proposal, "withdrawn", seq),
    entries.FundClosed: lambda seq, body, _: (
        "update fund set closed_seq = $3, successor = $4 where org = $1 and fund = $2",
        body.org,
        body.fund,
        seq,
        body.successor,
    ),
    entries.ProjectClosed: lambda seq, body, _: (
        "update project set closed_seq = $3, successor = $4 where org = $1 and project = $2",
        body.org,
        body.project,
        seq,
        body.successor,
    ),
    entries.PledgeMade: lambda seq, body, _: (
        """insert into pledge (seq, org, fund, promiser, amount_fen, day, due, outcome)
           values ($1, $2, $3, $4, $5, $6, $7, '')""",
        seq,
        body.org,
        body.fund,
        body.promiser,
        body.amount_fen,
        date.fromisoformat(body.on),
        body.due,
    ),
    entries.PledgeEnded: lambda seq, body, _: (
        "update pledge set outcome = $2, ended_seq = $3 where seq = $1",
        body.ref,
        body.outcome,
        seq,
    ),
    entries.PeriodClosed: lambda seq, body, _: (
        "insert into period (org, last_on, first_on, root, seq) values ($1, $2, $3, $4, $5)",
        body.org,
        date.fromisoformat(body.last_on),
        date.fromisoformat(body.first_on),
        bytes.fromhex(body.root),
        seq,
    ),
    entries.MoneyUnidentified: lambda seq, body, entry: (
        "insert into suspense (seq, org, channel, day, qty, left_fen) values ($1, $2, $3, $4, $5, $5)",
        seq,
        entries.org_of(entry),
        body.channel,
        date.fromisoformat(body.on),
        entries.qty_of(entry),
    ),
    entries.MoneyIdentified: lambda _, body, entry: (_FROM_SUSPENSE, body.ref, entries.qty_of(entry)),
    entries.EntryReversed: lambda _, body, entry: (
        _BACK_TO_SUSPENSE if body.of == "money.identified" else _FROM_SUSPENSE,
        body.ref,
        entries.qty_of(entry),
    ),
    entries.SuspenseReturned: lambda _, body, entry: (_FROM_SUSPENSE, body.ref, entries.qty_of(entry)),
    entries.ImportApproved: lambda seq, body, entry: (
        """insert into import_batch
             (seq, org, fund, channel, name, profile, maker, rows, sum_fen, entered_rows, entered_fen)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0)""",
        seq,
        body.org,
        body.fund,
        body.channel,
        body.name,
        body.profile,
        entry.by.maker,
        body.rows,
        body.sum_fen,
    ),
    entries.ImportCompleted: lambda seq, body, _: (
        "update import_batch set completed_seq = $2 where seq = $1",
        body.batch,
        seq,
    ),
}


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
