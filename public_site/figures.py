"""Figures for readers: one number by month, place or kind of gift, as picture and table, and how to ask for it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import asyncpg
from litestar import Request, Response, get
from litestar.di import NamedDependency

from api.public import permalinks
from ledger.store.database import Database
from ledger.store.queries.aggregates import (
    DIMENSIONS,
    MAX_ROWS,
    MEASURES,
    Cell,
    Question,
    counts,
    is_by_lineage,
    read_aggregate,
    summed,
    why_not,
)
from ledger.store.queries.choices import Called, read_called
from ledger.store.queries.head import Head
from ledger.store.queries.lineage import has_report, read_reports
from public_site import chart, filters, messages
from public_site.chart import Picture
from public_site.filters import DONORS, GIFT, PLACES, Filters
from public_site.flow import Caption
from public_site.form import Field, Group, Option, chips, fields, read_as_of, read_narrowing
from public_site.site import FRESH, Site
from public_site.words import Words, both

ROWS = 200
"""Groups of the table; the sheet has all."""
NAMED = 10
"""Reports that are named to somebody who asks for another one."""

ASKED = (*PLACES, *GIFT, "region", "category", "since", "until")
SELECTS = {"measure": "统计", "by": "分组", "then": "再按"}
DEFAULT = {"measure": "received", "by": "month", "then": ""}

CALLED = {
    "received": "收到捐款",
    "income": "其他收入",
    "moved_in": "转入",
    "held": "已入账，尚未分配",
    "allocated": "已分配，尚未拨付",
    "in_transit": "组织之间在途",
    "unspent": "未使用",
    "total_allocated": "累计分配",
    "paid": "已拨付净额",
    "confirmed": "已签收",
    "returned": "收款方退回",
    "refunded": "已退回捐赠人",
    "fees": "渠道手续费",
    "lost": "汇兑损失",
    "voided": "更正作废",
    "moved_on": "转出",
}
"""What each measure is called, in the order of a gift's way."""

BY = {
    "month": "月份",
    "org": "组织|一个",
    "fund": "基金|一个",
    "project": "项目|一个",
    "event": "事件",
    "channel": "渠道",
    "donor_class": "捐赠人",
    "region": "地区",
    "category": "类别",
}

assert CALLED.keys() == MEASURES.keys(), "every measure has its words"
assert {*BY} == {*DIMENSIONS}, "every dimension has its words"


Names = Mapping[str, Mapping[str, Called]]
"""Dimension → key → name."""


class Label(NamedTuple):
    """What a group is called in one dimension."""

    text: str
    is_own: bool = False
    """It stands so in the ledger, in Chinese."""


class Row(NamedTuple):
    """A group. `entries` None: not said how many."""

    keys: tuple[str, ...]
    labels: tuple[Label, ...]
    entries: int | None
    sum_fen: int


@get(both("/data/figures"), include_in_schema=False)
async def figures(
    request: Request[Any, Any, Any], site: NamedDependency[Site], database: NamedDependency[Database]
) -> Response[str]:
    """A measure by up to two dimensions, narrowed like the lists."""
    query, say = request.query_params, site.words
    is_pinned = bool(query.get("as_of"))
    chosen = {each: query.get(each, "") for each in SELECTS} if "measure" in query else DEFAULT
    asked = filters.read(query, ASKED, say("汇总"), say)
    question = _question(chosen, asked)
    wrong = _unknown(chosen, question, say)
    by_lineage = is_by_lineage(question)
    cells: list[Cell] = []
    names: Names = {}
    async with database.snapshot() as connection:
        head, problem = await read_as_of(connection, query, say)
        if by_lineage and not wrong and not problem:
            head, problem = await _reported(connection, head, say, is_pinned=is_pinned)
        choices, asked, narrowing = await read_narrowing(connection, asked, head, say)
        wrong |= {**problem, **asked.wrong}
        if not wrong and narrowing is not None:
            as_of = head.seq if is_pinned or by_lineage else None
            narrowed = replace(question, only=narrowing.only)
            cells = await read_aggregate(connection, narrowed, as_of=as_of, orgs=narrowing.orgs)
            names = {
                each: await read_called(connection, each, {cell.keys[i] for cell in cells})
                for i, each in enumerate(question.by)
            }
    if len(cells) > MAX_ROWS:
        wrong["by"] = say("超过 {n} 组，请多选几项筛选。", n=messages.number(MAX_ROWS))
        cells = []
    here = say.address(site.here)
    kept = {**chosen, **asked.typed, "as_of": query.get("as_of", "")}
    api = _api(question, asked)
    counted = counts(question, cells)
    rows = [
        Row(
            cell.keys,
            tuple(_label(*each, names, say) for each in zip(question.by, cell.keys, strict=True)),
            count,
            cell.sum_fen,
        )
        for cell, count in zip(cells, counted, strict=True)
    ]
    is_counted = MEASURES[question.measure].is_counted
    count, sum_fen = summed(cells)
    return site.page(
        "figures",
        head,
        status=400 if wrong else 200,
        headers=FRESH,
        query=kept,
        is_pinned=is_pinned or by_lineage,  # a report is of its own entry, however old
        is_chosen=is_pinned,
        by_lineage=by_lineage,
        selects=_selects(chosen, wrong, say),
        fields=fields(asked, ASKED, choices, say),
        hidden={"as_of": kept["as_of"]},
        wrong=wrong,
        chips=chips(here, kept, asked, choices, say),
        cleared=filters.address(here, chosen),
        title=say(CALLED[question.measure]),
        heads=[say(BY[each]) for each in question.by],
        rows=rows[:ROWS],
        row_count=len(rows),
        is_counted=is_counted,
        has_few=is_counted and None in counted,
        is_change=not is_counted and ("month" in question.by or bool(question.since or question.until)),
        count=None if None in counted else count,
        sum_fen=sum_fen,
        picture=_picture(question, rows, say) if question.by and rows else None,
        latest=filters.address(here, {**kept, "as_of": ""}),
        call=filters.call("/api/v1/figures", {**api, "as_of": head.seq}),
        sheet=permalinks.address("/api/v1/figures.csv", api, head.seq),
        answer=permalinks.address("/api/v1/figures", api, head.seq),
        permalink=permalinks.origin(request) + filters.address(here, {**kept, "as_of": head.seq}),
    )


