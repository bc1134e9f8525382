"""Figures by up to three dimensions, as of any entry: long spans of entries, then short ones, then the rest itself.

Which measure goes by which dimension is told here, with the reason where it does not.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import asyncpg

from ledger.account import MAX_POSITION
from ledger.store import rows

PLACE = ("month", "org", "fund", "project", "event", "region", "category")
GIFT = ("channel", "donor_class")
DIMENSIONS = (*PLACE, *GIFT)
MAX_DIMENSIONS = 3
MAX_ROWS = 10_000
"""More are not answered, rather than cut off."""

FEW = 5
"""Persons in a group of fewer are not counted in public."""


class Measure(NamedTuple):
    """A word of the figures, and what the tables keep of it."""

    parts: tuple[str, ...]
    zh: str
    is_counted: bool = True
    by_gift: bool = False
    """Also by channel and donor class."""


MEASURES = {
    "received": Measure(("received",), "收到捐款", by_gift=True),
    "income": Measure(("income",), "其他收入（不是捐款）"),
    "moved_in": Measure(("moved_in",), "从其他组织收到，或经捐赠人同意从其他基金转入"),
    "held": Measure(("held",), "已入账未分配", is_counted=False),
    "allocated": Measure(("allocated",), "已分配未使用", is_counted=False),
    "in_transit": Measure(("in_transit",), "组织之间在途", is_counted=False),
    "unspent": Measure(("held", "allocated", "in_transit"), "未使用：未分配、已分配未使用与在途之和", is_counted=False),
    "paid": Measure(("paid",), "已拨付（含已签收，已减去退回的付款）"),
    "refunded": Measure(("refunded",), "已退回捐赠人", by_gift=True),
    "fees": Measure(("fees",), "渠道手续费"),
    "lost": Measure(("lost",), "汇兑损失"),
    "voided": Measure(("voided",), "登记有误已作废", by_gift=True),
    "moved_on": Measure(("moved_on",), "其他组织已收到，或经捐赠人同意转到其他基金"),
    "total_allocated": Measure(("total_allocated",), "累计分配"),
    "returned": Measure(("returned",), "收款方退回的付款"),
    "confirmed": Measure(("confirmed",), "受助方已签收（相符）"),
}
"""received + income + moved_in = unspent + paid + refunded + fees + lost + voided + moved_on, of every fund."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked. Filters left empty do not narrow it."""

    measure: str
    by: tuple[str, ...] = ()
    only: Mapping[str, str] = field(default_factory=dict)
    """Dimension → value. `org` with all that belong to it; `region` with all that lie in it."""
    since: str = ""
    until: str = ""
    """First and last month."""


class Cell(NamedTuple):
    """One group."""

    keys: tuple[str, ...]
    entries: int
    sum_fen: int


def why_not(question: Question) -> str:
    """Why the question has no exact answer; empty where it has one."""
    if len({*question.by}) != len(question.by) or len(question.by) > MAX_DIMENSIONS:
        return f"by：最多 {MAX_DIMENSIONS} 个不同的维度"
    measure = MEASURES[question.measure]
    asked = [each for each in (*question.by, *question.only) if each in GIFT]
    if not asked or measure.by_gift:
        return ""
    if question.measure in {"paid", "confirmed", "returned"}:
        return (
            "一笔付款的钱来自许多捐款，按先进先出逐分对应；合计表里没有它们的渠道和捐赠人类别。"
            "请用 /api/v1/entries/{seq}/sources 查一笔付款的来源，或下载账本逐笔追踪。"
        )
    return (
        f"“{measure.zh}”是许多捐款合在一起的钱，不分渠道和捐赠人类别。"
        "received、refunded、voided 可以按渠道和捐赠人类别统计。"
    )


async def read_aggregate(
    connection: asyncpg.Connection, question: Question, *, as_of: int | None, orgs: Collection[str] | None = None
) -> list[Cell]:
    """Groups in order of their keys, one more than MAX_ROWS at most; as of entry `as_of` (None: now).

    `orgs`: only these, in place of the organisation asked for. The question has an exact answer.
    """
    parts = MEASURES[question.measure].parts
    arguments: list[object] = [[*parts]]

    def given(value: object) -> str:
        arguments.append(value)
        return f"${len(arguments)}"

    spans, tail = _spans(as_of)
    pieces = [
        f"select {_FIGURE} from figure where span = {span} and measure = any($1) "  # noqa: S608  ours
        f"and block >= {given(first)}::bigint and block < {given(end)}::bigint"
        for span, first, end in spans
    ]
    if tail is not None:
        lo, hi = (f"{given(each)}::bigint" for each in tail)
        pieces.append(f"select {_MOVEMENT} from movement where measure = any($1) and seq between {lo} and {hi}")  # noqa: S608
        pieces += [
            f"select {columns} from {_ARRIVED} and p.seq between {lo} and {hi}"  # noqa: S608  likewise
            for part, columns in _GIFTS.items()
            if part in parts
        ]
    where = ["true"]
    if orgs is not None:
        where.append(f"org = any({given([*orgs])}::text[])")
    where += [f"month >= {given(question.since)}"] if question.since else []
    where += [f"month <= {given(question.until)}"] if question.until else []
    for dimension, value in question.only.items():
        if dimension == "region":
            where.append(f"region like {given(_within(value))}")
        elif dimension != "org":
            where.append(f"{dimension} = {given(value)}")
    keys = ", ".join(question.by)
    statement = _ANSWER.format(
        pieces=" union all ".join(pieces),
        event=_LABEL if MEASURES[question.measure].by_gift else _PURPOSE,
        where=" and ".join(where),
        keys=f"{keys}, " if keys else "",
        group=f"group by {keys} order by {keys}" if keys else "",
        limit=MAX_ROWS + 1,
    )
    found = await connection.fetch(statement, *arguments)
    return [Cell(tuple(row[each] for each in question.by), row["entries"], row["qty"]) for row in found]


