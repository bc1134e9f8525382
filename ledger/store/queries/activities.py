"""Projects with all that ever moved their money, as of any entry; what organisations were called then."""

import asyncpg

from ledger import entries
from ledger.opendata.iati import Activity, Transaction
from ledger.store.queries.registers import ORGANISATIONS

_WORDS = {
    "money.allocated": "分配到项目",
    "money.released": "项目结余退回基金",
    "money.returned": "收款方退回",
    "gift.refunded": "退还捐赠人",
    "gift.redirected": "经捐赠人同意改变用途",
    "entry.reversed": "更正",
}


async def read_names_as_of(connection: asyncpg.Connection, as_of: int) -> dict[str, str]:
    """Organisation → what it was called."""
    return {row["org"]: row["name"] for row in await connection.fetch(ORGANISATIONS, as_of)}


async def read_activities(connection: asyncpg.Connection, as_of: int) -> list[Activity]:
    """Every project, by organisation and id."""
    names = await read_names_as_of(connection, as_of)
    return [Activity(**row, org_name=names[row["org"]]) for row in await connection.fetch(_PROJECTS, as_of)]


async def read_transactions(connection: asyncpg.Connection, org: str, project: str, as_of: int) -> list[Transaction]:
    """What moved a project's money, by number; what came in less what was paid is what the project has."""
    found = []
    for row in await connection.fetch(_TRANSACTIONS, org, project, as_of):
        entry = entries.decode(row["bytes"])
        payment = entry.body if row["cited"] is None else entries.decode(row["cited"]).body
        paid = payment if isinstance(payment, entries.MoneyDisbursed) else None
        found.append(
            Transaction(
                seq=entry.seq,
                day=row["day"],
                what=_WORDS.get(entry.kind, "") or (paid.purpose if paid else ""),
                incoming_fen=row["incoming"],
                outgoing_fen=row["outgoing"],
                payee=paid.payee if paid and paid.payee != "persons" else "",
                is_aid=paid is not None and paid.spending == "aid",
            )
        )
    return found


_PROJECTS = """
  select p.org, p.project, p.name, p.category, p.region, p.event, p.budget_fen, p.starts, p.ends,
         (opened.at at time zone 'Asia/Shanghai')::date::text as opened_on,
         coalesce((closed.at at time zone 'Asia/Shanghai')::date::text, '') as closed_on
  from project p join entry opened using (seq) left join entry closed on closed.seq = p.closed_seq and closed.seq <= $1
  where p.seq <= $1 order by p.org, p.project
"""
# An effect in parts is one. What is paid leaves `allocated`; added back, what came in and went home is left.
_TRANSACTIONS = """
  select m.*, entry.bytes, cited.bytes as cited from (
    select first, min(day) as day, sum(qty)::bigint as incoming,
           coalesce(sum(qty) filter (where measure = 'paid'), 0)::bigint as outgoing
    from movement
    where org = $1 and project = $2 and project <> '' and seq <= $3 and measure in ('allocated', 'paid')
    group by first
  ) m join entry on entry.seq = m.first
  left join entry cited on entry.kind in ('money.returned', 'entry.reversed')
    and cited.seq = (convert_from(entry.bytes, 'utf8')::jsonb #>> '{body,ref}')::bigint
  where m.incoming <> 0 or m.outgoing <> 0 order by m.first
"""
