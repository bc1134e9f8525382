"""Where a project's money came from and where it went: by fund, and by who was paid."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import asyncpg

from ledger import account


class End(NamedTuple):
    """Where money came from, or went to. Two funds may have one name."""

    name: str
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Each fund with what it ever allocated, each payee with what it has: what it handed back is not in it."""

    funds: Sequence[End]
    payees: Sequence[End]


async def read_flow(connection: asyncpg.Connection, org: str, project: str) -> Flow:
    """Of one project; the largest first."""
    funds = await connection.fetch(_FUNDS, org, project)
    payees = await connection.fetch(_PAYEES, org, account.project(org, project, ""), account.payees(org))
    return Flow(
        funds=[End(*row) for row in funds],
        payees=[End(*row) for row in payees if row["qty"]],
    )


_FUNDS = """
  select f.name, sum(r.qty)::bigint as qty from rollup r join fund f using (org, fund)
  where r.org = $1 and r.project = $2 and r.kind = 'money.allocated'
  group by f.fund, f.name having sum(r.qty) <> 0 order by qty desc, f.name, f.fund
"""
# A payment counts for its payee, in all its parts. What came back cites the payment it belongs to, and is off it
# wherever it came home to: late money goes to a successor.
_PAYEES = """
  with own as (select id from account where org = $1 and starts_with(address, $2)),
  payee as (select id from account where address = $3 and unit = 'CNY'),
  paid as (
    select p.seq, p.qty from posting p where p.src in (select id from own) and p.dst in (select id from payee)
  ),
  moved as (
    select seq, qty from paid
    union all
    select c.ref, -p.qty from citation c join posting p on p.seq = c.seq
    where c.ref in (select seq from paid) and p.src in (select id from payee)
  )
  select convert_from(e.bytes, 'utf8')::jsonb #>> '{body,payee}' as payee, sum(m.qty)::bigint as qty
  from moved m join entry e using (seq) group by payee order by qty desc, payee
"""