async def read_subtree(connection: asyncpg.Connection, org: str, *, as_of: int) -> set[str]:
    """The organisation and all that belong to it, as of an entry; none where it is not registered then."""
    parents = {row["org"]: row["parent"] for row in await connection.fetch(_TREE, as_of)}
    found = {org} & parents.keys()
    grown = found
    while grown:
        grown = {each for each, parent in parents.items() if parent in grown} - found
        found |= grown
    return found


def _spans(as_of: int | None) -> tuple[list[tuple[int, int, int]], tuple[int, int] | None]:
    """Spans as (length, first, end), longest first, and the entries after them; the longest alone for all there is."""
    longest = rows.FIGURE_SPANS[0]
    if as_of is None:
        return [(longest, 0, MAX_POSITION)], None
    found: list[tuple[int, int, int]] = []
    done = 0
    for span in rows.FIGURE_SPANS:
        end = (as_of + 1) // span
        found.append((span, done // span, end))
        done = end * span
    return [each for each in found if each[1] < each[2]], (done, as_of) if done <= as_of else None


def _within(region: str) -> str:
    """A LIKE pattern for a GB/T 2260 code and what lies in it: trailing 00 pairs stand for everything below."""
    while region.endswith("00"):
        region = region[:-2]
    return f"{region}%"


_COLUMNS = ("month", "org", "fund", "project", "channel", "donor_class", "event", "entries", "qty")
_FIGURE = ", ".join(_COLUMNS)
_MOVEMENT = _FIGURE.replace("month", "to_char(day, 'YYYY-MM') as month")
# A gift as it arrives: its first posting is what the fund holds, a second one a fee.
_ARRIVED = """
  posting p join gift g on g.seq = p.seq join account a on a.id = g.account where p.src_lo is null
"""
_WHERE_GIVEN = "to_char(g.day, 'YYYY-MM'), split_part(a.address, ':', 2), split_part(a.address, ':', 3), ''"
_GIFTS = {
    "received": f"{_WHERE_GIVEN}, g.channel, g.donor_class, g.event, (p.n = 0)::int, p.qty",
    "held": f"{_WHERE_GIVEN}, '', '', '', 0, case when p.n = 0 then p.qty else 0 end",
    "fees": f"{_WHERE_GIVEN}, '', '', '', (p.n > 0)::int, case when p.n > 0 then p.qty else 0 end",
}
_LABEL = "coalesce(nullif(m.event, ''), f.restriction ->> 'event', '')"
_PURPOSE = "coalesce(nullif(p.event, ''), f.restriction ->> 'event', '')"
# What a project does not say of itself, its money's fund does.
_ANSWER = """
with moved as ({pieces}),
summed as (
  select month, org, fund, project, channel, donor_class, event, sum(entries) as entries, sum(qty) as qty
  from moved group by month, org, fund, project, channel, donor_class, event
),
told as (
  select m.month, m.org, m.fund, coalesce(nullif(m.project, ''), f.restriction ->> 'project', '') as project,
         m.channel, m.donor_class, {event} as event,
         coalesce(nullif(p.region, ''), f.restriction ->> 'region', '') as region,
         coalesce(nullif(p.category, ''), f.restriction ->> 'category', '') as category, m.entries, m.qty
  from summed m left join fund f on f.org = m.org and f.fund = m.fund
  left join project p on p.org = m.org and p.project = m.project
)
select {keys} coalesce(sum(entries), 0)::bigint as entries, coalesce(sum(qty), 0)::bigint as qty
from told where {where} {group} limit {limit}
"""
_TREE = """
  select distinct on (1) said #>> '{body,org}' as org, coalesce(said #>> '{body,parent}', '') as parent
  from (
    select seq, convert_from(bytes, 'utf8')::jsonb as said from entry
    where kind in ('org.registered', 'org.changed') and seq <= $1
  ) organisation
  order by 1, seq desc
"""


def summed(cells: Sequence[Cell]) -> tuple[int, int]:
    """Count and fen of all groups together."""
    return sum(each.entries for each in cells), sum(each.sum_fen for each in cells)
