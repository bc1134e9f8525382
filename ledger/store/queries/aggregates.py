"""Figures by up to three dimensions, as of any entry: long spans of entries, then short ones, then the rest itself.

Which measure goes by which dimension is told here, with the reason where it does not.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import asyncpg

from ledger.account import MAX_POSITION
from ledger.store import rows
from ledger.store.queries.registers import ORGANISATIONS

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
    by_lineage: bool = False
    """By channel and donor class as of a lineage report: `ledger.store.lineage`."""


MEASURES = {
    "received": Measure(("received",), "收到捐款", by_gift=True),
    "income": Measure(("income",), "其他收入（不是捐款）"),
    "moved_in": Measure(("moved_in",), "从其他组织收到，或经捐赠人同意从其他基金转入"),
    "held": Measure(("held",), "已入账未分配", is_counted=False, by_lineage=True),
    "allocated": Measure(("allocated",), "已分配未拨付", is_counted=False, by_lineage=True),
    "in_transit": Measure(("in_transit",), "组织之间在途", is_counted=False, by_lineage=True),
    "unspent": Measure(
        ("held", "allocated", "in_transit"), "未使用：未分配、已分配未拨付与在途之和", is_counted=False, by_lineage=True
    ),
    "paid": Measure(("paid",), "已拨付（含已签收，已减去退回的付款）", by_lineage=True),
    "refunded": Measure(("refunded",), "已退回捐赠人", by_gift=True),
    "fees": Measure(("fees",), "渠道手续费"),
    "lost": Measure(("lost",), "汇兑损失"),
    "voided": Measure(("voided",), "登记有误已作废", by_gift=True),
    "moved_on": Measure(("moved_on",), "其他组织已收到，或经捐赠人同意转到其他基金"),
    "total_allocated": Measure(("total_allocated",), "累计分配", by_lineage=True),
    "returned": Measure(("returned",), "收款方退回的付款", by_lineage=True),
    "confirmed": Measure(("confirmed",), "受助方已签收（相符）", by_lineage=True),
}
"""received + income + moved_in = unspent + paid + refunded + fees + lost + voided + moved_on, of every fund."""

LINEAGE = tuple(name for name, measure in MEASURES.items() if measure.by_lineage and measure.parts == (name,))
"""What a lineage report holds."""


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
    """Of each dimension asked for; of a fund or project with its owner (`org:id`), empty for none."""
    entries: int
    sum_fen: int


def why_not(question: Question) -> str:
    """Why the question has no exact answer; empty where it has one."""
    if len({*question.by}) != len(question.by) or len(question.by) > MAX_DIMENSIONS:
        return f"by：最多 {MAX_DIMENSIONS} 个不同的维度"
    measure = MEASURES[question.measure]
    if not _is_by_gift(question) or measure.by_gift or measure.by_lineage:
        return ""
    return (
        f"“{measure.zh}”是许多捐款合在一起的钱，不分渠道和捐赠人类别。可以按渠道和捐赠人类别统计的有："
        f"{'、'.join(name for name, each in MEASURES.items() if each.by_gift or each.by_lineage)}。"
    )


def is_by_lineage(question: Question) -> bool:
    """Whether only a lineage report has the answer."""
    return _is_by_gift(question) and MEASURES[question.measure].by_lineage


def _is_by_gift(question: Question) -> bool:
    return not {*question.by, *question.only}.isdisjoint(GIFT)


async def read_aggregate(  # noqa: PLR0913  each narrows it
    connection: asyncpg.Connection,
    question: Question,
    *,
    as_of: int | None,
    orgs: Collection[str] | None = None,
    limit: int | None = MAX_ROWS + 1,
    is_lineage: bool = False,
) -> list[Cell]:
    """Groups in order of their keys, `limit` at most; as of entry `as_of` (None: now).

    `orgs`: only these, in place of the organisation asked for. The question has an exact answer; where `is_by_lineage`,
    `as_of` is the last entry of a state that has a report. `is_lineage`: take a plain figure from that, too.
    """
    measure = MEASURES[question.measure]
    arguments: list[object] = [[*measure.parts]]

    def given(value: object) -> str:
        arguments.append(value)
        return f"${len(arguments)}"

    asked = {*question.by, *question.only, *(["month"] if question.since or question.until else [])}
    columns = {"org"} if orgs is not None or {"fund", "project"} & {*question.by} else set()
    columns |= asked & {"month", "org", "fund", "channel", "donor_class"}
    columns |= {"org", "fund", "project"} if asked & {"project", "event", "region", "category"} else set()
    columns |= {"event"} if "event" in asked and measure.by_gift else set()
    kept = [each for each in _COLUMNS if each in columns]
    keys = [_OWNED.get(each, each) for each in question.by]
    where = []
    if orgs is not None:
        where.append(f"org = any({given([*orgs])}::text[])")
    where += [f"month >= {given(question.since)}"] if question.since else []
    where += [f"month <= {given(question.until)}"] if question.until else []
    for dimension, value in question.only.items():
        if dimension == "region":
            where.append(f"region like {given(_within(value))}")
        elif dimension != "org":
            where.append(f"{dimension} = {given(value)}")
    if is_lineage or is_by_lineage(question):
        assert as_of is not None, "a report is of one state"
        pieces = [_reported(kept, given(as_of + 1))]
    else:
        pieces = [*_pieces(measure.parts, kept, as_of, given)]
    statement = _ANSWER.format(
        pieces=" union all ".join(pieces),
        kept="".join(f"{each}, " for each in kept),
        told="".join(f"{_TOLD[each, measure.by_gift]} as {each}, " for each in DIMENSIONS if each in asked | columns),
        joins=_JOINS if "project" in columns else "",
        where=" and ".join(where) or "true",
        keys="".join(f"{key} as {each}, " for key, each in zip(keys, question.by, strict=True)),
        group=f"group by {', '.join(kept)}" if kept else "",
        regroup="group by {0} order by {0}".format(", ".join(keys)) if question.by else "",
        limit=given(limit) + "::bigint",
    )
    found = await connection.fetch(statement, *arguments)
    return [Cell(tuple(row[each] for each in question.by), row["entries"], row["qty"]) for row in found]


def _pieces(
    parts: Collection[str], kept: Sequence[str], as_of: int | None, given: Callable[[object], str]
) -> Iterator[str]:
    """What has the changes: spans of figures, then movements and gifts of the tail."""
    spans, tail = _spans(as_of)
    columns = "".join(f"{each}, " for each in kept)
    for span, first, end in spans:
        yield (
            f"select {columns}entries, qty from figure where span = {span} and measure = any($1) "  # noqa: S608  ours
            f"and block >= {given(first)}::bigint and block < {given(end)}::bigint"
        )
    if tail is None:
        return
    between = "seq between {}::bigint and {}::bigint".format(*map(given, tail))
    columns = columns.replace("month", "to_char(day, 'YYYY-MM') as month")
    yield f"select {columns}entries, qty from movement where measure = any($1) and {between}"  # noqa: S608  ours
    for part in _GIFTS.keys() & {*parts}:
        count, qty, source = _GIFTS[part]
        is_gift = part == "received"
        columns = "".join(f"{_GIVEN[each] if is_gift or each in PLACE[:3] else _NONE}, " for each in kept)
        yield f"select {columns}{count}, {qty} from {source.format(between=between)}"  # noqa: S608  ours


def _reported(kept: Sequence[str], size: str) -> str:
    """All of a measure, from the report of a state of the log."""
    columns = "".join(f"{each}, " for each in kept)
    return f"select {columns}entries, qty from lineage where size = {size}::bigint and measure = any($1)"  # noqa: S608  ours


async def read_subtree(connection: asyncpg.Connection, org: str, *, as_of: int) -> set[str]:
    """The organisation and all that belong to it, as of an entry; none where it is not registered then."""
    parents = {row["org"]: row["parent"] for row in await connection.fetch(_TREE, as_of)}
    found = {org} & parents.keys()
    grown = found
    while grown:
        grown = {each for each, parent in parents.items() if parent in grown} - found
        found |= grown
    return found


async def read_scope(
    connection: asyncpg.Connection, only: Mapping[str, str], *, as_of: int
) -> tuple[frozenset[str] | None, dict[str, str]]:
    """Filters as people give them, for the queries: which organisations they leave (None: all), and plain ids.

    `org` stands for all that belong to it. A fund or project is given by its id, whosever it is, or with its owner:
    `org:id`. Raises LookupError for an organisation that is not registered as of the entry.
    """
    orgs: frozenset[str] | None = None
    if org := only.get("org"):
        orgs = frozenset(await read_subtree(connection, org, as_of=as_of))
        if not orgs:
            raise LookupError(org)
    plain = dict(only)
    for dimension in ("fund", "project"):
        owner, owned, its = only.get(dimension, "").partition(":")
        if owned:
            plain[dimension] = its
            orgs = frozenset({owner}) if orgs is None else orgs & {owner}
    return orgs, plain


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


_COLUMNS = ("month", "org", "fund", "project", "channel", "donor_class", "event")
# Gifts as they arrive, those alike together. One that was found in suspense has its movements instead.
# The range stands twice, so that no plan for any range reads all movements to join them.
_RECEIVED = """(
  select account, day, channel, donor_class, event, count(*) as entries, sum(qty) as qty from gift
  where {between} and not exists (select from movement m where m.seq = gift.seq and m.{between})
  group by account, day, channel, donor_class, event
) g join account a on a.id = g.account"""
# The first posting is what the fund holds, a second one a fee.
_POSTED = """(
  select g.account, g.day, sum((p.n > 0)::int) as fees, sum(p.qty) filter (where p.n = 0) as held,
         sum(p.qty) filter (where p.n > 0) as fee
  from posting p join gift g on g.seq = p.seq where p.src_lo is null and p.{between} and g.{between}
  group by g.account, g.day
) g join account a on a.id = g.account"""
_NONE = "''"
_GIVEN = {
    "month": "to_char(g.day, 'YYYY-MM')",
    "org": "a.org",
    "fund": "split_part(a.address, ':', 3)",
    "project": _NONE,
    "channel": "g.channel",
    "donor_class": "g.donor_class",
    "event": "g.event",
}
_GIFTS = {
    "received": ("g.entries", "g.qty", _RECEIVED),
    "held": ("0", "g.held", _POSTED),
    "fees": ("g.fees", "coalesce(g.fee, 0)", _POSTED),
}
"""Measure → how many, how much, and of what."""

# Ids of funds and projects are their organisation's own: two may have a "general" each.
_OWNED = {each: f"coalesce(org || ':' || nullif({each}, ''), '')" for each in ("fund", "project")}

# What a project does not say of itself, its money's fund does.
_JOINS = """
  left join fund f on f.org = m.org and f.fund = m.fund left join project p on p.org = m.org and p.project = m.project
