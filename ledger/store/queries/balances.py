"""Balances as of any entry and day, and the trial balance of an organisation: blocks of turnovers, and a tail."""

from dataclasses import dataclass
from datetime import date

import asyncpg

from ledger import account
from ledger.store.rows import BLOCK_ENTRIES

_NO_BLOCK = 2**62
_NO_TAIL = (1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """An account over some days: closing = opening + credited - consumed. A source's is what it gave, negative."""

    address: str
    unit: str
    opening: int
    credited: int
    consumed: int

    @property
    def closing(self) -> int:
        """What it came to on the last day."""
        return self.opening + self.credited - self.consumed


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A closed period."""

    seq: int
    first_on: date
    last_on: date
    root: str


async def read_balances(
    connection: asyncpg.Connection, org: str, *, first_on: date, last_on: date, as_of: int | None = None
) -> list[Balance]:
    """Every account of the organisation with movements until `last_on`, by address; as of entry `as_of` (None: now)."""
    block, tail = (_NO_BLOCK, _NO_TAIL)
    if as_of is not None:
        block = (as_of + 1) // BLOCK_ENTRIES
        tail = (block * BLOCK_ENTRIES, as_of)
    found = await connection.fetch(_BALANCES, org, block, *tail, first_on, last_on)
    return [Balance(**row) for row in found]


def of_fund(balance: Balance, fund: str) -> bool:
    """Whether the account holds this fund's money: the fund itself, or a project's line of it."""
    kind, _, rest = account.parse(balance.address)
    return kind in {"fund", "project"} and rest[-1] == fund


def of_project(balance: Balance, project: str) -> bool:
    """Whether the account is one of the project's lines."""
    kind, _, rest = account.parse(balance.address)
    return kind == "project" and rest[0] == project


async def read_periods(connection: asyncpg.Connection, org: str) -> list[Period]:
    """Closed periods, the newest first."""
    return [
        Period(seq=row["seq"], first_on=row["first_on"], last_on=row["last_on"], root=row["root"].hex())
        for row in await connection.fetch(_PERIODS, org)
    ]


# The tail has no more than one block of entries: their days are read from their bytes.
_BALANCES = """
with tail as materialized (
  select p.src, p.dst, p.qty,
         (select (convert_from(e.bytes, 'utf8')::jsonb #>> '{body,on}')::date from entry e where e.seq = p.seq) as day
  from posting p where p.seq between $3 and $4
),
moved as (
  select t.account, t.day, t.credited, t.consumed
  from account a join turnover t on t.account = a.id where a.org = $1 and t.block < $2
  union all
  select tail.dst, tail.day, tail.qty, 0 from tail join account a on a.id = tail.dst where a.org = $1
  union all
  select tail.src, tail.day, 0, tail.qty from tail join account a on a.id = tail.src where a.org = $1
),
summed as (
  select account,
         coalesce(sum(credited - consumed) filter (where day < $5), 0)::bigint as opening,
         coalesce(sum(credited) filter (where day >= $5), 0)::bigint as credited,
         coalesce(sum(consumed) filter (where day >= $5), 0)::bigint as consumed
  from moved where day <= $6 group by account
)
select a.address, a.unit, s.opening, s.credited, s.consumed from summed s join account a on a.id = s.account
order by a.address, a.unit
"""
_PERIODS = "select seq, first_on, last_on, root from period where org = $1 order by last_on desc"
