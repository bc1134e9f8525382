"""Decides requests in order, each on the books as those before it left them; reads what the decisions have to see."""

import asyncio
import secrets
from collections.abc import Sequence

import asyncpg
import msgspec

from ledger import decide, donations, entries
from ledger.account import Account
from ledger.approvals import ApproveProposal, ExpireProposal, RejectProposal, WithdrawProposal
from ledger.books import Books
from ledger.command import Draft, Facts
from ledger.decide import AnyCommand, Proposed
from ledger.donations import ReceiveMoney
from ledger.entries import Entry
from ledger.income import ReceiveIncome
from ledger.refusals import AlreadyThere, Closed, Invalid, KeyReused, Refused
from ledger.store import rows
from ledger.store.batch import Batch, Beside, Pending, Replayed, Sequenced
from ledger.store.clock import today
from ledger.store.fiscal import SealedReceipt
from ledger.store.projections import Projector
from ledger.store.queries import state
from ledger.store.queries.trace import TooManyPieces
from ledger.store.vault import SealedGift
from ledger.suspense import IdentifyMoney, ReceiveUnidentified

LINES_KEPT = 20_000
"""Lines kept in memory between batches at most."""

BREATH = 8
"""Rows of a chunk that are decided at a stretch: about 0.2 ms in which nothing else moves on."""


