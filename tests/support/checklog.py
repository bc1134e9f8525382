"""The whole log against itself, after whatever happened to it: entries, money, projections, vault, receipts, keys."""

import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from hashlib import sha256
from itertools import pairwise
from typing import Any

import asyncpg
import msgspec

from ledger import entries, privacy
from ledger.account import Account
from ledger.decide import AnyProposable
from ledger.entries import Entry, ErasureRecorded, MoneyIdentified, MoneyReceived, ProposalMade, ReceiptIssued
from ledger.settings import Settings
from ledger.store import fiscal, setup
from ledger.store.database import Database
from ledger.store.fiscal import open_receipt
from ledger.store.keys import LogKeys, LookupKeys, SubjectKeys
from ledger.store.rebuild import PROJECTIONS, rebuild
from ledger.store.vault import lookup_digests, open_record
from tests.support.box import open_box
from tests.support.foreign import foreign
from tests.support.model import read_back
from tests.support.replay import replay

LOCK = f"lock table head, {', '.join(PROJECTIONS)} in access exclusive mode"
Dump = dict[str, list[str]]
"""Projection → its rows as text, in order."""


async def check_log(settings: Settings, *, decided_again: bool = False) -> list[Entry]:
    """Everything that has to hold, whoever died; the entries. Nothing is changed, no sequencer is fenced off.

    `decided_again`: let the pure core decide every command once more, on the entries before it. Slow for long logs.
    """
    assert settings.database_url is not None
    owner = _Undone(setup.database(settings, settings.database_url, "owner", pool_size=1))
    try:
        await rebuild(owner, report=_unreported)  # type: ignore[arg-type]  # the one method it needs
        found = owner.found
    finally:
        await owner.close()
    log = [entries.decode(written) for written in found["entries"]]
    _check_entries(found, log)
    _check_money(found["entries"], log)
    assert owner.before == owner.after, "the projections are not what the entries say"
    _check_vault(settings, found, log)
    _check_idempotency(found, log)
    drafts = _check_drafts(found, log)
    if decided_again:
        replay(found["entries"], drafts)
    return log


async def rebuilt(settings: Settings) -> int:
    """What `sunledger rebuild` does; how many entries there are."""
    assert settings.database_url is not None
    owner = setup.database(settings, settings.database_url, "owner", pool_size=1)
    try:
        return await rebuild(owner, report=_unreported)
    finally:
        await owner.close()


async def dump(connection: asyncpg.Connection) -> Dump:
    """Every row of every projection."""
    return {table: await _rows(connection, table) for table in PROJECTIONS}


