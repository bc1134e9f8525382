"""Every payment, one by one, in the order of the log."""

from dataclasses import dataclass

import asyncpg

from ledger import account, entries


@dataclass(frozen=True, slots=True, kw_only=True)
class Disbursement:
    """A payment (all its parts), named by its first entry. Paid: `amount_fen` - `returned_fen`."""

    seq: int
    on: str
    amount_fen: int
    returned_fen: int
    """What its payee handed back, or a correction took back."""
    org: str
    project: str
    payee: str
    purpose: str
    spending: str
    region: str
    beneficiaries: str


async def read_disbursements(connection: asyncpg.Connection, *, after: int, limit: int) -> list[Disbursement]:
    """Those with a number above `after`, by number: later payments only ever follow."""
    paid = [entries.decode(row["bytes"]) for row in await connection.fetch(_PAGE, after, limit)]
    ends = [entry.seq + entries.part_of(entry.body)[1] - 1 for entry in paid]
    sums = await connection.fetch(_SUMS, [entry.seq for entry in paid], ends)
    found = []
    for entry, row in zip(paid, sums, strict=True):
        body = entry.body
        assert isinstance(body, entries.MoneyDisbursed)
        found.append(
            Disbursement(
                seq=entry.seq,
                on=body.on,
                amount_fen=row["qty"],
                returned_fen=row["returned"],
                org=entries.org_of(entry),
                project=account.parse(entry.postings[0].src).rest[0],
                payee=body.payee,
                purpose=body.purpose,
                spending=body.spending,
                region=body.region,
                beneficiaries=body.beneficiaries,
            )
        )
    return found


async def count_disbursements(connection: asyncpg.Connection) -> int:
    """How many payments there are; those taken back are among them."""
    count: int = await connection.fetchval(
        "select coalesce(sum(entries), 0)::bigint from rollup where kind = 'money.disbursed'"
    )
    return count


# Of a payment in parts the first one stands for all.
_PAGE = """
  select bytes from entry
  where kind = 'money.disbursed' and seq > $1
    and coalesce((convert_from(bytes, 'utf8')::jsonb #>> '{body,part,0}')::int, 1) = 1
  order by seq limit $2
"""
_SUMS = """
  select (select sum(qty) from posting where seq between first and last)::bigint as qty,
         (select coalesce(sum(c.qty), 0) from citation c
          where c.ref = first and c.kind in ('entry.reversed', 'money.returned'))::bigint as returned
  from unnest($1::bigint[], $2::bigint[]) as wanted (first, last) order by first
"""
