"""Gifts by fiscal receipt; and for staff the numbers of a gift's receipts, as the vault keeps them."""

from dataclasses import dataclass

import asyncpg

from ledger.entries import Entry, decode
from ledger.privacy import FiscalNumbers
from ledger.store.database import Database
from ledger.store.fiscal import lookup_digests, open_receipt
from ledger.store.keys import LookupKeys


class FiscalReceipts:
    """Finds the gift of a fiscal receipt. Wrong, unknown and voided ones cost what a right one costs."""

    def __init__(self, database: Database, lookup: LookupKeys) -> None:
        self._database = database
        self._lookup = lookup

    async def find(self, numbers: FiscalNumbers, amount_fen: int) -> int | None:
        """The number of the gift's entry; None alike for a receipt that is not there and one that holds no more."""
        digests = lookup_digests(self._lookup, numbers, amount_fen)
        async with self._database.raw() as connection:
            gift: int | None = await connection.fetchval(_FIND, digests)
        return gift


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReceipt:
    """A fiscal receipt of a gift, with its numbers."""

    issued: int
    numbers: FiscalNumbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the log says of a gift's fiscal receipts."""

    entries: tuple[Entry, ...]
    refunded_fen: int


async def read_receipts(connection: asyncpg.Connection, gift: int) -> Said:
    """The entries in the order of the log, and what was refunded of the gift."""
    found = await connection.fetch(_RECEIPTS, gift)
    return Said(
        entries=tuple(decode(row["bytes"]) for row in found), refunded_fen=await connection.fetchval(_REFUNDED, gift)
    )


async def read_kept(connection: asyncpg.Connection, gift: int, subject_key: bytes) -> list[KeptReceipt]:
    """All that were ever issued for the gift, by number of entry."""
    return [
        KeptReceipt(issued=issued, numbers=open_receipt(subject_key, sealed).numbers)
        for issued, sealed in await connection.fetch(_KEPT, gift)
    ]


# One holds at a time: whatever was voided of this gift later was this receipt, or one after it.
_FIND = """
  select r.seq from fiscal_receipt r
  where r.digest = any($1) and not exists (
    select from citation c where c.ref = r.seq and c.kind = 'receipt.voided' and c.seq > r.issued)
"""
_RECEIPTS = """
  select e.bytes from citation c join entry e on e.seq = c.seq
  where c.ref = $1 and c.kind in ('receipt.issued', 'receipt.voided', 'receipt.waived') order by c.seq
"""
_REFUNDED = "select coalesce(sum(qty), 0)::bigint from citation where ref = $1 and kind = 'gift.refunded'"
_KEPT = "select issued, sealed from fiscal_vault where seq = $1 order by issued"