class _Undone:
    """The owner's way in, but what is written is looked at and undone: readers and writers see none of it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.before: Dump = {}
        self.after: Dump = {}
        self.found: dict[str, Any] = {}

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[asyncpg.Connection]:
        async with self._database.raw() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                await connection.execute(LOCK)  # nobody commits while we look
                self.before, self.found = await dump(connection), await _read(connection)
                yield connection
                self.after = await dump(connection)
            finally:
                await transaction.rollback()

    async def close(self) -> None:
        await self._database.close()


async def _rows(connection: asyncpg.Connection, table: str) -> list[str]:
    return [row["row"] for row in await connection.fetch(f"select t::text as row from {table} t order by 1")]


async def _read(connection: asyncpg.Connection) -> dict[str, Any]:
    return {
        "entries": [row["bytes"] for row in await connection.fetch("select bytes from entry order by seq")],
        "columns": await connection.fetch("select seq, at, kind, org from entry order by seq"),
        "head": await connection.fetchrow("select seq, prev, at from head"),
        "vault": await connection.fetch("select seq, slot, sealed from vault order by seq"),
        "receipt": await connection.fetch("select digest, key_id, seq, box from receipt order by seq"),
        "fiscal": await connection.fetch(_FISCAL),
        "named": [row["seq"] for row in await connection.fetch(_NAMED)],
        "idempotency": await connection.fetch("select first_seq, last_seq from idempotency order by first_seq"),
        "draft": await connection.fetch("select proposal, command, salt from draft order by proposal"),
    }


def _check_entries(found: dict[str, Any], log: list[Entry]) -> None:
    """Dense, canonical, chained; the columns beside the bytes and the head say the same."""
    rfc8785 = foreign("rfc8785", "rfc8785")
    prev, at = "0" * 64, ""
    for number, (written, entry, columns) in enumerate(zip(found["entries"], log, found["columns"], strict=True)):
        assert entry.seq == columns["seq"] == number, "a gap"
        assert entry.prev == prev, f"entry {number} does not follow the one before: a fork"
        assert entry.at >= at, f"entry {number} is earlier than the one before"
        assert rfc8785.dumps(json.loads(written)) == written, f"entry {number} is not canonical"
        assert (entry.kind, entries.org_of(entry), entries.moment(entry.at)) == (
            columns["kind"], columns["org"], columns["at"],
        )  # fmt: skip
        prev, at = sha256(written).hexdigest(), entry.at
    head = found["head"]
    assert (head["seq"], head["prev"].hex(), head["at"]) == (len(log) - 1, prev, at), "the head is not the last entry"


def _check_money(written: list[bytes], log: list[Entry]) -> None:
    """Read back with every line followed: the books assert that no position goes twice and nothing is overdrawn."""
    every = {
        Account(address, each.unit) for entry in log for each in entry.postings for address in (each.src, each.dst)
    }
    books = read_back(written, every)
    assert all(line.available >= 0 for line in books.lines.values())
    for entry in log:
        for left, right in pairwise(entry.postings):
            assert (left.src, left.src_span.hi) != (right.src, right.src_lo), "neighbours that could be one"


def _check_vault(settings: Settings, found: dict[str, Any], log: list[Entry]) -> None:
    """Each gift has one vault row and one receipt, which open with its own key and code and say what its entry says.

    Of one whose donor was erased nothing is left but the slot, and the key there is destroyed.
    """
    gifts = [entry for entry in log if isinstance(entry.body, MoneyReceived | MoneyIdentified)]
    assert [row["seq"] for row in found["vault"]] == [entry.seq for entry in gifts]
    erased = {entry.body.ref for entry in log if isinstance(entry.body, ErasureRecorded)}
    for right, wrong in [(entry.seq, getattr(entry.body, "corrects", 0)) for entry in gifts]:
        if wrong and erased & {right, wrong}:
            erased |= {right, wrong}
    assert [row["seq"] for row in found["receipt"]] == [entry.seq for entry in gifts if entry.seq not in erased]
    assert {row["seq"] for row in found["vault"] if not row["sealed"]} == erased
    assert not erased & {*found["named"]}, "a name or a consent outlived its erasure"
    slots = [row["slot"] for row in found["vault"]]
    assert len({*slots}) == len(slots), "two donors under one key"
    keys, lookup = LogKeys.read(settings.keys), LookupKeys.read(settings.lookup)
    subjects = SubjectKeys(settings.subject_keys)
    try:
        receipts = {row["seq"]: row for row in found["receipt"]}
        for entry, kept in zip(gifts, found["vault"], strict=True):
            key = subjects.read(kept["slot"])
            if entry.seq in erased:
                assert key is None, f"the key of gift {entry.seq} outlived its erasure"
                continue
            receipt = receipts[entry.seq]
            assert key is not None, f"the key of gift {entry.seq} is not there"
            _check_gift(entry, kept["sealed"], key, receipt, keys, lookup)
        _check_fiscal(found, log, {row["seq"]: subjects.read(row["slot"]) for row in found["vault"]}, keys, lookup)
    finally:
        subjects.close()


def _check_gift(  # noqa: PLR0913, PLR0917  all that is kept of a gift
    entry: Entry, sealed: bytes, key: bytes, receipt: Any, keys: LogKeys, lookup: LookupKeys
) -> None:
    body = entry.body
    assert isinstance(body, MoneyReceived | MoneyIdentified)
    record = open_record(key, sealed)
    assert privacy.parse_code(record.code) == record.code
    assert receipt["digest"] in lookup_digests(lookup, record.code)
    said = record.channel
    assert (said.channel, said.on) == (body.channel, body.on)
    assert said.amount_fen == (getattr(body, "right_fen", 0) or entries.qty_of(entry))
    if isinstance(body, MoneyReceived):
        assert body.ref == keys.ref(entries.org_of(entry), said.channel, said.channel_ref)
    box = open_box(record.code, receipt["box"])
    assert box is not None, f"the box of gift {entry.seq} does not open with its code"
    assert (box.channel, bytes.fromhex(box.channel_salt)) == (said, record.channel_salt)
    assert box.identity == privacy.identity_digest(record.identity, record.identity_salt).hex()
    channel = privacy.channel_digest(box.channel, bytes.fromhex(box.channel_salt)).hex()
    assert body.donor == _sha256(f"sunledger/donor/1\n{box.identity}\n{channel}\n")
    assert body.receipt == _sha256(f"sunledger/receipt/1\n{entry.prev}\n{record.code}\n")


def _check_fiscal(
    found: dict[str, Any], log: list[Entry], subject_keys: dict[int, bytes | None], keys: LogKeys, lookup: LookupKeys
) -> None:
    """Each fiscal receipt opens with the key of its gift, says what its entry commits to, and is found by it."""
    issued = {entry.seq: entry.body for entry in log if isinstance(entry.body, ReceiptIssued)}
    assert [row["issued"] for row in found["fiscal"]] == [*issued]
    for row in found["fiscal"]:
        body, key = issued[row["issued"]], subject_keys[row["seq"]]
        assert key is not None
        record = open_receipt(key, row["sealed"])
        assert body.ref == row["seq"] == row["receipt_seq"]
        assert body.commitment == privacy.fiscal_commitment(record.numbers, record.salt)
        assert row["number"] == keys.fiscal_number(record.numbers)
        assert row["digest"] in fiscal.lookup_digests(lookup, record.numbers, body.amount_fen)


def _check_idempotency(found: dict[str, Any], log: list[Entry]) -> None:
    """Each kept request is one whole command's entries, and no entry belongs to two requests."""
    ranges = [(row["first_seq"], row["last_seq"]) for row in found["idempotency"]]
    for first, last in ranges:
        assert 0 <= first <= last < len(log)
        assert not _goes_on(log, first), f"a request that begins inside a command, at {first}"
        assert all(_goes_on(log, seq) for seq in range(first + 1, last + 1)), f"a request of two commands, from {first}"
        assert not _goes_on(log, last + 1), f"a request that ends inside a command, at {last}"
    for (_, last), (first, _) in pairwise(ranges):
        assert last < first, f"entry {first} belongs to two requests"