class Decider:
    """The books of one log, moved on batch by batch. What it decided is not durable until the batch is written."""

    def __init__(self, books: Books, ids: dict[Account, int]) -> None:
        self.books = books
        self._projector = Projector(books, ids)
        self._beside = Beside()
        self._at = self._today = ""

    @property
    def is_crowded(self) -> bool:
        """More lines in memory than should be kept; they may be dropped while nothing is being written."""
        return len(self.books.lines) > LINES_KEPT

    async def batch(
        self, connection: asyncpg.Connection, pending: list[Pending], *, at: str, epoch: int, written: frozenset[str]
    ) -> Batch:
        """Decide these requests. `written`: references of a batch whose commit is on its way."""
        before = self.books.seq
        self._beside = Beside()
        self._at, self._today = at, today(at)
        await self._load(connection, pending, written)
        books = self.books
        known = frozenset(books.refs)
        for each in pending:
            if not each.outcomes:
                await self._decide(connection, each)
        return Batch(
            pending,
            rows.Head(epoch, before, books.seq, bytes.fromhex(books.prev), books.at),
            self._projector.take(),
            self._beside,
            frozenset(books.refs - known),
        )

    async def _load(self, connection: asyncpg.Connection, pending: list[Pending], written: frozenset[str]) -> None:
        """Which idempotency keys and references are known already, and the lines that gifts touch."""
        keys = [each.idempotency.key for each in pending if each.idempotency is not None]
        arriving = _arriving(pending)
        refs = [bytes.fromhex(each.ref) for each in arriving if each.ref]
        found = await connection.fetch(_KNOWN, keys, refs) if keys or refs else []
        known = {row["found"]: row for row in found if row["request"] is not None}
        self.books.refs.clear()
        self.books.refs.update(written)
        self.books.refs.update(row["found"].hex() for row in found if row["request"] is None)
        for each in pending:
            each.outcomes.clear()
            if each.idempotency is not None and (row := known.get(each.idempotency.key)) is not None:
                same = row["request"] == each.idempotency.request
                replayed = Replayed(row["first_seq"], row["last_seq"])
                each.outcomes.append(replayed if same else KeyReused())
        gifts = (each for each in arriving if isinstance(each, ReceiveMoney))
        funds = {(gift.org, gift.fund): gift for gift in gifts}  # one of each tells the lines
        wanted = {where for gift in funds.values() for where in donations.lines(gift, self.books)}
        await state.load_lines(connection, self.books, self._projector.ids, wanted)

    async def _decide(self, connection: asyncpg.Connection, pending: Pending) -> None:
        """Decide the work of one request."""
        before = self.books.seq
        for n, work in enumerate(pending.work):
            if n % BREATH == BREATH - 1:  # the batch before is being written by the same loop
                await asyncio.sleep(0)
            try:
                if isinstance(work, SealedGift):
                    pending.outcomes.append(await self._receive(connection, work))
                elif isinstance(work, SealedReceipt):
                    pending.outcomes.append(await self._issue(connection, work))
                else:
                    assert not isinstance(work, ReceiveMoney), "a gift comes sealed, with what the vault keeps of it"
                    pending.outcomes.append(await self._carry_out(connection, work))
            except Refused as refused:
                pending.outcomes.append(refused)
        if pending.idempotency is not None and self.books.seq > before:
            kept = pending.idempotency
            self._beside.idempotency.append((kept.key, kept.request, before + 1, self.books.seq))

    async def _receive(self, connection: asyncpg.Connection, gift: SealedGift) -> Sequenced:
        if gift.command.corrects:
            await _check_kept(connection, gift.command.corrects)
        if isinstance(gift.command, IdentifyMoney) or gift.command.corrects:
            sequenced = await self._carry_out(connection, gift.command, gift.command.code)
        else:
            (draft,) = decide.decide(gift.command, self.books, Facts(today=self._today))
            sequenced = Sequenced((self._append(draft),), (self.books.prev,), gift.command.code)
        (entry,) = sequenced.entries
        beside = self._beside
        beside.sealed.append((entry.seq, gift.subject.slot, gift.sealed))
        beside.receipts.append((gift.digest, gift.key_id, entry.seq, gift.box))
        if gift.name:
            beside.names.append((entry.seq, gift.key_id, gift.name))
        return sequenced

    async def _issue(self, connection: asyncpg.Connection, receipt: SealedReceipt) -> Sequenced:
        """A fiscal receipt, whose number no other gift has."""
        gift = receipt.command.ref
        if await connection.fetchval(_NUMBER_TAKEN, receipt.number):
            raise AlreadyThere("a fiscal receipt of this code and number is in the log")
        await _check_kept(connection, gift)
        sequenced = await self._carry_out(connection, receipt.command)
        (entry,) = sequenced.entries
        self._beside.fiscal_receipts.append((receipt.digest, receipt.key_id, gift, entry.seq))
        self._beside.fiscal_sealed.append((entry.seq, gift, receipt.number, receipt.sealed))
        return sequenced

    async def _carry_out(self, connection: asyncpg.Connection, command: AnyCommand, code: str = "") -> Sequenced:
        proposed: Proposed | None = None
        if isinstance(command, ApproveProposal):
            if command.proposal in self.books.proposals:  # else the number may be one that no column can hold
                proposed = await state.load_proposed(connection, command.proposal)
            if proposed is None:
                raise Closed(f"proposal {command.proposal} is not open", proposal=command.proposal)
        salt = secrets.token_hex(32)
        facts = Facts(today=self._today, salt=salt)
        if (needs := decide.needs(proposed or command)) is not None:
            try:
                facts = await state.load_facts(
                    connection, needs, self.books, self._projector.ids, today=self._today, salt=salt
                )
            except TooManyPieces:
                raise Invalid(f"ref: entry {needs.ref} went into too many pieces to follow", field="ref") from None
        wanted = decide.lines(command, self.books, facts)
        if proposed is not None:
            wanted |= decide.lines(proposed, self.books, facts)
        await state.load_lines(connection, self.books, self._projector.ids, wanted)
        drafts = decide.decide(command, self.books, facts, proposed)
        appended, digests = zip(*((self._append(draft), self.books.prev) for draft in drafts), strict=True)
        if isinstance(appended[0].body, entries.ProposalMade):
            self._beside.drafts.append((appended[0].seq, msgspec.json.encode(command), salt))
        self._beside.erased += [each.body.ref for each in appended if isinstance(each.body, entries.ErasureRecorded)]
        if self.books.erased and isinstance(command, _RESOLVING):
            self._beside.resolved.append(command.proposal)
        return Sequenced(appended, digests, code)

    def _append(self, draft: Draft) -> Entry:
        entry, written = decide.seal(draft, self.books, self._at)
        self._projector.add(entry, written, entries.digest(written))
        return entry


async def _check_kept(connection: asyncpg.Connection, gift: int) -> None:
    """Since it was read, to be sealed anew: nothing more is kept of a donor who was erased. Raises Closed."""
    if await connection.fetchval(_EMPTIED, gift):
        raise Closed(f"what was kept of the donor of gift {gift} is erased", ref=gift)


def _arriving(pending: Sequence[Pending]) -> list[ReceiveMoney | ReceiveUnidentified | ReceiveIncome]:
    """Commands with a channel's reference, which is in the log once."""
    work = (each for one in pending for each in one.work)
    commands = (each.command if isinstance(each, SealedGift) else each for each in work)
    return [each for each in commands if isinstance(each, ReceiveMoney | ReceiveUnidentified | ReceiveIncome)]


_NUMBER_TAKEN = "select exists (select from fiscal_vault where number = $1)"
_EMPTIED = "select sealed = '' from vault where seq = $1"
_RESOLVING = (ApproveProposal, ExpireProposal, RejectProposal, WithdrawProposal)
_KNOWN = """
  select key as found, request, first_seq, last_seq from idempotency where key = any($1)
  union all
  select ref, null, null, null from gift where ref = any($2)
  union all
  select ref, null, null, null from reference where ref = any($2)
"""
