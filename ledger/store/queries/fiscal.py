"""Gifts by fiscal receipt; and for staff the numbers of a gift's receipts, as the vault keeps them."""

from dataclasses import dataclass

import asyncpg

from ledger.entries import Entry, ReceiptIssued, decode
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """A fiscal receipt that holds, over more than what stands of its gift now."""

    issued: int
    gift: int
    amount_fen: int
    stands_fen: int


async def read_stale(connection: asyncpg.Connection, org: str, *, after: int, limit: int) -> list[Stale]:
    """Those of an organisation's gifts, by number of the gift: to be voided, and issued again where anything stands."""
    found: list[Stale] = []
    for row in await connection.fetch(_STALE, org, after, limit):
        body = decode(row["bytes"]).body
        assert isinstance(body, ReceiptIssued)
        stands = 0 if row["is_reversed"] else row["qty"] - row["refunded"]
        found.append(Stale(issued=row["seq"], gift=body.ref, amount_fen=body.amount_fen, stands_fen=stands))
    return found


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
# From refunds and reversals, which are few and have an index of their own, to the receipt that was there before them.
_STALE = """
  select e.seq, e.bytes, g.qty, back.refunded, back.is_reversed
  from (
    select ref, max(seq) as seq, coalesce(sum(qty) filter (where kind = 'gift.refunded'), 0)::bigint as refunded,
      bool_or(kind = 'entry.reversed') as is_reversed
    from citation where kind in ('entry.reversed', 'gift.refunded') and ref > $2 group by ref
  ) back
  join gift g on g.seq = back.ref
  cross join lateral (
    select c.seq, c.kind from citation c
    where c.ref = back.ref and c.kind in ('receipt.issued', 'receipt.voided') order by c.seq desc limit 1
  ) last
  join entry e on e.seq = last.seq and e.kind = 'receipt.issued'
  where e.org = $1 and last.seq < back.seq order by back.ref limit $3
"""
_KEPT = "select issued, sealed from fiscal_vault where seq = $1 order by issued"