def _goes_on(log: list[Entry], seq: int) -> bool:
    """Whether this entry was entered by the command of the entry before."""
    if seq >= len(log):
        return False
    return entries.part_of(log[seq].body)[0] > 1 or (
        bool(log[seq].by.proposal) and log[seq - 1].kind == "proposal.approved"
    )


def _check_drafts(found: dict[str, Any], log: list[Entry]) -> dict[int, tuple[AnyProposable, str]]:
    """Each proposal has its text beside the log; proposal → command and salt."""
    proposals = [
        entry.seq for entry in log if isinstance(entry.body, ProposalMade) and entries.part_of(entry.body)[0] == 1
    ]
    assert [row["proposal"] for row in found["draft"]] == proposals
    kept = [row for row in found["draft"] if row["command"]]  # the others' texts went with a donor's data
    assert all(re.fullmatch("[0-9a-f]{64}", row["salt"]) for row in kept)
    return {row["proposal"]: (_command.decode(row["command"]), row["salt"]) for row in kept}


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _unreported(_line: str) -> None: ...


_FISCAL = """
  select v.issued, v.seq, v.number, v.sealed, r.digest, r.seq as receipt_seq
  from fiscal_vault v full join fiscal_receipt r on r.issued = v.issued order by v.issued
"""
_NAMED = "select seq from public_name union all select seq from consent"
_command = msgspec.json.Decoder(AnyProposable)
