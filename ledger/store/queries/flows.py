"""Where a project's money came from and where it went: by fund, and by who was paid."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import asyncpg

from ledger import account
from ledger.account import MAX_POSITION
from ledger.store.queries.projects import Project

Kind: TypeAlias = Literal[
    "fund", "came_late", "payee", "released", "refunded", "redirected", "voided", "went_late", "allocated"
]  # fmt: skip
_CAME: tuple[Kind, ...] = ("fund", "came_late")
_WENT: tuple[Kind, ...] = ("payee", "released", "refunded", "redirected", "voided", "went_late", "allocated")


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

    @property
    def sum_fen(self) -> int:
        """All that the project ever had."""
        return sum(each.amount_fen for each in self.came)


async def read_flow(connection: asyncpg.Connection, project: Project, *, as_of: int | None = None) -> Flow:
    """Of one project, now or as of an entry: funds and payees, the largest first; then the others."""
    org, its = project.org, project.project
    own = (org, account.project(org, its, ""), MAX_POSITION if as_of is None else as_of)
    fen: defaultdict[Kind, Counter[str]] = defaultdict(Counter)
    late = 0
    for source, fund, qty in await connection.fetch(_SOURCES, *own):
        fen["allocated"][""] += qty
        if source == "fund":
            fen["fund"][fund] += qty
        else:
            late += qty
    for sink, by, fund, payee, gone, home in await connection.fetch(_SINKS, *own):
        kind = _KINDS[sink, by]
        fen["allocated"][""] -= gone
        if kind == "fund":
            fen[kind][fund] -= gone
        else:
            fen[kind][payee] += gone - home
            late -= home
    fen["came_late"][""], fen["went_late"][""] = max(late, 0), max(-late, 0)
    names = dict(await connection.fetch(_NAMES, org, [*fen["fund"]]))
    came, went = ([end for kind in side for end in _ends(kind, fen[kind], names)] for side in (_CAME, _WENT))
    flow = Flow(came=came, went=went)
    known = flow.sum_fen if as_of is not None else project.figures.came_fen
    found = sum(each.amount_fen for each in went)
    assert flow.sum_fen == found == known, f"{org}:{its}: {known} fen, {flow.sum_fen} came and {found} went"
    return flow


def _ends(kind: Kind, fen: Mapping[str, int], names: Mapping[str, str]) -> list[End]:
    """Of one kind, the largest first; nothing of nothing."""
    is_fund = kind == "fund"
    ends = [
        End(kind, each if is_fund else "", names[each] if is_fund else each, qty) for each, qty in fen.items() if qty
    ]
    return sorted(ends, key=lambda end: (-end.amount_fen, end.name, end.fund))


_KINDS: dict[tuple[str, str], Kind] = {
    ("payees", "money.disbursed"): "payee",
    ("fund", "money.released"): "released",
    ("refunds", "gift.refunded"): "refunded",
    ("fund", "gift.redirected"): "redirected",
    ("voided", "entry.reversed"): "voided",
    ("suspense", "entry.reversed"): "voided",
    ("fund", "entry.reversed"): "fund",  # an allocation that was taken back
}
"""Kind of account that money of a project leaves for, and of the entry that takes it there."""

_NAMES = "select fund, name from fund where org = $1 and fund = any($2)"
_OWN = """
  with own as (
    select id, split_part(address, ':', 4) as fund from account
    where org = $1 and starts_with(address, $2) and unit = 'CNY'
  )
"""
_SOURCES = f"""
  {_OWN}
  select split_part(a.address, ':', 1) as source, own.fund, sum(p.qty)::bigint
  from own join posting p on p.dst = own.id join account a on a.id = p.src
  where p.seq <= $3 group by source, own.fund
"""  # noqa: S608  ours
# Positions tell whose money comes home out of a sink: it is off the effect that took it there, also where it comes home
# to a successor.
_SINKS = f"""
  {_OWN},
  gone as (
    select own.fund, split_part(a.address, ':', 1) as sink, a.id as place, p.seq, p.qty
    from own join posting p on p.src = own.id and p.src_lo is not null join account a on a.id = p.dst
    where p.seq <= $3
  ),
  home as (
    select own.fund, sink.sink, p.seq, least(p.dst_hi, q.src_hi) - greatest(p.dst_lo, q.src_lo) as qty
    from (select distinct sink, place from gone where sink in ('payees', 'refunds')) sink
    join posting q on q.src = sink.place and q.src_lo is not null
    cross join lateral (
      select p.seq, p.src, p.dst_lo, p.dst_hi from posting p
      where p.dst = q.src and p.dst_lo < q.src_hi
        and p.dst_lo >= (
          select before.dst_lo from posting before
          where before.dst = q.src and before.dst_lo <= q.src_lo order by before.dst_lo desc limit 1)
      offset 0
    ) p
    join own on own.id = p.src
    where q.seq <= $3
  ),
  effect as (
    select sink, fund, seq, sum(gone) as gone, sum(home) as home
    from (
      select sink, fund, seq, qty as gone, 0 as home from gone union all select sink, fund, seq, 0, qty from home
    ) moved
    group by sink, fund, seq
  )
  select sink, kind, fund,
         case sink when 'payees' then convert_from(bytes, 'utf8')::jsonb #>> '{{body,payee}}' else '' end as payee,
         sum(gone)::bigint, sum(home)::bigint
  from effect join entry using (seq) group by sink, kind, fund, payee
"""  # noqa: S608  ours