"""
_TOLD = {
    **{(each, by_gift): f"m.{each}" for each in _COLUMNS for by_gift in (True, False)},
    **{
        ("project", by_gift): "coalesce(nullif(m.project, ''), f.restriction ->> 'project', '')"
        for by_gift in (True, False)
    },
    **{
        (each, by_gift): f"coalesce(nullif(p.{each}, ''), f.restriction ->> '{each}', '')"
        for each in ("region", "category")
        for by_gift in (True, False)
    },
    ("event", True): "coalesce(nullif(m.event, ''), f.restriction ->> 'event', '')",
    ("event", False): "coalesce(nullif(p.event, ''), f.restriction ->> 'event', '')",
}
_ANSWER = """
with moved as ({pieces}),
summed as (select {kept}sum(entries) as entries, sum(qty) as qty from moved {group}),
told as (select {told}m.entries, m.qty from summed m {joins})
select {keys}coalesce(sum(entries), 0)::bigint as entries, coalesce(sum(qty), 0)::bigint as qty
from told where {where} {regroup} limit {limit}
"""
_TREE = f"select org, parent from ({ORGANISATIONS}) organisation"  # noqa: S608  ours


def counts(question: Question, cells: Sequence[Cell]) -> list[int | None]:
    """Of each group how many entries: None for balances, which have none, and where fewer than FEW persons stand alone.

    Sums stay: every gift's amount is in the public log. What is left out is a table of small groups of persons.
    """
    their = question.only.get("donor_class", "")
    at = question.by.index("donor_class") if "donor_class" in question.by else None
    return [count(question.measure, their if at is None else cell.keys[at], cell.entries) for cell in cells]


def count(measure: str, donor_class: str, entries: int) -> int | None:
    """How many entries are told of one group: see `counts`."""
    is_few = donor_class == "person" and 0 < entries < FEW
    return None if is_few or not MEASURES[measure].is_counted else entries


def summed(cells: Sequence[Cell]) -> tuple[int, int]:
    """Count and fen of all groups together."""
    return sum(each.entries for each in cells), sum(each.sum_fen for each in cells)
