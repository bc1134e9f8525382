"""Where a project's money came from and where it went: by fund, and by who was paid."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import asyncpg

from ledger import account
from ledger.store.queries.projects import Project

Kind: TypeAlias = Literal[
    "fund", "came_late", "payee", "released", "refunded", "redirected", "voided", "went_late", "allocated"
]  # fmt: skip


class End(NamedTuple):
    """Where money came from, or went to. Two funds may have one name."""

    kind: Kind
    """A fund, a payee, or which of the project's figures."""
    fund: str
    name: str
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Each fund with what it ever allocated, each payee with what it has: what it handed back is not in it.

    Both sides come to the same sum, which is all that the project ever had.
    """

    came: Sequence[End]
    went: Sequence[End]


async def read_flow(connection: asyncpg.Connection, project: Project) -> Flow:
    """Of one project, as of the entry that its figures are of: funds and payees, the largest first; then the others."""
    org, its, figures = project.org, project.project, project.figures
    funds = await connection.fetch(_FUNDS, org, its)
    payees = await connection.fetch(_PAYEES, org, account.project(org, its, ""), account.payees(org))
    late: list[tuple[Kind, int]] = [("came_late", figures.came_late_fen)]
    others: list[tuple[Kind, int]] = [
        ("released", figures.released_fen),
        ("refunded", figures.refunded_fen),
        ("redirected", figures.redirected_fen),
        ("voided", figures.voided_fen),
        ("went_late", figures.went_late_fen),
        ("allocated", figures.allocated_fen),
    ]
    came = [*(End("fund", *row) for row in funds), *(End(kind, "", "", fen) for kind, fen in late if fen)]
    went = [
        *(End("payee", "", *row) for row in payees if row["qty"]),
        *(End(kind, "", "", fen) for kind, fen in others if fen),
    ]
    for side in (came, went):
        found = sum(each.amount_fen for each in side)
        assert found == figures.came_fen, f"{figures.came_fen} fen came to {org}:{its}, {found} found"
    return Flow(came=came, went=went)


_FUNDS = """
  select f.fund, f.name, sum(r.qty)::bigint as qty from rollup r join fund f using (org, fund)
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