def _question(chosen: Mapping[str, str], asked: Filters) -> Question:
    """The question, as far as it can be asked."""
    by = dict.fromkeys(each for each in (chosen["by"], chosen["then"]) if each in BY)
    since, until = (f"{day:%Y-%m}" if day else "" for day in (asked.since, asked.until))
    measure = chosen["measure"] if chosen["measure"] in CALLED else DEFAULT["measure"]
    return Question(measure=measure, by=tuple(by), only=asked.only, since=since, until=until)


def _unknown(chosen: Mapping[str, str], question: Question, say: Words) -> dict[str, str]:
    """What is wrong with the question itself."""
    wrong = {}
    if chosen["measure"] not in CALLED:
        wrong["measure"] = say("没有「{typed}」这个数。", typed=chosen["measure"][: filters.MAX_TYPED])
    for each in ("by", "then"):
        if chosen[each] and chosen[each] not in BY:
            wrong[each] = say("不能按「{typed}」分组。", typed=chosen[each][: filters.MAX_TYPED])
    if not wrong and why_not(question):
        wrong["exact"] = say(
            "「{measure}」是许多捐款合在一起的钱，先到先用，不分渠道和捐赠人类别，所以没有精确的数。"
            "收到、拨付、签收、退回、作废和各种结存可以这样分；其他的，请去掉渠道和捐赠人。",
            measure=say(CALLED[question.measure]),
        )
    return wrong


async def _reported(
    connection: asyncpg.Connection, head: Head, say: Words, *, is_pinned: bool
) -> tuple[Head, dict[str, str]]:
    """The state that the figures by lineage are as of, and what is wrong where it has no report."""
    if is_pinned and await has_report(connection, head.seq):
        return head, {}
    reports = await read_reports(connection)
    if not reports:
        return head, {"exact": say("这样分的数出自来源报告，还没有做过。请去掉渠道和捐赠人，或过些时候再来。")}
    if not is_pinned:
        return await permalinks.read_as_of(connection, reports[0]), {}
    listed = say("、").join(map(messages.number, reports[:NAMED]))
    return head, {
        "as_of": say(
            "这样分的数出自来源报告，截至第 {n} 条的没有做过。有的是截至第 {reports} 条。",
            n=messages.number(head.seq),
            reports=listed,
        )
    }


def _api(question: Question, asked: Filters) -> dict[str, str | int]:
    """The same as parameters of the interface."""
    by = ",".join(question.by)
    return {"measure": question.measure, "by": by, **asked.only, "since": question.since, "until": question.until}


def _selects(chosen: Mapping[str, str], wrong: Mapping[str, str], say: Words) -> list[Field]:
    """The question's own fields."""
    options = {"measure": CALLED, "by": BY, "then": BY}
    return [
        Field(
            name=name,
            label=say(SELECTS[name]),
            typed=chosen[name],
            wrong=wrong.get(name, ""),
            groups=[Group("", [Option(value, say(called), is_own=False) for value, called in options[name].items()])],
            is_needed=name == "measure",
        )
        for name in SELECTS
    ]


def _label(dimension: str, key: str, names: Names, say: Words) -> Label:
    if not key:
        return Label(say("不是捐款") if dimension in GIFT else say("没有"))
    match dimension:
        case "channel":
            return Label(messages.channel(key, say))
        case "donor_class":
            return Label(say(DONORS[key]))
        case "category":
            return Label(key, is_own=True)
        case _:
            called = names[dimension]
            if key not in called:
                return Label(key)
            # Every organisation may have a fund of this name: whose it is is said where they stand beside each other.
            is_mixed = "org" not in names and len({each.owner for each in called.values()}) > 1
            name, owner = called[key]
            return Label(f"{owner} · {name}" if is_mixed else name, is_own=True)


def _picture(question: Question, rows: Sequence[Row], say: Words) -> Picture:
    """Months are columns, names are lines; what else it is grouped by is the colours. Groups of one name stay apart."""
    by = question.by
    along = by.index("month") if "month" in by else 0
    are_months = by[along] == "month"
    amounts: dict[tuple[str, str], int] = {}
    labels: dict[str, str] = {}
    for row in rows:
        told = [(f"{each}={key}", label.text) for each, key, label in zip(by, row.keys, row.labels, strict=True)]
        bar, text = told.pop(along)
        if are_months:
            bar = text
        part = " ".join(key for key, _ in told)
        labels |= {bar: text, part: "".join(label for _, label in told)}
        amounts[bar, part] = row.sum_fen
    title = say(CALLED[question.measure])
    return chart.draw(
        amounts,
        are_months=are_months,
        labels=labels,
        rest=say("其他"),
        caption=Caption(
            title=title,
            about=say(
                "{title}，按{by}。完整数字见下表。",
                title=title,
                by=say("、").join(say(BY[each]).lower() for each in by),
            ),
        ),
    )


HANDLERS = [figures]
