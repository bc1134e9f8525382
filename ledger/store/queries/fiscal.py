"""Gifts by fiscal receipt; and for staff the numbers of a gift's receipts, as the vault keeps them."""

from dataclasses import dataclass

import asyncpg

from ledger.entries import Entry, ReceiptIssued, decode
from ledger.privacy import FiscalNumbers
from ledger.store.database import Database
from ledger.store.fiscal import lookup_digests, open_receipt
from ledger.store.keys import LookupKeys
from ledger.store.queries.chain import read_taken, taken_of


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
    """By refunds that stand, of the gift and of those that it corrects."""


async def read_receipts(connection: asyncpg.Connection, gift: int) -> Said:
    """The entries in the order of the log, and what was refunded of the gift."""
    found = await connection.fetch(_RECEIPTS, gift)
    return Said(
        entries=tuple(decode(row["bytes"]) for row in found),
        refunded_fen=await read_taken(connection, gift, "gift.refunded"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """A fiscal receipt that holds, over another amount than what stands of its gift now."""

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
        issued = Stale(issued=row["seq"], gift=body.ref, amount_fen=body.amount_fen, stands_fen=row["stands"])
        found.append(issued)
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
# From refunds and reversals, which are few and have an index of their own, to the gifts that they touch, on to what
# corrects these, and to the receipt that holds for each.
_STALE = """
  with recursive touched (seq) as (
    select back.ref from citation back join gift on gift.seq = back.ref
    where back.kind in ('entry.reversed', 'gift.refunded')
    union
    select c.seq from touched join citation c on c.ref = touched.seq
      and c.kind in ('money.received', 'money.identified')
  ), found as (
    select t.seq as gift, e.seq, e.bytes,
      case when exists (select from citation c where c.ref = t.seq and c.kind = 'entry.reversed') then 0
        else coalesce((convert_from(given.bytes, 'utf8')::jsonb #>> '{body,right_fen}')::bigint, g.qty) - (
          {refunded}
        ) end as stands
    from touched t
    join gift g on g.seq = t.seq
    join entry given on given.seq = t.seq
    cross join lateral (
      select c.seq from citation c
      where c.ref = t.seq and c.kind in ('receipt.issued', 'receipt.voided') order by c.seq desc limit 1
    ) last
    join entry e on e.seq = last.seq and e.kind = 'receipt.issued'
    where e.org = $1 and t.seq > $2
  )
  select seq, bytes, stands from found
  where stands <> (convert_from(bytes, 'utf8')::jsonb #>> '{body,amount_fen}')::bigint order by gift limit $3
""".replace("{refunded}", taken_of("t.seq", "gift.refunded"))
_KEPT = "select issued, sealed from fiscal_vault where seq = $1 order by issued"
